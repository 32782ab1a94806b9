"""What a sort of 10 million rows costs: its first page, and later pages from the copy.

    python bench/data/bench_sort.py [--rows 10000000] [--json]

12 columns of as many kinds. For each one: ``Views.open`` with a sort by it, and its first page of
512 rows in hand (limit: 2 s). Then the copy of the last sort is waited for, and random pages of it
are read (limit: 100 ms). Nothing is kept from one sort to the next but what the system caches.

Beside it, on the same file: Polars, ``scan_parquet().sort(column).head(512).collect()``.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from perijove.adapters.workbench import Workbench
from perijove.contracts.table import RowsQuery, SortKey, ViewSpec
from perijove.core.context import ProjectContext

GROUP = 122_880
PAGE = 512


def make(path: Path, rows: int) -> None:
    """Write the file, some row groups at a time."""
    numbers = np.random.default_rng(2)
    words = pa.array([f"word {i}" for i in range(50_000)])
    few = pa.array(["a", "b", "c", None, "d"])
    writer = None
    for start in range(0, rows, GROUP * 8):
        n = min(GROUP * 8, rows - start)
        times = pa.array(1_700_000_000_000_000 + numbers.integers(0, 10**13, n))
        table = pa.table(
            {
                "id": np.arange(start, start + n),
                "at": times.cast(pa.timestamp("us", "UTC")),
                "day": pa.array(numbers.integers(0, 20_000, n, dtype=np.int32)).cast(pa.date32()),
                "double": numbers.random(n),
                "float": numbers.standard_normal(n).astype(np.float32),
                "with_nan": np.where(numbers.random(n) < 0.05, np.nan, numbers.random(n)),
                "int16": numbers.integers(0, 100, n, dtype=np.int16),
                "int64": numbers.integers(-(2**62), 2**62, n),
                "truth": numbers.random(n) < 0.3,
                "word": words.take(pa.array(numbers.integers(0, 50_000, n))),
                "unique_text": pa.array(numbers.integers(0, 10**12, n)).cast(pa.string()),
                "few": few.take(pa.array(numbers.integers(0, 5, n))),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=GROUP)
    if writer is not None:
        writer.close()


def measure(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root / "sorted.parquet", rows)
        (root / "perijove.toml").write_text("[project]\n")
        data = Workbench(ProjectContext.open(root)).data
        columns = data.registry.register("sorted.parquet", by="bench").facts.columns
        import polars

        scan = polars.scan_parquet(root / "sorted.parquet")
        data.views.page("sorted", RowsQuery())
        sorts = []
        for column in columns:
            spec = ViewSpec(sort=[SortKey(column=column.name, descending=True)])
            start = time.perf_counter()
            view = data.views.open("sorted", spec)
            data.views.page("sorted", RowsQuery(view=view.id, limit=PAGE))
            ours = time.perf_counter() - start
            if column is not columns[-1]:
                data.tasks.cancel(view.task)
            theirs = _seconds(
                lambda name=column.name: (
                    scan.sort(name, descending=True, nulls_last=True).head(PAGE).collect()
                )
            )
            sorts.append({"column": column.name, "ours_s": ours, "polars_s": theirs})
        start = time.perf_counter()
        ended = data.tasks.wait(view.task)
        copied = time.perf_counter() - start
        if ended.error is not None:
            raise SystemExit(ended.error.message)
        chosen = random.Random(1)
        offsets = [chosen.randrange(max(1, rows - PAGE)) for _ in range(100)]
        asked = [RowsQuery(view=view.id, offset=offset, limit=PAGE) for offset in offsets]
        pages = sorted(_seconds(lambda q=query: data.views.page("sorted", q)) for query in asked)
        copy = data.project.paths.cache / "views" / view.id / "rows.parquet"
        result = {
            "rows": rows,
            "file_mb": (root / "sorted.parquet").stat().st_size / 2**20,
            "first_pages": sorts,
            "copy_s": copied,
            "copy_mb": copy.stat().st_size / 2**20 if copy.exists() else 0.0,
            "later_page_median_ms": statistics.median(pages) * 1e3,
            "later_page_p95_ms": pages[int(0.95 * (len(pages) - 1))] * 1e3,
        }
        data.close()
        return result


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    result = measure(given.rows)
    if given.json:
        print(json.dumps(result))
        return
    print(f"{result['rows']:,} rows x 12, {result['file_mb']:,.0f} MB; first page of a sort by")
    for sort in result["first_pages"]:
        ratio = sort["polars_s"] / sort["ours_s"]
        print(f"  {sort['column']:<12} {sort['ours_s']:6.2f} s   limit 2   "
              f"Polars {sort['polars_s']:6.2f} s   {ratio:5.1f} x")  # fmt: skip
    print(f"copy of all rows  {result['copy_s']:.1f} s, {result['copy_mb']:,.0f} MB")
    print(f"later page        {result['later_page_median_ms']:.1f} ms, "
          f"p95 {result['later_page_p95_ms']:.1f}   limit 100")  # fmt: skip


if __name__ == "__main__":
    main()
