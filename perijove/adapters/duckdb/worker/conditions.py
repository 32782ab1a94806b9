"""Filters and sorts as SQL over the columns of a table, values as parameters.

A comparison with a missing value is false, never unknown: so that "not" is what people mean by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import duckdb
import msgspec

from perijove.adapters.duckdb.expressions import is_nan
from perijove.adapters.duckdb.worker.checksums import verify
from perijove.adapters.duckdb.worker.database import Database, InvalidError, name, scan
from perijove.contracts.data import Column
from perijove.contracts.table import AllOf, AnyOf, Compare, Filter, Missing, Not, OneOf, SortKey
from perijove.data.filters import FLOATS, is_text, read_value

MATCHES = {"contains": "contains", "starts_with": "starts_with", "ends_with": "suffix"}
UNWRITABLE = ("INTERVAL", "VARIANT", "GEOMETRY", "BIT", "BIGNUM", "TIME WITH TIME ZONE", "UNION(")
"""Types, also inside of others, that travel as DuckDB's text of them."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table's columns by position: ``c0``, ``c1``... whatever their names are."""

    columns: list[Column]
    source: str
    """What stands behind FROM."""
    row: str
    """The row's number, from 0."""

    def select(self, positions: list[int] | None = None) -> list[str]:
        """Write columns under their own names."""
        chosen = range(len(self.columns)) if positions is None else positions
        return [
            f"{_writable(at, self.columns[at].type)} AS {name(self.columns[at].name)}"
            for at in chosen
        ]

    def at(self, column: str) -> int:
        return next(at for at, known in enumerate(self.columns) if known.name == column)


def relation(
    database: Database, files: list[str], partitions: str | None, names: list[str] | None = None
) -> Relation:
    """Describe a table whose columns have these names; those of the files when None."""
    for file in files:
        verify(file)
    plain = scan(files, partitions)
    described = database.db.execute(f"DESCRIBE SELECT * FROM {plain}").fetchall()
    columns = [
        Column(name=names[at] if names and at < len(names) else row[0], type=row[1])
        for at, row in enumerate(described)
    ]
    aliases = ", ".join(f"c{at}" for at in range(len(described)))
    row = "file_row_number"
    if len(files) > 1:
        from perijove.adapters.duckdb.worker.parquet import row_count

        starts = [0, *accumulate(row_count(file) for file in files[:-1])]
        row = f"(file_row_number + ({starts}::BIGINT[])[file_index::BIGINT + 1])"
    return Relation(columns, f"{plain} t({aliases})", row)


def where(
    table: Relation, tree: dict[str, Any] | None, database: Database
) -> tuple[str, list[Any]]:
    """Write a filter.

    Raises
    ------
    InvalidError
        For a pattern that is none.
    """
    if tree is None:
        return "true", []
    values: list[Any] = []
    return _Writer(table, database, values).write(msgspec.convert(tree, Filter)), values


def order(table: Relation, sort: list[dict[str, Any]]) -> str:
    """Write a sort; rows that tie keep the table's order."""
    keys = []
    for given in sort:
        key = msgspec.convert(given, SortKey)
        at = table.at(key.column)
        value = f"c{at}"
        if table.columns[at].type in FLOATS:
            value = f"CASE WHEN {is_nan(value)} THEN NULL ELSE {value} END"
        keys.append(f"{value} {'DESC' if key.descending else 'ASC'} NULLS LAST")
    return ", ".join([*keys, table.row])


class _Writer:
    def __init__(self, table: Relation, database: Database, values: list[Any]) -> None:
        self._table = table
        self._database = database
        self._values = values

    def write(self, tree: Filter) -> str:
        match tree:
            case Not(of=inner):
                return f"(NOT {self.write(inner)})"
            case AllOf(of=many):
                return self._joined(many, " AND ", "true")
            case AnyOf(of=many):
                return self._joined(many, " OR ", "false")
        at = self._table.at(tree.column)
        column, value = self._table.columns[at], f"c{at}"
        missing = f"{value} IS NULL"
        if column.type in FLOATS:
            missing = f"({missing} OR {is_nan(value)})"
        if isinstance(tree, Missing):
            return f"({missing})"
        if column.type != "VARCHAR" and is_text(column.type):
            value = f"CAST({value} AS VARCHAR)"
        test = self._one_of(column, value, tree) if isinstance(tree, OneOf) else (
            self._compare(column, value, tree)
        )  # fmt: skip
        if column.type in FLOATS:
            test = f"({test}) AND NOT {is_nan(value)}"
        return f"coalesce({test}, false)"

    def _joined(self, many: list[Filter], word: str, empty: str) -> str:
        return "(" + word.join(self.write(inner) for inner in many) + ")" if many else empty

    def _one_of(self, column: Column, value: str, tree: OneOf) -> str:
        listed = ", ".join(self._value(column, text) for text in tree.values)
        return f"{value} IN ({listed})" if listed else "false"

    def _compare(self, column: Column, value: str, tree: Compare) -> str:
        if tree.op == "matches":
            self._check_pattern(tree)
            self._values.append(tree.value)
            return f"regexp_matches({value}, ?)"
        if tree.op in MATCHES:
            self._values.append(tree.value)
            return f"{MATCHES[tree.op]}({value}, ?)"
        return f"{value} {tree.op} {self._value(column, tree.value)}"

    def _check_pattern(self, tree: Compare) -> None:
        try:
            self._database.row("SELECT regexp_matches('', ?)", [tree.value])
        except duckdb.Error as error:
            reason = str(error).partition(":")[2].strip().rstrip(".")
            raise InvalidError(
                f"{tree.value!r} is no regular expression ({reason}), asked of column "
                f"{tree.column!r}.\nWrite it in RE2's syntax, such as ^v[0-9]+$."
            ) from error

    def _value(self, column: Column, text: str) -> str:
        """Read a value as the column's type, and leave it to the parameters."""
        value = read_value(column, text)
        if is_text(column.type):
            self._values.append(value)
            return "?"
        if column.type == "BLOB":
            self._values.append(value.hex())
            return "unhex(?)"
        kind = column.type
        if kind.startswith("DECIMAL"):
            # As many digits as were written: 1.005 is not equal to 1.01.
            scale = max(0, -value.as_tuple().exponent, int(kind.rstrip(")").rpartition(",")[2]))
            kind = f"DECIMAL(38, {min(scale, 38)})"
        if kind.startswith("TIMESTAMP"):
            text = value.isoformat(sep=" ")
        elif not isinstance(value, str):
            text = str(value)
        self._values.append(text)
        return f"CAST(? AS {kind})"


def _writable(at: int, kind: str) -> str:
    return f"CAST(c{at} AS VARCHAR)" if any(word in kind for word in UNWRITABLE) else f"c{at}"
