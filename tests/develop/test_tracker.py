"""Annotations, curves, comparison, importance, artifacts and exports through the service."""

from __future__ import annotations

import csv
import io
import json
import math
import random

import pytest

from perijove.contracts.develop import Cell
from perijove.contracts.tracker import (
    CompareRequest,
    CurvesRequest,
    ImportanceRequest,
    RunsChange,
    RunsRequest,
)
from perijove.core.call import Call
from perijove.core.errors import (
    ConflictError,
    ForbiddenPathError,
    InvalidInputError,
    NotFoundError,
    UnreadableDataError,
)
from perijove.develop.artifacts import kind_of
from perijove.develop.ports import Batch, Point
from perijove.develop.routes import HANDLERS
from tests.develop.test_table import START, add


@pytest.fixture
def tracker(service):
    return service.tracker


# Annotations


def test_stars_pins_names_notes_and_tags(store, tracker, project):
    ids = [add(store, name) for name in "ab"]
    named = tracker.annotations.change(
        RunsChange(run_ids=ids, star=True, pin=True, tags={"team": "vision"}), by="ada"
    )
    assert [run.starred for run in named.items] == [True, True]
    one = RunsChange(run_ids=ids[:1], star=False, name="better", note="# why", untag=["team", "no"])
    (run,) = tracker.annotations.change(one, by="ada").items
    assert (run.name, run.starred) == ("better", False)
    assert store.get_run(ids[0]).tags["mlflow.note.content"] == "# why"
    assert "team" not in store.get_run(ids[0]).tags
    assert store.get_run(ids[1]).tags["team"] == "vision"
    audit = project.chain.ledger.read_audit()
    actions = [(entry.action, entry.actor) for entry in audit.entries if "runs" in entry.action]
    assert actions == [("change runs", "ada")] * 2


def test_a_tag_that_is_new_is_a_column_at_once(store, tracker):
    run_id = add(store, "a")
    tracker.table.page(RunsRequest())
    tracker.annotations.change(RunsChange(run_ids=[run_id], tags={"team": "vision"}), by="ada")
    columns = [column.column for column in tracker.table.page(RunsRequest()).columns]
    assert "tags.team" in columns


@pytest.mark.parametrize(
    "change",
    [
        RunsChange(run_ids=[]),
        RunsChange(run_ids=["a", "b"], name="x"),
        RunsChange(run_ids=["a"], name=" "),
        RunsChange(run_ids=["a"], tags={"perijove.process": "x"}),
        RunsChange(run_ids=["a"], untag=["mlflow.user"]),
        RunsChange(run_ids=["a"], note="x" * 9000),
        RunsChange(run_ids=[str(at) for at in range(2000)]),
    ],
)
def test_what_cannot_be_written(tracker, change):
    with pytest.raises(InvalidInputError):
        tracker.annotations.change(change, by="ada")


def test_nothing_is_changed_when_one_run_is_unknown(store, tracker):
    run_id = add(store, "a")
    with pytest.raises(NotFoundError):
        tracker.annotations.change(RunsChange(run_ids=[run_id, "0" * 32], star=True), by="ada")
    assert not store.get_run(run_id).tags.get("perijove.star")


def test_runs_are_deleted_and_restored(store, tracker, service):
    run_id = add(store, "a")
    tracker.annotations.delete([run_id], by="ada")
    with pytest.raises(NotFoundError):
        store.get_run(run_id)
    (back,) = tracker.annotations.restore([run_id], by="ada").items
    assert back.name == "a"
    with pytest.raises(NotFoundError):
        tracker.annotations.restore(["0" * 32], by="ada")
    working = service.start_run("at work")
    with pytest.raises(ConflictError):
        tracker.annotations.delete([run_id, working], by="ada")
    assert store.get_run(run_id).name == "a"


# Curves


def test_curves_of_runs(store, tracker):
    ids = []
    for run in range(3):
        run_id = store.create_run(f"r{run}", started=START, batch=Batch())
        points = [Point("loss", 1 / (at + 1), START + at, at) for at in range(2000)]
        store.write(run_id, Batch([*points, Point("auc", 0.5, START, 0)][: 2001 - run]))
        ids.append(run_id)
    found = tracker.curves.read(CurvesRequest(run_ids=ids, keys=["loss"], points=100))
    assert [curve.run_id for curve in found.items] == ids
    series = found.items[0].series[0]
    assert (series.key, series.total) == ("loss", 2000)
    assert len(series.steps) <= 100
    assert (series.values[0], series.steps[0]) == (1.0, 0)
    every = tracker.curves.read(CurvesRequest(run_ids=ids))
    assert [len(curve.series) for curve in every.items] == [2, 1, 1]
    part = CurvesRequest(run_ids=ids, keys=["loss"], start=10, end=12)
    assert tracker.curves.read(part).items[0].series[0].steps == [10, 11, 12]
    with pytest.raises(InvalidInputError):
        tracker.curves.read(CurvesRequest(run_ids=[str(at) for at in range(51)]))


