"""Datasets by their service: registered by content, read whole, split once, curated in versions."""

from __future__ import annotations

import io
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

from perijove.adapters.duckdb.workers import Workers
from perijove.contracts.data import DataFacts, DatasetSettings, SplitFacts
from perijove.contracts.table import RowsQuery
from perijove.core.chain import facts_of
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnreadableDataError,
)
from perijove.data.service import DataService

BIG = 1368338379971760128
CSV = f",result,size,start\n{BIG},FAILURE,10,100\n{BIG + 1},SUCCESS,,90\n{BIG + 2},SUCCESS,30,110\n"


@pytest.fixture
def csv(folder: Path) -> Path:
    path = folder / "ci builds.csv"
    path.write_text(CSV)
    return path


def _rows(arrow: bytes) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pa.ipc.open_stream(io.BytesIO(arrow)).read_all().to_pylist()
    return rows


def test_a_registered_file_is_described_and_read_whole(data: DataService, csv: Path) -> None:
    dataset = data.registry.register(csv.name, time="start", by="ada")
    assert dataset.name == "ci_builds"
    assert (dataset.facts.rows, dataset.version, dataset.state) == (3, 1, "current")
    assert [(c.name, c.nulls) for c in dataset.facts.columns] == [
        ("column0", 0), ("result", 0), ("size", 1), ("start", 0)
    ]  # fmt: skip
    rows = _rows(data.views.page("ci_builds", RowsQuery(version=0, offset=1, limit=10)))
    assert [row["column0"] for row in rows] == [BIG + 1, BIG + 2]
    assert data.project.definition.data["ci_builds"].time == "start"
    assert "# kept by every edit" in data.project.file.text()


def test_changed_content_is_a_new_version_and_the_old_one_stays(
    data: DataService, csv: Path
) -> None:
    first = data.registry.register(csv.name, name="b", by="ada")
    assert data.registry.register(csv.name, name="b", by="ada").ref == first.ref
    csv.write_text(CSV + f"{BIG + 3},SUCCESS,40,120\n")
    assert data.registry.get("b").state == "changed"
    node = data.registry.resolve("b")
    assert (node.version, facts_of(node, DataFacts).rows) == (2, 4)
    assert data.registry.read(data.registry.resolve("b", 1)).num_rows == 3
    csv.unlink()
    assert data.registry.get("b").state == "missing"
    with pytest.raises(NotFoundError, match="not there"):
        data.registry.resolve("b")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        ("a.csv", b"", "empty"),
        ("a.csv", "größe,x\n1,2\n".encode("latin-1"), "UTF-8"),
        ("a.csv", b"<!DOCTYPE html>\n<html>a, b\n</html>", "no header"),
        ("a.parquet", b"PAR1 but not really PAR1", "cannot be read"),
        ("a.json", b"{not json", "cannot be read"),
        ("a.docx", b"PK", "no format"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    data: DataService, folder: Path, name: str, content: bytes, reason: str
) -> None:
    (folder / name).write_bytes(content)
    before = data.project.file.text()
    with pytest.raises(UnreadableDataError, match=reason):
        data.registry.register(name, by="ada")
    assert data.registry.datasets() == []
    assert data.project.file.text() == before


def test_the_worker_reads_nothing_outside_and_comes_back(
    data: DataService, csv: Path, folder: Path
) -> None:
    data.registry.register(csv.name, name="b", by="ada")
    (folder / "sly.csv").write_text("a\n1\n")
    data.views.page("b", RowsQuery(limit=1))
    workers = Workers(folder)
    with pytest.raises(UnreadableDataError, match=r"(?i)permission|access"):
        workers.ask({"do": "inspect", "files": ["/etc/passwd"]}, [folder / "x"], 5)
    workers.close()
    (worker,) = (
        p for p in psutil.Process().children() if "perijove.adapters.duckdb.worker" in p.cmdline()
    )
    worker.kill()
    worker.wait()
    assert len(_rows(data.views.page("b", RowsQuery(version=0, offset=0, limit=10)))) == 3


