"""Sheets of workbooks (Excel, OpenDocument) as Parquet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from perijove.adapters.duckdb.worker.database import (
    Action,
    Database,
    Report,
    UnreadableError,
)
from perijove.adapters.duckdb.worker.files import inspect
from perijove.adapters.duckdb.worker.views import ROW_GROUP, written


def twin_sheet(
    database: Database, report: Report, *, source: str, sheet: str, parquet: str
) -> dict[str, Any]:
    """Write a sheet's Parquet twin: its first row that is not empty names the columns."""
    table = _table(source, sheet)
    with written(parquet) as partial:
        pq.write_table(
            table, partial, compression="zstd", write_page_checksum=True, row_group_size=ROW_GROUP
        )
        return inspect(database, report, files=[partial])


def _table(source: str, sheet: str) -> pa.Table:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(source) as book:
            names = book.sheet_names
            if sheet and sheet not in names:
                raise UnreadableError(
                    f"it has no sheet {sheet!r}\nIts sheets are {', '.join(names)[:500]}."
                )
            if not names:
                raise UnreadableError("it has no sheet")
            opened = book.get_sheet_by_name(sheet or names[0])
            rows = opened.to_python(skip_empty_area=False)
            merged = list(opened.merged_cell_ranges or [])
    except (CalamineError, OSError) as error:
        raise UnreadableError(f"it is no workbook that can be read: {error}") from error
    first = next((at for at, row in enumerate(rows) if any(cell != "" for cell in row)), None)
    if first is None:
        raise UnreadableError(f"its sheet {sheet or names[0]!r} is empty")
    for (top, left), (bottom, right) in merged:
        if top <= first <= bottom or (top == first + 1 and right > left):
            raise UnreadableError(
                f"the cells {_cell(top, left)}:{_cell(bottom, right)} of its header are merged\n"
                "Give the table one header row with a name in each column, and no merged cells."
            )
    return _columns(first, rows[first], rows[first + 1 :])


def _columns(top: int, header: Sequence[Any], rows: Sequence[Sequence[Any]]) -> pa.Table:
    width = max([at + 1 for at, cell in enumerate(header) if cell != ""], default=0)
    left = next(at for at, cell in enumerate(header) if cell != "")
    for at in range(left, width):
        if header[at] == "":
            raise UnreadableError(
                f"its header has no name in cell {_cell(top, at)}\n"
                "Give every column a name in the first row."
            )
    kept = [row for row in rows if any(cell != "" for cell in row[left:width])]
    names = [str(cell).strip() for cell in header[left:width]]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise UnreadableError(f"two of its columns are called {min(doubled)!r}")
    return pa.table(
        {
            name: _array([None if row[at] == "" else row[at] for row in kept])
            for at, name in enumerate(names, start=left)
        }
    )


def _array(values: list[Any]) -> pa.Array:
    """Find one type for a column of cells; text where they have several."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return pa.array(values, pa.bool_())
    if kinds <= {int, float}:
        # A sheet has no integers: a column of whole numbers that a double holds exactly is one.
        if all(v is None or (abs(v) < 2**53 and v == int(v)) for v in values):
            return pa.array([None if v is None else int(v) for v in values], pa.int64())
        return pa.array(values, pa.float64())
    if kinds <= {dt.date}:
        return pa.array(values, pa.date32())
    if kinds <= {dt.date, dt.datetime}:
        midnight = dt.time()
        return pa.array(
            [dt.datetime.combine(v, midnight) if type(v) is dt.date else v for v in values],
            pa.timestamp("us"),
        )
    if kinds <= {dt.time}:
        return pa.array(values, pa.time64("us"))
    if kinds <= {dt.timedelta}:
        return pa.array(values, pa.duration("us"))
    return pa.array([None if v is None else _text(v) for v in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _cell(row: int, column: int) -> str:
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


ACTIONS: dict[str, Action] = {"twin_sheet": twin_sheet}
