"""Twins and descriptions: what a file holds, and the same as Parquet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from perijove.adapters.duckdb.worker.database import (
    Action,
    Database,
    Report,
    UnreadableError,
    name,
    scan,
    text,
)

TEXT_SUFFIXES = {".csv", ".tsv", ".txt"}
JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}


def twin(database: Database, report: Report, *, source: str, parquet: str) -> dict[str, Any]:
    """Write a file's Parquet twin, whole or not at all."""
    reader = _reader(Path(source))
    partial = f"{parquet}.{os.getpid()}.part"
    try:
        database.db.execute(
            f"COPY (SELECT * FROM {reader}) TO {text(partial)} "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
        )
        info = inspect(database, report, files=[partial])
        os.replace(partial, parquet)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
    return info


def inspect(
    database: Database, report: Report, *, files: list[str], partitions: str | None = None
) -> dict[str, Any]:
    """Return row count, types and nulls."""
    table = scan(files, partitions)
    described = database.db.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    if not described:
        raise UnreadableError("it has no columns")
    counts = ", ".join(f"count({name(row[0])})" for row in described)
    total, *present = database.row(f"SELECT count(*), {counts} FROM {table}")
    return {
        "rows": total,
        "columns": [
            {"name": row[0], "type": row[1], "nulls": total - count}
            for row, count in zip(described, present, strict=True)
        ],
    }


def _reader(source: Path) -> str:
    suffix = source.suffix.lower()
    if suffix in TEXT_SUFFIXES:
        _check_text(source)
        options = ", delim='\t'" if suffix == ".tsv" else ""
        return f"read_csv({text(str(source))}{options}, sample_size=100000)"
    if suffix in JSON_SUFFIXES:
        return f"read_json_auto({text(str(source))})"
    if suffix == ".parquet":
        return f"read_parquet({text(str(source))})"
    raise UnreadableError(f"{suffix or 'A file without an ending'} is no format that is read here")


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
        decoded = head.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        if whole or error.start < len(head) - 4:
            raise UnreadableError(
                f"it is not UTF-8 text (byte {error.start:,} is {head[error.start]:#04x}); "
                "save it as UTF-8"
            ) from error
        decoded = head.decode("utf-8", errors="ignore")
    lines = [line for line in decoded.splitlines() if line.strip()][:200]
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


ACTIONS: dict[str, Action] = {"twin": twin, "inspect": inspect}
