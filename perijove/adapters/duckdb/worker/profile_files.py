"""The files of a version as a profile reads them: some columns, known by their positions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from perijove.adapters.duckdb.worker.columns import Kind
from perijove.adapters.duckdb.worker.database import Database, scan
from perijove.adapters.duckdb.worker.parquet import leaf_count

SAMPLE_ROWS: Final = 122_880
SAMPLE_CELLS: Final = 24_000_000
"""Of a wide table fewer rows are sampled."""
PLACES: Final = 16
"""Where a sample's rows come from, spread over the table."""
FEW: Final = 8
"""Row groups below which places within them are read too; Arrow decodes what lies before."""
DEEP_CELLS: Final = 120_000_000
"""Values that are decoded so at most: ten million rows of twelve columns."""
BLOCK_ROWS: Final = 32_768
"""Rows that are counted at a time: their numbers fit into a core's cache."""
BUFFER: Final = 2**18
"""Of a column chunk that is read at a time; chunks may be of any size."""


class ProfileFiles:
    """The files of one version.

    Parameters
    ----------
    partitions
        Where folders that are columns begin, if they are.
    """

    def __init__(self, database: Database, files: list[str], partitions: str | None) -> None:
        self.paths = files
        self.partitions = partitions
        self.metadata = [pq.read_metadata(file) for file in files]
        self.schema = pq.read_schema(files[0])
        self.rows = sum(m.num_rows for m in self.metadata)
        self._leaves = [0, *accumulate(leaf_count(field.type) for field in self.schema)]
        self.names = self._names(database)

    def _names(self, database: Database) -> list[str]:
        """Return the columns' names as everything else has them: no two the same."""
        names: list[str] = self.schema.names
        if len({name.casefold() for name in names}) == len(names):
            return names
        described = database.db.execute(
            f"DESCRIBE SELECT * FROM {scan(self.paths[:1], self.partitions)}"
        ).fetchall()
        return [row[0] for row in described[: len(names)]]

    def blocks(
        self,
        columns: list[int],
        texts: list[str] | None = None,
        rows: int = BLOCK_ROWS,
        place: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Read some columns, in their order in the file, a block at a time.

        Parameters
        ----------
        texts
            Names of those that are read as places in a dictionary.
        place
            A file and a row group of it; all when None.
        """
        leaves = [
            leaf
            for column in columns
            for leaf in range(self._leaves[column], self._leaves[column + 1])
        ]
        for index, path in (
            enumerate(self.paths) if place is None else [(place[0], self.paths[place[0]])]
        ):
            metadata = self.metadata[index]
            groups = [place[1]] if place is not None else list(range(metadata.num_row_groups))
            with pq.ParquetFile(
                path, metadata=metadata, read_dictionary=texts, buffer_size=BUFFER,
                page_checksum_verification=True, pre_buffer=False,
            ) as file:  # fmt: skip
                yield from file.reader.iter_batches(
                    rows, row_groups=groups, column_indices=leaves, use_threads=False
                )

    def sample(self, columns: list[int], rows: int = SAMPLE_ROWS) -> pa.Table:
        """Read rows of row groups that lie evenly over the files.

        Of many groups, where each begins; of few, from places that lie evenly in each.
        """
        rows = min(rows, max(1024, SAMPLE_CELLS // max(1, len(columns))))
        groups = [
            (index, group)
            for index, metadata in enumerate(self.metadata)
            for group in range(metadata.num_row_groups)
            if metadata.row_group(group).num_rows
        ]
        schema = pa.schema([self.schema.field(column) for column in columns])
        if not groups:
            return schema.empty_table()
        chosen = np.unique(np.linspace(0, len(groups) - 1, min(len(groups), PLACES)).astype(int))
        each = math.ceil(PLACES / len(chosen)) if len(chosen) < FEW else 1
        share = math.ceil(rows / len(chosen) / each)
        deepest = DEEP_CELLS // max(1, len(columns)) // len(chosen)
        batches: list[pa.RecordBatch] = []
        for at in chosen:
            index, group = groups[at]
            reach = min(self.metadata[index].row_group(group).num_rows, max(deepest, share * each))
            starts = np.linspace(0, max(0, reach - share), each).astype(int).tolist()
            whole = share * each >= reach
            batches += self._slices(
                columns, groups[at], [0] if whole else starts, reach if whole else share
            )
        return pa.Table.from_batches(batches)

    def _slices(
        self, columns: list[int], place: tuple[int, int], starts: list[int], rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Read so many rows of a group from each start on."""
        begin = 0
        for batch in self.blocks(columns, None, max(256, min(rows, BLOCK_ROWS)), place):
            end = begin + batch.num_rows
            for start in starts:
                first, last = max(start, begin), min(start + rows, end)
                if first < last:
                    yield batch.slice(first - begin, last - first)
            begin = end
            if begin >= starts[-1] + rows:
                return

    def footer(self, column: int) -> tuple[int | None, Any, Any]:
        """Return nulls, smallest and largest value as the footers say, None where they do not."""
        if self._leaves[column + 1] != self._leaves[column] + 1 or pa.types.is_nested(
            self.schema.field(column).type
        ):
            return None, None, None
        leaf = self._leaves[column]
        nulls, least, most = 0, None, None
        for metadata in self.metadata:
            for group in range(metadata.num_row_groups):
                statistics = metadata.row_group(group).column(leaf).statistics
                if statistics is None or not statistics.has_null_count:
                    return None, None, None
                nulls += statistics.null_count
                if statistics.has_min_max:
                    try:
                        low, high = statistics.min, statistics.max
                    except (ValueError, OverflowError):  # a time that Python cannot say
                        return nulls, None, None
                    least = low if least is None or low < least else least
                    most = high if most is None or high > most else most
                elif statistics.num_values:
                    return nulls, None, None
        return nulls, least, most

    @property
    def keys(self) -> list[str]:
        """The folders that are columns."""
        return list(self._parts(0)) if self.partitions else []

    def _parts(self, index: int) -> dict[str, str]:
        """Read the ``key=value`` folders of a file's path."""
        inner = Path(self.paths[index]).relative_to(self.partitions or "/").parent.parts
        return dict(part.split("=", 1) for part in inner if "=" in part)

    def folder_figures(self) -> list[dict[str, Any]]:
        """Count the rows of the folders that are columns too."""
        found = []
        for key in self.keys:
            counts: dict[str, int] = {}
            for index, metadata in enumerate(self.metadata):
                value = self._parts(index)[key]
                counts[value] = counts.get(value, 0) + metadata.num_rows
            ranked = sorted(counts.items(), key=lambda item: -item[1])
            kind: Kind = "text"
            found.append(
                {
                    "name": key,
                    "kind": kind,
                    "nulls": 0,
                    "distinct": len(counts),
                    "histogram": {
                        "counts": [count for _, count in ranked[:20]],
                        "labels": [value for value, _ in ranked[:20]],
                    },
                    "top": [{"value": value, "count": count} for value, count in ranked[:10]],
                }
            )
        return found
