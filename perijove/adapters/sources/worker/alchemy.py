"""Any database that SQLAlchemy has a dialect for; read-only transactions where it has such."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from importlib.util import find_spec
from itertools import islice
from typing import Any, Final
from urllib.parse import quote, unquote

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc, types
from sqlalchemy.engine.interfaces import ReflectedColumn

from perijove.adapters.sources.worker.database_errors import told
from perijove.adapters.sources.worker.failures import SourceError
from perijove.adapters.sources.worker.logins import login
from perijove.adapters.sources.worker.rows import ColumnType
from perijove.adapters.sources.worker.spool import DIGITS, Spool
from perijove.adapters.sources.worker.statement import one_select

BATCH: Final = 20_000
CONNECT_SECONDS: Final = 10
STATEMENT_SECONDS: Final = 600
PARAMETERS: Final = frozenset(
    ["driver", "encrypt", "trustservercertificate", "service_name", "sid", "warehouse", "role",
     "schema", "catalog", "location", "sslmode", "ssl_ca", "ssl_verify_cert", "application_name"]
)  # fmt: skip
"""That a URL may have; any other could read a file, run a statement or lead elsewhere."""
_CONNECTING: Final = {
    "pymysql": {"connect_timeout": CONNECT_SECONDS, "read_timeout": STATEMENT_SECONDS + 10},
    "mysqldb": {"connect_timeout": CONNECT_SECONDS, "read_timeout": STATEMENT_SECONDS + 10},
    "pyodbc": {"timeout": CONNECT_SECONDS},
    "oracledb": {"tcp_connect_timeout": CONNECT_SECONDS},
}
_MYSQL: Final = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET time_zone='+00:00'",
)
_READ_ONLY: Final = {
    "mysql": (*_MYSQL, f"SET SESSION max_execution_time={STATEMENT_SECONDS * 1000}",
              "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"),
    "mariadb": (*_MYSQL, f"SET SESSION max_statement_time={STATEMENT_SECONDS}",
                "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"),
    "oracle": ("ALTER SESSION SET TIME_ZONE='UTC'", "SET TRANSACTION READ ONLY"),
    "cockroachdb": ("SET TRANSACTION READ ONLY",),
}  # fmt: skip
"""What is said first; elsewhere the transaction is rolled back, as it is here too."""
_SYSTEM: Final = frozenset(
    ["information_schema", "performance_schema", "mysql", "sys", "guest", "pg_catalog", "system",
     "ctxsys", "mdsys", "xdb", "wmsys", "outln", "dbsnmp"]
)  # fmt: skip


def entries(url: str, limit: int) -> list[dict[str, Any]]:
    with _reading(url) as db:
        names = sa.inspect(db)
        schemas = [
            name
            for name in names.get_schema_names()
            if name.lower() not in _SYSTEM and not name.lower().startswith(("db_", "pg_"))
        ]
        mysql = db.dialect.name in {"mysql", "mariadb"}
        if mysql and not sa.make_url(url).database:
            return [
                {"name": name, "location": f"/{quote(name)}", "kind": "folder"}
                for name in schemas[:limit]
            ]
        own = db.dialect.default_schema_name
        # A database of MySQL is what others call a schema: each has a URL of its own.
        if mysql or not schemas:
            schemas = [own or ""]
        found = (
            (schema, table)
            for schema in sorted(schemas, key=lambda name: (name != own, name))
            for table in sorted(
                [*names.get_table_names(schema or None), *names.get_view_names(schema or None)]
            )
        )
        return [
            {
                "name": table if schema == own else f"{schema}.{table}",
                "location": "#" + ("" if schema == own else f"{_part(schema)}.") + _part(table),
                "kind": "table",
            }
            for schema, table in islice(found, limit)
        ]  # fmt: skip


def select(
    url: str, table: str, query: str, folder: str, heard: Callable[[str], None]
) -> Iterator[Any]:
    """Yield the columns and then batches of rows, all of one transaction.

    A table's types are those that the database declares; a query's are found in its values.
    """
    with _reading(url) as db:
        heard("")
        streaming = db.execution_options(stream_results=True, max_row_buffer=BATCH)
        if query:
            sent = one_select(query, db.dialect.name)
            declared: dict[str, ColumnType] = {}
            # Without parameters, so that a percent sign is only text.
            result = streaming.execution_options(no_parameters=True).exec_driver_sql(sent)
        else:
            schema, name = _named(table)
            declared = _declared(sa.inspect(db).get_columns(name, schema))
            whole = sa.table(name, schema=schema)
            result = streaming.execute(sa.select(sa.literal_column("*")).select_from(whole))
        with closing(result):
            if not result.returns_rows:
                raise SourceError("invalid", "the query returns no rows\nGive a SELECT.")
            names = list(result.keys())
            batches = _batches(result)
            if len(set(names)) == len(names) and all(name in declared for name in names):
                yield [declared[name] for name in names]
                yield from batches
                return
            with Spool(names, folder) as spool:
                for rows in batches:
                    spool.write(rows)
                    heard(f"{spool.rows:,} rows")
                columns = [
                    declared.get(column.name, column) for column in spool.columns()
                ]  # fmt: skip
                yield columns
                yield from spool.batches()


def _batches(result: sa.CursorResult[Any]) -> Iterator[list[tuple[Any, ...]]]:
    while rows := result.fetchmany(BATCH):
        columns = (
            values if _PLAIN.issuperset(map(type, values)) else map(_plain, values)
            for values in zip(*rows, strict=True)
        )
        yield list(zip(*columns, strict=True))


_PLAIN: Final = frozenset(
    [int, str, float, bytes, bool, type(None), Decimal, dt.datetime, dt.date, dt.time]
)


def _plain(value: Any) -> Any:
    """Make of a driver's value one of Python's own."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, dt.datetime):  # of a library that has its own
        return dt.datetime.fromisoformat(value.isoformat())
    if kind in {bytearray, memoryview}:
        return bytes(value)
    if isinstance(value, dt.timedelta):
        return _clock(value)
    if kind in {dict, list, tuple}:
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _clock(value: dt.timedelta) -> str:
    """Write a time as MySQL does: it may be negative, and longer than a day."""
    micros = abs(value) // dt.timedelta(microseconds=1)
    seconds, micros = divmod(micros, 1_000_000)
    fraction = f".{micros:06d}" if micros else ""
    sign = "-" if value < dt.timedelta() else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"


