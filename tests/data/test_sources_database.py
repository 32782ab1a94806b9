"""Any database that SQLAlchemy has a dialect for: a real MariaDB, and what a query may say."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.adapters.sources.sql import AnyDatabase
from perijove.adapters.sources.worker.failures import SourceError
from perijove.adapters.sources.worker.logins import login
from perijove.adapters.sources.worker.spool import Spool
from perijove.adapters.sources.worker.statement import one_select
from perijove.core.errors import (
    ForbiddenPathError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UnsupportedError,
)
from perijove.core.paths import ProjectPaths
from perijove.data.ports import DataSource
from perijove.data.service import DataService
from perijove.testing.data_source import DataSourceSuite
from tests.data import servers

Rows = list[tuple[int, str | None]]


@pytest.fixture(scope="module")
def running() -> Iterator[servers.MariaDb]:
    pytest.importorskip("pymysql")
    binary = servers.mariadb_binary()
    if binary is None:
        pytest.skip("no MariaDB server is installed: make mariadb")
    with servers.mariadb(binary) as server:
        yield server


@pytest.fixture
def server(
    running: servers.MariaDb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> servers.MariaDb:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MYSQL_PWD", servers.PASSWORD)
    running.run("DROP DATABASE builds", "CREATE DATABASE builds")
    return running


class TestMariaDb(DataSourceSuite):
    @pytest.fixture
    def source(self, paths: ProjectPaths, server: servers.MariaDb) -> DataSource:
        return AnyDatabase(paths)

    @pytest.fixture
    def place(self, server: servers.MariaDb) -> object:
        class Place:
            location = f"{server.url}#runs"
            missing = f"{server.url}#nothing"
            folder = server.url

            def put(self, rows: Rows) -> None:
                values = ", ".join(f"({n}, {f'{w!r}' if w else 'NULL'})" for n, w in rows)
                server.run(
                    "DROP TABLE IF EXISTS runs",
                    "CREATE TABLE runs (number int, word text)",
                    f"INSERT INTO runs VALUES {values}",
                )

        return Place()


def _read(data: DataService, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = data.registry.read(data.registry.resolve(name)).to_pylist()
    return rows


def _types(made: Any) -> dict[str, str]:
    return {column.name: column.type for column in made.facts.columns}


EVERY = """CREATE TABLE every (i8 bigint, u8 bigint unsigned, d decimal(38, 4), f float, b bool,
    t text, raw blob, day date, at datetime(6), ts timestamp(6) NULL, clock time(6), y year,
    e enum('a', 'b'), j json, bits bit(3), `odd name %` varchar(9))"""
VALUES = r"""INSERT INTO every VALUES (9223372036854775807, 18446744073709551615,
    1234567890123456789012345678901234.5678, 0.5, true, 'ö <b>', x'00ff', '2026-02-28',
    '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05', '-26:00:01.5', 2026, 'b', '{"k": [1]}',
    b'101', '%s')"""


def test_every_type_arrives_from_a_table_and_from_a_query(
    data: DataService, server: servers.MariaDb
) -> None:
    server.run("SET time_zone='+05:00'", EVERY, "INSERT INTO every (i8) VALUES (1)", VALUES)
    made = data.registry.register(f"{server.url}#every", name="every", by="ada")
    query = "SELECT * FROM every ORDER BY i8"
    asked = data.registry.register(server.url, name="asked", query=query, by="ada")
    for rows in (_read(data, "every"), _read(data, "asked")):
        nulls, row = sorted(rows, key=lambda row: row["i8"])
        assert (row["i8"], row["u8"]) == (2**63 - 1, 2**64 - 1)
        assert row["d"] == Decimal("1234567890123456789012345678901234.5678")
        assert (row["f"], row["b"], row["t"], row["raw"]) == (0.5, 1, "ö <b>", b"\x00\xff")
        assert row["day"] == dt.date(2026, 2, 28)
        assert row["at"] == dt.datetime(2026, 1, 2, 3, 4, 5, 678901)
        assert row["ts"] == dt.datetime(2026, 1, 1, 22, 4, 5), "a timestamp comes in UTC"
        assert (row["clock"], row["y"], row["e"]) == ("-26:00:01.500000", 2026, "b")
        assert (row["j"], row["bits"], row["odd name %"]) == ('{"k": [1]}', b"\x05", "%s")
        assert {value for name, value in nulls.items() if name != "i8"} == {None}
    assert _types(made)["d"] == "DECIMAL(38,4)"
    assert _types(made) == _types(asked)


def test_an_empty_table_keeps_its_types(data: DataService, server: servers.MariaDb) -> None:
    server.run(EVERY)
    made = data.registry.register(f"{server.url}#every", name="every", by="ada")
    assert made.facts.rows == 0
    assert _types(made)["d"] == "DECIMAL(38,4)"
    assert (_types(made)["u8"], _types(made)["at"]) == ("UBIGINT", "TIMESTAMP")


def test_a_query_that_grows_out_of_its_types(data: DataService, server: servers.MariaDb) -> None:
    query = (
        "SELECT seq AS n, IF(seq = 45000, 18446744073709551615, seq) AS wide, "
        "IF(seq % 2, NULL, CAST(seq AS decimal(12, 3)) / 8) AS part FROM seq_1_to_50000"
    )
    made = data.registry.register(server.url, name="grown", query=query, by="ada")
    assert made.facts.rows == 50_000
    assert _types(made)["n"] == "BIGINT"
    row = _read(data, "grown")[44_999]
    assert (row["n"], row["wide"], row["part"]) == (45_000, 2**64 - 1, Decimal(5625))
    assert data.registry.register(server.url, name="grown", query=query, by="ada").version == 1


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM runs",
        "SELECT 1; DROP TABLE runs",
        "SELECT n FROM runs INTO OUTFILE '/tmp/perijove-was-here'",
        "SELECT n FROM runs /*! INTO OUTFILE '/tmp/perijove-was-here' */",
        "SELECT n FROM runs WHERE '\\' = ' INTO OUTFILE ' -- '",
        "SELECT n FROM runs -- '\n INTO OUTFILE 'x'",
        "SELECT n FROM runs # '\n INTO OUTFILE 'x'",
        "SELEC 1",
        "SET @a = 1",
        "SELECT 'open",
        "",
    ],
)
def test_what_is_no_select_is_not_sent(query: str) -> None:
    with pytest.raises(SourceError):
        one_select(query, "mariadb")


def test_what_is_no_reading_select_is_refused(data: DataService, server: servers.MariaDb) -> None:
    server.run(
        "CREATE TABLE runs AS SELECT 1 AS n",
        "CREATE SEQUENCE counter",
        "CREATE FUNCTION writes() RETURNS int BEGIN DELETE FROM runs; RETURN 1; END",
    )
    for query in (
        "SELECT n FROM runs INTO OUTFILE '/tmp/perijove-was-here'",
        "SELECT setval(counter, 9)",
        "SELECT writes()",
        "SELECT nosuch FROM runs",
        "SELECT 1 AS a, 2 AS a",
    ):
        with pytest.raises(InvalidInputError) as error:
            data.registry.register(server.url, name="runs", query=query, by="ada")
        assert error.value.hint
    assert data.registry.register(f"{server.url}#runs", name="runs", by="ada").facts.rows == 1


def test_percent_comments_and_quoted_words_are_only_text(
    data: DataService, server: servers.MariaDb
) -> None:
    query = """-- what's this
        SELECT 'a%b' AS p, ':x' AS c, 7 % 4 AS r, 'drop; into' AS `insert` # don't
        /* nor
        this */ WHERE 5--1 = 6 AND 'x' LIKE '%x%';"""
    data.registry.register(server.url, name="odd", query=query, by="ada")
    assert _read(data, "odd") == [{"p": "a%b", "c": ":x", "r": 3, "insert": "drop; into"}]


def test_tables_and_databases_are_listed(data: DataService, server: servers.MariaDb) -> None:
    server.run("CREATE TABLE runs AS SELECT 1 AS n", "CREATE VIEW `odd.name #` AS SELECT 2 AS n")
    host = server.url.rpartition("/")[0]
    with pytest.raises(ForbiddenPathError):
        data.sources.entries(server.url)
    data.sources.allow([host], by="ada")
    assert [e.location for e in data.sources.entries(host).items] == [server.url]
    found = data.sources.entries(server.url).items
    assert [(e.name, e.kind) for e in found] == [("odd.name #", "table"), ("runs", "table")]
    made = data.registry.register(found[0].location, name="odd", by="ada")
    assert _read(data, "odd") == [{"n": 2}]
    assert made.facts.path == found[0].location
    assert data.sources.entries(server.url).items[0].dataset == "odd"


def test_what_a_login_may_not_see(data: DataService, server: servers.MariaDb) -> None:
    server.run(
        "CREATE TABLE runs AS SELECT 1 AS n",
        "CREATE OR REPLACE USER guest@'127.0.0.1' IDENTIFIED BY 'sesame-17'",
        "GRANT SELECT ON mysql.proc TO guest@'127.0.0.1'",
    )
    with pytest.raises(UnavailableError) as error:
        data.registry.register(f"{server.url.replace('reader', 'guest')}#runs", by="ada")
    assert error.value.code == "source_refused"


def test_wrong_and_missing_passwords_and_nobody_there(
    data: DataService, server: servers.MariaDb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server.run("CREATE TABLE runs AS SELECT 1 AS n")
    url = f"{server.url}#runs"
    monkeypatch.setenv("MYSQL_PWD", "wrong-password")
    with pytest.raises(UnavailableError) as error:
        data.registry.register(url, by="ada")
    assert error.value.code == "source_refused"
    assert "MYSQL_PWD" in error.value.hint
    assert "wrong-password" not in str(error.value)
    monkeypatch.delenv("MYSQL_PWD")
    with pytest.raises(UnavailableError) as error:
        data.registry.register(url, by="ada")
    assert error.value.code == "source_refused"
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login reader password {servers.PASSWORD}")
    (tmp_path / ".netrc").chmod(0o600)
    assert data.registry.register(url, name="runs", by="ada").facts.rows == 1
    with pytest.raises(NotFoundError):
        data.registry.register(server.url.replace("builds", "nosuch") + "#t", by="ada")
    nobody = f"mysql+pymysql://reader@127.0.0.1:{servers.free_port()}/builds#t"
    with pytest.raises(UnavailableError) as error:
        data.registry.register(nobody, by="ada")
    assert error.value.code == "source_unreachable"
    with pytest.raises(InvalidInputError) as refused:
        data.registry.register("mysql://reader:secret@127.0.0.1/builds#t", by="ada")
    assert "MYSQL_PWD" in refused.value.hint


def test_a_database_that_is_silent_is_given_up(
    data: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymysql")
    monkeypatch.setenv("PERIJOVE_SOURCE_PATIENCE", "2")
    with servers.silent() as host, pytest.raises(UnavailableError) as error:
        data.registry.register(f"mysql+pymysql://reader@{host}/builds#runs", by="ada")
    assert error.value.code == "source_silent"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mssql+pyodbc://reader@127.0.0.1/builds#runs", "pip install pyodbc"),
        ("oracle+oracledb://reader@127.0.0.1/?service_name=b#runs", "pip install oracledb"),
        ("mysql+asyncmy://reader@127.0.0.1/builds#runs", "another driver"),
        ("mysql+nosuch://reader@127.0.0.1/builds#runs", "brings it"),
    ],
)
def test_a_driver_that_is_missing_is_named(data: DataService, url: str, words: str) -> None:
    module = url.partition("+")[2].partition(":")[0]
    if module in {"pyodbc", "oracledb"}:
        try:
            __import__(module)
        except ImportError:
            pass
        else:
            pytest.skip(f"{module} is installed")
    with pytest.raises(UnsupportedError) as error:
        data.registry.register(url, by="ada")
    assert words in error.value.hint


def test_a_url_may_not_lead_elsewhere(data: DataService) -> None:
    for setting in ("init_command=DROP TABLE runs", "unix_socket=/run/x", "read_default_file=/x"):
        with pytest.raises(InvalidInputError, match="may not set"):
            data.registry.register(f"mysql+pymysql://a@127.0.0.1/b?{setting}#runs", by="ada")
    with pytest.raises(UnsupportedError):
        data.registry.register("unheard+of://a@127.0.0.1/b#runs", by="ada")


def test_passwords_belong_to_their_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("MYSQL_PWD", "SQLCMDPASSWORD", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    assert login("mysql", "host", "ada") == ("ada", "")
    (tmp_path / ".my.cnf").write_text("[client]\nuser=ada\npassword='p%1'\n[mysqld]\nskip-x\n")
    (tmp_path / ".netrc").write_text("machine host login bob password two\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert login("mysql", "host", "ada") == ("ada", "p%1")
    assert login("mariadb", "host", "") == ("ada", "p%1")
    assert login("mysql", "host", "bob") == ("bob", "two")
    assert login("mysql", "elsewhere", "bob") == ("bob", "")
    assert login("oracle", "host", "") == ("bob", "two")
    monkeypatch.setenv("SQLCMDPASSWORD", "three")
    assert login("mssql", "host", "carol") == ("carol", "three")


@settings(deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            ["'", '"', "`", "[", "]", "--", "-- ", "\n", "/*", "*/", "#", " x ", " INTO ",
             "\\", "''", "q'", "$$"]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_no_word_that_writes_comes_through(parts: list[str]) -> None:
    """SQLite tells where it reads the word itself, and not a part of a text or a name."""
    try:
        sent = one_select("SELECT 1 " + "".join(parts), "elsewhere")
    except SourceError:
        return
    with closing(sqlite3.connect(":memory:")) as db:
        said = ""
        try:
            db.execute(sent)
        except sqlite3.Error as error:
            said = str(error)
    assert 'near "INTO"' not in said


def test_sql_server_begins_statements_without_a_semicolon() -> None:
    for text in (
        "SELECT 1 DROP TABLE runs",
        "SELECT [a'b] INTO [c'd] FROM t",
        "SELECT 1 [it's] DELETE t --'",
        "SELECT * INTO copied FROM runs",
    ):
        with pytest.raises(SourceError):
            one_select(text, "mssql")
    assert one_select("SELECT [drop it's]]] FROM t", "mssql") == "SELECT [drop it's]]] FROM t"


VALUE = st.one_of(
    st.none(), st.integers(-(2**70), 2**70), st.booleans(), st.floats(allow_nan=False),
    st.text(max_size=5), st.binary(max_size=5), st.decimals(allow_nan=False, allow_infinity=False),
    st.datetimes(), st.dates(), st.times(),
)  # fmt: skip


@settings(deadline=None)
@given(batches=st.lists(st.lists(st.tuples(VALUE), min_size=1, max_size=4), max_size=4))
def test_a_spool_loses_nothing(
    batches: list[list[tuple[Any]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    import pyarrow as pa

    with Spool(["x"], str(tmp_path_factory.getbasetemp())) as spool:
        for rows in batches:
            spool.write(rows)
        (column,) = spool.columns()
        given_values = [value for rows in batches for (value,) in rows]
        values = [value for rows in spool.batches() for (value,) in rows]
        assert spool.rows == len(given_values) == len(values)
        made = [None if v is None else column.convert(v) if column.convert else v for v in values]
        array = pa.array(made, column.type).to_pylist()
    assert [v is None for v in array] == [v is None for v in given_values]
    if len({type(v) for v in given_values} - {type(None)}) == 1 and column.type != pa.string():
        assert array == given_values


def test_values_that_drivers_have_of_their_own_become_pythons() -> None:
    pytest.importorskip("sqlalchemy")
    import uuid

    import pandas as pd

    from perijove.adapters.sources.worker.alchemy import _plain

    one = uuid.uuid4()
    for value, wanted in (
        (memoryview(b"\x00a"), b"\x00a"),
        (bytearray(b"b"), b"b"),
        (dt.timedelta(hours=30, microseconds=5), "30:00:00.000005"),
        (dt.timedelta(seconds=-1), "-00:00:01"),
        ({"k": ["ö", Decimal("1.5")]}, '{"k": ["ö", "1.5"]}'),
        (one, str(one)),
        (pd.Timestamp("2026-01-02 03:04:05.6+02:00"), dt.datetime(2026, 1, 2, 1, 4, 5, 600_000, dt.UTC)),
        (Decimal("1.50"), Decimal("1.50")),
        (None, None),
    ):  # fmt: skip
        assert _plain(value) == wanted
        assert type(_plain(value)) is type(wanted)
