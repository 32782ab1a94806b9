"""The append-only journal: one format for metrics, predictions and job progress.

A journal is a file that one process appends to and any process reads while it grows. The bytes
are specified in ``docs/journal.md``: eight bytes of magic, then frames of

    length   4 bytes, little endian: of the payload
    crc32    4 bytes, little endian: of the payload
    payload  msgpack: an array whose first item is the record's kind

A frame is written by one ``write`` call. What the call has accepted survives the death of the
process (not a power loss). A torn or damaged frame ends what can be read; nothing behind it is
believed.
"""

from __future__ import annotations

import heapq
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from perijove.core.cuts import read_cuts
from perijove.core.errors import InvalidInputError

MAGIC: Final = b"PJOURN1\n"
MAX_PAYLOAD: Final = 16 * 1024 * 1024
CHUNK: Final = 8 * 1024 * 1024
MERGE_CHUNK: Final = 256 * 1024
"""Of each file that is read side by side with others."""
_HEAD = struct.Struct("<II")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()

Record = list[Any]


class JournalWriter:
    """Appends records. One writer a file; a thread must not share it without a lock.

    A failed write (a full disk) leaves the file at its last whole frame and raises OSError; the
    writer stays usable and later records are appended when there is room again.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self.path = path
        self._handle = os.open(path, flags, 0o600)
        self._unsure = False
        self._end = os.fstat(self._handle).st_size
        if self._end == 0:
            self._write(MAGIC)
        else:
            # Records behind a torn frame would never be read: cut it off first.
            self._end = max(_last_whole_frame(path), 0)
            os.ftruncate(self._handle, self._end)
            if self._end == 0:
                self._write(MAGIC)

    def append(self, record: Record | tuple[Any, ...]) -> None:
        """Append one record; when this returns, the record outlives the process."""
        payload = _encoder.encode(record)
        if len(payload) > MAX_PAYLOAD:
            raise InvalidInputError(
                f"A record of {len(payload):,} bytes is too large for the journal.",
                f"At most {MAX_PAYLOAD:,} bytes fit: log large things as an artifact.",
            )
        self._write(_HEAD.pack(len(payload), zlib.crc32(payload)) + payload)

    def _write(self, data: bytes) -> None:
        if self._unsure:
            self._mend()
        self._unsure = True
        try:
            written = os.write(self._handle, data)
        except OSError:  # nothing of it is in the file
            self._unsure = False
            raise
        if written != len(data):
            os.ftruncate(self._handle, self._end)
            self._unsure = False
            raise OSError(28, "No space left on device", str(self.path))
        self._end += written
        self._unsure = False

    def _mend(self) -> None:
        """Find the end anew: an interrupt came between a write and what is remembered of it."""
        if not self.deleted:
            self._end = max(_last_whole_frame(self.path), 0)
            os.ftruncate(self._handle, self._end)
        self._unsure = False

    @property
    def deleted(self) -> bool:
        """Whether nobody will read what is appended: the file has no name any more."""
        return os.fstat(self._handle).st_nlink == 0

    def copy(self, path: Path) -> JournalWriter:
        """Return a writer of a new file with all that this one has."""
        copied = JournalWriter(path)
        position = len(MAGIC)
        while position < self._end:
            data = os.pread(self._handle, min(CHUNK, self._end - position), position)
            if not data:
                break
            copied._write(data)
            position += len(data)
        return copied

    def sync(self) -> None:
        """Make what was appended survive a power loss too."""
        os.fsync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


class JournalReader:
    """Reads a growing journal from a cursor.

    Parameters
    ----------
    offset
        Where to start: 0, or the ``offset`` of an earlier reader of the same file.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset
        self.damaged = False
        """A frame's checksum did not match: what follows in this file is lost."""

    def read(self, limit: int = CHUNK, end: int | None = None) -> list[Record]:
        """Return the whole records that came since.

        Parameters
        ----------
        limit
            About how many bytes of them; one record is returned however large it is.
        end
            Where in the file to stop; None for its end.
        """
        if end is not None and end <= self.offset:
            return []
        try:
            with self.path.open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                left = (size if end is None else min(size, end)) - self.offset
                if left <= 0:
                    return []
                file.seek(self.offset)
                data = file.read(min(left, limit))
                records = self._take(data)
                if not records and not self.damaged and len(data) < left:
                    file.seek(self.offset)
                    records = self._take(file.read(min(left, limit + MAX_PAYLOAD)))
        except FileNotFoundError:
            return []
        return records

    def _take(self, data: bytes) -> list[Record]:
        """Take the whole records at the start of what follows the cursor; it moves behind them."""
        records: list[Record] = []
        position = 0
        if self.offset == 0:
            if len(data) < len(MAGIC):
                return []
            if not data.startswith(MAGIC):
                self.damaged = True
                return []
            position = len(MAGIC)
        while True:
            payload = _frame(data, position)
            if payload is None:
                break
            if payload is _DAMAGED:
                self.damaged = True
                break
            records.append(_decoder.decode(payload))
            position += _HEAD.size + len(payload)
        self.offset += position
        return records

    def read_all(self, limit: int = CHUNK, end: int | None = None) -> Iterator[Record]:
        """Read on until there is nothing more now."""
        while records := self.read(limit, end):
            yield from records


