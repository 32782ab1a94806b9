"""Cells: values as a page shows them, in types that a browser reads without loss.

What is long is cut, and the page says where. What JavaScript would misread travels as text:
nested values as JSON, nanoseconds, durations, intervals.
"""

from __future__ import annotations

import base64
import json
import struct
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

LONGEST = 1_000
"""Characters of a text and bytes of a binary value that a page holds."""
MANY = 100
"""Elements of a list that a page holds."""
CUT = b"cut"
"""Key in the page's schema metadata: JSON, position of a column to the page's rows whose value is
longer than what the page holds."""


def shown(table: pa.Table, intervals: frozenset[int] = frozenset()) -> pa.Table:
    """Return a page's rows as they travel.

    Parameters
    ----------
    intervals
        Positions of columns that hold Parquet's twelve-byte INTERVAL.
    """
    columns: list[pa.Array] = []
    cut: dict[int, list[int]] = {}
    for position, chunked in enumerate(table.columns):
        column = _plain(_whole(chunked))
        if position in intervals:
            column = pa.array([_parquet_interval(v) for v in column.to_pylist()], pa.string())
        column, rows = _short(column)
        if rows:
            cut[position] = rows
        columns.append(column)
    fields = [pa.field(n, c.type) for n, c in zip(table.column_names, columns, strict=True)]
    metadata = {CUT: json.dumps(cut).encode()} if cut else None
    return pa.table(columns, schema=pa.schema(fields, metadata=metadata))


def written(value: pa.Scalar, *, interval: bool = False) -> str:
    """Write one value whole, as it would be copied."""
    column = _plain(pa.array([value.as_py()], value.type) if value.is_valid else pa.nulls(1))
    if not column[0].is_valid:
        return ""
    if interval:
        return _parquet_interval(column[0].as_py()) or ""
    kind = column.type
    if _is_binary(kind):
        return "0x" + bytes(column[0].as_py()).hex()
    if pa.types.is_nested(kind):
        return _json(column[0].as_py())
    if pa.types.is_timestamp(kind):
        text = str(pc.cast(column.cast(pa.timestamp(kind.unit)), pa.string())[0].as_py())
        return text.removesuffix(".000000") + ("Z" if kind.tz else "")
    if pa.types.is_duration(kind) or pa.types.is_interval(kind):
        return str(_as_text(column)[0].as_py())
    if pa.types.is_floating(kind):
        return _number(column[0].as_py())
    if pa.types.is_boolean(kind):
        return "true" if column[0].as_py() else "false"
    return str(column[0].as_py())


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    combined = column.combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


def _plain(column: pa.Array) -> pa.Array:
    """Undo encodings and unwrap extensions; the values stay."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        storage = column.storage
        if getattr(kind, "extension_name", "") == "arrow.uuid":
            return pa.array([_uuid(v) for v in storage.to_pylist()], pa.string())
        return _plain(storage)
    if pa.types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return _plain(pc.run_end_decode(column))
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return column.cast(pa.decimal128(kind.precision, kind.scale))
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if kind == pa.string_view():
        return column.cast(pa.large_string())
    if kind == pa.binary_view() or pa.types.is_fixed_size_binary(kind):
        return column.cast(pa.large_binary())
    return column


def _short(column: pa.Array) -> tuple[pa.Array, list[int]]:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if _longest(column) <= LONGEST:
            return column.cast(pa.string()), []
        long = pc.greater(pc.utf8_length(column), LONGEST)
        return pc.utf8_slice_codeunits(column, 0, LONGEST).cast(pa.string()), _where(long)
    if _is_binary(kind):
        if _longest(column) <= LONGEST:
            return column.cast(pa.binary()), []
        long = pc.greater(pc.binary_length(column), LONGEST)
        return pc.binary_slice(column, 0, LONGEST).cast(pa.binary()), _where(long)
    if pa.types.is_nested(kind):
        return _nested(column)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return _nanoseconds(column), []
    if pa.types.is_duration(kind) or pa.types.is_interval(kind):
        return _as_text(column), []
    return column, []


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _longest(column: pa.Array) -> int:
    return pc.max(pc.binary_length(column)).as_py() or 0


def _where(mask: pa.Array) -> list[int]:
    rows: list[int] = pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist()
    return rows


def _nested(column: pa.Array) -> tuple[pa.Array, list[int]]:
    long: set[int] = set()
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        long.update(_where(pc.greater(pc.list_value_length(column), MANY)))
        if long:
            column = pc.list_slice(column, 0, MANY, return_fixed_size_list=False)
    texts: list[str | None] = []
    for row in range(len(column)):
        value = column[row]
        text = _json(value.as_py()) if value.is_valid else None
        if text is not None and (len(text) > LONGEST or row in long):
            long.add(row)
            text = text[:LONGEST]
        texts.append(text)
    return pa.array(texts, pa.string()), sorted(long)


def _json(value: Any) -> str:
    return json.dumps(_jsonable(value), ensure_ascii=False, separators=(",", ":"))


def _jsonable(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else _number(value)
    if isinstance(value, list):
        # A map is a list of pairs.
        return [_jsonable(list(v) if isinstance(v, tuple) else v) for v in value]
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "-∞"
    # As JavaScript writes it: no fraction where there is none.
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)


def _nanoseconds(column: pa.Array) -> pa.Array:
    whole = column.cast(pa.int64())
    if not pc.any(pc.not_equal(pc.multiply(pc.divide(whole, 1000), 1000), whole)).as_py():
        return column.cast(pa.timestamp("us", column.type.tz))
    text = pc.cast(column.cast(pa.timestamp("ns")), pa.string())
    return pc.binary_join_element_wise(text, "Z", "") if column.type.tz else text


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_duration(kind):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        values = column.cast(pa.int64()).to_pylist()
        return pa.array([_duration(v, per_second) for v in values], pa.string())
    values = [value.as_py() if value.is_valid else None for value in column]
    return pa.array([None if v is None else _interval(*v) for v in values], pa.string())


def _duration(value: int | None, per_second: int) -> str | None:
    if value is None:
        return None
    seconds, fraction = divmod(abs(value), per_second)
    text = str(timedelta(seconds=seconds))
    if fraction:
        text += f".{fraction:0{len(str(per_second)) - 1}d}".rstrip("0")
    return f"-{text}" if value < 0 else text


def _parquet_interval(value: bytes | None) -> str | None:
    if value is None:
        return None
    months, days, milliseconds = struct.unpack("<III", value)
    return _interval(months, days, milliseconds * 10**6)


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """Write an interval as DuckDB does."""
    years, months = divmod(months, 12)
    parts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((years, "year"), (months, "month"), (days, "day"))
        if count
    ]
    if nanoseconds or not parts:
        seconds, fraction = divmod(nanoseconds // 1000, 10**6)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        parts.append(clock + (f".{fraction:06d}".rstrip("0") if fraction else ""))
    return " ".join(parts)


def _uuid(value: bytes | None) -> str | None:
    import uuid

    return None if value is None else str(uuid.UUID(bytes=value))
