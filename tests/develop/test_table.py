"""The table of runs through the service: searches, groups, the best, columns."""

from __future__ import annotations

import json
import math

import pytest

from perijove.contracts.table import Compare, SortKey
from perijove.contracts.tracker import RunsRequest
from perijove.core.errors import InvalidInputError
from perijove.develop.columns import direction_of, read_column, read_number
from perijove.develop.ports import NOTEBOOK_TAG, PARENT_TAG, Batch, Point
from perijove.develop.tags import NOTE_TAG, PIN_TAG, PROCESS_TAG, STAR_TAG

START = 1_790_000_000_000


def add(store, name, metrics=None, params=None, tags=None, *, at=0, end="FINISHED"):
    points = [Point(key, value, START + at, 0) for key, value in (metrics or {}).items()]
    run_id = store.create_run(
        name, started=START + at, batch=Batch(points, params or {}, tags or {})
    )
    if end:
        store.finish(run_id, end, START + at + 100)
    return run_id


@pytest.fixture
def table(service):
    return service.tracker.table


def names(page):
    return [row.name for row in page.rows]


def test_a_page(store, table):
    for at in range(5):
        add(store, f"r{at}", {"auc": at / 10}, {"lr": str(10**-at)}, at=at)
    page = table.page(
        RunsRequest(
            columns=["metrics.auc", "params.lr", "attributes.duration", "metrics.none"],
            sort=[SortKey(column="metrics.auc", descending=True)],
            offset=1,
            limit=2,
        )
    )
    assert names(page) == ["r3", "r2"]
    assert (page.total, page.runs) == (5, 5)
    assert page.rows[0].values == [0.3, "0.001", 100, None]
    top = table.page(RunsRequest(columns=["metrics.auc"], limit=1))
    assert names(top) == ["r4"]
    assert top.best == {"auc": top.rows[0].run_id}


def test_a_search_is_words_or_a_filter(store, table):
    add(store, "hgb 7", {"auc": 0.7}, {"lr": "0.1"}, {NOTEBOOK_TAG: "a.ipynb"})
    add(store, "forest", {"auc": 0.9}, {"lr": "0.01"}, {NOTE_TAG: "the hgb was worse"}, at=1)
    assert names(table.page(RunsRequest(search="hgb"))) == ["forest", "hgb 7"]
    page = table.page(RunsRequest(search="metrics.auc > 0.8"))
    assert names(page) == ["forest"]
    assert page.understood == Compare(column="metrics.auc", op=">", value="0.8")
    both = RunsRequest(search="hgb", filter=Compare(column="params.lr", op=">", value="0.05"))
    page = table.page(both)
    assert (names(page), page.understood) == (["hgb 7"], None)
    page = table.page(RunsRequest(search="metrics.auc >> 1"))
    assert (page.rows, page.total, page.runs) == ([], 0, 2)
    assert "character 14" in page.fault
    with pytest.raises(InvalidInputError):
        table.page(RunsRequest(filter=Compare(column="metrics.auc", op=">", value="x")))
    with pytest.raises(InvalidInputError):
        table.page(RunsRequest(columns=["nothing"]))


def test_what_rows_tell(store, table, service):
    parent = add(store, "search", tags={STAR_TAG: "true", NOTE_TAG: "x"}, at=1)
    add(store, "trial", tags={PARENT_TAG: parent}, at=2)
    add(store, "old and pinned", tags={PIN_TAG: "true"})
    lost = add(store, "lost", tags={PROCESS_TAG: json.dumps({"pid": 2**22 + 1, "created": 1.0,
                                                             "host": "here"})}, end="")  # fmt: skip
    service.start_run("mine", notebook="n.ipynb")
    page = table.page(RunsRequest(columns=["attributes.status", "attributes.duration"]))
    rows = {row.name: row for row in page.rows}
    assert page.rows[0].name == "old and pinned"
    assert rows["old and pinned"].pinned
    assert (rows["search"].children, rows["search"].starred, rows["search"].noted) == (
        1,
        True,
        True,
    )
    assert rows["trial"].parent == parent
    assert rows["mine"].state == "running"
    assert rows["mine"].values[0] == "RUNNING"
    assert rows["mine"].tracked_by == "perijove"
    assert rows["trial"].tracked_by == "mlflow"
    state = rows["lost"].state
    only = table.page(RunsRequest(search=f"status = '{state}'"))
    assert lost in {row.run_id for row in only.rows}