_DAMAGED: Final = b"\0damaged"


def _frame(data: bytes, position: int) -> bytes | None:
    if len(data) - position < _HEAD.size:
        return None
    length, crc = _HEAD.unpack_from(data, position)
    if length > MAX_PAYLOAD:
        return _DAMAGED
    start = position + _HEAD.size
    if len(data) - start < length:
        return None
    payload = data[start : start + length]
    return payload if zlib.crc32(payload) == crc else _DAMAGED


def _last_whole_frame(path: Path) -> int:
    reader = JournalReader(path)
    for _ in reader.read_all():
        pass
    return reader.offset


class JournalFolder:
    """All journals of one thing, such as a run that several processes write to.

    Keeps a cursor for each file; new files are found as they appear.
    """

    def __init__(self, folder: Path, cursors: dict[str, int] | None = None) -> None:
        self.folder = folder
        self._readers: dict[str, JournalReader] = {
            name: JournalReader(folder / name, offset) for name, offset in (cursors or {}).items()
        }

    def read(self) -> list[Record]:
        """Return what came since, file by file."""
        records: list[Record] = []
        for name, end in self.sizes().items():
            records += self._reader(name).read_all(end=end)
        return records

    def merged(
        self, order: Callable[[Record], int], ends: dict[str, int] | None = None
    ) -> Iterator[Record]:
        """Read what came since, of all files in one order, a little of each at a time.

        Read it to its end: what was read ahead is not read again.

        Parameters
        ----------
        order
            What the records of each file are sorted by, such as their time.
        ends
            Where to stop in each file, as :meth:`sizes` told it earlier; None for all.
        """
        ends = self.sizes() if ends is None else ends
        yield from heapq.merge(
            *(self._reader(name).read_all(MERGE_CHUNK, end) for name, end in ends.items()),
            key=order,
        )

    def sizes(self) -> dict[str, int]:
        """Return the names of the files and how much of each there is to read now, by name."""
        try:
            found = [entry for entry in os.scandir(self.folder) if entry.name.endswith(".pj")]
        except FileNotFoundError:
            return {}
        sizes = {entry.name: entry.stat().st_size for entry in sorted(found, key=lambda e: e.name)}
        cuts = read_cuts(self.folder)
        return {name: min(size, cuts.get(name, size)) for name, size in sizes.items()}

    def _reader(self, name: str) -> JournalReader:
        if name not in self._readers:
            self._readers[name] = JournalReader(self.folder / name)
        return self._readers[name]

    @property
    def cursors(self) -> dict[str, int]:
        return {name: reader.offset for name, reader in self._readers.items()}
