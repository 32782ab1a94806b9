"""Parquet files of the lake: written in row order, with page checksums, hashed on their way."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from perijove.core.errors import UnsupportedError

ROW_GROUP: Final = 122_880
"""DuckDB's own row group: its threads and its skips go by it."""
FILE_ROWS: Final = 10 * ROW_GROUP
"""Files of this size can be written and fingerprinted side by side."""
SAMPLED: Final = 8_192
STATISTICS: Final = 32
"""Columns that Delta's log tells the bounds of, as its own default says."""
LONGEST_BOUND: Final = 32


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A file as it was written."""

    path: Path
    sha256: str
    bytes: int
    rows: int
    statistics: dict[str, Any]
    """In the words of Delta's protocol."""


class _Sink:
    """The file that Parquet is written to; knows the hash of what went through."""

    closed = False

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, content: Any) -> int:
        view = memoryview(content)
        self._digest.update(view)
        written = 0
        while written < len(view):
            written += os.write(self._handle, view[written:])
        self.bytes += written
        return written

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def sync(self) -> str:
        os.fsync(self._handle)
        return self._digest.hexdigest()

    def release(self) -> None:
        os.close(self._handle)


def write_file(path: Path, table: Any, *, dictionary: list[str]) -> LakeFile:
    """Write a table as one file, on the disk when this returns.

    Raises
    ------
    OSError
        For a full disk, among others; what was written is left to the caller.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = _Sink(path)
    try:
        with (
            pa.PythonFile(sink, mode="w") as file,
            pq.ParquetWriter(
                file, table.schema, compression="zstd", write_page_checksum=True,
                use_dictionary=dictionary,
            ) as writer,
        ):  # fmt: skip
            writer.write_table(table, row_group_size=ROW_GROUP)
        digest = sink.sync()
    finally:
        sink.release()
    return LakeFile(path, digest, sink.bytes, table.num_rows, _statistics(pq.read_metadata(path)))


def dictionary_columns(table: Any) -> list[str]:
    """Name the columns whose values repeat; a dictionary of others is built only to be dropped."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    for field in table.schema:
        if pa.types.is_nested(field.type) or pa.types.is_boolean(field.type):
            continue
        sample = table.column(field.name).slice(0, SAMPLED)
        if 2 * pc.count_distinct(sample).as_py() <= max(len(sample), 64):
            found.append(field.name)
    return found


def storable(table: Any) -> Any:
    """Cast what Delta has no type for.

    Raises
    ------
    UnsupportedError
        For what no cast keeps whole, such as nanoseconds, and for two columns of one name.
    """
    import pyarrow as pa

    names = table.column_names
    if not names:
        raise UnsupportedError("A table without columns cannot be kept.", "Return some columns.")
    twice = [name for at, name in enumerate(names) if name in names[:at]]
    if twice:
        raise UnsupportedError(
            f"Two columns are called {twice[0]!r}.", "Rename one of them, and curate again."
        )
    columns, fields = [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        kind = _kind(field.type)
        if kind is None:
            raise UnsupportedError(
                f"The column {field.name!r} is of type {field.type}, which cannot be kept.",
                "Convert it to numbers, text or timestamps first.",
            )
        fields.append(pa.field(field.name, kind))
        try:
            columns.append(column if kind == field.type else column.cast(kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise UnsupportedError(
                f"The column {field.name!r} cannot be kept: {str(error).splitlines()[0]}.",
                f"Convert it to {kind} first; the lake keeps times to the microsecond.",
            ) from error
    return pa.table(columns, schema=pa.schema(fields))


def _kind(kind: Any) -> Any:
    """Return the type that Delta keeps a type as; None where there is none."""
    import pyarrow as pa

    is_ = pa.types
    if is_.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if is_.is_dictionary(kind) or is_.is_run_end_encoded(kind):
        return _kind(kind.value_type)
    if is_.is_uint64(kind):
        return pa.decimal128(20, 0)
    if is_.is_unsigned_integer(kind):
        return {8: pa.int16(), 16: pa.int32(), 32: pa.int64()}[kind.bit_width]
    if is_.is_decimal(kind):
        return pa.decimal128(kind.precision, kind.scale) if kind.precision <= 38 else None
    if is_.is_struct(kind):
        inner = [(kind.field(at).name, _kind(kind.field(at).type)) for at in range(kind.num_fields)]
        return pa.struct(inner) if inner and all(part for _, part in inner) else None
    if is_.is_map(kind):
        key, item = _kind(kind.key_type), _kind(kind.item_type)
        return pa.map_(key, item) if key and item else None
    if is_.is_list(kind) or is_.is_large_list(kind) or is_.is_fixed_size_list(kind):
        value = _kind(kind.value_type)
        return pa.list_(value) if value else None
    plain = {
        pa.null(): pa.string(), pa.float16(): pa.float32(), pa.string_view(): pa.large_string(),
        pa.binary_view(): pa.large_binary(), pa.date64(): pa.date32(),
    }  # fmt: skip
    if kind in plain:
        return plain[kind]
    if is_.is_fixed_size_binary(kind):
        return pa.binary()
    same = (
        is_.is_boolean, is_.is_signed_integer, is_.is_floating, is_.is_date32, is_.is_string,
        is_.is_large_string, is_.is_binary, is_.is_large_binary,
    )  # fmt: skip
    return kind if any(check(kind) for check in same) else None


def _statistics(metadata: Any) -> dict[str, Any]:
    """Tell Delta what a file holds.

    Bounds are told of whole numbers, dates and short texts. Others would have to be rounded, and
    of floats the NaN is in no bound: a reader that skips by them would lose rows.
    """
    found: dict[str, Any] = {
        "numRecords": metadata.num_rows, "minValues": {}, "maxValues": {}, "nullCount": {}
    }  # fmt: skip
    if not metadata.num_row_groups:
        return found
    for at in range(min(STATISTICS, metadata.num_columns)):
        parts = [metadata.row_group(g).column(at) for g in range(metadata.num_row_groups)]
        name, column = parts[0].path_in_schema, metadata.schema.column(at)
        known = [part.statistics for part in parts]
        untold = any(part is None for part in known)
        if untold or column.max_repetition_level or column.max_definition_level > 1:
            continue
        found["nullCount"][name] = sum(part.null_count for part in known)
        bounds = [part for part in known if part.has_min_max]
        # Where a row group tells no bounds it holds only nulls, or values too long to tell.
        silent = [part for part in known if not part.has_min_max and part.num_values]
        if not bounds or silent:
            continue
        low, high = min(part.min for part in bounds), max(part.max for part in bounds)
        if column.physical_type in {"INT32", "INT64"} and isinstance(low, int):
            found["minValues"][name], found["maxValues"][name] = low, high
        elif column.logical_type.type == "DATE":
            found["minValues"][name], found["maxValues"][name] = low.isoformat(), high.isoformat()
        elif column.logical_type.type == "STRING" and max(len(low), len(high)) <= LONGEST_BOUND:
            found["minValues"][name], found["maxValues"][name] = low, high
    return found
