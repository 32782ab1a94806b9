"""MLflow's filter words, against the tree that they stand for and against MLflow itself."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.contracts.table import AllOf, AnyOf, Compare, Missing, Not, OneOf
from perijove.develop.words import WordsFaultError, are_filter, parse, plain


def compare(column, op, value):
    return Compare(column=column, op=op, value=value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("metrics.a > 1", compare("metrics.a", ">", "1")),
        ("metric.val/loss<=1e-3", compare("metrics.val/loss", "<=", "1e-3")),
        ("metrics.loss.total != -.5", compare("metrics.loss.total", "!=", "-.5")),
        ("metrics.2a==1", compare("metrics.2a", "=", "1")),
        ("metrics.größe > 1", compare("metrics.größe", ">", "1")),
        ("params.b = 'it''s'", compare("params.b", "=", "it's")),
        ('params."x y" = "1"', compare("params.x y", "=", "1")),
        ("params.lr < 0.1", compare("params.lr", "<", "0.1")),
        ("tags.`c d` LIKE '%z%'", compare("tags.c d", "contains", "z")),
        ("tags.c like 'z%'", compare("tags.c", "starts_with", "z")),
        ("tags.c LIKE '%z'", compare("tags.c", "ends_with", "z")),
        ("tags.c LIKE 'a_c'", compare("tags.c", "matches", "(?s)^a.c$")),
        ("tags.c ILIKE 'a%.c'", compare("tags.c", "matches", "(?si)^a.*\\.c$")),
        ("status = 'FINISHED'", compare("attributes.status", "=", "FINISHED")),
        ("attributes.created > 5", compare("attributes.start_time", ">", "5")),
        ("start_time > '2026-05-31'", compare("attributes.start_time", ">", "2026-05-31")),
        ("params.a IN ('1', '2')", OneOf(column="params.a", values=["1", "2"])),
        ("tags.a IS NULL", Missing(column="tags.a")),
        ("tags.a is not null", Not(of=Missing(column="tags.a"))),
        (
            "params.a NOT IN ('1')",
            AllOf(
                of=[
                    Not(of=Missing(column="params.a")),
                    Not(of=OneOf(column="params.a", values=["1"])),
                ]
            ),
        ),
        (
            "metrics.a > 1 and (params.b = 'x' OR not tags.c = 'y') AND status = 'FAILED'",
            AllOf(
                of=[
                    compare("metrics.a", ">", "1"),
                    AnyOf(
                        of=[
                            compare("params.b", "=", "x"),
                            Not(of=compare("tags.c", "=", "y")),
                        ]
                    ),
                    compare("attributes.status", "=", "FAILED"),
                ]
            ),
        ),
    ],
)
def test_words_are_read(text, tree):
    assert are_filter(text)
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("metrics.a >", 12, "a value"),
        ("metrics.a > 'x'", 1, "holds numbers"),
        ("params.a = x", 12, "in quotes"),
        ("(metrics.a > 1", 15, "closing bracket"),
        ("foo.x = 1", 1, "none of metrics"),
        ("auc > 1", 1, "metrics.auc"),
        ("metrics.a > 1 params.b = 2", 15, "and or or"),
        ("params.a = 'x", 12, "not closed"),
        ("metrics. > 1", 1, "no attribute"),
        ("params.a IN ()", 14, "a value"),
        ("metrics.a LIKE '%x%'", 1, "is for text"),
        ("metrics.a > 1 ; drop", 15, "fits nowhere"),
        ("", 1, "a column"),
        ("(" * 80 + "metrics.a > 1" + ")" * 80, 51, "deep"),
        ("metrics.a > 1 and " * 300, 4001, "characters"),
    ],
)
def test_faults_name_the_place(text, position, reason):
    with pytest.raises(WordsFaultError, match=reason) as told:
        parse(text)
    assert told.value.position == position


@pytest.mark.parametrize("text", ["hgb 7", "in flight", "this is it", '"a=b" c', "a.b", "a/b"])
def test_plain_words_are_no_filter(text):
    assert not are_filter(text)


def test_plain_words():
    assert plain(' hgb  "two words" x"') == ("hgb", "two words", "x")
    assert plain('""') == ()


KEYS = st.text(st.characters(exclude_characters="`\0", exclude_categories=["Cs"]), min_size=1)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(key=KEYS, value=VALUES, op=st.sampled_from(["=", "!=", "<", ">="]))
def test_any_key_and_any_value_can_be_said(key, value, op):
    quoted = value.replace("'", "''")
    assert parse(f"params.`{key}` {op} '{quoted}'") == compare(f"params.{key}", op, value)


@settings(max_examples=300)
@given(st.text(max_size=60) | st.text("metricspa.ndor()'`\"<>=%0 ", max_size=60))
def test_nothing_else_is_raised(text):
    with contextlib.suppress(WordsFaultError):
        parse(text)


@pytest.mark.parametrize(
    "words",
    [
        "metrics.auc > 0.71",
        "metrics.auc >= 0.71 and params.kind = 'hgb'",
        "params.kind LIKE '%or%'",
        "params.kind ILIKE 'net%'",
        "tags.team != 'vision'",
        "attributes.status = 'FINISHED' AND tags.`mlflow.runName` LIKE 'h%'",
        "run_name = 'net'",
        "tags.team IS NULL",
    ],
)
def test_mlflow_finds_the_same(project, store, words):
    from mlflow import MlflowClient

    from perijove.adapters.mlflow.database import own_uri
    from perijove.adapters.mlflow.stores import open_run_queries
    from perijove.develop.ports import RunQuery
    from perijove.testing.run_queries import fill

    fill(store)
    theirs = MlflowClient(tracking_uri=own_uri(project.paths)).search_runs(["0"], words)
    ours, _ = open_run_queries(store).find(RunQuery(filter=parse(words)), offset=0, limit=99)
    assert {run.run_id for run in ours} == {run.info.run_id for run in theirs}
