"""What a page of a large Parquet file costs at the server.

    python bench/data/bench_pages.py [--rows 100000000] [--group 122880] [--pages 200] [--json]

The file has 4 columns: a number, a time, a float and a word. ``--group 1048576`` makes the row
groups that other writers make. A page is 512 rows, asked for as the server's handler does it:
``Views.page`` of a registered dataset, Arrow bytes in hand. Limits: 100 ms for the first page with
the worker up, 50 ms for a random one, 250 MB for the worker.

Beside it, on the same file and the same rows: Polars (``scan_parquet().slice().collect()``) and
pandas, which can only read all of it (on at most 10 million rows, for the sake of the memory).
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
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from perijove.adapters.duckdb.engine import DuckDbEngine
from perijove.adapters.duckdb.workers import Workers
from perijove.adapters.sources.local import LocalFile
from perijove.contracts.table import RowsQuery
from perijove.core.context import ProjectContext
from perijove.data.registry import Registry
from perijove.data.sources import SourceCatalog
from perijove.data.tasks import Tasks
from perijove.data.views import Views

PAGE = 512
PANDAS_ROWS = 10_000_000


def make(path: Path, rows: int, group: int) -> None:
    """Write the file, a row group at a time."""
    random_numbers = np.random.default_rng(1)
    words = pa.array([f"label-{i:04d}" for i in range(1000)])
    moment = pa.timestamp("us", "UTC")
    schema = pa.schema(
        [("id", pa.int64()), ("at", moment), ("value", pa.float64()), ("label", pa.string())]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, group):
            numbers = np.arange(start, min(rows, start + group))
            picked = random_numbers.integers(0, 1000, len(numbers), dtype=np.int32)
            times = pa.array(1_700_000_000_000_000 + numbers * 1000).cast(moment)
            values = random_numbers.random(len(numbers))
            columns = [pa.array(numbers), times, pa.array(values), words.take(pa.array(picked))]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=group)


def measure(rows: int, group: int, pages: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root / "big.parquet", rows, group)
        (root / "perijove.toml").write_text("[project]\n")
        project = ProjectContext.open(root)
        workers = Workers(project.paths.root)
        engine = DuckDbEngine(workers)
        catalog = SourceCatalog(project, lambda: [LocalFile(project.paths)])
        registry = Registry(project, engine, _NoLake(), catalog)
        views = Views(project, registry, Tasks(), engine)
        registry.register("big.parquet", by="bench")

        def page(offset: int) -> int:
            return len(views.page("big", RowsQuery(offset=offset, limit=PAGE)))

        workers.close()
        start_and_page = _seconds(lambda: page(0))
        workers.close()
        pq.write_table(pa.table({"a": [1]}), root / "warm.parquet")
        registry.register("warm.parquet", by="bench")
        views.page("warm", RowsQuery())
        first = _seconds(lambda: page(0))
        chosen = random.Random(1)
        offsets = [chosen.randrange(max(1, rows - PAGE)) for _ in range(pages)]
        ours = [_seconds(lambda o=offset: page(o)) for offset in offsets]
        scroll = [_seconds(lambda o=at * PAGE: page(o)) for at in range(min(pages, rows // PAGE))]
        process = workers.process("pages")
        memory = psutil.Process(process).memory_info().rss / 2**20 if process else 0.0
        engine.close()
        result = {
            "rows": rows,
            "row_group": group,
            "file_mb": (root / "big.parquet").stat().st_size / 2**20,
            "start_and_first_page_ms": start_and_page * 1e3,
            "first_page_ms": first * 1e3,
            "random_page": _spread(ours),
            "next_page": _spread(scroll),
            "worker_mb": memory,
        }
        import polars

        scan = polars.scan_parquet(root / "big.parquet")
        scan.slice(0, PAGE).collect()
        theirs = [
            _seconds(lambda o=offset: scan.slice(o, PAGE).collect()) for offset in offsets[:20]
        ]
        result["polars_random_page"] = _spread(theirs)
        import pandas

        filters = [("id", "<", PANDAS_ROWS)]
        result["pandas_rows"] = min(rows, PANDAS_ROWS)
        result["pandas_read_ms"] = 1e3 * _seconds(
            lambda: pandas.read_parquet(root / "big.parquet", filters=filters)
        )
        return result


class _NoLake:
    """Nothing is curated here."""

    def commit(self, folder: Path, table: Any) -> Any:
        raise NotImplementedError

    def files(self, folder: Path, version: int) -> list[Path]:
        raise NotImplementedError


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "median_ms": statistics.median(ordered) * 1e3,
        "p95_ms": ordered[int(0.95 * (len(ordered) - 1))] * 1e3,
        "worst_ms": ordered[-1] * 1e3,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--group", type=int, default=122_880)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    result = measure(given.rows, given.group, given.pages)
    if given.json:
        print(json.dumps(result))
        return
    ours, theirs = result["random_page"], result["polars_random_page"]
    print(f"{result['rows']:,} rows x 4, groups of {result['row_group']:,}, "
          f"{result['file_mb']:,.0f} MB")  # fmt: skip
    print(f"start of a worker and first page  {result['start_and_first_page_ms']:9.1f} ms")
    print(f"first page, worker up             {result['first_page_ms']:9.1f} ms   limit 100")
    for label, spread in (
        ("random page", ours), ("next page", result["next_page"]), ("Polars slice", theirs)
    ):  # fmt: skip
        print(f"{label:<33} {spread['median_ms']:9.1f} ms   p95 {spread['p95_ms']:.1f}, "
              f"worst {spread['worst_ms']:.1f}")  # fmt: skip
    print(f"worker                            {result['worker_mb']:9.0f} MB   limit 250")
    print(f"pandas, {result['pandas_rows']:,} rows read    {result['pandas_read_ms']:9.0f} ms")
    print(f"Polars / ours, median             {theirs['median_ms'] / ours['median_ms']:9.1f} x")


if __name__ == "__main__":
    main()
