"""PostgreSQL: a cursor at the server, in a transaction that can only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.string import TextLoader

from perijove.adapters.sources.worker.failures import SourceError
from perijove.adapters.sources.worker.rows import ColumnType

BATCH: Final = 20_000
CONNECT_SECONDS: Final = 10
STATEMENT_MS: Final = 600_000
PARAMETERS: Final = frozenset(["host", "port", "sslmode", "application_name"])
"""That a URL may have; any other could read a file or lead elsewhere."""

_NUMERIC: Final = 1700
_TYPES: Final[dict[int, Any]] = {
    16: pa.bool_(), 20: pa.int64(), 21: pa.int16(), 23: pa.int32(), 26: pa.int64(),
    700: pa.float32(), 701: pa.float64(), 17: pa.binary(), 1082: pa.date32(),
    1083: pa.time64("us"), 1114: pa.timestamp("us"), 1184: pa.timestamp("us", tz="UTC"),
    1000: pa.list_(pa.bool_()), 1005: pa.list_(pa.int16()), 1007: pa.list_(pa.int32()),
    1016: pa.list_(pa.int64()), 1021: pa.list_(pa.float32()), 1022: pa.list_(pa.float64()),
    1009: pa.list_(pa.string()), 1015: pa.list_(pa.string()),
}  # fmt: skip
"""Object id of a type to Arrow's; all others come as PostgreSQL writes them."""
_AS_TEXT: Final = ("json", "jsonb", "uuid", "interval", "timetz", "inet", "cidr", "hstore")


def entries(url: str, limit: int) -> list[dict[str, Any]]:
    named = urlsplit(url).path.strip("/")
    with _reading(url if named else _with_database(url, "postgres")) as db:
        if not named:
            found = db.execute(
                "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate "
                "AND has_database_privilege(datname, 'CONNECT') ORDER BY 1 LIMIT %s",
                (limit,),
            ).fetchall()
            return [{"name": n, "location": f"/{quote(n)}", "kind": "folder"} for (n,) in found]
        found = db.execute(
            "SELECT n.nspname, c.relname, pg_table_size(c.oid) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r','p','v','m','f') "
            "AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
            "AND n.nspname NOT LIKE 'pg!_t%%' ESCAPE '!' "
            "AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1, 2 LIMIT %s",
            (limit,),
        ).fetchall()
        return [
            {
                "name": f"{schema}.{table}",
                "location": f"#{quote(schema)}.{quote(table)}",
                "kind": "table",
                "bytes": size or None,
            }
            for schema, table, size in found
        ]


def select(
    url: str, table: str, query: str, folder: str, heard: Callable[[str], None]
) -> Iterator[Any]:
    """Yield the columns and then batches of rows, all of one transaction."""
    with _reading(url) as db:
        heard("")
        statement: Any = query.encode() if query else _whole(table)
        # Declared by the extended protocol, which takes one statement and no more.
        with closing(psycopg.ServerCursor(db, "perijove")) as cursor:
            cursor.execute(statement)
            yield [_column(column) for column in cursor.description or []]
            while rows := cursor.fetchmany(BATCH):
                yield rows


def _whole(table: str) -> sql.Composed:
    schema, dot, name = table.partition(".")
    parts = [schema, name] if dot else [schema]
    identifier = sql.Identifier(*(unquote(part) for part in parts))
    return sql.SQL("SELECT * FROM {}").format(identifier)


def _column(column: psycopg.Column) -> ColumnType:
    if column.type_code == _NUMERIC:
        precision, scale = column.precision, column.scale
        if precision and precision <= 38 and scale is not None and 0 <= scale <= precision:
            return ColumnType(column.name, pa.decimal128(precision, scale))
        return ColumnType(column.name, pa.float64(), float)
    known = _TYPES.get(column.type_code)
    return ColumnType(column.name, known if known is not None else pa.string(),
                      None if known is not None else _text)  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


@contextmanager
def _reading(url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    parts = urlsplit(url)
    odd = [pair.partition("=")[0] for pair in parts.query.split("&") if pair]
    odd = [name for name in odd if name not in PARAMETERS]
    if odd:
        raise SourceError("invalid", f"a URL of PostgreSQL may not set {odd[0]!r} here")
    with _told():
        db = psycopg.connect(
            make_conninfo(
                url,
                connect_timeout=CONNECT_SECONDS,
                tcp_user_timeout=30_000,
                options=f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_MS} "
                "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601",
            )
        )
        with closing(db):
            db.read_only = True
            db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            for name in _AS_TEXT:
                if db.adapters.types.get(name) is not None:
                    db.adapters.register_loader(name, TextLoader)
            yield db


@contextmanager
def _told() -> Iterator[None]:
    """Say in our words what PostgreSQL found wrong."""
    try:
        yield
    except psycopg.Error as error:
        state = error.sqlstate or ""
        said = (error.diag.message_primary or str(error).splitlines()[0]).strip()
        whole = str(error)
        said = said.rpartition("FATAL:")[2].strip()
        if not state and said.startswith("database") and said.endswith("does not exist"):
            state = "3D000"  # before there is a connection, there is only the text
        if state.startswith("28") or state == "42501" or "password" in whole:
            raise SourceError("refused", said) from error
        if state in {"3D000", "42P01", "3F000"}:
            raise SourceError("missing", said) from error
        if state == "25006":
            raise SourceError(
                "invalid", "only a SELECT is done here: nothing may change"
            ) from error
        if state.startswith(("42", "0A", "22")):
            raise SourceError("invalid", said) from error
        if isinstance(error, psycopg.DataError):
            raise SourceError(
                "unreadable", f"{said}\nCast the column to text in the query."
            ) from error
        raise SourceError("unreachable", said) from error


def _with_database(url: str, name: str) -> str:
    base, mark, query = url.partition("?")
    return f"{base.rstrip('/')}/{name}{mark}{query}"