# Comparison


def test_runs_side_by_side(store, service, tracker, project):
    one = add(store, "one", {"auc": 0.7, "loss": math.nan}, {"lr": "0.1", "kind": "a"}, {"t": "x"})
    two = add(store, "two", {"auc": 0.8, "loss": math.nan}, {"lr": "1e-1", "kind": "b"}, {"t": "x"})
    first = [
        Cell(number=1, source="import x"),
        Cell(number=2, source="\n".join(f"line {at}" for at in range(30))),
        Cell(number=3, source="train()"),
    ]
    changed = "\n".join("line X" if at == 20 else f"line {at}" for at in range(30))
    second = [
        Cell(number=4, source="import x"),
        Cell(number=5, source=changed),
        Cell(number=6, source="something else"),
        Cell(number=7, source="train(more=1)"),
    ]
    service.record_origin(one, cells=first, environment={"python": "3.11", "numpy": "2.0"})
    service.record_origin(two, cells=second, environment={"python": "3.11", "numpy": "2.1"})
    call = Call("ada", body=CompareRequest(run_ids=[one, two]))
    found = HANDLERS["compare_runs"](service, call)
    assert [row.key for row in found.metrics if row.differs] == ["auc"]
    assert [(row.key, row.differs) for row in found.params] == [("kind", True), ("lr", False)]
    assert [(row.key, row.differs) for row in found.environment] == [
        ("numpy", True),
        ("python", False),
    ]
    assert [row.key for row in found.tags if row.differs] == []
    (code,) = found.code
    cells = [(cell.left, cell.right, cell.same) for cell in code.cells]
    assert cells == [(1, 4, True), (2, 5, False), (None, 6, False), (3, 7, False)]
    kinds = [line.kind for line in code.cells[1].lines]
    assert kinds == ["skipped", "same", "same", "same", "removed", "added", "same", "same", "same",
                     "skipped"]  # fmt: skip
    removed = code.cells[1].lines[4]
    assert (removed.text, removed.left, removed.right) == ("line 20", 21, None)
    with pytest.raises(InvalidInputError):
        tracker.comparisons.compare([one])


# Importance


def test_the_parameter_that_matters_is_told(store, tracker):
    rng = random.Random(0)
    for at in range(60):
        lr, kind = 10 ** rng.uniform(-4, 0), rng.choice(["a", "b"])
        score = math.log10(lr) + (0.3 if kind == "a" else 0) + rng.gauss(0, 0.05)
        params = {"lr": f"{lr:.6f}", "kind": kind, "seed": str(at), "host": f"name-{at}", "c": "1"}
        add(store, f"r{at}", {"score": score}, params, at=at)
    found = tracker.importance.of(ImportanceRequest(metric="score"))
    assert (found.runs, found.reason) == (60, "")
    assert found.items[0].param == "lr"
    assert found.items[0].importance > 0.7
    assert found.items[0].correlation > 0.8
    by_name = {item.param: item for item in found.items}
    assert sum(item.importance for item in found.items) == pytest.approx(1)
    assert by_name["seed"].importance < 0.05
    assert {"host", "c"}.isdisjoint(by_name)
    assert by_name["kind"].correlation is None


def test_too_little_has_a_reason(store, tracker):
    for at in range(12):
        add(store, f"r{at}", {"same": 1.0, "x": float(at), "nan": math.nan}, {"c": "1"})
    for metric, words in (
        ("none", "0 runs"), ("nan", "0 runs"), ("same", "is the same"), ("x", "No parameter"),
    ):  # fmt: skip
        found = tracker.importance.of(ImportanceRequest(metric=metric))
        assert found.items == []
        assert words in found.reason


# Artifacts


