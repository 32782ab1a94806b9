"""What every implementation of ``RunQueries`` must do. Subclass it, and give it a store and queries:

class TestMyQueries(RunQueriesSuite):
    @pytest.fixture
    def store(self, tmp_path): return MyStore(...)
    @pytest.fixture
    def queries(self, store): return MyQueries(store)

Filters, orders and groups are held against plain Python over plain dictionaries.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from perijove.contracts.base import number
from perijove.contracts.table import AllOf, AnyOf, Compare, Filter, Missing, Not, OneOf, SortKey
from perijove.core.errors import InvalidInputError
from perijove.develop.columns import STATUS_WORDS, read_column, read_number
from perijove.develop.ports import (
    NOTEBOOK_TAG,
    PARENT_TAG,
    Batch,
    Point,
    RunQueries,
    RunQuery,
    RunStore,
    StoredRun,
    Window,
)
from perijove.develop.tags import NOTE_TAG, PIN_TAG, USAGE_TAG

START = 1_790_000_000_000
Cells = dict[str, Any]

RUNS: list[dict[str, Any]] = [
    {
        "name": "hgb 7",
        "metrics": {"auc": 0.71, "loss": 0.5, "a b": 1.0},
        "params": {"lr": "0.1", "kind": "hgb", "depth": "10"},
        "tags": {"team": "Vision", NOTEBOOK_TAG: "train.ipynb", "id": "12345678901234567"},
    },
    {
        "name": "forest 100%",
        "metrics": {"auc": 0.9, "loss": math.nan},
        "params": {"lr": "1e-1", "kind": "forest", "depth": "9"},
        "tags": {"team": "vision", NOTE_TAG: "the *best* größe", "id": "12345678901234568"},
        "status": "FINISHED",
    },
    {
        "name": "Net",
        "metrics": {"auc": -math.inf, "loss": math.inf},
        "params": {"lr": "none", "kind": "Net_b", "depth": "-1"},
        "tags": {"team": 'it\'s "quoted" \\ %', PIN_TAG: "1"},
        "status": "FAILED",
    },
    {
        "name": "überlauf 🚀",
        "metrics": {"auc": -0.0},
        "params": {"kind": "", "lr": "1e400"},
        "tags": {USAGE_TAG: json.dumps({"seconds": 3.0, "cost": 1.25, "currency": "EUR"})},
        "status": "KILLED",
    },
    {"name": "net", "metrics": {"auc": 0.71}, "params": {"lr": "0.01", "kind": "hgb"}, "tags": {}},
    {
        "name": "hgb 8",
        "metrics": {"loss": 0.25, "val/loss": 3.0},
        "params": {"depth": "100", "lr": "nan"},
        "tags": {USAGE_TAG: "not JSON", NOTEBOOK_TAG: "other.ipynb"},
        "status": "FINISHED",
    },
]

NAMES = (
    "metrics.auc", "metrics.loss", "metrics.a b", "metrics.none", "params.lr", "params.kind",
    "params.depth", "tags.team", "tags.id", f"tags.{NOTEBOOK_TAG}", "attributes.run_name",
    "attributes.status", "attributes.start_time", "attributes.end_time", "attributes.duration",
    "attributes.notebook", "attributes.cost", "attributes.verdict",
)  # fmt: skip
VALUES = (
    "0.71", "0.1", "1e-1", "9", "10", "-1", "hgb", "Net_b", "", "inf", "-inf", "0", "-0.0", "none",
    "FINISHED", "lost", "12345678901234567", "train.ipynb", "vision", "met", str(START + 2),
    "a'b\"c", "ü", "%", "1.25",
)  # fmt: skip


def fill(store: RunStore) -> list[str]:
    """Write the runs; return their ids."""
    ids = []
    for at, run in enumerate(RUNS):
        points = [Point(key, value, START + at, 0) for key, value in run["metrics"].items()]
        run_id = store.create_run(
            run["name"], started=START + at, batch=Batch(points, run["params"], run["tags"])
        )
        if run.get("status"):
            store.finish(run_id, run["status"], START + 10 * at)
        ids.append(run_id)
    return ids


def cells_of(run: StoredRun, name: str, given: Any = None) -> Any:
    """Return what a run has in a column: a float, a text, or None."""
    column = read_column(name)
    told = (given or {}).get(name, {}).get(run.run_id)
    if told is not None:
        return told
    if column.kind == "metrics":
        value = run.metrics.get(column.key)
        return None if value is None or math.isnan(value) else value
    if column.kind == "params":
        return run.params.get(column.key)
    if column.kind == "tags":
        return run.tags.get(column.key)
    open_ = run.status in ("RUNNING", "SCHEDULED")
    match column.key:
        case "duration":
            return None if open_ or run.ended is None else run.ended - run.started
        case "notebook":
            return run.tags.get(NOTEBOOK_TAG) or None
        case "cost":
            try:
                return json.loads(run.tags.get(USAGE_TAG, ""))["cost"]
            except (ValueError, KeyError, TypeError):
                return None
    return {
        "run_name": run.name,
        "status": run.status,
        "start_time": run.started,
        "end_time": run.ended,
        "run_id": run.run_id,
    }.get(column.key)


def holds(tree: Filter, run: StoredRun, given: Any = None) -> bool:
    """Whether a filter holds for a run, in plain Python."""
    match tree:
        case Not(of=inner):
            return not holds(inner, run, given)
        case AllOf(of=many):
            return all(holds(inner, run, given) for inner in many)
        case AnyOf(of=many):
            return any(holds(inner, run, given) for inner in many)
        case Missing(column=name):
            return cells_of(run, name, given) is None
        case OneOf(column=name, values=values):
            return any(_equal(cells_of(run, name, given), name, text) for text in values)
        case Compare(column=name, op=op, value=text):
            value = cells_of(run, name, given)
            return value is not None and _compare(value, name, op, text)


def _equal(value: Any, name: str, text: str) -> bool:
    if value is None:
        return False
    column = read_column(name)
    if column.holds != "text":
        return bool(value == read_number(text.replace("∞", "inf")))
    if name == "attributes.status":
        text = _status(text)
    wanted = read_number(text)
    same = column.kind != "attributes" and wanted is not None and read_number(value) == wanted
    return bool(value == text or same)


def _status(text: str) -> str:
    return STATUS_WORDS.get(text.strip().lower(), text.strip().upper())  # type: ignore[call-overload,no-any-return]


def _compare(value: Any, name: str, op: str, text: str) -> bool:
    column = read_column(name)
    if op in ("=", "!="):
        return _equal(value, name, text) == (op == "=")
    if op == "matches":
        return re.search(text, value) is not None
    if name == "attributes.status":
        text = _status(text)
    if op == "contains":
        return text in value
    if op in ("starts_with", "ends_with"):
        return bool(value.startswith(text) if op == "starts_with" else value.endswith(text))
    wanted: Any = read_number(text)
    if column.holds == "text":
        if wanted is not None and column.kind != "attributes":
            value = read_number(value)
            if value is None:
                return False
        else:
            wanted = text
    return bool({"<": value < wanted, "<=": value <= wanted, ">": value > wanted,
                 ">=": value >= wanted}[op])  # fmt: skip


def ordered(runs: list[StoredRun], sort: tuple[SortKey, ...], given: Any = None) -> list[str]:
    """Sort runs in plain Python: pinned, as asked for, newest first. ``runs`` are newest first."""
    found = list(runs)
    for key in reversed(sort):
        column = read_column(key.column)
        there = [run for run in found if cells_of(run, key.column, given) is not None]
        missing = [run for run in found if cells_of(run, key.column, given) is None]

        def place(run: StoredRun, key: SortKey = key, column: Any = column) -> tuple[int, Any]:
            value = cells_of(run, key.column, given)
            if isinstance(value, str) and column.kind in ("params", "tags"):
                said = read_number(value)
                value = value if said is None else said
            if isinstance(value, str):
                return 1, re.sub("[A-Z]", lambda m: m[0].lower(), value)
            return 0, value

        # A stable sort from behind, so that ties stay newest first.
        there.sort(key=place, reverse=key.descending)
        found = there + missing
    found.sort(key=lambda run: not run.tags.get(PIN_TAG))
    return [run.run_id for run in found]


class RunQueriesSuite:
    """The contract of :class:`perijove.develop.ports.RunQueries`."""

    @pytest.fixture
    def runs(self, store: RunStore, queries: RunQueries) -> list[StoredRun]:
        """The runs, newest first."""
        return [store.get_run(run_id) for run_id in reversed(fill(store))]

    def _ids(self, queries: RunQueries, query: RunQuery) -> list[str]:
        found, total = queries.find(query, offset=0, limit=1000)
        assert total == len(found)
        return [run.run_id for run in found]

    def test_every_order(self, queries: RunQueries, runs: list[StoredRun]) -> None:
        for name in NAMES:
            self._try_orders(queries, runs, name)

    def _try_orders(self, queries: RunQueries, runs: list[StoredRun], name: str) -> None:
        closed = [run for run in runs if run.ended is not None] if "duration" in name else runs
        ended = OneOf(column="attributes.run_id", values=[run.run_id for run in closed])
        for descending in (False, True):
            sort = (SortKey(column=name, descending=descending),)
            found = self._ids(queries, RunQuery(filter=ended, sort=sort))
            assert found == ordered(closed, sort), (name, descending)

    def test_every_condition(self, queries: RunQueries, runs: list[StoredRun]) -> None:
        for name in NAMES:
            self._try_conditions(queries, runs, name)

    def _try_conditions(self, queries: RunQueries, runs: list[StoredRun], name: str) -> None:
        column = read_column(name)
        closed = [run for run in runs if run.ended is not None] if "duration" in name else runs
        given = {"attributes.verdict": {runs[0].run_id: "met", runs[1].run_id: "missed"}}
        leaves: list[Filter] = [Missing(column=name), OneOf(column=name, values=[])]
        numeric = [text for text in VALUES if read_number(text) is not None]
        for text in VALUES if column.holds == "text" else numeric:
            leaves += [Compare(column=name, op=op, value=text)
                       for op in ("=", "!=", "<", "<=", ">", ">=")]  # fmt: skip
            if column.holds == "text":
                leaves += [Compare(column=name, op=op, value=text)
                           for op in ("contains", "starts_with", "ends_with")]  # fmt: skip
        leaves.append(OneOf(column=name, values=numeric[:6]))
        ended = OneOf(column="attributes.run_id", values=[run.run_id for run in closed])
        for leaf in leaves:
            for tree in (leaf, Not(of=leaf)):
                query = RunQuery(filter=AllOf(of=[tree, ended]), given=given)
                kept = [run for run in closed if holds(tree, run, given)]
                assert self._ids(queries, query) == ordered(kept, ()), tree

    def test_patterns(self, queries: RunQueries, runs: list[StoredRun]) -> None:
        for pattern in ("^n", "(?i)^n", "[0-9]+", "ü", "(?s)^.*$", "\\.ipynb$", ""):
            for name in ("attributes.run_name", f"tags.{NOTEBOOK_TAG}", "params.lr"):
                tree = Compare(column=name, op="matches", value=pattern)
                kept = [run for run in runs if holds(tree, run)]
                assert self._ids(queries, RunQuery(filter=tree)) == ordered(kept, ())
        broken = RunQuery(filter=Compare(column="params.lr", op="matches", value="("))
        with pytest.raises(InvalidInputError):
            queries.find(broken, offset=0, limit=1)

    def test_what_is_given_counts_before_the_store(
        self, queries: RunQueries, runs: list[StoredRun]
    ) -> None:
        lost = runs[1].run_id  # it is open
        given = {"attributes.status": {lost: "LOST"}}
        tree = Compare(column="attributes.status", op="=", value="lost")
        assert self._ids(queries, RunQuery(filter=tree, given=given)) == [lost]
        running = Compare(column="attributes.status", op="=", value="running")
        assert lost not in self._ids(queries, RunQuery(filter=running, given=given))

    def test_words(self, queries: RunQueries, runs: list[StoredRun]) -> None:
        def found(*words: str) -> set[str]:
            return {r.name for r in queries.find(RunQuery(words=words), offset=0, limit=99)[0]}

        assert found("HGB") == {"hgb 7", "hgb 8"}
        assert found("hgb", "train") == {"hgb 7"}
        assert found("vision") == {"hgb 7", "forest 100%"}
        assert found("GRÖSSE") == set()
        assert found("GRÖßE") == {"forest 100%"}
        assert found("100%") == {"forest 100%"}
        assert found("0%_") == set()
        assert found("Überlauf") == {"überlauf 🚀"}
        assert found("EUR") == set()  # what Perijove keeps for itself is not searched
        assert found("\\") == {"Net"}

    def test_pages(self, queries: RunQueries, runs: list[StoredRun]) -> None:
        query = RunQuery(sort=(SortKey(column="metrics.auc", descending=True),))
        whole = self._ids(queries, query)
        pages = []
        for offset in range(0, 8, 2):
            page, total = queries.find(query, offset=offset, limit=2)
            assert total == 6
            pages += [run.run_id for run in page]
        assert pages == whole
        narrow = RunQuery(filter=Missing(column="metrics.loss"))
        assert queries.find(narrow, offset=50, limit=2) == ([], 3)
        assert queries.count() == 6
        page, _ = queries.find(RunQuery(), offset=0, limit=1)
        assert page[0].tags == next(r for r in runs if r.name == "Net").tags

    def test_values(self, queries: RunQueries, runs: list[StoredRun]) -> None:
        names = [name for name in NAMES if name != "attributes.duration"]
        found = queries.values([run.run_id for run in runs], names)
        for run in runs:
            for name, value in zip(names, found[run.run_id], strict=True):
                if isinstance(value, float) and math.isnan(value):
                    assert math.isnan(run.metrics[name.partition(".")[2]])
                else:
                    assert value == cells_of(run, name), name
        assert queries.values(["0" * 32], ["metrics.auc"]) == {"0" * 32: [None]}

    def test_the_best(self, queries: RunQueries, runs: list[StoredRun]) -> None:
        by_name = {run.name: run.run_id for run in runs}
        best = queries.best(
            RunQuery(), {"auc": "maximize", "loss": "minimize", "x": "minimize"}, []
        )
        assert best == {"auc": by_name["forest 100%"], "loss": by_name["hgb 8"]}
        apart = [by_name["forest 100%"]]
        assert queries.best(RunQuery(), {"auc": "maximize"}, apart)["auc"] in {
            by_name["hgb 7"],
            by_name["net"],
        }
        narrow = RunQuery(filter=Compare(column="params.kind", op="=", value="Net_b"))
        assert queries.best(narrow, {"auc": "maximize"}, []) == {"auc": by_name["Net"]}

    def test_groups(self, queries: RunQueries, runs: list[StoredRun]) -> None:
        names = ["metrics.auc", "params.depth", "params.lr", "metrics.loss"]
        groups = {g.value: g for g in queries.groups(RunQuery(), "params.kind", names)}
        assert set(groups) == {"hgb", "forest", "Net_b", "", None}
        hgb = groups["hgb"]
        assert [run.name for run in runs if run.run_id in hgb.run_ids] == ["net", "hgb 7"]
        assert hgb.run_ids == [run.run_id for run in runs if run.params.get("kind") == "hgb"]
        auc, depth, lr, _ = map(list, hgb.spreads)
        assert auc == [pytest.approx(0.71), 0.71, 0.71, 2]
        assert depth == [10, 10, 10, 1]
        assert lr[1:] == [0.01, 0.1, 2]
        assert groups["Net_b"].spreads[0] == (-math.inf, -math.inf, -math.inf, 1)
        assert groups["Net_b"].spreads[2] == (None, None, None, 1)  # `none` is no number
        assert groups["forest"].spreads[3][3] == 0  # a NaN is no value
        newest = [g.newest for g in queries.groups(RunQuery(), "params.kind", [])]
        assert newest == sorted(newest, reverse=True)
        narrow = RunQuery(filter=Missing(column="params.kind"))
        (only,) = queries.groups(narrow, "params.kind", ["params.depth"])
        assert (only.value, only.spreads[0]) == (None, (100, 100, 100, 1))
        numbers = {g.value for g in queries.groups(RunQuery(), "metrics.auc", [])}
        assert {None, "0.71", "-inf"} <= numbers

    def test_columns(self, queries: RunQueries, runs: list[StoredRun]) -> None:
        found = {column.name: column for column in queries.columns()}
        assert (found["metrics.auc"].runs, found["metrics.auc"].telling) == (5, True)
        assert found["metrics.auc"].numbers
        assert not found["params.kind"].numbers
        assert found["params.depth"].numbers
        assert not found["metrics.a b"].telling

    def test_children_and_open_runs(
        self, store: RunStore, queries: RunQueries, runs: list[StoredRun]
    ) -> None:
        assert {run.name for run in queries.open_runs()} == {"hgb 7", "net"}
        assert queries.children([run.run_id for run in runs]) == {}
        parent = runs[0].run_id
        for at in range(2):
            batch = Batch(tags={PARENT_TAG: parent})
            store.create_run(f"trial {at}", started=START + 100 + at, batch=batch)
        self.look_again(queries)
        assert queries.children([parent, runs[1].run_id]) == {parent: 2}

    def look_again(self, queries: RunQueries) -> None:
        """Make queries see what was just written; for those that look only now and then."""

    def test_deleted_runs(
        self, store: RunStore, queries: RunQueries, runs: list[StoredRun]
    ) -> None:
        gone = runs[0].run_id
        store.delete(gone, START + 200)
        self.look_again(queries)
        assert gone not in self._ids(queries, RunQuery())
        assert self._ids(queries, RunQuery(deleted=True)) == [gone]
        assert (queries.count(), queries.count(deleted=True)) == (5, 1)
        assert queries.values([gone], ["params.depth"]) == {gone: ["100"]}
        store.restore(gone)
        self.look_again(queries)
        assert len(self._ids(queries, RunQuery())) == 6
        assert queries.count(deleted=True) == 0

    @pytest.mark.parametrize("by", ["step", "time"])
    def test_curves(self, store: RunStore, queries: RunQueries, by: Any) -> None:
        run_id = store.create_run("r", started=START, batch=Batch())
        values = [math.sin(step / 50) for step in range(3000)]
        values[1234], values[2345] = 9.0, -math.inf
        points = [Point("x/y", v, START + 10 * step, step) for step, v in enumerate(values)]
        store.write(run_id, Batch(points))
        self.look_again(queries)
        assert queries.metric_keys([run_id]) == {run_id: ["x/y"]}
        few, total = queries.curve(run_id, "x/y", Window(points=200, by=by))
        assert total == 3000
        assert len(few) <= 200
        assert [(p.step, p.at) for p in few] == sorted((p.step, p.at) for p in few)
        assert {9.0, -math.inf} <= {p.value for p in few}
        assert all(p.value == values[p.step] for p in few)
        first, last = (1000, 1100) if by == "step" else (START + 10_000, START + 11_000)
        part, total = queries.curve(run_id, "x/y", Window(points=200, by=by, start=first, end=last))
        assert total == 101
        assert part == points[1000:1101]
        part, total = queries.curve(run_id, "x/y", Window(points=20, by=by, start=first))
        assert total == 2000
        assert max(p.value for p in part) == 9.0
        assert min(p.step for p in part) >= 1000
        assert queries.curve(run_id, "none", Window(by=by)) == ([], 0)

    def test_odd_curves(self, store: RunStore, queries: RunQueries) -> None:
        run_id = store.create_run("r", started=START, batch=Batch())
        store.write(
            run_id,
            Batch(
                [Point("still", float(at % 7), START + at, 0) for at in range(2000)]
                + [
                    Point("nan", math.nan if at == 777 else at % 5.0, START, at)
                    for at in range(2000)
                ]
                + [Point("far", float(at), START, at if at < 1999 else 2**60) for at in range(2000)]
                + [Point("back", float(at), START + 2000 - at, at) for at in range(2000)]
            ),
        )
        self.look_again(queries)
        for key in ("still", "nan", "far", "back"):
            few, total = queries.curve(run_id, key, Window(points=100))
            assert total == 2000
            assert 50 <= len(few) <= 100, key
        assert any(math.isnan(p.value) for p in queries.curve(run_id, "nan", Window(points=100))[0])
        assert number(math.nan) == "NaN"
