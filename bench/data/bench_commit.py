"""What a commit costs beside bare deltalake: 10 million rows of 12 columns, the same table.

    python bench/data/bench_commit.py [--rows 10000000] [--rounds 3] [--json]

Ours is ``Curation.commit``: Parquet with page checksums and a sha256, an order-insensitive
fingerprint of the rows as they are in the files, a Delta transaction, and the ledger's entry. The
peer is ``deltalake.write_deltalake``, which does none of these but the transaction. Both run after
one another in each round, in new folders; the medians are compared (limit: 1.2 x).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import deltalake
import pyarrow.parquet as pq
from bench_sort import make

from perijove.adapters.workbench import Workbench
from perijove.core.context import ProjectContext


def measure(rows: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root / "rows.parquet", rows)
        table = pq.read_table(root / "rows.parquet")
        (root / "perijove.toml").write_text("[project]\n")
        data = Workbench(ProjectContext.open(root)).data
        # The data worker starts with the first question; a notebook has asked one long before.
        data.curation.commit("warm", table.slice(0, 10), inputs=[], by="bench")
        ours, theirs = [], []
        for number in range(rounds):
            start = time.perf_counter()
            deltalake.write_deltalake(str(root / "bare"), table, mode="overwrite")
            theirs.append(time.perf_counter() - start)
            bare = sum(file.stat().st_size for file in (root / "bare").glob("*.parquet"))
            shutil.rmtree(root / "bare")
            start = time.perf_counter()
            node = data.curation.commit(f"ours{number}", table, inputs=[], by="bench")
            ours.append(time.perf_counter() - start)
            shutil.rmtree(data.project.paths.lake / f"ours{number}")
        data.close()
        return {
            "rows": rows,
            "ours_s": ours,
            "deltalake_s": theirs,
            "ratio": statistics.median(ours) / statistics.median(theirs),
            "ours_mb": node.facts["bytes"] / 2**20,
            "deltalake_mb": bare / 2**20,
        }


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    result = measure(options.rows, options.rounds)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{result['rows']:,} rows, {options.rounds} rounds, seconds")
    for label, key, size in (
        ("Perijove", "ours_s", "ours_mb"),
        ("deltalake", "deltalake_s", "deltalake_mb"),
    ):
        times = ", ".join(f"{seconds:.2f}" for seconds in result[key])
        print(
            f"{label:>10}  {statistics.median(result[key]):6.2f}  ({times})  {result[size]:,.0f} MiB"
        )
    print(f"{'ratio':>10}  {result['ratio']:6.2f}  (limit 1.2)")


if __name__ == "__main__":
    main()
