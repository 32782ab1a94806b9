"""Files, folders, Delta tables and workbooks as sources of versions."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perijove.adapters.sources.delta import DeltaFolder
from perijove.adapters.sources.folder import Folder
from perijove.adapters.sources.local import LocalFile
from perijove.contracts.data import DataFacts
from perijove.contracts.table import RowsQuery
from perijove.core.chain import SourceFacts, facts_of
from perijove.core.errors import (
    ConflictError,
    ForbiddenPathError,
    InvalidInputError,
    NotFoundError,
    PerijoveError,
    UnreadableDataError,
    UnsupportedError,
)
from perijove.core.paths import ProjectPaths
from perijove.data.ports import DataSource
from perijove.data.service import DataService
from perijove.testing.data_source import DataSourceSuite

Rows = list[tuple[int, str | None]]


def _table(rows: Rows) -> pa.Table:
    numbers, words = [row[0] for row in rows], [row[1] for row in rows]
    return pa.table({"number": numbers, "word": pa.array(words, pa.string())})


class _LocalPlace:
    missing = "nowhere.parquet"

    def __init__(self, paths: ProjectPaths, location: str, folder: str) -> None:
        self.root, self.location, self.folder = paths.root, location, folder


class TestLocalFile(DataSourceSuite):
    @pytest.fixture
    def source(self, paths: ProjectPaths) -> DataSource:
        return LocalFile(paths)

    @pytest.fixture
    def place(self, paths: ProjectPaths) -> object:
        class Place(_LocalPlace):
            def put(self, rows: Rows) -> None:
                pq.write_table(_table(rows), self.root / self.location)

        return Place(paths, "builds.parquet", "builds.parquet")


class TestFolder(DataSourceSuite):
    @pytest.fixture
    def source(self, paths: ProjectPaths) -> DataSource:
        return Folder(paths)

    @pytest.fixture
    def place(self, paths: ProjectPaths) -> object:
        class Place(_LocalPlace):
            missing = "nowhere"

            def put(self, rows: Rows) -> None:
                folder = self.root / "data" / self.location.removeprefix("data/")
                folder.mkdir(parents=True, exist_ok=True)
                for old in folder.glob("*"):
                    old.unlink()
                for at, row in enumerate(rows):
                    pq.write_table(_table([row]), folder / f"{at}.parquet")

        return Place(paths, "data/builds", "data")


class TestDeltaFolder(DataSourceSuite):
    @pytest.fixture
    def source(self, paths: ProjectPaths) -> DataSource:
        return DeltaFolder(paths)

    @pytest.fixture
    def place(self, paths: ProjectPaths) -> object:
        class Place(_LocalPlace):
            def put(self, rows: Rows) -> None:
                deltalake.write_deltalake(
                    str(self.root / self.location), _table(rows), mode="overwrite"
                )

        return Place(paths, "builds", "builds")

    def test_other_rows_are_another_version(self, look: Any, place: Any) -> None:
        first = look()
        place.put([(9, "z")])
        second = look()
        assert (first.delta_version, second.delta_version) == (0, 1)
        assert first.sha256 != second.sha256


def _read(data: DataService, name: str, version: int = 0) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = data.registry.read(
        data.registry.resolve(name, version)
    ).to_pylist()
    return rows


def _page(data: DataService, name: str) -> list[dict[str, Any]]:
    page = data.views.page(name, RowsQuery(offset=0, limit=100))
    rows: list[dict[str, Any]] = pa.ipc.open_stream(page).read_all().to_pylist()
    return rows


def _hive(folder: Path, suffix: str = "parquet") -> None:
    for year in (2025, 2026):
        part = folder / f"year={year}"
        part.mkdir(parents=True)
        table = pa.table({"n": [year - 2000, 1]})
        if suffix == "parquet":
            pq.write_table(table, part / "a.parquet")
        elif suffix == "arrow":
            with pa.ipc.new_file(part / "a.arrow", table.schema) as writer:
                writer.write_table(table)
        elif suffix == "csv":
            (part / "a.csv").write_text(f"n\n{year - 2000}\n1\n")
        else:
            (part / "a.jsonl").write_text(f'{{"n": {year - 2000}}}\n{{"n": 1}}\n')
    (folder / "_SUCCESS").touch()
    (folder / ".crc").touch()


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "arrow"])
def test_a_partitioned_folder_is_one_table(data: DataService, folder: Path, suffix: str) -> None:
    _hive(folder / "builds", suffix)
    dataset = data.registry.register("builds", by="ada")
    assert (dataset.facts.kind, dataset.facts.rows, dataset.state) == ("folder", 4, "current")
    assert [c.name for c in dataset.facts.columns] == ["n", "year"]
    assert [(int(r["n"]), int(r["year"])) for r in _page(data, "builds")] == [
        (25, 2025), (1, 2025), (26, 2026), (1, 2026)
    ]  # fmt: skip
    assert [(int(r["n"]), int(r["year"])) for r in _read(data, "builds")] == [
        (25, 2025), (1, 2025), (26, 2026), (1, 2026)
    ]  # fmt: skip
    read = data.registry.read(data.registry.resolve("builds"), ["year"])
    assert read.column_names == ["year"]


def test_a_folder_that_grew_is_a_new_version_and_the_old_one_stays(
    data: DataService, folder: Path
) -> None:
    _hive(folder / "builds")
    data.registry.register("builds", by="ada")
    pq.write_table(pa.table({"n": [7]}), folder / "builds" / "year=2026" / "b.parquet")
    assert data.registry.get("builds").state == "changed"
    assert data.registry.resolve("builds").version == 2
    assert data.registry.table(data.registry.resolve("builds", 1)).rows == 4
    assert data.registry.table(data.registry.resolve("builds")).rows == 5
    (folder / "builds" / "year=2026" / "a.parquet").unlink()
    with pytest.raises(NotFoundError, match="gone"):
        data.registry.table(data.registry.resolve("builds", 1))


def test_a_source_leads_to_its_versions_on_the_chain(data: DataService, folder: Path) -> None:
    (folder / "b.csv").write_text("n\n1\n")
    data.registry.register("b.csv", by="ada")
    (folder / "b.csv").write_text("n\n2\n")
    node = data.registry.resolve("b")
    (source,) = data.project.chain.sources(node.ref, "source")
    assert source.ref == "source:b@1"
    assert facts_of(source, SourceFacts) == SourceFacts(location="b.csv", kind="file")
    roles = {e.role for e in data.project.chain.lineage(source.ref).edges if e.src == source.ref}
    assert roles == {"registered"}


def _mixed(folder: Path) -> None:
    pq.write_table(pa.table({"n": [1]}), folder / "a.parquet")
    pq.write_table(pa.table({"n": ["x"]}), folder / "b.parquet")


def _lacking(folder: Path) -> None:
    pq.write_table(pa.table({"n": [1], "m": [1]}), folder / "a.parquet")
    pq.write_table(pa.table({"n": [2]}), folder / "b.parquet")


def _headers(folder: Path) -> None:
    (folder / "a.csv").write_text("n,m\n1,2\n")
    (folder / "b.csv").write_text("n,k\n1,2\n")


def _formats(folder: Path) -> None:
    (folder / "a.csv").write_text("n,m\n1,2\n")
    pq.write_table(pa.table({"n": [2]}), folder / "b.parquet")


def _workbooks(folder: Path) -> None:
    (folder / "a.xlsx").write_bytes(b"PK")


def _damaged(folder: Path) -> None:
    pq.write_table(pa.table({"n": [2]}), folder / "a.parquet")
    (folder / "b.parquet").write_bytes((folder / "a.parquet").read_bytes()[:-9])


def _doubled(folder: Path) -> None:
    for year in (1, 2):
        (folder / f"n={year}").mkdir()
        pq.write_table(pa.table({"n": [2]}), folder / f"n={year}" / "a.parquet")


def _uneven(folder: Path) -> None:
    (folder / "k=1").mkdir()
    pq.write_table(pa.table({"n": [2]}), folder / "k=1" / "a.parquet")
    pq.write_table(pa.table({"n": [2]}), folder / "z.parquet")


def _nothing(folder: Path) -> None:
    (folder / "notes.md").touch()


@pytest.mark.parametrize(
    ("fill", "reason"),
    [
        (_mixed, "column 'n' is string in b.parquet and int64 in a.parquet"),
        (_lacking, "b.parquet has no column 'm'"),
        (_headers, "only one of them has 'k'"),
        (_formats, "several formats"),
        (_workbooks, "Register each by itself"),
        (_damaged, "cannot be read"),
        (_doubled, "a column of the files and a folder's name"),
        (_uneven, "z.parquet does not lie in folders of k"),
        (_nothing, "holds no data files"),
    ],
)
def test_a_folder_that_is_no_table_is_refused(
    data: DataService, folder: Path, fill: Callable[[Path], None], reason: str
) -> None:
    (folder / "mess").mkdir()
    fill(folder / "mess")
    with pytest.raises(UnreadableDataError, match=reason) as error:
        data.registry.register("mess", by="ada")
    assert error.value.hint
    assert data.registry.datasets() == []
    assert "mess" not in data.project.definition.data


def test_a_link_that_leads_out_of_a_folder_is_refused(
    data: DataService, folder: Path, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "secret.parquet")
    (folder / "builds").mkdir()
    (folder / "builds" / "a.parquet").symlink_to(tmp_path / "secret.parquet")
    with pytest.raises(ForbiddenPathError, match="leads out of builds"):
        data.registry.register("builds", by="ada")


def test_a_delta_table_is_read_as_its_log_says(data: DataService, folder: Path) -> None:
    place = str(folder / "delta")
    deltalake.write_deltalake(place, pa.table({"n": [1, 2], "k": ["a", "b"]}), partition_by=["k"])
    dataset = data.registry.register("delta", by="ada")
    assert (dataset.facts.kind, dataset.facts.delta_version, dataset.facts.rows) == ("delta", 0, 2)
    assert {(r["n"], r["k"]) for r in _page(data, "delta")} == {(1, "a"), (2, "b")}
    assert {(r["n"], r["k"]) for r in _read(data, "delta")} == {(1, "a"), (2, "b")}
    deltalake.DeltaTable(place).delete("n = 1")
    assert data.registry.get("delta").state == "changed"
    node = data.registry.resolve("delta")
    assert (node.version, facts_of(node, DataFacts).rows) == (2, 1)
    assert data.registry.table(data.registry.resolve("delta", 1)).rows == 2


def test_a_delta_table_with_deletion_vectors_is_refused(data: DataService, folder: Path) -> None:
    place = str(folder / "delta")
    deltalake.write_deltalake(
        place, pa.table({"n": [1]}), configuration={"delta.enableDeletionVectors": "true"}
    )
    if "deletionVectors" not in (deltalake.DeltaTable(place).protocol().reader_features or []):
        log = folder / "delta" / "_delta_log" / ("0" * 20 + ".json")
        lines = [line for line in log.read_text().splitlines() if '"protocol"' not in line]
        protocol = (
            '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,'
            '"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}}'
        )
        log.write_text("\n".join([protocol, *lines]) + "\n")
    with pytest.raises(UnsupportedError, match="deletion vectors"):
        data.registry.register("delta", by="ada")


def test_a_name_of_any_length_becomes_a_datasets_name(data: DataService, folder: Path) -> None:
    long = "größe " * 20 + ".csv"
    (folder / long).write_text("n\n1\n")
    dataset = data.registry.register(long, by="ada")
    assert len(dataset.name) <= 63
    with pytest.raises(PerijoveError):
        data.registry.register("x" * 3000, by="ada")


def test_a_file_that_changes_while_it_is_read_is_not_registered(
    data: DataService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "live.csv"
    file.write_text("n\n1\n")
    twin = data.registry._engine.twin

    def slow(source: Path, parquet: Path, sheet: str = "") -> Any:
        made = twin(source, parquet, sheet)
        file.write_text("n\n1\n2\n")
        return made

    monkeypatch.setattr(data.registry._engine, "twin", slow)
    with pytest.raises(ConflictError, match="changed while it was being read"):
        data.registry.register("live.csv", by="ada")
    assert data.registry.datasets() == []


def test_a_pipe_is_no_file(data: DataService, folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    with pytest.raises(UnreadableDataError, match="no file"):
        data.registry.register("pipe.csv", by="ada")


# Workbooks


def _workbook(path: Path, sheets: dict[str, list[list[Any]]], merge: str = "") -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if merge:
            sheet.merge_cells(merge)
    book.save(path)


def test_a_sheet_is_a_dataset(data: DataService, folder: Path) -> None:
    import datetime as dt

    rows = [
        ["id", "when", "share", "word", "mixed"],
        [1, dt.datetime(2026, 1, 2, 3, 4), 0.5, "ö", 1],
        [2, dt.datetime(2026, 1, 3), None, None, "x"],
    ]
    _workbook(folder / "b.xlsx", {"First": rows, "Zweites Blatt": [["n"], [5]]})
    dataset = data.registry.register("b.xlsx", by="ada")
    assert [(c.name, c.type) for c in dataset.facts.columns] == [
        ("id", "BIGINT"), ("when", "TIMESTAMP"), ("share", "DOUBLE"), ("word", "VARCHAR"),
        ("mixed", "VARCHAR"),
    ]  # fmt: skip
    assert _read(data, "b")[0]["when"] == dt.datetime(2026, 1, 2, 3, 4)
    other = data.registry.register("b.xlsx", name="other", query="Zweites Blatt", by="ada")
    assert _read(data, "other") == [{"n": 5}]
    assert other.facts.sha256 != dataset.facts.sha256
    assert other.state == "current"
    with pytest.raises(UnreadableDataError, match="no sheet 'Third'") as error:
        data.registry.register("b.xlsx", name="third", query="Third", by="ada")
    assert "Zweites Blatt" in error.value.hint


@pytest.mark.parametrize(
    ("rows", "merge", "reason"),
    [
        ([["a", "b", "c"], [1, 2, 3]], "A1:B1", "A1:B1 of its header are merged"),
        ([["a", None, "c"], [1, 2, 3]], "", "no name in cell B1"),
        ([["a", "a"], [1, 2]], "", "two of its columns are called 'a'"),
        ([[]], "", "is empty"),
    ],
)
def test_a_header_that_names_no_columns_is_refused(
    data: DataService, folder: Path, rows: list[list[Any]], merge: str, reason: str
) -> None:
    _workbook(folder / "b.xlsx", {"S": rows}, merge)
    with pytest.raises(UnreadableDataError, match=reason):
        data.registry.register("b.xlsx", by="ada")


def test_no_workbook_at_all(data: DataService, folder: Path) -> None:
    (folder / "b.xlsx").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(UnreadableDataError, match="no workbook"):
        data.registry.register("b.xlsx", by="ada")
    (folder / "c.csv").write_text("n\n1\n")
    with pytest.raises(InvalidInputError):
        data.registry.register("c.csv", query="Sheet", by="ada")


# What may be listed


def test_a_folder_is_listed_with_what_is_registered(data: DataService, folder: Path) -> None:
    _hive(folder / "builds")
    (folder / "b.csv").write_text("n\n1\n")
    (folder / "notes.md").touch()
    data.registry.register("b.csv", name="named", by="ada")
    found = data.sources.entries()
    assert [(e.name, e.kind, e.dataset) for e in found.items] == [
        ("builds", "folder", ""), ("b.csv", "table", "named")
    ]  # fmt: skip
    assert [e.location for e in data.sources.entries("builds").items] == [
        "builds/year=2025", "builds/year=2026"
    ]  # fmt: skip


def test_a_long_list_is_cut(data: DataService, folder: Path) -> None:
    (folder / "many").mkdir()
    for at in range(1005):
        with (folder / "many" / f"{at:05}.csv").open("w") as file:
            csv.writer(file).writerow(["n"])
    found = data.sources.entries("many")
    assert (len(found.items), found.truncated) == (1000, True)


@pytest.mark.parametrize("location", ["..", "../other", "/etc", "link", "link/secret.csv"])
def test_the_browser_sees_nothing_outside(
    data: DataService, folder: Path, tmp_path: Path, location: str
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret.csv").write_text("n\n1\n")
    (folder / "link").symlink_to(tmp_path / "other")
    with pytest.raises(ForbiddenPathError, match="outside the project"):
        data.sources.entries(location)
    with pytest.raises(ForbiddenPathError):
        data.sources.check_browser(location)


# The allow-list


def test_an_unlisted_source_is_refused_and_a_listed_one_is_not(
    data: DataService, folder: Path, tmp_path: Path
) -> None:
    for name in ("open", "shut"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b.csv").write_text(f"n,{name}\n1,2\n")
    (folder / "own.csv").write_text("n\n1\n")
    shown = data.sources.allow([str(tmp_path / "open")], by="ada")
    assert shown.restricted
    assert [(s.location, s.declared) for s in shown.items] == [
        ("", False), (str(tmp_path / "open"), True)
    ]  # fmt: skip
    data.registry.register("own.csv", by="ada")
    data.registry.register(str(tmp_path / "open" / "b.csv"), name="b", by="ada")
    data.sources.check_browser(str(tmp_path / "open"))
    for way in (str(tmp_path / "shut" / "b.csv"), str(tmp_path / "open" / ".." / "shut" / "b.csv")):
        with pytest.raises(ForbiddenPathError, match="not among the sources") as error:
            data.registry.register(way, name="c", by="ada")
        assert "[sources] allow" in error.value.hint
    (tmp_path / "open" / "way").symlink_to(tmp_path / "shut")
    with pytest.raises(ForbiddenPathError):
        data.registry.register(str(tmp_path / "open" / "way" / "b.csv"), name="c", by="ada")
    with pytest.raises(ForbiddenPathError):
        data.registry.register("https://example.org/a.csv", by="ada")
    assert "# kept by every edit" in data.project.file.text()
    assert not data.sources.allow(None, by="ada").restricted
    data.registry.register(str(tmp_path / "shut" / "b.csv"), name="c", by="ada")
    actions = [e.action for e in data.project.chain.ledger.read_audit().entries]
    assert actions.count("allow sources") == 2


def test_kinds_are_told(data: DataService) -> None:
    types = {t.kind: t for t in data.sources.overview().types}
    assert {"file", "folder", "delta", "excel", "s3", "gcs", "azure", "http", "postgresql",
            "sqlite"} <= set(types)  # fmt: skip
    assert types["file"].available
    assert types["s3"].needs == "perijove[s3]"
    with pytest.raises(UnsupportedError, match="No source reads"):
        data.registry.register("ftp://host/a.csv", by="ada")
