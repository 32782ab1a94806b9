"""Rows of Python values as a Parquet file, with a fingerprint that knows no order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from perijove.adapters.sources.worker.failures import SourceError
from perijove.core.files import sha256_text

ROW_GROUP: Final = 122_880
GROUP_BYTES: Final = 2**26
METHOD: Final = "rows-1"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column, and what makes an Arrow value of a Python one where that is not the same."""

    name: str
    type: Any
    convert: Callable[[Any], Any] | None = None


class ParquetRows:
    """Writes batches of rows; the caller's memory holds one row group.

    The fingerprint is the sum of the rows' hashes: equal rows in another order have the same.
    """

    def __init__(self, path: str, columns: Sequence[ColumnType]) -> None:
        names = [column.name for column in columns]
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise SourceError(
                "invalid",
                f"two columns of the query are called {min(doubled)!r}\nRename one with AS.",
            )
        if not columns:
            raise SourceError("invalid", "the query has no columns")
        self.rows = 0
        self._columns = list(columns)
        self._schema = pa.schema([(column.name, column.type) for column in columns])
        self._writer = pq.ParquetWriter(
            path, self._schema, compression="zstd", write_page_checksum=True
        )
        self._waiting: list[pa.RecordBatch] = []
        self._sum = 0
        self._encode = msgspec.msgpack.Encoder().encode

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for row in rows:
            digest = hashlib.blake2b(self._encode(row), digest_size=16).digest()
            self._sum += int.from_bytes(digest, "little")
        arrays = []
        for column, values in zip(self._columns, zip(*rows, strict=True), strict=True):
            made = list(values)
            if column.convert is not None:
                made = [None if value is None else column.convert(value) for value in values]
            try:
                arrays.append(pa.array(made, column.type))
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
                raise SourceError(
                    "unreadable",
                    f"column {column.name!r} holds a value that is no {column.type}: {error}\n"
                    "Cast it in the query.",
                ) from error
        self._waiting.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self.rows += len(rows)
        waiting = sum(batch.num_rows for batch in self._waiting)
        if waiting >= ROW_GROUP or sum(b.nbytes for b in self._waiting) >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema).combine_chunks()
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
            self._waiting = []

    def fingerprint(self) -> str:
        """Hash names, types, the number of rows and the rows."""
        columns = "\0".join(f"{column.name}\0{column.type}" for column in self._columns)
        return sha256_text(f"{METHOD}\0{columns}\0{self.rows}\0{self._sum % 2**128:032x}")

    def __enter__(self) -> ParquetRows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._flush()
        self._writer.close()
