"""Folders of files as one table: Parquet that must agree, and a twin of all else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from perijove.adapters.duckdb.worker.conditions import Relation
from perijove.adapters.duckdb.worker.database import (
    Action,
    Database,
    Report,
    UnreadableError,
    scan,
    text,
    texts,
)
from perijove.adapters.duckdb.worker.files import (
    ARROW_SUFFIXES,
    JSON_SUFFIXES,
    TEXT_SUFFIXES,
    inspect,
)
from perijove.adapters.duckdb.worker.parquet import open_table
from perijove.adapters.duckdb.worker.views import ROW_GROUP, written
from perijove.contracts.data import Column

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
FORMATS: tuple[tuple[str, frozenset[str]], ...] = (
    ("text", frozenset(TEXT_SUFFIXES)),
    ("JSON", frozenset(JSON_SUFFIXES)),
    ("Arrow", frozenset(ARROW_SUFFIXES)),
)


def inspect_all(
    database: Database, report: Report, *, files: list[str], partitions: str | None = None
) -> dict[str, Any]:
    """Return row count, types and nulls of several Parquet files that agree in their columns."""
    folder = os.path.commonpath([os.path.dirname(file) for file in files])
    first = open_table(files[0]).schema
    for file in files[1:]:
        _agree(files[0], first, file, open_table(file).schema, folder)
    if partitions is not None:
        _check_keys(first.names, files, partitions)
    return inspect(database, report, files=files, partitions=partitions)


def _check_keys(names: list[str], files: list[str], root: str) -> None:
    keys = list(_keys(files[0], root))
    both = [key for key in keys if key in names]
    if both:
        raise UnreadableError(
            f"{both[0]!r} is a column of the files and a folder's name\nName one of them otherwise."
        )
    for file in files:
        if list(_keys(file, root)) != keys:
            raise UnreadableError(
                f"{os.path.relpath(file, root)} does not lie in folders of {', '.join(keys)} as "
                f"{os.path.relpath(files[0], root)} does\nGive all files the same folders."
            )
    above = [part for part in Path(root).parts if "=" in part]
    if above:
        raise UnreadableError(
            f"the folder {above[0]!r} above it looks like a column\n"
            "Register that folder, or move this one."
        )


def _keys(file: str, root: str) -> dict[str, str]:
    folders = os.path.relpath(os.path.dirname(file), root).split(os.sep)
    return {
        key: unquote(value)
        for key, mark, value in (folder.partition("=") for folder in folders)
        if mark
    }


def partition_values(
    database: Database, report: Report, *, files: list[str], partitions: str
) -> dict[str, Any]:
    """Return the columns that folders' names are: a table with a row for each file."""
    empty = database.db.sql(f"SELECT * FROM {scan(files, partitions)} LIMIT 0").to_arrow_table()
    keys = [_keys(file, partitions) for file in files]
    found = {
        field.name: pa.array(
            [None if key[field.name] == NO_VALUE else key[field.name] for key in keys], pa.string()
        ).cast(field.type)
        for field in list(empty.schema)[len(open_table(files[0]).schema) :]
    }
    sink = pa.BufferOutputStream()
    table = pa.table(found)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {"arrow": sink.getvalue().to_pybytes()}


def _agree(first: str, ours: Any, other: str, theirs: Any, folder: str) -> None:
    if ours.equals(theirs):  # names and types; what else a schema says does not matter
        return
    name, place = os.path.relpath(other, folder), os.path.relpath(first, folder)
    hint = "\nWrite the files with one schema, or register the folders by themselves."
    missing = [column for column in ours.names if column not in theirs.names]
    more = [column for column in theirs.names if column not in ours.names]
    if missing or more:
        said = f"no column {missing[0]!r}" if missing else f"a column {more[0]!r}"
        rest = "has" if missing else "has not"
        raise UnreadableError(f"{name} has {said}, which {place} {rest}{hint}")
    for column in ours.names:
        if ours.names.count(column) == theirs.names.count(column) == 1:
            here, there = ours.field(column).type, theirs.field(column).type
            if here != there:
                raise UnreadableError(
                    f"column {column!r} is {there} in {name} and {here} in {place}{hint}"
                )
    if ours.names != theirs.names:
        raise UnreadableError(f"{name} has its columns in another order than {place}{hint}")


