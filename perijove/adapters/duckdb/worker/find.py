"""Find: the next cell, in reading order or against it, that holds a text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from perijove.adapters.duckdb.worker.conditions import Relation, relation
from perijove.adapters.duckdb.worker.database import Action, Database, InvalidError, Report
from perijove.adapters.duckdb.worker.parquet import BLOCK, row_count

WINDOW = 122_880
"""Rows that are looked at first; each next window is twice as long."""
WIDEST = 8 * 2**20
SECONDS = 20.0


def find(
    database: Database,
    report: Report,
    *,
    files: list[str],
    partitions: str | None,
    names: list[str],
    text: str,
    columns: list[int],
    row: int,
    column: int | None,
    backwards: bool,
    case: bool,
) -> dict[str, Any]:
    """Return the row and the position of the column, or None for both.

    Parameters
    ----------
    columns
        Positions of those that are looked at, in the order in which they are read.
    column
        Position behind (before) which the search starts in ``row``; None for all of the row.
    """
    table = relation(database, files, partitions, names)
    rows = sum(row_count(file) for file in files)
    search = _Search(table, database, text if case else text.lower(), case)
    limit = time.monotonic() + SECONDS
    first, rest = columns, columns
    if column is not None and column in columns:
        place = columns.index(column)
        first = columns[:place] if backwards else columns[place + 1 :]
    if backwards:
        spans = [(row, row + 1, first), (0, row, columns), (row, rows, rest)]
    else:
        spans = [(row, row + 1, first), (row + 1, rows, columns), (0, row + 1, rest)]
    for start, stop, looked in spans:
        for begin, end in _windows(start, min(stop, rows), backwards):
            found = search.first(begin, end, looked, backwards)
            if found is not None:
                return {"row": found[0], "column": found[1]}
            if time.monotonic() > limit:
                raise InvalidError(
                    f"Nothing was found in {SECONDS:.0f} s; rows {begin:,} to {end - 1:,} were "
                    "looked at last.\nSearch fewer columns, or filter the table."
                )
    return {"row": None, "column": None}


class _Search:
    def __init__(self, table: Relation, database: Database, text: str, case: bool) -> None:
        self._table = table
        self._database = database
        self._text = text
        self._case = case

    def first(
        self, start: int, stop: int, columns: list[int], backwards: bool
    ) -> tuple[int, int] | None:
        """Return the first (last) cell in some rows that holds the text."""
        if not columns or start >= stop:
            return None
        best = None
        for block in _blocks(columns):
            tests = [self._test(column) for column in block]
            (found,) = self._database.row(
                f"SELECT {'max' if backwards else 'min'}({self._table.row}) "
                f"FROM {self._table.source} WHERE {self._table.row} >= ? "
                f"AND {self._table.row} < ? AND ({' OR '.join(tests)})",
                [start, stop, *[self._text] * len(tests)],
            )
            if found is not None:
                best = found
                start, stop = (found, stop) if backwards else (start, found + 1)
        if best is None:
            return None
        places = [column for block in _blocks(columns) for column in self._hits(best, block)]
        return best, places[-1] if backwards else places[0]

    def _hits(self, row: int, columns: list[int]) -> list[int]:
        hits = self._database.row(
            f"SELECT {', '.join(self._test(column) for column in columns)} "
            f"FROM {self._table.source} WHERE {self._table.row} = ?",
            [*[self._text] * len(columns), row],
        )
        return [column for column, hit in zip(columns, hits, strict=True) if hit]

    def _test(self, column: int) -> str:
        kind = self._table.columns[column].type
        value = f"c{column}" if kind == "VARCHAR" else f"CAST(c{column} AS VARCHAR)"
        return f"contains({value if self._case else f'lower({value})'}, ?)"


def _blocks(columns: list[int]) -> list[list[int]]:
    return [columns[at : at + BLOCK] for at in range(0, len(columns), BLOCK)]


def _windows(start: int, stop: int, backwards: bool) -> Iterator[tuple[int, int]]:
    size = WINDOW
    while start < stop:
        step = min(size, stop - start)
        if backwards:
            yield stop - step, stop
            stop -= step
        else:
            yield start, start + step
            start += step
        size = min(size * 2, WIDEST)


ACTIONS: dict[str, Action] = {"find": find}