def _part(name: str) -> str:
    """Write a name so that its own dots separate nothing."""
    return quote(name, "").replace(".", "%2E")


def _named(table: str) -> tuple[str | None, str]:
    schema, dot, name = table.rpartition(".")
    return (unquote(schema) if dot else None), unquote(name)


def _declared(columns: Sequence[ReflectedColumn]) -> dict[str, ColumnType]:
    known = {column["name"]: _column(column["name"], column["type"]) for column in columns}
    return {name: column for name, column in known.items() if column is not None}


def _column(name: str, declared: Any) -> ColumnType | None:
    match declared:
        case types.Boolean():
            return ColumnType(name, pa.bool_(), bool)
        case types.Integer():
            unsigned = getattr(declared, "unsigned", False)
            return ColumnType(name, pa.uint64() if unsigned else pa.int64(), int)
        case types.Float():
            return ColumnType(name, pa.float64(), float)
        case types.Numeric():
            digits, scale = declared.precision, declared.scale
            if digits and digits <= DIGITS and scale is not None and 0 <= scale <= digits:
                return ColumnType(name, pa.decimal128(digits, scale))
            return None
        case types.DateTime():
            # With a zone or without, only the values tell where a database has types of both.
            return None if declared.timezone else ColumnType(name, pa.timestamp("us"))
        case types.Date():
            return ColumnType(name, pa.date32())
        case types.LargeBinary() | types.BINARY() | types.VARBINARY():
            return ColumnType(name, pa.binary())
        case types.JSON() | types.String():
            return ColumnType(name, pa.string(), _text)
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


@contextmanager
def _reading(url: str) -> Iterator[sa.Connection]:
    engine = _engine(url)
    with told(engine.dialect.name, engine.url.host or ""):
        try:
            db = engine.connect()
        except (AttributeError, ImportError, NotImplementedError, exc.MissingGreenlet) as error:
            raise SourceError("unsupported", f"its driver does not work here: {error}") from error
        with closing(db):
            dialect = engine.dialect
            name = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
            db.rollback()
            for statement in _READ_ONLY.get(name, ()):
                db.exec_driver_sql(statement)
            yield db
            db.rollback()


def _engine(url: str) -> sa.Engine:
    try:
        parts = sa.make_url(url)
    except exc.ArgumentError as error:
        raise SourceError("invalid", "this is no URL of a database") from error
    odd = [name for name in parts.query if name.lower() not in PARAMETERS]
    if odd:
        raise SourceError("invalid", f"a URL of a database may not set {odd[0]!r} here")
    dialect, _, driver = parts.drivername.partition("+")
    if dialect in {"mysql", "mariadb"} and not driver and find_spec("MySQLdb") is None:
        parts, driver = parts.set(drivername=f"{dialect}+pymysql"), "pymysql"
    user, password = login(dialect, parts.host or "", parts.username or "")
    parts = parts.set(username=user or None, password=password or None)
    try:
        kind = parts.get_dialect()
        if kind.is_async:
            raise SourceError(
                "unsupported",
                f"{driver} answers asynchronously\nName another driver of {dialect} in the URL.",
            )
        return sa.create_engine(
            parts,
            poolclass=sa.NullPool,
            connect_args=_CONNECTING.get(driver or kind.driver, {}),
        )
    except exc.NoSuchModuleError as error:
        raise SourceError(
            "unsupported",
            f"SQLAlchemy has no dialect {parts.drivername}\n"
            "Install the package that brings it, for the kernel and the server.",
        ) from error
    except ImportError as error:
        missing = (error.name or driver).partition(".")[0]
        raise SourceError(
            "unsupported",
            f"its driver {missing} is not installed\n"
            f"Install it for the kernel and the server: pip install {missing.lower()}.",
        ) from error
