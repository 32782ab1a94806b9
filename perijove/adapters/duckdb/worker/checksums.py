"""Page checksums before DuckDB reads a file, which does not look at them.

A page of a Parquet file is a header in Thrift's compact protocol and as many bytes as it says; the
checksum is of these bytes. Only files whose pages have checksums are looked at: those that we
write. See the Parquet format, "Page Header" and "Checksumming".
"""

from __future__ import annotations

import zlib
from typing import Any

import pyarrow.parquet as pq

from perijove.adapters.duckdb.worker.database import UnreadableError
from perijove.adapters.duckdb.worker.parquet import Stamp, stamp_of

_CHECKED: dict[str, Stamp] = {}


def verify(path: str) -> None:
    """Check a file's pages, once as long as it does not change.

    Raises
    ------
    UnreadableError
        When bytes of a page are not those that were written.
    """
    stamp = stamp_of(path)
    if _CHECKED.get(path) == stamp:
        return
    metadata = pq.read_metadata(path)
    with open(path, "rb") as file:
        for group in range(metadata.num_row_groups):
            for column in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(column)
                start = chunk.dictionary_page_offset or chunk.data_page_offset
                file.seek(start)
                if not _verify_chunk(file.read(chunk.total_compressed_size), chunk):
                    _CHECKED[path] = stamp
                    return
    _CHECKED[path] = stamp


def _verify_chunk(content: bytes, chunk: Any) -> bool:
    """Check a column chunk; False when its pages have no checksums."""
    at, view = 0, memoryview(content)
    while at < len(content):
        try:
            header = _Header(content, at)
        except (IndexError, ValueError) as error:
            raise _damaged(chunk) from error
        if header.checksum is None:
            return False
        page = view[header.end : header.end + header.size]
        if len(page) != header.size or zlib.crc32(page) != header.checksum & 0xFFFFFFFF:
            raise _damaged(chunk)
        at = header.end + header.size
    return True


def _damaged(chunk: Any) -> UnreadableError:
    return UnreadableError(
        f"a part of column {chunk.path_in_schema!r} is damaged on the disk (its checksum differs)"
    )


class _Header:
    """What of a page's header is needed: its end, the page's size and its checksum."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content = content
        self._at = at
        self.size = -1
        self.checksum: int | None = None
        for field, kind in self._fields():
            if field == 3 and kind == _I32:
                self.size = self._signed()
            elif field == 4 and kind == _I32:
                self.checksum = self._signed()
            else:
                self._skip(kind)
        if self.size < 0:
            raise ValueError("no size")
        self.end = self._at

    def _fields(self) -> Any:
        """Yield the number and the type of each field of a struct."""
        field = 0
        while (byte := self._byte()) != 0:
            step, kind = byte >> 4, byte & 15
            field = field + step if step else self._signed()
            yield field, kind

    def _skip(self, kind: int) -> None:
        if kind in (_TRUE, _FALSE):
            return
        if kind == _BYTE:
            self._at += 1
        elif kind in (_I16, _I32, _I64):
            self._unsigned()
        elif kind == _DOUBLE:
            self._at += 8
        elif kind == _BINARY:
            length = self._unsigned()
            self._at += length
        elif kind == _STRUCT:
            for _, inner in self._fields():
                self._skip(inner)
        else:
            # A page header holds no list, set or map.
            raise ValueError(f"type {kind}")

    def _byte(self) -> int:
        byte = self._content[self._at]
        self._at += 1
        return byte

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number without end")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)


_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY = range(1, 9)
_STRUCT = 12
