"""What do the figures of every column cost?

    .venv/bin/python bench/data/bench_profile.py [--rows 10000000]

A Parquet file of 12 columns (floats with and without nulls, skewed, whole numbers small and large,
texts of few and of many values, a time, a truth value). Limits: a sample's profile 0.5 s, asked of
a worker that is up; the full one at least twice as fast as DuckDB's SUMMARIZE, which tells less
(no histograms, no top values, no correlations, no time axis), in at most 400 MB. ydata-profiling is
timed on 100,000 rows where it is installed. The floor is to decode every value once. The seconds of
processors compare on a machine that others use too.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HEAD = "import json, re, sys, time\n"
TAIL = (
    "\nprint(json.dumps([time.perf_counter() - started, time.process_time() - spent, int(re.search("
    "r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024]))"
)
PROGRAMS = {
    "decode every value (floor)": """
import pyarrow.parquet as pq
started, spent = time.perf_counter(), time.process_time()
for batch in pq.ParquetFile(sys.argv[1], pre_buffer=False).iter_batches(131072):
    pass
""",
    "Perijove, all rows": """
from perijove.adapters.duckdb.worker.database import Database
from perijove.adapters.duckdb.worker.profile import full
started, spent = time.perf_counter(), time.process_time()
full(Database([]), lambda share: None, files=[sys.argv[1]])
""",
    "DuckDB SUMMARIZE": """
import duckdb
db = duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
started, spent = time.perf_counter(), time.process_time()
db.execute("SUMMARIZE SELECT * FROM read_parquet(?)", [sys.argv[1]]).fetchall()
""",
}
YDATA = """
import pandas as pd
from ydata_profiling import ProfileReport
frame = pd.read_parquet(sys.argv[1]).head(100_000)
started, spent = time.perf_counter(), time.process_time()
ProfileReport(frame, progress_bar=False).to_json()
"""


def write(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"city {i}" for i in range(50)])
    columns = {
        f"normal{i}": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.03)
        for i in range(3)
    }
    columns |= {
        "skewed": rng.lognormal(3, 2, rows),
        "id": np.arange(rows) + 2**60,
        "small": rng.integers(0, 100, rows),
        "large": rng.integers(0, 10**12, rows),
        "city": pa.DictionaryArray.from_arrays(rng.integers(0, 50, rows), words).cast(pa.string()),
        "word": pa.array(np.char.add("w", rng.integers(0, 300_000, rows).astype(str))),
        "code": pa.array(np.char.mod("%08x", rng.integers(0, 2**31, rows))),
        "at": pa.array(1_700_000_000_000 + np.arange(rows) * 7).cast(pa.timestamp("ms")),
        "ok": rng.random(rows) < 0.7,
    }
    pq.write_table(pa.table(columns), path, row_group_size=122_880, compression="zstd")


def run(program: str, path: Path) -> tuple[float, float, float]:
    """Return seconds, those of processors, and the peak of the memory in MB, of a new process."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD + program + TAIL, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, processor, megabytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, processor, megabytes


def sample(path: Path) -> float:
    """Time the sample's profile as the server asks for it: the worker is up, nothing is kept."""
    from perijove.adapters.duckdb.profiler import DuckDbProfiler
    from perijove.adapters.duckdb.workers import Workers
    from perijove.data.ports import Table

    workers = Workers(path.parent)
    profiler = DuckDbProfiler(workers)
    table = Table((path,), "", 0)
    profiler.footer(table)
    profiler.sample(table, "")
    times = []
    for _ in range(3):
        started = time.perf_counter()
        profiler.sample(table, "")
        times.append(time.perf_counter() - started)
    workers.close()
    return sorted(times)[1]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.parquet")
        write(path, given.rows)
        print(f"{given.rows:,} rows x 12, {path.stat().st_size / 2**20:.0f} MB of Parquet")
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in PROGRAMS}
        for _ in range(given.rounds):  # in turn: the machine is shared
            for name, program in PROGRAMS.items():
                found[name].append(run(program, path))
        middle = {name: [sorted(one)[len(one) // 2] for one in zip(*times, strict=True)]
                  for name, times in found.items()}  # fmt: skip
        wall, processor, _ = middle["DuckDB SUMMARIZE"]
        for name, (seconds, spent, _) in middle.items():
            print(
                f"{name:<34} {seconds:7.2f} s {wall / seconds:6.2f} x SUMMARIZE's speed   "
                f"{spent:6.2f} s of processors {processor / spent:6.2f} x   "
                f"{max(m for _, _, m in found[name]):5.0f} MB   best {min(found[name])[0]:.2f} s"
            )
        print(f"{'Perijove, a sample':<34} {sample(path):7.2f} s")
        if importlib.util.find_spec("ydata_profiling"):
            print(f"{'ydata-profiling, 100,000 rows':<34} {run(YDATA, path)[0]:7.2f} s")


if __name__ == "__main__":
    main()
