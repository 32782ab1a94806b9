"""Databases as sources: a real PostgreSQL, and SQLite files."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from perijove.adapters.sources.sql import DuckDb, PostgreSql, Sqlite
from perijove.contracts.data import DataFacts
from perijove.core.chain import SourceFacts, facts_of
from perijove.core.errors import (
    ForbiddenPathError,
    InvalidInputError,
    NotFoundError,
    PerijoveError,
    UnavailableError,
)
from perijove.core.paths import ProjectPaths
from perijove.data.ports import DataSource
from perijove.data.service import DataService
from perijove.testing.data_source import DataSourceSuite
from tests.data import servers

Rows = list[tuple[int, str | None]]


@pytest.fixture(scope="module")
def running() -> Iterator[servers.PostgreSql]:
    pytest.importorskip("psycopg")
    binaries = servers.postgresql_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed: make postgresql")
    with servers.postgresql(binaries) as server:
        yield server


@pytest.fixture
def server(running: servers.PostgreSql, monkeypatch: pytest.MonkeyPatch) -> servers.PostgreSql:
    monkeypatch.setenv("PGPASSWORD", servers.PASSWORD)
    running.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return running


class TestPostgreSql(DataSourceSuite):
    @pytest.fixture
    def source(self, paths: ProjectPaths, server: servers.PostgreSql) -> DataSource:
        return PostgreSql(paths)

    @pytest.fixture
    def place(self, server: servers.PostgreSql) -> object:
        class Place:
            location = f"{server.url}#public.runs"
            missing = f"{server.url}#public.nothing"
            folder = server.url

            def put(self, rows: Rows) -> None:
                values = ", ".join(f"({n}, {f'{w!r}' if w else 'NULL'})" for n, w in rows)
                server.run(
                    "DROP TABLE IF EXISTS runs",
                    "CREATE TABLE runs (number int, word text)",
                    f"INSERT INTO runs VALUES {values}",
                )

        return Place()


class TestSqlite(DataSourceSuite):
    @pytest.fixture
    def source(self, paths: ProjectPaths) -> DataSource:
        return Sqlite(paths)

    @pytest.fixture
    def place(self, paths: ProjectPaths) -> object:
        class Place:
            location = "sqlite:///builds.db#runs"
            missing = "sqlite:///builds.db#nothing"
            folder = "sqlite:///builds.db"

            def put(self, rows: Rows) -> None:
                with sqlite3.connect(paths.root / "builds.db") as db:
                    db.execute("DROP TABLE IF EXISTS runs")
                    db.execute("CREATE TABLE runs (number, word)")
                    db.executemany("INSERT INTO runs VALUES (?, ?)", rows)
                db.close()

        return Place()


class TestDuckDb(DataSourceSuite):
    @pytest.fixture
    def source(self, paths: ProjectPaths) -> DataSource:
        return DuckDb(paths)

    @pytest.fixture
    def place(self, paths: ProjectPaths) -> object:
        class Place:
            location = "duckdb:///builds.duckdb#runs"
            missing = "duckdb:///builds.duckdb#nothing"
            folder = "duckdb:///builds.duckdb"

            def put(self, rows: Rows) -> None:
                with duckdb.connect(paths.root / "builds.duckdb") as db:
                    db.execute("CREATE OR REPLACE TABLE runs (number INT, word VARCHAR)")
                    db.executemany("INSERT INTO runs VALUES (?, ?)", rows)

        return Place()


def _read(data: DataService, name: str, version: int = 0) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = data.registry.read(
        data.registry.resolve(name, version)
    ).to_pylist()
    return rows


def test_a_query_is_a_version_by_its_rows_in_any_order(
    data: DataService, server: servers.PostgreSql
) -> None:
    server.run("CREATE TABLE runs AS SELECT n FROM generate_series(1, 50000) n")
    query = "SELECT n, n % 7 AS rest FROM runs WHERE n > 10;"
    made = data.registry.register(server.url, name="runs", query=query, by="ada")
    assert (made.facts.kind, made.facts.rows, made.facts.query) == ("sql", 49_990, query)
    (source,) = data.project.chain.sources(made.ref, "source")
    assert facts_of(source, SourceFacts).query == query
    assert data.project.definition.data["runs"].query == query
    server.run(
        "CREATE TABLE again AS SELECT n FROM runs ORDER BY n DESC",
        "DROP TABLE runs", "ALTER TABLE again RENAME TO runs",
    )  # fmt: skip
    assert data.registry.register(server.url, name="runs", query=query, by="ada").version == 1
    server.run("INSERT INTO runs VALUES (20)")
    assert len(_read(data, "runs")) == 49_990
    assert data.registry.register(server.url, name="runs", query=query, by="ada").version == 2
    assert (len(_read(data, "runs")), len(_read(data, "runs", 1))) == (49_991, 49_990)


def test_every_type_arrives(data: DataService, server: servers.PostgreSql) -> None:
    server.run(
        """CREATE TABLE every (i8 bigint, d numeric(38, 4), free numeric, f real, b bool, t text,
        raw bytea, day date, at timestamp, tz timestamptz, u uuid, j jsonb, s interval,
        l int[], ip inet, clock time, e varchar(3))""",
        """INSERT INTO every VALUES (9223372036854775807, 1234567890123456789012345678901234.5678,
        0.1, 'NaN', true, 'ö <b>', '\\x00ff', '2026-02-28', '2026-01-02 03:04:05.678901',
        '2026-01-02 03:04:05+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"k": [1]}',
        '1 month 2 days', '{1,NULL,3}', '10.0.0.1/8', '12:34:56.5', 'abc')""",
        "INSERT INTO every (i8) VALUES (NULL)",
    )
    data.registry.register(f"{server.url}#public.every", name="every", by="ada")
    row, nulls = _read(data, "every")
    assert row["i8"] == 2**63 - 1
    assert row["d"] == Decimal("1234567890123456789012345678901234.5678")
    assert row["free"] == 0.1
    assert row["f"] != row["f"]
    assert (row["b"], row["t"], row["raw"], row["day"]) == (
        True, "ö <b>", b"\x00\xff", dt.date(2026, 2, 28)
    )  # fmt: skip
    assert row["at"] == dt.datetime(2026, 1, 2, 3, 4, 5, 678901)
    assert row["tz"] == dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=dt.UTC)
    assert (row["u"], row["j"], row["s"]) == (
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", '{"k": [1]}', "P1M2D"
    )  # fmt: skip
    assert (row["l"], row["ip"], row["clock"]) == (
        [1, None, 3],
        "10.0.0.1/8",
        dt.time(12, 34, 56, 500_000),
    )
    assert set(nulls.values()) == {None}


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM runs",
        "SELECT 1; COMMIT; DROP TABLE runs",
        "WITH gone AS (DELETE FROM runs RETURNING *) SELECT * FROM gone",
        "SELECT setval('counter', 9)",
        "COPY (SELECT 1) TO PROGRAM 'touch /tmp/perijove-was-here'",
        "SELEC 1",
        "SELECT nosuch FROM runs",
        "SELECT 1 AS a, 2 AS a",
        "SELECT 1/0 AS x",
    ],
)
def test_what_is_no_reading_select_is_refused(
    data: DataService, server: servers.PostgreSql, query: str
) -> None:
    server.run(
        "CREATE TABLE runs AS SELECT 1 AS n",
        "DROP SEQUENCE IF EXISTS counter",
        "CREATE SEQUENCE counter",
    )
    with pytest.raises(InvalidInputError):
        data.registry.register(server.url, name="runs", query=query, by="ada")
    assert data.registry.datasets() == []
    made = data.registry.register(f"{server.url}#public.runs", name="runs", by="ada")
    assert made.facts.rows == 1


def test_percent_and_colon_are_only_text(data: DataService, server: servers.PostgreSql) -> None:
    query = "SELECT 'a%b' AS p, ':name' AS c, 7 % 4 AS r WHERE 'x' LIKE '%x%'"
    data.registry.register(server.url, name="odd", query=query, by="ada")
    assert _read(data, "odd") == [{"p": "a%b", "c": ":name", "r": 3}]


def test_a_table_that_vanishes_leaves_its_versions(
    data: DataService, server: servers.PostgreSql
) -> None:
    server.run("CREATE TABLE runs AS SELECT 1 AS n")
    url = f"{server.url}#public.runs"
    data.registry.register(url, name="runs", by="ada")
    server.run("DROP TABLE runs")
    with pytest.raises(NotFoundError, match="does not exist"):
        data.registry.register(url, name="runs", by="ada")
    assert _read(data, "runs") == [{"n": 1}]
    assert data.registry.get("runs").state == "current"


def test_an_empty_table_is_a_version(data: DataService, server: servers.PostgreSql) -> None:
    server.run("CREATE TABLE runs (n int, word text)")
    made = data.registry.register(f"{server.url}#public.runs", name="runs", by="ada")
    assert (made.facts.rows, [c.type for c in made.facts.columns]) == (0, ["INTEGER", "VARCHAR"])


def test_tables_and_databases_are_listed(data: DataService, server: servers.PostgreSql) -> None:
    server.run(
        "CREATE TABLE runs AS SELECT 1 AS n",
        'CREATE VIEW "odd name" AS SELECT 2 AS n',
    )
    host = server.url.rpartition("/")[0]
    with pytest.raises(ForbiddenPathError):
        data.sources.entries(server.url)
    data.sources.allow([host], by="ada")
    assert f"{host}/builds" in [e.location for e in data.sources.entries(host).items]
    found = data.sources.entries(server.url).items
    assert [(e.name, e.kind) for e in found] == [
        ("public.odd name", "table"), ("public.runs", "table")
    ]  # fmt: skip
    made = data.registry.register(found[0].location, name="odd", by="ada")
    assert made.facts.rows == 1
    assert data.sources.entries(server.url).items[0].dataset == "odd"
    other = f"postgresql://reader@127.0.0.1:{servers.free_port()}/builds#public.runs"
    for place in (other, f"{server.url}?host=/tmp#public.runs"):
        with pytest.raises(ForbiddenPathError):
            data.registry.register(place, name="other", by="ada")


def test_wrong_and_missing_passwords_and_nobody_there(
    data: DataService, server: servers.PostgreSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{server.url}#public.runs"
    monkeypatch.setenv("PGPASSWORD", "wrong-password")
    with pytest.raises(UnavailableError) as error:
        data.registry.register(url, by="ada")
    assert error.value.code == "source_refused"
    assert "PGPASSWORD" in error.value.hint
    assert "wrong-password" not in str(error.value)
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")
    with pytest.raises(UnavailableError) as error:
        data.registry.register(url, by="ada")
    assert error.value.code == "source_refused"
    nobody = f"postgresql://reader@127.0.0.1:{servers.free_port()}/builds#t"
    with pytest.raises(UnavailableError) as error:
        data.registry.register(nobody, by="ada")
    assert error.value.code == "source_unreachable"
    monkeypatch.setenv("PGPASSWORD", servers.PASSWORD)
    with pytest.raises(NotFoundError):
        data.registry.register(server.url.replace("builds", "nosuch") + "#t", by="ada")


def test_a_database_that_is_silent_is_given_up(
    data: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setenv("PERIJOVE_SOURCE_PATIENCE", "2")
    with servers.silent() as host, pytest.raises(UnavailableError):
        data.sources.place(f"postgresql://reader@{host}/builds").source.entries(
            f"postgresql://reader@{host}/builds", 10
        )


def test_a_sqlite_file_finds_its_types(data: DataService, folder: Path, tmp_path: Path) -> None:
    db = sqlite3.connect(folder / "b.db")
    db.execute('CREATE TABLE "odd ""name" (i, f, t, b, mixed, gaps)')
    db.execute("""INSERT INTO "odd ""name" VALUES (9223372036854775807, 1, 'ö', x'00', 1, NULL),
               (1, 0.5, NULL, NULL, 'x', NULL)""")
    db.commit()
    db.close()
    data.sources.allow([], by="ada")
    (entry,) = data.sources.entries("sqlite:///b.db").items
    made = data.registry.register(entry.location, name="odd", by="ada")
    assert [c.type for c in made.facts.columns] == [
        "BIGINT", "DOUBLE", "VARCHAR", "BLOB", "VARCHAR", "BIGINT"
    ]  # fmt: skip
    assert _read(data, "odd")[0]["i"] == 2**63 - 1
    assert facts_of(data.registry.resolve("odd"), DataFacts).path == entry.location
    for query in ("DELETE FROM t", "SELECT 1; DELETE FROM t", "ATTACH 'x' AS y"):
        with pytest.raises(PerijoveError):
            data.registry.register("sqlite:///b.db", name="q", query=query, by="ada")
    (tmp_path / "c.db").write_bytes((folder / "b.db").read_bytes())
    for place in (f"sqlite:///{tmp_path}/c.db#t", "sqlite:///../c.db#t"):
        with pytest.raises((ForbiddenPathError, InvalidInputError)):
            data.registry.register(place, name="out", by="ada")
    with pytest.raises(NotFoundError):
        data.registry.register("sqlite:///nothing.db#t", name="no", by="ada")
    (folder / "no.db").write_text("not a database, but long enough to be one " * 40)
    with pytest.raises(PerijoveError, match="not a database"):
        data.registry.register("sqlite:///no.db#t", name="no", by="ada")


def test_a_duckdb_file_keeps_its_types(data: DataService, folder: Path, tmp_path: Path) -> None:
    with duckdb.connect(folder / "b.duckdb") as db:
        db.execute("CREATE SCHEMA more")
        db.execute("""CREATE TABLE more."odd.name #" AS SELECT 9223372036854775807 AS i,
            1234567890123456789012345678901234::HUGEINT AS h, 1.5::DECIMAL(38, 4) AS d, 'NaN'::FLOAT AS f,
            'ö <b>' AS t, '\\x00\\xFF'::BLOB AS raw, DATE '2026-02-28' AS day,
            TIMESTAMPTZ '2026-01-02 03:04:05+02' AS tz, INTERVAL 3 DAY AS span, [1, NULL] AS l,
            {'a': 1} AS s, 'a'::ENUM('a', 'b') AS e, '101'::BIT AS bits,
            TIMESTAMP_NS '2026-01-02 03:04:05.123456789' AS ns""")
        db.execute('INSERT INTO more."odd.name #" (i) VALUES (NULL)')
    data.sources.allow([], by="ada")
    (entry,) = data.sources.entries("duckdb:///b.duckdb").items
    assert entry.name == "more.odd.name #"
    made = data.registry.register(entry.location, name="odd", by="ada")
    assert [c.type for c in made.facts.columns] == [
        "BIGINT", "DECIMAL(38,0)", "DECIMAL(38,4)", "FLOAT", "VARCHAR", "BLOB", "DATE",
        "TIMESTAMP WITH TIME ZONE", "VARCHAR", "INTEGER[]", "STRUCT(a INTEGER)", "VARCHAR", "VARCHAR",
        "TIMESTAMP_NS",
    ]  # fmt: skip
    table = data.registry.read(data.registry.resolve("odd"))
    row = table.drop_columns(["f", "ns"]).to_pylist()[0]
    assert row == {
        "i": 2**63 - 1, "h": Decimal(1234567890123456789012345678901234), "d": Decimal("1.5"),
        "t": "ö <b>", "raw": b"\x00\xff", "day": dt.date(2026, 2, 28),
        "tz": dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=dt.UTC), "span": "3 days", "l": [1, None],
        "s": {"a": 1}, "e": "a", "bits": "101",
    }  # fmt: skip
    assert table["ns"].cast("int64").to_pylist() == [1767323045123456789, None]


def test_a_duckdb_file_is_only_read(data: DataService, folder: Path, tmp_path: Path) -> None:
    (folder / "secret.csv").write_text("a\n1\n")
    with duckdb.connect(folder / "b.duckdb") as db:
        db.execute("CREATE TABLE t AS SELECT 1 AS n")
        with pytest.raises(UnavailableError, match="open for writing") as busy:
            data.registry.register("duckdb:///b.duckdb#t", name="t", by="ada")
    assert "Close it" in busy.value.hint
    assert data.registry.register("duckdb:///b.duckdb#t", name="t", by="ada").facts.rows == 1
    for query in (
        "DELETE FROM t",
        "SELECT 1; DROP TABLE t",
        "ATTACH 'x.duckdb'",
        f"SELECT * FROM read_csv('{folder / 'secret.csv'}')",
        f"COPY t TO '{tmp_path / 'out.csv'}'",
        "SET enable_external_access=true",
        "INSTALL httpfs",
        "SELEC 1",
        "SELECT 1 AS a, 2 AS a",
    ):
        with pytest.raises(InvalidInputError):
            data.registry.register("duckdb:///b.duckdb", name="q", query=query, by="ada")
    (tmp_path / "c.duckdb").write_bytes((folder / "b.duckdb").read_bytes())
    data.sources.allow([], by="ada")
    for place in (f"duckdb:///{tmp_path}/c.duckdb#t", "duckdb:///../c.duckdb#t"):
        with pytest.raises((ForbiddenPathError, InvalidInputError)):
            data.registry.register(place, name="out", by="ada")
    with pytest.raises(NotFoundError):
        data.registry.register("duckdb:///nothing.duckdb#t", name="no", by="ada")
    (folder / "no.duckdb").write_text("not a database, but long enough to be one " * 400)
    with pytest.raises(PerijoveError, match="valid DuckDB"):
        data.registry.register("duckdb:///no.duckdb#t", name="no", by="ada")


def test_a_table_or_a_query_not_both(data: DataService, folder: Path) -> None:
    for place, query in (("sqlite:///b.db", ""), ("sqlite:///b.db#t", "SELECT 1")):
        with pytest.raises(InvalidInputError):
            data.registry.register(place, name="t", query=query, by="ada")
