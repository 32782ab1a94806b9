"""64-bit hashes of Arrow arrays, the same for equal values of a type, by whole arrays at a time.

Numbers by SplitMix64 of their bits; texts and bytes by mixing in eight bytes after the other. Good
enough to tell values apart by chance, and no more: they are no fingerprints against an opponent.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_WORD: Final = 8
_LONG: Final = 256
"""Bytes above which a text is hashed by itself."""


def hash_array(values: pa.Array) -> NDArray[np.uint64]:
    """Hash values without nulls."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        words = hash_array(values.dictionary)
        found: NDArray[np.uint64] = words[values.indices.to_numpy()]
        return found
    if pa.types.is_string_view(kind):
        values = values.cast(pa.large_string())
    if pa.types.is_decimal(values.type):
        return _hash_decimals(values)
    if _has_bytes(values.type):
        return _hash_bytes(values)
    return _mix(_bits(values))


def _bits(values: pa.Array) -> NDArray[np.uint64]:
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_time64(kind) or pa.types.is_duration(kind):
        values = values.cast(pa.int64())
    elif pa.types.is_date(kind) or pa.types.is_time32(kind):
        values = values.cast(pa.int64() if kind.bit_width == 64 else pa.int32())
    numbers: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    if numbers.dtype.kind == "f":
        # 0.0 and -0.0 are one value.
        return (numbers.astype(np.float64) + 0.0).view(np.uint64)
    return numbers.astype(np.int64 if numbers.dtype.kind != "u" else np.uint64).view(np.uint64)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        x = bits + _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _FIRST
        x = (x ^ (x >> np.uint64(27))) * _SECOND
        mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


def _hash_decimals(values: pa.Array) -> NDArray[np.uint64]:
    """Hash all their digits: as floats, long ones would be one."""
    if values.type.bit_width < 128:
        values = values.cast(pa.decimal128(values.type.precision, values.type.scale))
    words = values.type.bit_width // 64
    parts = np.frombuffer(values.buffers()[1], np.uint64).reshape(-1, words)
    hashes = np.zeros(len(values), np.uint64)
    for part in parts[values.offset : values.offset + len(values)].T:
        hashes = _mix(hashes ^ part)
    return hashes


def _has_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _hash_bytes(values: pa.Array) -> NDArray[np.uint64]:
    kind = values.type
    wide = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    _, ends, data = values.buffers()
    count = len(values)
    width = np.int64 if wide else np.int32
    edges = np.frombuffer(ends, width)[values.offset : values.offset + count + 1].astype(np.int64)
    first, last = (int(edges[0]), int(edges[-1])) if count else (0, 0)
    # Eight bytes more, so that the last word of the last text can be read whole.
    text = np.zeros(last - first + _WORD, np.uint8)
    if data is not None:
        text[: last - first] = np.frombuffer(data, np.uint8)[first:last]
    words = np.ndarray((last - first + 1,), np.dtype("<u8"), text, strides=(1,))
    starts, lengths = edges[:-1] - first, np.diff(edges)
    hashes = _mix(lengths.view(np.uint64))
    long = np.flatnonzero(lengths > _LONG)
    longest = int(lengths[lengths <= _LONG].max(initial=0))
    rows: NDArray[np.intp] | slice = slice(None)
    for at in range(0, longest, _WORD):
        left = lengths[rows] - at
        if isinstance(rows, slice) and left.min() > 0:
            word, known = words[starts + at], left
        else:
            if isinstance(rows, slice):
                rows = np.flatnonzero((lengths > at) & (lengths <= _LONG))
            else:
                rows = rows[left > 0]
            word, known = words[starts[rows] + at], lengths[rows] - at
        short = known < _WORD
        if short.any():
            bits = (np.minimum(known, _WORD).astype(np.uint64)) * np.uint64(8)
            mask = np.where(
                short,
                (np.uint64(1) << np.minimum(bits, np.uint64(63))) - np.uint64(1),
                ~np.uint64(0),
            )
            word = word & mask
        hashes[rows] = _mix(hashes[rows] ^ word)
    for row in long.tolist():
        whole = text[starts[row] : starts[row] + lengths[row]].tobytes()
        digest = hashlib.blake2b(whole, digest_size=_WORD).digest()
        hashes[row] = int.from_bytes(digest, "little")
    return hashes
