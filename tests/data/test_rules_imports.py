"""Rules from elsewhere: what a profile suggests, and what a pandera schema says."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from perijove.adapters.duckdb.rules import DuckDbRules
from perijove.adapters.duckdb.workers import Workers
from perijove.adapters.pandera import import_rules, schema_text
from perijove.contracts.quality import Rule
from perijove.contracts.table import ColumnProfile, Profile, TopValue
from perijove.core.errors import InvalidInputError
from perijove.data.rules import check
from perijove.data.suggestions import suggest

UUID = "123e4567-e89b-12d3-a456-42661417400"


def _profile(*columns: ColumnProfile, rows: int = 1000, seen: int | None = None) -> Profile:
    stage: Any = "full" if seen is None else "sample"
    return Profile(ref="data:t@1", stage=stage, rows=rows, seen=seen or rows, columns=list(columns))


def _number(name: str, low: str, high: str, type_: str = "BIGINT", **more: Any) -> ColumnProfile:
    return ColumnProfile(
        name=name, type=type_, kind="number", minimum=low, maximum=high, nan=0, **more
    )


def _text(name: str, *values: str, count: int = 200, **more: Any) -> ColumnProfile:
    top = [TopValue(value=value, count=count) for value in values]
    return ColumnProfile(name=name, type="VARCHAR", kind="text", top=top, **more)


def _only(profile: Profile, check_: str, *rules: Rule) -> list[Rule]:
    items = suggest(profile, rules).items
    assert all(item.reason.endswith(".") for item in items)
    check([item.rule for item in items])
    return [item.rule for item in items if item.rule.check == check_]


def test_bounds_leave_room_and_stay_in_the_type() -> None:
    (size,) = _only(_profile(_number("size", "0", "95")), "range")
    assert (size.minimum, size.maximum, size.action) == ("0", "105", "warn")
    (small,) = _only(_profile(_number("s", "-100", "120", "TINYINT")), "range")
    assert (small.minimum, small.maximum) == ("-122", "127")
    (share,) = _only(_profile(_number("x", "-1.2345", "4.5678", "DOUBLE")), "range")
    assert (share.minimum, share.maximum) == ("-1.82", "5.15")
    assert _only(_profile(_number("x", "-inf", "1", "DOUBLE")), "range") == []


def test_keys_sets_nulls_and_rows() -> None:
    columns = [
        _number("build_id", "1", "1000", nulls=0, distinct=1000),
        _number("v", "1", "1000", nulls=3, distinct=998, distinct_error=0.02),
        _text("state", "on", "off", count=500, nulls=0, distinct=2),
        ColumnProfile(name="f", type="DOUBLE", kind="number", nulls=0, nan=4),
    ]
    profile = _profile(*columns)
    assert [rule.columns for rule in _only(profile, "unique")] == [["build_id"]]
    assert [rule.columns for rule in _only(profile, "not_null")] == [["build_id"], ["state"]]
    (state,) = _only(profile, "set")
    assert state.values == ["off", "on"]
    (rows,) = _only(profile, "row_count")
    assert rows.minimum == "500"
    ids = [item.rule.id for item in suggest(profile, [Rule(id="state_set", check="unique")]).items]
    assert "state_set_2" in ids
    assert _only(profile, "unique", Rule(id="u", check="unique", columns=["build_id"])) == []


@pytest.mark.parametrize(
    ("values", "check_", "words"),
    [
        ([UUID + "0", UUID + "1", UUID + "a"], "regex", "UUIDs"),
        (["a@b.org", "c.d@e.de", "x@y.fr"], "regex", "e-mail"),
        (["2026-01-31", "2026-02-01", "2025-12-24"], "regex", "dates"),
        (["1", "22", "-3"], "type", "whole numbers"),
        (["1.5", "2.25", "-3.0"], "type", "numbers"),
    ],
)
def test_texts_with_a_form(values: list[str], check_: str, words: str) -> None:
    profile = _profile(_text("x", *values, distinct=700))
    (found,) = [item for item in suggest(profile).items if item.rule.check == check_]
    assert words in found.reason


def test_a_sample_is_said_to_be_one_and_little_says_nothing() -> None:
    profile = _profile(
        _number("size", "0", "9", nulls=0, distinct=500, distinct_error=0.01), rows=10**6, seen=500
    )
    ranges = [item for item in suggest(profile).items if item.rule.check == "range"]
    assert "in a sample of 500 rows" in ranges[0].reason
    assert _only(profile, "unique") == []
    assert suggest(_profile(_number("a", "1", "2", nulls=0), rows=5)).items == []


YAML = """\
schema_type: dataframe
api: pandas
columns:
  a:
    dtype: int64
    unique: true
    greater_than_or_equal_to: 0
    isin: [1, 2, 3]
    in_range: {min_value: 0, max_value: 10, include_min: false, include_max: true}
  b c:
    dtype: string[pyarrow]
    nullable: true
    coerce: true
    str_matches: ^c\\d+
    str_length: {min_value: 1, max_value: 3, exact_value: null}
    notin: ["c9"]
  old:
    dtype: category
    nullable: true
    checks:
      less_than: 5
      less_than_or_equal_to: {value: 4, options: {raise_warning: true}}
      of_my_own: 1
  x.*: {dtype: float64, regex: true}
