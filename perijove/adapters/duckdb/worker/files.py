"""Twins and descriptions: what a file holds, and the same as Parquet."""

from __future__ import annotations

import codecs
import csv
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from perijove.adapters.duckdb.worker.conditions import Relation
from perijove.adapters.duckdb.worker.database import (
    Action,
    Database,
    Report,
    UnreadableError,
    scan,
    text,
)
from perijove.adapters.duckdb.worker.parquet import ParquetTable, open_table
from perijove.adapters.duckdb.worker.views import ROW_GROUP, written
from perijove.contracts.data import Column

TEXT_SUFFIXES = {".csv", ".tsv", ".txt"}
ARROW_SUFFIXES = {".arrow", ".feather"}
DELIMITERS = (",", ";", "\t", "|")
JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}


def twin(database: Database, report: Report, *, source: str, parquet: str) -> dict[str, Any]:
    """Write a file's Parquet twin, whole or not at all."""
    with written(parquet) as partial, _utf8(Path(source), parquet) as readable:
        try:
            _copy(database, readable, partial, sample=100_000)
        except OSError as error:
            if "Could not convert" not in str(error):
                raise _unreadable(error) from error
            # A value further down is of another type: look at all of them.
            try:
                _copy(database, readable, partial, sample=-1)
            except OSError as again:
                raise _unreadable(again) from again
        return inspect(database, report, files=[partial])


def _copy(database: Database, source: Path, parquet: str, sample: int) -> None:
    # By Arrow's writer: DuckDB's writes no page checksums.
    reader = _batches(database, source, sample)
    with pq.ParquetWriter(
        parquet, reader.schema, compression="zstd", write_page_checksum=True
    ) as writer:
        for batch in reader:
            writer.write_batch(batch, row_group_size=ROW_GROUP)


def inspect(
    database: Database, report: Report, *, files: list[str], partitions: str | None = None
) -> dict[str, Any]:
    """Return row count, types and nulls."""
    table = scan(files, partitions)
    described = database.db.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    if not described:
        raise UnreadableError("it has no columns")
    opened = [open_table(file) for file in files]
    nulls = [_footer_nulls(opened, at) for at in range(len(described))]
    unknown = [at for at, count in enumerate(nulls) if count is None]
    rows = sum(file.rows for file in opened)
    if unknown:
        aliases = ", ".join(f"c{at}" for at in range(len(described)))
        counts = ", ".join(f"count(c{at})" for at in unknown)
        present = database.row(f"SELECT {counts} FROM {table} t({aliases})")
        for at, count in zip(unknown, present, strict=True):
            nulls[at] = rows - count
    return {
        "rows": rows,
        "columns": [
            {"name": row[0], "type": row[1], "nulls": count}
            for row, count in zip(described, nulls, strict=True)
        ],
    }


def _footer_nulls(files: list[ParquetTable], column: int) -> int | None:
    """Return a column's nulls as the footers tell them; None where one of them does not."""
    names = {file.schema.names[column] for file in files if column < len(file.schema)}
    counts = [file.nulls(column) for file in files]
    if len(names) != 1 or None in counts:
        return None
    return sum(count for count in counts if count is not None)


def _batches(database: Database, source: Path, sample: int) -> Any:
    suffix = source.suffix.lower()
    if suffix in ARROW_SUFFIXES:
        with source.open("rb") as file:
            whole = file.read(6) in (b"ARROW1", b"FEA1")
        if not whole:
            return pa.ipc.open_stream(pa.OSFile(str(source)))
        from pyarrow.dataset import dataset  # dear, and rarely needed

        return dataset(str(source), format="ipc").scanner(batch_size=ROW_GROUP).to_reader()
    reader = _reader(source, sample)
    try:
        plain = database.db.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()
    except duckdb.Error:
        if suffix in TEXT_SUFFIXES:
            _check_lines(source)
        raise
    if suffix in TEXT_SUFFIXES and len(plain) == 1:
        _check_lines(source)
    aliases = ", ".join(f"c{at}" for at in range(len(plain)))
    selected = Relation([Column(name=row[0], type=row[1]) for row in plain], reader, "").select()
    return database.db.sql(
        f"SELECT {', '.join(selected)} FROM {reader} t({aliases})"
    ).to_arrow_reader(ROW_GROUP)