def test_groups(store, table):
    for at, (kind, auc) in enumerate([("a", 0.5), ("a", 0.7), ("b", 0.9), (None, 0.1)]):
        add(store, f"r{at}", {"auc": auc}, {"kind": kind} if kind else {}, at=at)
    request = RunsRequest(group_by="params.kind", columns=["metrics.auc", "params.kind"])
    page = table.page(request)
    assert [(group.value, group.runs) for group in page.groups] == [(None, 1), ("b", 1), ("a", 2)]
    assert (page.total, page.rows, page.runs) == (3, [], 4)
    spread = page.groups[2].spreads[0]
    assert (spread.mean, spread.low, spread.high, spread.values) == (0.6, 0.5, 0.7, 2)
    assert page.groups[2].spreads[1].mean is None
    by_mean = RunsRequest(
        group_by="params.kind", sort=[SortKey(column="metrics.auc", descending=True)], limit=2
    )
    assert [group.value for group in table.page(by_mean).groups] == ["b", "a"]
    by_value = RunsRequest(group_by="params.kind", sort=[SortKey(column="params.kind")])
    assert [group.value for group in table.page(by_value).groups] == ["a", "b", None]
    one = table.page(RunsRequest(group_by="params.kind", group="a"))
    assert names(one) == ["r1", "r0"]
    assert names(table.page(RunsRequest(group_by="params.kind", group=""))) == []
    number = page.groups[1].spreads[0].mean
    assert names(table.page(RunsRequest(group_by="metrics.auc", group=str(number)))) == ["r2"]


def test_the_best_is_by_what_is_better(store, table):
    low = add(store, "low", {"loss": 0.1, "auc": 0.1, "thing": 1.0})
    high = add(store, "high", {"loss": 0.9, "auc": 0.9, "thing": 2.0, "nan/loss": math.nan})
    columns = ["metrics.loss", "metrics.auc", "metrics.thing", "metrics.nan/loss"]
    assert table.page(RunsRequest(columns=columns)).best == {"loss": low, "auc": high}
    narrow = RunsRequest(
        columns=columns, filter=Compare(column="metrics.loss", op="<", value="0.5")
    )
    assert table.page(narrow).best == {"loss": low, "auc": low}


def test_columns(store, table):
    add(store, "a", {"x": 1.0, "y": 1.0}, {"lr": "1", "same": "s"}, {"mlflow.source.type": "LOCAL"})
    add(store, "b", {"x": 2.0}, {"lr": "1e-3", "same": "s"}, {"team": "t", NOTEBOOK_TAG: "n.ipynb"})
    found = {column.column: column for column in table.page(RunsRequest()).columns}
    assert (found["metrics.x"].runs, found["metrics.x"].telling) == (2, True)
    assert (found["params.lr"].kind, found["params.same"].kind) == ("number", "text")
    assert not found["params.same"].telling
    assert found["attributes.start_time"].kind == "time"
    assert found["attributes.notebook"].runs == 1
    assert "attributes.verdict" not in found
    assert "tags.team" in found
    assert not {name for name in found if "source.type" in name or "runName" in name}


def test_deleted_runs_have_a_view_of_their_own(store, table, service):
    gone = add(store, "gone", {"auc": 1.0})
    add(store, "kept", {"auc": 0.5})
    service.tracker.annotations.delete([gone], by="ada")
    page = table.page(RunsRequest(columns=["metrics.auc"]))
    assert (names(page), page.runs) == (["kept"], 1)
    assert page.best["auc"] != gone
    page = table.page(RunsRequest(view="deleted", columns=["metrics.auc"]))
    assert (names(page), page.rows[0].values, page.best) == (["gone"], [1.0], {})


def test_ten_thousand_metrics(store, table):
    run_id = store.create_run("wide", started=START, batch=Batch())
    store.write(run_id, Batch([Point(f"m/{at}", float(at), START, 0) for at in range(10_000)]))
    page = table.page(RunsRequest(columns=["metrics.m/77"]))
    assert page.rows[0].values == [77.0]
    assert len(page.columns) == 2000


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("roc_auc", "maximize"), ("val_roc_auc", "maximize"), ("test/rmse", "minimize"),
        ("train_loss", "minimize"), ("loss", "minimize"), ("lossless", None), ("epoch", None),
        ("system/accuracy", None), ("Accuracy", "maximize"), ("f1", "maximize"), ("lr", None),
    ],
)  # fmt: skip
def test_which_way_is_better(metric, direction):
    assert direction_of(metric, []) == direction


def test_numbers_are_told_from_texts():
    assert read_number("12345678901234567890123") == 1.2345678901234568e22
    assert read_number("9007199254740993") == 9007199254740993
    assert [read_number(text) for text in ("", "nan", "x", "0x10", "1e400")] == [
        None, None, None, None, math.inf,
    ]  # fmt: skip
    for name in ("metrics.", "metrics", "attributes.x", "x.y", ""):
        with pytest.raises(InvalidInputError):
            read_column(name)