unique: [a, b c]
strict: true
"""


def test_a_schema_becomes_rules_that_block() -> None:
    found = import_rules(YAML)
    rules = [item.rule for item in found.items]
    check(rules)
    said = [(rule.check, rule.columns, rule.action) for rule in rules]
    assert said == [
        ("type", ["a"], "block"),
        ("not_null", ["a"], "block"),
        ("unique", ["a"], "block"),
        ("range", ["a"], "block"),
        ("set", ["a"], "block"),
        ("expression", [], "block"),
        ("type", ["b c"], "fix"),
        ("regex", ["b c"], "block"),
        ("expression", [], "block"),
        ("expression", [], "block"),
        ("expression", [], "block"),
        ("range", ["old"], "warn"),
        ("unique", ["a", "b c"], "block"),
    ]
    assert [rule.expression for rule in rules if rule.expression] == [
        "0 < `a` <= 10",
        "length(`b c`) >= 1 and length(`b c`) <= 3",
        "`b c` not in ('c9',)",
        "`old` < 5",
    ]
    assert found.left_out == [
        "old: the type category", "old: of_my_own", "x.*: a pattern of columns",
        "strict of the schema",
    ]  # fmt: skip


def test_the_rules_hold_for_what_the_schema_accepts() -> None:
    rules = [item.rule for item in import_rules(YAML).items]
    table = pa.table({"a": [1, 2, 3, 7], "b c": ["c1", None, "c9", "xc1"], "old": [1, None, 4, 5]})
    engine = DuckDbRules(Workers(__file__))  # type: ignore[arg-type]
    applied = engine.apply(table, rules, {})
    failed = {r.rule.id: r.failed for r in applied.results if r.state not in {"pass"}}
    assert failed == {"a_set": 1, "b_c_regex": 1, "expression_3": 1, "expression_4": 1,
                      "old_range": 1}  # fmt: skip
    assert applied.blocked


def test_json_and_lists_of_checks_are_read_too() -> None:
    listed = {
        "schema_type": "dataframe",
        "columns": {
            "n": {
                "dtype": "datetime64[ns, UTC]", "nullable": True, "coerce": False,
                "checks": [{"value": 3, "options": {"check_name": "greater_than"}},
                           {"min_value": 0, "max_value": 9, "options": {"check_name": "in_range"}}],
            }
        },
        "coerce": True,
    }  # fmt: skip
    rules = [item.rule for item in import_rules(json.dumps(listed)).items]
    assert [(rule.check, rule.type, rule.fix) for rule in rules] == [
        ("type", "TIMESTAMP WITH TIME ZONE", "cast"),
        ("expression", "", None),
        ("range", "", None),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "a: [", "schema_type: series", "columns: {}", "!!python/object:os.system {}",
     "x" * (2**20 + 1), "[" * 5000],
)  # fmt: skip
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        import_rules(text)


def test_a_live_schema_is_read_where_pandera_is_installed() -> None:
    pandera = pytest.importorskip("pandera.pandas")
    schema = pandera.DataFrameSchema(
        {"a": pandera.Column(int, pandera.Check.ge(0)), "s": pandera.Column(str, nullable=True)}
    )
    rules = [item.rule for item in import_rules(schema_text(schema)).items]
    assert [rule.check for rule in rules] == ["type", "not_null", "range", "type"]
    with pytest.raises(InvalidInputError, match="no pandera schema"):
        schema_text(object())
