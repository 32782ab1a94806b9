"""64-bit hashes of Arrow arrays, the same for equal values of a type, by whole arrays at a time.

Numbers by SplitMix64 of their bits; texts and bytes by mixing in eight bytes after the other. Good
enough to tell values apart by chance, and no more: they are no fingerprints against an opponent.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_WORD: Final = 8
_LONG: Final = 256
"""Bytes above which a text is hashed by itself."""
_MASKS: Final = np.array([(1 << (8 * size)) - 1 for size in range(_WORD + 1)], np.uint64)

Hashes = NDArray[np.uint64]


def hash_array(values: pa.Array) -> Hashes:
    """Hash values without nulls."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        words = hash_array(values.dictionary)
        found: Hashes = words[values.indices.to_numpy()]
        return found
    if pa.types.is_string_view(kind):
        values = values.cast(pa.large_string())
    if pa.types.is_decimal(values.type):
        return _hash_decimals(values)
    if has_bytes(values.type):
        return Texts(values).hashes()
    return _mixed(_bits(values))


def _bits(values: pa.Array) -> Hashes:
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_time64(kind) or pa.types.is_duration(kind):
        values = values.cast(pa.int64())
    elif pa.types.is_date(kind) or pa.types.is_time32(kind):
        values = values.cast(pa.int64() if kind.bit_width == 64 else pa.int32())
    numbers: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    if numbers.dtype.kind == "f":
        # 0.0 and -0.0 are one value.
        return (numbers.astype(np.float64, copy=False) + 0.0).view(np.uint64)
    whole = np.int64 if numbers.dtype.kind != "u" else np.uint64
    return numbers.astype(whole, copy=False).view(np.uint64)


def _mixed(bits: Hashes) -> Hashes:
    # In place from here on: fresh memory costs more than the arithmetic.
    x = bits + _GOLDEN
    room = x >> np.uint64(30)
    x ^= room
    x *= _FIRST
    np.right_shift(x, np.uint64(27), out=room)
    x ^= room
    x *= _SECOND
    np.right_shift(x, np.uint64(31), out=room)
    x ^= room
    return x


def _hash_decimals(values: pa.Array) -> Hashes:
    """Hash all their digits: as floats, long ones would be one."""
    if values.type.bit_width < 128:
        values = values.cast(pa.decimal128(values.type.precision, values.type.scale))
    words = values.type.bit_width // 64
    parts = np.frombuffer(values.buffers()[1], np.uint64).reshape(-1, words)
    hashes = np.zeros(len(values), np.uint64)
    for part in parts[values.offset : values.offset + len(values)].T:
        hashes = _mixed(hashes ^ part)
    return hashes


def has_bytes(kind: pa.DataType) -> bool:
    """Tell whether values are texts or bytes with offsets of their own."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


class Texts:
    """Texts or bytes without nulls, seen as words of eight bytes each."""

    def __init__(self, values: pa.Array) -> None:
        kind = values.type
        wide = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
        _, ends, data = values.buffers()
        count = len(values)
        width = np.int64 if wide else np.int32
        edges = np.frombuffer(ends, width)[values.offset : values.offset + count + 1]
        edges = edges.astype(np.int64)
        first, last = (int(edges[0]), int(edges[-1])) if count else (0, 0)
        # Eight bytes more, so that the last word of the last text can be read whole.
        self._text = np.zeros(last - first + _WORD, np.uint8)
        if data is not None:
            self._text[: last - first] = np.frombuffer(data, np.uint8)[first:last]
        self._words: Hashes = np.ndarray(
            (last - first + 1,), np.dtype("<u8"), self._text, strides=(1,)
        )
        self._starts = edges[:-1] - first
        self._values = values
        self.lengths = np.diff(edges)
        """In bytes."""
        self._first = self._words[self._starts] & _MASKS[np.minimum(self.lengths, _WORD)]

    @property
    def plain(self) -> bool:
        """Whether all are ASCII: then they have as many characters as bytes."""
        return bool(self._text.max() < 128)

    def ends(self) -> tuple[pa.Scalar, pa.Scalar]:
        """Return the smallest and the largest: few are compared past their first word."""
        keys = self._first.byteswap()
        found = []
        for key, end in ((keys.min(), "min"), (keys.max(), "max")):
            rows = np.flatnonzero(keys == key)
            some = len(rows) * 2 < len(keys)
            left = self._values.take(pa.array(rows)) if some else self._values
            found.append(pc.min_max(left)[end])
        return found[0], found[1]

    def hashes(self) -> Hashes:
        """Hash each."""
        lengths = self.lengths
        hashes = _mixed(self._first ^ (lengths.view(np.uint64) * _SECOND))
        long = np.flatnonzero(lengths > _LONG)
        rows = np.flatnonzero((lengths > _WORD) & (lengths <= _LONG))
        at = _WORD
        while len(rows):
            left = lengths[rows] - at
            words = self._words[self._starts[rows] + at] & _MASKS[np.minimum(left, _WORD)]
            hashes[rows] = _mixed(hashes[rows] ^ words)
            at += _WORD
            rows = rows[left > _WORD]
        for row in long.tolist():
            start = self._starts[row]
            whole = self._text[start : start + lengths[row]].tobytes()
            digest = hashlib.blake2b(whole, digest_size=_WORD).digest()
            hashes[row] = int.from_bytes(digest, "little")
        return hashes