@pytest.fixture
def artifacts(store):
    run_id = store.create_run("r", started=START, batch=Batch())
    folder = store.artifact_folder(run_id)
    (folder / "model").mkdir()
    (folder / "model/MLmodel").write_text("flavors: {}")
    (folder / "plots").mkdir()
    (folder / "a.csv").write_text("x,y\n1,hello\n2,\n")
    (folder / "bad.parquet").write_text("no table")
    (folder / "chart.json").write_text(
        '{"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "mark": "bar"}'
    )
    (folder / "notes.md").write_text("# Title")
    (folder / "pic.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "blob.bin").write_bytes(bytes(range(256)))
    (folder / "readme").write_text("größe")
    (folder / "big.log").write_text("x" * 300_000)
    (folder / "out").symlink_to("/etc")
    return run_id


def test_artifacts_are_listed(artifacts, tracker):
    found = tracker.artifacts.list(artifacts)
    assert [(item.name, item.kind) for item in found.items[:2]] == [
        ("model", "model"),
        ("plots", "folder"),
    ]
    kinds = {item.name: item.kind for item in found.items}
    assert kinds["a.csv"] == "table"
    assert kinds["blob.bin"] == "binary"
    assert "out" not in kinds
    assert found.place.endswith("artifacts")
    inside = tracker.artifacts.list(artifacts, "model")
    assert [(item.path, item.kind) for item in inside.items] == [("model/MLmodel", "text")]
    assert tracker.artifacts.list(artifacts, "none").items == []
    with pytest.raises(ForbiddenPathError):
        tracker.artifacts.list(artifacts, "../..")


def test_artifacts_are_shown(artifacts, tracker):
    table = tracker.artifacts.preview(artifacts, "a.csv")
    assert (table.kind, table.columns, table.total_rows) == ("table", ["x", "y"], 2)
    assert table.rows == [["1", "hello"], ["2", ""]]
    assert tracker.artifacts.preview(artifacts, "chart.json").kind == "plot"
    assert tracker.artifacts.preview(artifacts, "notes.md").text == "# Title"
    assert tracker.artifacts.preview(artifacts, "readme").text == "größe"
    assert tracker.artifacts.preview(artifacts, "blob.bin").kind == "binary"
    log = tracker.artifacts.preview(artifacts, "big.log")
    assert (log.cut, len(log.text), log.bytes) == (True, 256 * 1024, 300_000)
    with pytest.raises(UnreadableDataError):
        tracker.artifacts.preview(artifacts, "bad.parquet")
    for path in ("none.txt", "model"):
        with pytest.raises(NotFoundError):
            tracker.artifacts.preview(artifacts, path)
    for path in ("../../../../perijove.toml", "out/passwd", "/etc/passwd"):
        with pytest.raises(ForbiddenPathError):
            tracker.artifacts.content(artifacts, path)


def test_artifacts_are_handed_out(artifacts, tracker):
    image = tracker.artifacts.content(artifacts, "pic.svg")
    assert (image.media, image.name) == ("image/svg+xml", "pic.svg")
    assert tracker.artifacts.content(artifacts, "notes.md").media == "application/octet-stream"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a/b.PNG", "image"), ("x.vl.json", "plot"), ("x.html", "text"), ("x", "binary"),
     ("model/MLmodel", "text"), ("x.jsonl", "table")],
)  # fmt: skip
def test_kinds(path, kind):
    assert kind_of(path) == kind


# Exports


def test_the_table_as_csv(store, tracker):
    add(store, "=cmd()", {"auc": 0.5}, {"lr": "-0.1", "x": "+SUM(A1)"}, at=1)
    add(store, 'plain, "quoted"', {"auc": math.inf}, {"x": "@x"})
    columns = ["metrics.auc", "params.lr", "params.x", "attributes.end_time"]
    content = tracker.exports.csv(RunsRequest(columns=columns, limit=1))
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0][-4:] == columns
    assert [row[1] for row in rows[1:]] == ["'=cmd()", 'plain, "quoted"']
    assert rows[1][-4:-1] == ["0.5", "-0.1", "'+SUM(A1)"]
    assert rows[2][-4:-1] == ["inf", "", "'@x"]
    assert rows[1][-1].startswith("2026-")


def test_the_cells_as_a_notebook(store, service):
    import nbformat

    run_id = add(store, "my run/1")
    cells = [Cell(number=3, source="%%train\nx = 'größe'"), Cell(number=5, source="")]
    service.record_origin(run_id, cells=cells, environment={"python": "3.11"})
    answer = HANDLERS["get_run_notebook"](service, Call("ada", path={"run_id": run_id}))
    assert answer.name == "my-run-1.ipynb"
    book = nbformat.reads(answer.body.decode(), as_version=4)
    nbformat.validate(book)
    assert [cell.source for cell in book.cells[1:]] == ["%%train\nx = 'größe'", ""]
    assert json.loads(answer.body)["metadata"]["perijove"] == {"run_id": run_id}
