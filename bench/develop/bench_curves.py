"""Curves of 20 runs of 10,000 points at the server: the first look, and each second's new points.

    python bench/develop/bench_curves.py [--rows 10000] [--runs 20] [--mlflow 2]

First: one request for 700 points of each curve, as the page of runs makes it. New: what the event
stream reads for all runs together when each has logged ten more points. The floor is SQLite counting
the same points; MLflow's ``get_metric_history`` reads some of the runs whole on the same database, and
its time is put on all of them.

Limits: 100 ms the first look, 5 ms the new points.
"""

from __future__ import annotations

import argparse
import math
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
from mlflow import MlflowClient

from perijove.adapters.mlflow import database
from perijove.adapters.workbench import Workbench
from perijove.contracts.tracker import CurvesRequest
from perijove.core.context import ProjectContext
from perijove.core.journal import JournalWriter
from perijove.develop.ports import Batch, Point

FIRST_MS = 100.0
NEW_MS = 5.0
ROUNDS = 7
NEW = 10


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def measure(points: int, runs: int, by_mlflow: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "perijove.toml").write_text("[project]\n")
        bench = Workbench(ProjectContext.open(root))
        store = bench.store
        writers: dict[str, JournalWriter] = {}
        for number in range(runs):
            run_id = store.create_run(f"r{number}", started=1, batch=Batch())
            store.write(
                run_id,
                Batch([Point("loss", math.exp(-s / 3e3) + math.sin(s * 7.1 + number) / 9, s, s)
                       for s in range(points)]),
            )  # fmt: skip
            store.finish(run_id, "FINISHED", points)
            writers[run_id] = JournalWriter(bench.ingester.folder(run_id) / "1-0.pj")
        request = CurvesRequest(run_ids=list(writers), keys=["loss"])
        found = {
            "first look": timed(
                lambda: msgspec.json.encode(bench.develop.tracker.curves.read(request))
            )
        }
        lives = [bench.develop.live(run_id) for run_id in writers]
        began = time.perf_counter()
        assert sum(len(live.read()[0]) for live in lives) == runs
        found["stream's first look"] = (time.perf_counter() - began) * 1000
        times = []
        for second in range(ROUNDS):
            for writer in writers.values():
                for i in range(NEW):
                    step = points + second * NEW + i
                    writer.append(["m", step, step, {"loss": 0.1}])
            began = time.perf_counter()
            series = [live.read()[0] for live in lives]
            times.append((time.perf_counter() - began) * 1000)
            assert [sum(one.total for one in some) for some in series] == [NEW] * runs
            bench.ingester.ingest()
        found["new points"] = statistics.median(times)
        with closing(sqlite3.connect(bench.project.paths.mlflow_db)) as db:
            count = "SELECT count(*), min(value), max(value) FROM metrics WHERE run_uuid=? AND key='loss'"
            found["floor: SQLite counts"] = timed(
                lambda: [db.execute(count, (run_id,)).fetchall() for run_id in writers]
            )
        if by_mlflow:
            client = MlflowClient(tracking_uri=database.own_uri(bench.project.paths))
            some = list(writers)[:by_mlflow]
            took = timed(lambda: [client.get_metric_history(run_id, "loss") for run_id in some], 1)
            found["MLflow's history"] = took * runs / len(some)
        bench.close()
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000, help="points of a run")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--mlflow", type=int, default=2, help="runs that MLflow reads; 0 for none")
    options = parser.parse_args()
    found = measure(options.rows, options.runs, options.mlflow)
    base = found["floor: SQLite counts"]
    print(f"{'':24} {'ms':>10} {'to floor':>10}")
    for name, took in found.items():
        print(f"{name:24} {took:10.1f} {took / base:9.1f}x")
    for name, limit in (("first look", FIRST_MS), ("new points", NEW_MS)):
        print(f"{name}: limit {limit:.0f} ms {'kept' if found[name] <= limit else 'BROKEN'}")


if __name__ == "__main__":
    main()
