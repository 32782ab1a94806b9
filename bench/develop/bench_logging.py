"""What a training loop pays to log 20 metrics a step.

    python bench/develop/bench_logging.py [--steps 2000] [--metrics 20] [--json]

The journal is set against its floor, one ``os.write`` of as many bytes to an open file, and against
MLflow's ``log_batch`` into the same kind of database, synchronous as it is by default. The three
take turns in one process, so that a noisy machine is noisy for all. Afterwards the journal is
ingested, and both databases are checked to hold every point. Compare ratios, not microseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric

from perijove.adapters.mlflow.database import own_uri
from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
from perijove.core.context import ProjectContext
from perijove.core.journal import JournalWriter
from perijove.develop.ingester import Ingester
from perijove.develop.ports import Batch

TURN = 50
"""Steps of one contender before the next has its turn."""
MLFLOW_SHARE = 10
"""MLflow takes one step where the others take so many: it would run for minutes."""


def measure(steps: int, metrics: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "perijove.toml").write_text("[project]\n")
        project = ProjectContext.open(root)
        store = SqliteRunStore(project)
        ingester = Ingester(project, store)
        ours, theirs = (
            store.create_run(name, started=1, batch=Batch()) for name in ("journal", "mlflow")
        )
        client = MlflowClient(tracking_uri=own_uri(project.paths))
        writer = JournalWriter(ingester.folder(ours) / "1-0.pj")
        names = [f"metric_{i}" for i in range(metrics)]
        handle = os.open(root / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        writer.append(["m", 1, 0, dict.fromkeys(names, 0.5)])
        frame = os.urandom(os.path.getsize(writer.path) - 8)
        mlflow_steps = 0

        def journal(step: int) -> None:
            writer.append(["m", step, step, dict.fromkeys(names, step / 7)])

        def mlflow(step: int) -> None:
            nonlocal mlflow_steps
            mlflow_steps += 1
            client.log_batch(theirs, [Metric(name, step / 7, step, step) for name in names])

        contenders: dict[str, tuple[Callable[[int], object], int]] = {
            "os.write (floor)": (lambda step: os.write(handle, frame), 1),
            "journal": (journal, 1),
            "mlflow log_batch": (mlflow, MLFLOW_SHARE),
        }
        times: dict[str, list[float]] = {name: [] for name in contenders}
        for first in range(1, steps + 1, TURN):
            for name, (log, share) in contenders.items():
                for step in range(first, min(first + TURN, steps + 1), share):
                    started = time.perf_counter_ns()
                    log(step)
                    times[name].append((time.perf_counter_ns() - started) / 1000)
        started = time.perf_counter()
        ingester.ingest(ours)
        ingestion = time.perf_counter() - started
        assert len(store.points(ours)) == (steps + 1) * metrics
        assert len(store.points(theirs)) == mlflow_steps * metrics
        writer.close()
        os.close(handle)
        store.close()
    rows = {name: _quantiles(found) for name, found in times.items()}
    base = rows["journal"]["p50"]
    return {
        "steps": steps,
        "metrics": metrics,
        "microseconds": rows,
        "p50_to_journal": {name: round(row["p50"] / base, 2) for name, row in rows.items()},
        "ingested_points_per_second": round(steps * metrics / ingestion),
    }


def _quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100)
    return {"p50": round(cuts[49], 2), "p99": round(cuts[98], 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--metrics", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.steps, options.metrics)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(f"{'':20} {'p50 us':>10} {'p99 us':>10} {'to journal':>11}")
    for name, row in found["microseconds"].items():
        ratio = found["p50_to_journal"][name]
        print(f"{name:20} {row['p50']:10.2f} {row['p99']:10.2f} {ratio:10.2f}x")
    print(f"ingestion: {found['ingested_points_per_second']:,} points a second")


if __name__ == "__main__":
    main()
