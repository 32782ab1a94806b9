"""Rows whose columns' types nobody declares: kept on the disk until the last one was seen.

A query is asked once: a second time it may be slow, cost money, or give other rows.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Final

import pyarrow as pa

from perijove.adapters.sources.worker.rows import ColumnType

DIGITS: Final = 38
"""That a decimal may have; one with more becomes a text."""
_ALONE: Final[dict[type, Any]] = {
    bool: pa.bool_(),
    float: pa.float64(),
    bytes: pa.binary(),
    dt.date: pa.date32(),
    dt.time: pa.time64("us"),
    str: pa.string(),
}


class Spool:
    """An unnamed file in a folder, which is gone with its process.

    Parameters
    ----------
    names
        Of the columns.
    folder
        On a disk with room for the rows.
    """

    def __init__(self, names: Sequence[str], folder: str) -> None:
        self.rows = 0
        self._names = names
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - __exit__ closes it
        self._seen = [_Seen() for _ in names]
        self._batches = 0

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        arrays = []
        for whole, values in zip(self._seen, zip(*rows, strict=True), strict=True):
            seen = _Seen()
            for value in values:
                seen.add(value)
            whole.merge(seen)
            column = seen.column("")
            convert = column.convert
            arrays.append(
                pa.array(
                    [None if v is None else convert(v) for v in values] if convert else values,
                    column.type,
                )
            )
        batch = pa.RecordBatch.from_arrays(arrays, names=[str(n) for n in range(len(arrays))])
        with pa.ipc.new_stream(self._file, batch.schema) as out:
            out.write_batch(batch)
        self.rows += len(rows)
        self._batches += 1

    def columns(self) -> list[ColumnType]:
        """Return the columns, each of a type that holds all of its values."""
        return [seen.column(name) for name, seen in zip(self._names, self._seen, strict=True)]

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        self._file.seek(0)
        for _ in range(self._batches):
            with pa.ipc.open_stream(self._file) as stream:
                table = stream.read_all()
            yield list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


class _Seen:
    """What a column's values are."""

    def __init__(self) -> None:
        self._kinds: set[Any] = set()
        self._low = self._high = 0
        self._scale = self._whole = 0

    def add(self, value: Any) -> None:
        kind: Any = type(value)
        if kind is int:
            self._low, self._high = min(self._low, value), max(self._high, value)
        elif kind is Decimal:
            self._measure(value)
        elif kind is dt.datetime:
            kind = ("at", value.tzinfo is not None)
        if value is not None:
            self._kinds.add(kind)

    def _measure(self, value: Decimal) -> None:
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            self._kinds.add(float)  # NaN or infinity, which no Arrow decimal holds
            return
        self._scale = max(self._scale, -exponent)
        self._whole = max(self._whole, len(digits) + exponent)

    def merge(self, other: _Seen) -> None:
        self._kinds |= other._kinds
        self._low, self._high = min(self._low, other._low), max(self._high, other._high)
        self._scale, self._whole = (
            max(self._scale, other._scale),
            max(self._whole, other._whole),
        )

    def column(self, name: str) -> ColumnType:
        kinds = self._kinds
        if not kinds:
            return ColumnType(name, pa.string())
        if len(kinds) == 1:
            (kind,) = kinds
            if kind in _ALONE:
                return ColumnType(name, _ALONE[kind])
            if isinstance(kind, tuple):
                return ColumnType(name, pa.timestamp("us", tz="UTC" if kind[1] else None))
        if kinds <= {int, bool} and self._low >= -(2**63) and self._high < 2**63:
            return ColumnType(name, pa.int64(), int)
        if kinds <= {int, bool} and self._low >= 0 and self._high < 2**64:
            return ColumnType(name, pa.uint64(), int)
        if kinds <= {int, bool, Decimal}:
            digits = len(str(max(self._high, -self._low)))
            if max(self._whole, digits) + self._scale <= DIGITS:
                return ColumnType(name, pa.decimal128(DIGITS, self._scale), Decimal)
        elif kinds <= {int, bool, Decimal, float}:
            return ColumnType(name, pa.float64(), float)
        return ColumnType(name, pa.string(), _text)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
