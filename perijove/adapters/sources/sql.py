"""Databases: a table or a SELECT, copied in one read-only transaction when somebody registers."""

from __future__ import annotations

import functools
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from perijove.adapters.sources.process import SourceProcess
from perijove.contracts.sources import SourceEntry
from perijove.core.errors import InvalidInputError
from perijove.core.paths import ProjectPaths
from perijove.data.ports import Snapshot, Work
from perijove.data.versions import FileHash, file_digest


class Database:
    """A database that SQL is spoken to.

    Implements :class:`perijove.data.ports.DataSource`; a subclass says which. A location is the
    database's URL; ``#schema.table`` behind it names a table. The version's identity is the rows'
    fingerprint, in any order.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    example: ClassVar[str]
    needs: ClassVar[str]
    scheme: ClassVar[str]
    module: ClassVar[str]
    access: ClassVar[str] = ""
    remote = True

    def __init__(self, paths: ProjectPaths, process: SourceProcess | None = None) -> None:
        self._paths = paths
        self._process = process or SourceProcess()

    def available(self) -> bool:
        return find_spec(self.module) is not None

    def accepts(self, location: str) -> bool:
        return location.partition("://")[0] == self.scheme

    def url(self, location: str) -> str:
        """Return the URL that the worker opens, without the table."""
        return location.partition("#")[0]

    def entries(self, location: str, limit: int) -> list[SourceEntry]:
        reply = self._process.ask(
            {"do": "tables", "url": self.url(location), "limit": limit},
            location,
            access=self.access,
        )
        base = location.partition("#")[0]
        return [
            msgspec.convert({**entry, "location": base + entry["location"]}, SourceEntry)
            for entry in reply["entries"]
        ]

    def snapshot(
        self, location: str, query: str, into: Path, *, etag: str = "", work: Work | None = None
    ) -> Snapshot:
        table = location.partition("#")[2]
        if bool(table) == bool(query.strip()):
            raise InvalidInputError(
                "Name a table or give a SELECT, not both." if table else
                f"{location} names no table.",
                f"Put the table behind the URL, {location.partition('#')[0]}#TABLE, or give a "
                "SELECT as the query.",
            )  # fmt: skip
        parquet = into / "rows.parquet"
        reply = self._process.ask(
            {"do": "query", "url": self.url(location), "table": table, "query": query,
             "parquet": str(parquet)},
            location, work, access=self.access,
        )  # fmt: skip
        size = parquet.stat().st_size
        return Snapshot(
            kind="sql",
            root=parquet,
            files=(FileHash(path=parquet.name, sha256=reply["fingerprint"], bytes=size),),
            sha256=file_digest(reply["fingerprint"], query),
            bytes=size,
            fetched=True,
        )


class PostgreSql(Database):
    """PostgreSQL, through a cursor at the server."""

    kind = "postgresql"
    label = "PostgreSQL"
    example = "postgresql://reader@host/builds#public.runs"
    needs = "perijove[postgresql]"
    scheme = "postgresql"
    module = "psycopg"
    access = (
        "Set PGPASSWORD for the kernel and the server, or write the password into ~/.pgpass; the "
        "user belongs into the URL."
    )


class FileDatabase(Database):
    """A database that is a file of this machine: its URL has a path, as a file's location has."""

    def url(self, location: str) -> str:
        file = location.partition("#")[0].removeprefix(f"{self.scheme}:///")
        return f"{self.scheme}:///{self._paths.absolute(file)}"


class DuckDb(FileDatabase):
    """A DuckDB file, which nobody has open for writing."""

    kind = "duckdb"
    label = "DuckDB"
    example = "duckdb:///data/builds.duckdb#runs"
    needs = ""
    scheme = "duckdb"
    module = "duckdb"
    access = "Close it where it is open for writing, in a notebook for instance, and try again."


class Sqlite(FileDatabase):
    """A SQLite file."""

    kind = "sqlite"
    label = "SQLite"
    example = "sqlite:///data/builds.db#runs"
    needs = ""
    scheme = "sqlite"
    module = "sqlite3"


class AnyDatabase(Database):
    """Any other database that SQLAlchemy has a dialect for: its own, and those of packages.

    Where it has transactions that can only read, it is read in one; elsewhere the query's text is
    looked at, and all is rolled back.
    """

    kind = "database"
    label = "MySQL, MariaDB and other databases"
    example = "mysql+pymysql://reader@host/builds#runs"
    needs = "perijove[sql]"
    module = "sqlalchemy"
    access = (
        "Set MYSQL_PWD (MySQL, MariaDB), SQLCMDPASSWORD (SQL Server) or SNOWFLAKE_PASSWORD for the "
        "kernel and the server, or write a login for the host into ~/.netrc; the user belongs "
        "into the URL."
    )

    def accepts(self, location: str) -> bool:
        dialect, _, driver = location.partition("://")[0].partition("+")
        if dialect in {DuckDb.scheme, PostgreSql.scheme, Sqlite.scheme}:
            return False
        return dialect in _BUILT_IN or not {dialect, f"{dialect}.{driver}"}.isdisjoint(_dialects())


_BUILT_IN: Final = frozenset(["mysql", "mariadb", "mssql", "oracle"])


@functools.cache
def _dialects() -> frozenset[str]:
    """Return the dialects that other packages bring; asked of their metadata, nothing is loaded."""
    return frozenset(entry.name for entry in entry_points(group="sqlalchemy.dialects"))