def combine(
    database: Database, report: Report, *, files: list[str], folder: str, parquet: str
) -> dict[str, Any]:
    """Write one Parquet twin of several files, whole or not at all."""
    kinds = {Path(file).suffix.lower() for file in files}
    found = [name for name, suffixes in FORMATS if kinds & suffixes]
    known = frozenset[str]().union(*(suffixes for _, suffixes in FORMATS))
    if len(found) != 1 or kinds - known:
        raise UnreadableError(
            f"it holds files of several formats ({', '.join(sorted(kinds))})\n"
            "Register a folder with files of one format."
            if len(kinds) > 1
            else f"files of the format {kinds.pop()} cannot be read together\n"
            "Register each by itself."
        )
    with written(parquet) as partial:
        reader = (
            _arrow(files, folder)
            if found[0] == "Arrow"
            else _batches(database, files, folder, is_text=found[0] == "text")
        )
        with pq.ParquetWriter(
            partial, reader.schema, compression="zstd", write_page_checksum=True
        ) as writer:
            for batch in reader:
                writer.write_batch(batch, row_group_size=ROW_GROUP)
        return inspect(database, report, files=[partial])


def _arrow(files: list[str], folder: str) -> Any:
    schema = pyarrow.dataset.dataset(files[0], format="ipc").schema
    for file in files[1:]:
        _agree(files[0], schema, file, pyarrow.dataset.dataset(file, format="ipc").schema, folder)
    found = pyarrow.dataset.dataset(
        files, format="ipc", partitioning="hive", partition_base_dir=folder
    )
    return found.scanner(batch_size=ROW_GROUP, fragment_readahead=1).to_reader()


def _batches(database: Database, files: list[str], folder: str, *, is_text: bool) -> Any:
    # A folder above the dataset's own may be called key=value too: only names below it count.
    below = [os.path.relpath(file, folder).split(os.sep)[:-1] for file in files]
    keys = any("=" in part for parts in below for part in parts)
    options = f"hive_partitioning={'true' if keys else 'false'}, union_by_name=true"
    if is_text:
        _same_header(database, files, folder)
        source = f"read_csv({texts(files)}, {options}, sample_size=100000)"
    else:
        source = f"read_json_auto({texts(files)}, {options})"
    described = database.db.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    above = {part.partition("=")[0] for part in Path(folder).parts if "=" in part} - {
        part.partition("=")[0] for parts in below for part in parts
    }
    columns = [Column(name=row[0], type=row[1]) for row in described]
    aliases = ", ".join(f"c{at}" for at in range(len(columns)))
    kept = [at for at, column in enumerate(columns) if column.name not in above]
    selected = Relation(columns, source, "").select(kept)
    return database.db.sql(
        f"SELECT {', '.join(selected)} FROM {source} t({aliases})"
    ).to_arrow_reader(ROW_GROUP)


def _same_header(database: Database, files: list[str], folder: str) -> None:
    """Refuse files whose columns are called otherwise than those of the first one."""
    first: list[str] = []
    for file in files:
        try:
            described = database.db.execute(
                f"DESCRIBE SELECT * FROM read_csv({text(file)}, hive_partitioning=false, "
                "sample_size=1000)"
            ).fetchall()
        except duckdb.Error as error:
            raise UnreadableError(
                f"{os.path.relpath(file, folder)}: {str(error).splitlines()[0][:200]}"
            ) from error
        names = [row[0] for row in described]
        first = first or names
        if sorted(names) != sorted(first):
            odd = sorted(set(names) ^ set(first)) or names
            raise UnreadableError(
                f"the columns of {os.path.relpath(file, folder)} are not those of "
                f"{os.path.relpath(files[0], folder)}: only one of them has {odd[0]!r}\n"
                "Give the files the same header, or register the folders by themselves."
            )


ACTIONS: dict[str, Action] = {
    "inspect_all": inspect_all,
    "partition_values": partition_values,
    "combine": combine,
}
