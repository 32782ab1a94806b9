"""The data worker: ``python -m perijove.adapters.duckdb.worker FOLDER...``.

Reads only below the named folders, has a memory limit, and ends when its standard input does.
Requests and replies are msgpack behind a four-byte length, one at a time:

    {"do": "twin", "source": PATH, "parquet": PATH}       -> {"rows": N, "columns": [...]}
    {"do": "inspect", "files": [PATH]}                     -> {"rows": N, "columns": [...]}
    {"do": "page", "files": [PATH], "offset": N, "limit": N} -> {"arrow": BYTES}

A failure is {"error": TEXT, "kind": "unreadable" | "memory"}.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

MEMORY_LIMIT = "1GB"
ADDRESS_SPACE = 16 * 2**30
_HEAD = struct.Struct("<I")
TEXT_SUFFIXES = {".csv", ".tsv", ".txt"}
JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}


def read_message(stream: BinaryIO) -> bytes | None:
    """Read one message; None at the end of the stream."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    (length,) = _HEAD.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def write_message(stream: BinaryIO, body: bytes) -> None:
    stream.write(_HEAD.pack(len(body)) + body)
    stream.flush()


class UnreadableError(Exception):
    """The file is not what its name says."""


class Tables:
    """DuckDB in memory, shut off from everything but the named folders."""

    def __init__(self, folders: list[str]) -> None:
        import duckdb

        self.db = duckdb.connect(":memory:", config={"memory_limit": MEMORY_LIMIT, "threads": 2})
        self.db.execute("SET allowed_directories=?", [folders])
        self.db.execute("SET enable_external_access=false")
        self.db.execute("SET enable_progress_bar=false")
        self.db.execute("SET lock_configuration=true")

    def twin(self, source: str, parquet: str) -> dict[str, Any]:
        reader = self._reader(Path(source))
        partial = f"{parquet}.{os.getpid()}.part"
        try:
            self.db.execute(
                f"COPY (SELECT * FROM {reader}) TO {_text(partial)} "
                "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
            )
            info = self.inspect([partial])
            os.replace(partial, parquet)
        finally:
            if os.path.exists(partial):
                os.unlink(partial)
        return info

    def _reader(self, source: Path) -> str:
        suffix = source.suffix.lower()
        if suffix in TEXT_SUFFIXES:
            _check_text(source)
            options = ", delim='\t'" if suffix == ".tsv" else ""
            return f"read_csv({_text(str(source))}{options}, sample_size=100000)"
        if suffix in JSON_SUFFIXES:
            return f"read_json_auto({_text(str(source))})"
        if suffix == ".parquet":
            return f"read_parquet({_text(str(source))})"
        raise UnreadableError(
            f"{suffix or 'A file without an ending'} is no format that is read here"
        )

    def inspect(self, files: list[str]) -> dict[str, Any]:
        table = f"read_parquet({_list(files)})"
        described = self.db.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
        if not described:
            raise UnreadableError("it has no columns")
        names = [row[0] for row in described]
        counts = ", ".join(f"count({_name(name)})" for name in names)
        total, *present = self._row(f"SELECT count(*), {counts} FROM {table}")
        return {
            "rows": total,
            "columns": [
                {"name": row[0], "type": row[1], "nulls": total - count}
                for row, count in zip(described, present, strict=True)
            ],
        }

    def _row(self, sql: str) -> tuple[Any, ...]:
        row = self.db.execute(sql).fetchone()
        assert row is not None  # an aggregate always has one
        return row

    def page(self, files: list[str], offset: int, limit: int) -> dict[str, Any]:
        import pyarrow as pa

        parts: list[Any] = []
        for file in files:
            (rows,) = self._row(f"SELECT sum(num_rows) FROM parquet_file_metadata({_text(file)})")
            if offset < rows and limit > 0:
                parts.append(
                    self.db.execute(
                        f"SELECT * EXCLUDE (file_row_number) FROM read_parquet({_text(file)}, "
                        "file_row_number=true) WHERE file_row_number >= ? AND file_row_number < ?",
                        [offset, offset + limit],
                    ).to_arrow_table()
                )
                limit -= parts[-1].num_rows
            offset = max(0, offset - rows)
        if not parts:
            parts.append(
                self.db.execute(f"SELECT * FROM read_parquet({_list(files)}) LIMIT 0")
                .to_arrow_table()
            )  # fmt: skip
        table = pa.concat_tables(parts)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return {"arrow": sink.getvalue().to_pybytes()}


def _check_text(source: Path) -> None:
    """Refuse what is no table of text before a sniffer makes one column of it."""
    with source.open("rb") as file:
        head = file.read(256 * 1024)
        whole = not file.read(1)
    if not head.strip():
        raise UnreadableError("it is empty")
    if b"\0" in head:
        raise UnreadableError("it holds binary data, not text")
    try:
        text = head.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        if whole or error.start < len(head) - 4:
            raise UnreadableError(
                f"it is not UTF-8 text (byte {error.start:,} is {head[error.start]:#04x}); "
                "save it as UTF-8"
            ) from error
        text = head.decode("utf-8", errors="ignore")
    lines = [line for line in text.splitlines() if line.strip()][:200]
    if lines[0].lstrip().startswith(("<!DOCTYPE", "<html", "<?xml", "{", "%PDF")):
        raise UnreadableError(f"its first line is {lines[0][:40]!r}, which is no header of a table")
    delimiters = (",", ";", "\t", "|")
    first = {d: lines[0].count(d) for d in delimiters}
    if not any(first.values()) and len(lines) > 1:
        ragged = {d: {line.count(d) for line in lines[1:]} for d in delimiters}
        if any(len(counts) > 1 for counts in ragged.values()):
            raise UnreadableError(
                f"its first line, {lines[0][:40]!r}, has one column and later lines have several"
            )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _list(values: list[str]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def serve(folders: list[str], requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer until there are no more requests."""
    import duckdb

    tables = Tables(folders)
    actions: dict[str, Callable[..., dict[str, Any]]] = {
        "twin": tables.twin,
        "inspect": tables.inspect,
        "page": tables.page,
    }
    while (message := read_message(requests)) is not None:
        request = msgspec.msgpack.decode(message)
        action = actions[request.pop("do")]
        try:
            reply = action(**request)
        except UnreadableError as error:
            reply = {"error": str(error), "kind": "unreadable"}
        except (duckdb.OutOfMemoryException, MemoryError):
            reply = {"error": f"it needs more than {MEMORY_LIMIT} of memory", "kind": "memory"}
        except (duckdb.Error, OSError) as error:
            reply = {"error": _first_line(error), "kind": "unreadable"}
        write_message(replies, msgspec.msgpack.encode(reply))


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def main() -> None:
    # The pipe is ours alone: a library that prints must not write into the replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.argv[1:], sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
