"""Is a loop of 10 ms steps slower when it is tracked?

    python bench/develop/bench_loop.py [--rows 300] [--pairs 5] [--metrics 20]

The same cell runs in IPython's shell bare and under ``%%train``, in turn, several times. A step
computes for about 10 ms and then logs 20 metrics, or calls a function that does nothing. System
metrics are on, as they are by default. Both the wall time and the CPU time of the process, sampler
and all, are compared; on a busy machine believe the CPU time.

Limit: 1 % slower, median of five pairs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

STEP_MS = 10.0
LIMIT = 0.01
CELL = """\
began, used = time.perf_counter(), time.process_time()
for step in range(STEPS):
    total = 0
    for i in range(WORK):
        total += i * i
    log({name: step / 7 for name in NAMES}, step=step)
took = time.perf_counter() - began, time.process_time() - used
"""


def calibrate() -> int:
    """Return how many turns of the inner loop take 10 ms."""
    turns, best = 100_000, float("inf")
    for _ in range(15):
        began, total = time.perf_counter(), 0
        for i in range(turns):
            total += i * i
        best = min(best, time.perf_counter() - began)
    return int(turns * STEP_MS / 1000 / best)


def measure(steps: int, pairs: int, metrics: int) -> list[tuple[float, float]]:
    """Return for each pair by how much the tracked loop was slower: in wall time, in CPU time."""
    shell = InteractiveShell.instance()
    shell.run_cell("%load_ext perijove\nimport perijove as pj, time").raise_error()
    shell.user_ns |= {
        "STEPS": steps, "WORK": calibrate(), "NAMES": [f"metric_{i}" for i in range(metrics)],
    }  # fmt: skip
    found = []

    def run(head: str, log: str) -> tuple[float, float]:
        shell.run_cell(f"{head}log = {log}\n{CELL}", store_history=True).raise_error()
        took: tuple[float, float] = shell.user_ns["took"]
        return took

    ways = (("", "lambda metrics, step: None"), ("%%train --name tracked\n", "pj.log"))
    for way in ways:
        run(*way)  # warm
    for pair in range(pairs):
        times = {way: run(*way) for way in (ways if pair % 2 else reversed(ways))}
        bare, tracked = (times[way] for way in ways)
        found.append((tracked[0] / bare[0] - 1, tracked[1] / bare[1] - 1))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=300, help="steps")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--metrics", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "perijove.toml").write_text("[project]\n")
        os.chdir(folder)
        found = measure(options.rows, options.pairs, options.metrics)
        os.chdir("/")
    for index, name in enumerate(("wall time", "CPU time")):
        values = [pair[index] for pair in found]
        middle = statistics.median(values)
        print(f"{name:10} {middle:+8.2%} median of {len(values)} pairs "
              f"({', '.join(f'{value:+.2%}' for value in values)}) "
              f"{'kept' if middle <= LIMIT else 'BROKEN'}")  # fmt: skip


if __name__ == "__main__":
    main()