def test_a_split_is_fixed_once_by_time(data: DataService, csv: Path) -> None:
    data.registry.register(csv.name, name="b", time="start", by="ada")
    node = data.registry.resolve("b")
    split = data.splits.ensure(node, {"train": 2 / 3, "test": 1 / 3})
    assert facts_of(split, SplitFacts).method == "time"
    assert data.splits.read(node, "train")["start"].to_pylist() == [90, 100]
    assert data.splits.read(node, "test")["start"].to_pylist() == [110]
    assert data.splits.ensure(node).ref == split.ref
    with pytest.raises(ConflictError, match="split otherwise"):
        data.splits.ensure(node, {"train": 0.4, "test": 0.6})
    with pytest.raises(NotFoundError, match="train, test"):
        data.splits.read(node, "validation")


def test_a_split_by_hash_is_the_same_every_time(data: DataService) -> None:
    frame = pa.table({"x": list(range(1000))})
    node = data.curation.commit("t", frame, inputs=[], source="", by="ada")
    data.splits.ensure(node, {"train": 0.6, "validation": 0.2, "test": 0.2})
    parts = [data.splits.read(node, p)["x"].to_pylist() for p in ("train", "validation", "test")]
    assert [len(p) for p in parts] == [600, 200, 200]
    assert sorted(row for part in parts for row in part) == list(range(1000))
    assert parts[2][:5] == data.splits.read(node, "test")["x"].to_pylist()[:5]
    assert parts[2] != list(range(800, 1000))


def test_a_curation_is_a_version_and_equal_content_is_not_a_new_one(
    data: DataService, csv: Path
) -> None:
    raw = data.registry.resolve(data.registry.register(csv.name, name="raw", by="ada").name)
    table = data.registry.read(raw).select(["result", "start"])
    first = data.curation.commit("clean", table, inputs=[raw.ref], source="def f(): 1", by="ada")
    again = data.curation.commit("clean", table, inputs=[raw.ref], source="def f(): 1", by="ada")
    assert first.ref == again.ref
    other = data.curation.commit("clean", table, inputs=[raw.ref], source="def f(): 2", by="ada")
    shorter = data.curation.commit(
        "clean", table.slice(0, 2), inputs=[raw.ref], source="def f(): 2", by="ada"
    )
    assert [n.version for n in (first, other, shorter)] == [1, 2, 3]
    assert data.registry.read(first).num_rows == 3
    assert data.registry.read(shorter).num_rows == 2
    assert [n.ref for n in data.project.chain.sources(shorter.ref)] == [raw.ref]
    with pytest.raises(ConflictError):
        data.curation.commit("raw", table, inputs=[], source="", by="ada")


def test_what_is_known_after_is_declared_beside_people(data: DataService, csv: Path) -> None:
    data.registry.register(csv.name, name="b", by="ada")
    dataset = data.registry.declare(
        "b", DatasetSettings(target="result", known={"size": "after"}), by="ada"
    )
    assert dataset.target == "result"
    assert {c.name: c.known for c in dataset.facts.columns}["size"] == "after"
    with pytest.raises(InvalidInputError, match="colour"):
        data.registry.declare("b", DatasetSettings(target="colour"), by="ada")


def test_the_real_builds_keep_their_identifiers(data: DataService, real_csv: Path) -> None:
    dataset = data.registry.register(str(real_csv), name="builds_raw", by="ada")
    assert dataset.facts.rows == 837
    first = _rows(data.views.page("builds_raw", RowsQuery(version=0, offset=0, limit=1)))[0]
    assert str(first["column0"]) == real_csv.read_text().splitlines()[1].split(",")[0]


def test_a_name_moves_to_another_file_only_by_the_definition(
    data: DataService, csv: Path, folder: Path
) -> None:
    other = folder / "other.csv"
    other.write_text(CSV.replace("FAILURE", "SUCCESS"))
    data.registry.register(csv.name, name="builds", by="ada")
    with pytest.raises(ConflictError, match=r"builds is ci builds\.csv in this project"):
        data.registry.register(other.name, name="builds", by="ada")

    definition = folder / "perijove.toml"
    definition.write_text(definition.read_text().replace(csv.name, other.name))
    assert data.registry.register(other.name, name="builds", by="ada").version == 2
    with pytest.raises(ConflictError, match=r"builds is other\.csv"):
        data.registry.register(csv.name, name="builds", by="ada")
