"""Fingerprints: sums of row hashes, the same in whatever order and files the rows are."""

from __future__ import annotations

import hashlib
from typing import Any

import duckdb

from perijove.adapters.duckdb.worker.database import Action, Database, Report, name, scan

METHOD = f"duckdb-{'.'.join(duckdb.__version__.split('.')[:2])}"
"""Another version of the engine may hash otherwise."""
BLOCK = 200
"""Columns that one expression hashes; the hash of a block goes into the next one's."""
NESTED = ("[", "STRUCT", "MAP", "UNION", "VARIANT", "JSON")


def fingerprint(
    database: Database, report: Report, *, files: list[str], partitions: str | None = None
) -> dict[str, Any]:
    """Return count and sums of the rows' hashes, and the hash of the columns' names and types."""
    table = scan(files, partitions)
    columns = described(database, table)
    values = [hashable(column, kind) for column, kind in columns]
    rows, first, second = database.row(
        f"SELECT count(*), sum({row_hash(values, '1', '')}), sum({row_hash(values, '', '2')}) "
        f"FROM {table}"
    )
    schema = "".join(f"{column}\0{kind}\n" for column, kind in columns)
    return {
        "method": METHOD,
        "schema": hashlib.sha256(schema.encode()).hexdigest(),
        "rows": rows,
        # Sums of unsigned 64-bit numbers are exact in 128 bits; none at all is null.
        "sums": [str((first or 0) % 2**64), str((second or 0) % 2**64)],
    }


def described(database: Database, table: str) -> list[tuple[str, str]]:
    """Return names and types of a table's columns."""
    found = database.db.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    return [(row[0], row[1]) for row in found]


def hashable(column: str, kind: str) -> str:
    """Write a value that hashes as it differs.

    DuckDB's hash normalises NaN and the zeros, and gives a list without values, and one with a
    null, the hash of a null: nested values are hashed as their text.
    """
    if kind.startswith(NESTED) or kind.endswith("]"):
        return f"{name(column)}::VARCHAR"
    return name(column)


def row_hash(values: list[str], before: str, behind: str) -> str:
    """Write the hash of a row: of its values in their order, salted before or behind them."""
    salt = [before] if before else []
    for start in range(0, len(values), BLOCK):
        block = [*salt, *values[start : start + BLOCK]]
        salt = [f"hash({', '.join(block)})"]
    return f"hash({salt[0]}, {behind})" if behind else salt[0]


ACTIONS: dict[str, Action] = {"fingerprint": fingerprint}