def _reader(source: Path, sample: int) -> str:
    suffix = source.suffix.lower()
    if suffix in TEXT_SUFFIXES:
        options = ", delim='\t'" if suffix == ".tsv" else ""
        return f"read_csv({text(str(source))}{options}, sample_size={sample:d})"
    if suffix in JSON_SUFFIXES:
        return f"read_json_auto({text(str(source))})"
    if suffix == ".parquet":
        return f"read_parquet({text(str(source))})"
    raise UnreadableError(f"{suffix or 'A file without an ending'} is no format that is read here")


@contextmanager
def _utf8(source: Path, parquet: str) -> Iterator[Path]:
    """Have a text file as UTF-8: one that begins with a mark of UTF-16 is written anew."""
    if source.suffix.lower() not in TEXT_SUFFIXES | JSON_SUFFIXES:
        yield source
        return
    with source.open("rb") as file:
        head = file.read(4)
    if not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if source.suffix.lower() in TEXT_SUFFIXES:
            _check_text(source)
        yield source
        return
    again = Path(f"{parquet}.{os.getpid()}{source.suffix}")
    try:
        with source.open(encoding="utf-16", newline="") as old, again.open(
            "w", encoding="utf-8", newline=""
        ) as new:  # fmt: skip
            try:
                shutil.copyfileobj(old, new, 2**20)
            except UnicodeError as error:
                raise UnreadableError(
                    f"it begins like UTF-16 text and is none ({error})\n"
                    "Save it as UTF-8 and register it again."
                ) from error
        _check_text(again)
        yield again
    finally:
        again.unlink(missing_ok=True)


def _unreadable(error: OSError) -> Exception:
    """Say what a parser met, without its advice."""
    said = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", said)
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
    if line is None:
        return error
    where = f"line {int(line[1]):,}"
    if columns is not None:
        return UnreadableError(
            f"{where} has {_values(int(columns[2]))} where the lines before have {columns[1]}\n"
            "Quote values that hold a delimiter, or mend that line."
        )
    reason = [row for row in said.splitlines()[1:] if row and not row.startswith("Original")]
    return UnreadableError(f"{where}: {reason[0].rstrip('.') if reason else said[:200]}")


def _check_lines(source: Path) -> None:
    """Refuse what a sniffer makes nothing of, or one column, if lines have different lengths."""
    with source.open(encoding="utf-8", newline="") as file:
        first = file.readline()
        file.seek(0)
        delimiter = max(DELIMITERS, key=first.count)
        if delimiter not in first:
            return
        rows = csv.reader(file, delimiter=delimiter)
        width = len(next(rows))
        for row in rows:
            if row and len(row) != width:
                raise UnreadableError(
                    f"line {rows.line_num:,} has {_values(len(row))} where the first line has "
                    f"{_values(width)}\nQuote values that hold a delimiter, or mend that line."
                )


def _values(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"


def _check_text(source: Path) -> None:
    """Refuse what is no table of text before a sniffer makes one column of it."""
    with source.open("rb") as file:
        head = file.read(256 * 1024)
        if not head.strip():
            raise UnreadableError("it is empty")
        if b"\0" in head:
            raise UnreadableError("it holds binary data, not text")
        _check_utf8(file)
    decoded = head.decode("utf-8-sig", errors="ignore")
    lines = [line for line in decoded.splitlines() if line.strip()][:200]
    if lines[0].lstrip().startswith(("<!DOCTYPE", "<html", "<?xml", "{", "%PDF")):
        raise UnreadableError(f"its first line is {lines[0][:40]!r}, which is no header of a table")
    first = {d: lines[0].count(d) for d in DELIMITERS}
    if not any(first.values()) and len(lines) > 1:
        ragged = {d: {line.count(d) for line in lines[1:]} for d in DELIMITERS}
        if any(len(counts) > 1 for counts in ragged.values()):
            raise UnreadableError(
                f"its first line, {lines[0][:40]!r}, has one column and later lines have several"
            )


def _check_utf8(file: BinaryIO) -> None:
    """Read a file to its end; refuse it at the first byte that is no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    lines = done = 0
    try:
        while block := file.read(2**20):
            decoder.decode(block)
            lines += block.count(b"\n")
            done += len(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        wrong = error.object[error.start] if error.start < len(error.object) else 0
        line = lines + error.object[: error.start].count(b"\n") + 1
        raise UnreadableError(
            f"it is not UTF-8 text: line {line:,} has the byte {wrong:#04x}\n"
            "Save it as UTF-8 and register it again. From Latin-1 for instance: "
            "iconv -f latin1 -t utf-8 OLD > NEW."
        ) from error


ACTIONS: dict[str, Action] = {"twin": twin, "inspect": inspect}
