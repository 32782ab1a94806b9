"""What a training loop pays to log 20 metrics a step, beside the other trackers.

    python -m venv /tmp/peers
    /tmp/peers/bin/pip install mlflow==3.17.2 trackio==0.43 wandb tensorboard
    python bench/develop/bench_log.py [--rows 2000] [--metrics 20] [--peers /tmp/peers/bin/python]

Each contender is a process of its own, with a store of its own on the same disk, and takes so many
steps when it is its turn, so that a busy machine is busy for all. What is measured is the call alone,
as a loop makes it. The floor is one ``os.write`` of as many bytes. MLflow's synchronous ways are
slow: they take one step where the others take ten. At the end every point of ``pj.log`` is counted
in the store. A peer that is not installed is left out, by name. W&B runs offline, trackio and
TensorBoard write to local files.

Limits: p50 20 microseconds, p99 1 millisecond for ``pj.log``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TURN = 50
SLOW = 10
LIMITS = (20.0, 1000.0)
Log = Callable[[dict[str, float], int], object]


def floor(folder: Path) -> Log:
    handle = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    frame = os.urandom(400)
    return lambda metrics, step: os.write(handle, frame)


def _project(folder: Path) -> Any:
    from perijove.core.context import ProjectContext

    (folder / "perijove.toml").write_text("[project]\n")
    return ProjectContext.open(folder)


def perijove(folder: Path) -> Log:
    from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
    from perijove.develop.ports import Batch
    from perijove.kernel import tracking

    project = _project(folder)
    run_id = SqliteRunStore(project).create_run("r", started=1, batch=Batch())
    (folder / "run").write_text(run_id)
    tracking.activate(tracking.ActiveRun(project.paths, run_id))
    return lambda metrics, step: tracking.log(metrics, step=step)


def plugin(folder: Path) -> Log:
    from perijove.adapters.mlflow.plugin import plugin_uri

    return _mlflow(plugin_uri(_project(folder).paths), synchronous=True)


def mlflow_sync(folder: Path) -> Log:
    return _mlflow(f"sqlite:///{folder}/mlflow.db", synchronous=True)


def mlflow_async(folder: Path) -> Log:
    return _mlflow(f"sqlite:///{folder}/mlflow.db", synchronous=False)


def _mlflow(uri: str, *, synchronous: bool) -> Log:
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.start_run()
    return lambda metrics, step: mlflow.log_metrics(metrics, step=step, synchronous=synchronous)


def trackio(folder: Path) -> Log:
    os.environ["TRACKIO_DIR"] = str(folder)
    import trackio as tool

    tool.init(project="bench", embed=False)
    return lambda metrics, step: tool.log(metrics, step=step)


def wandb(folder: Path) -> Log:
    os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(folder)}
    import wandb as tool

    run = tool.init(project="bench", dir=str(folder))
    return lambda metrics, step: run.log(metrics, step=step)


def tensorboard(folder: Path) -> Log:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))

    def log(metrics: dict[str, float], step: int) -> None:
        for key, value in metrics.items():
            summary = Summary(value=[Summary.Value(tag=key, simple_value=value)])
            writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))

    return log


OURS = {"os.write (floor)": floor, "pj.log": perijove, "mlflow.log_metrics, plug-in": plugin}
PEERS = {
    "MLflow": mlflow_sync,
    "MLflow asynchronous": mlflow_async,
    "trackio": trackio,
    "W&B offline": wandb,
    "TensorBoard": tensorboard,
}
SLOWER = ("MLflow",)


def work(name: str, folder: Path, count: int) -> None:
    """Take turns as the other end of the pipe says: a first step and a last one a line."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    try:
        log = {**OURS, **PEERS}[name](folder)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), file=answers, flush=True)
        return
    print(json.dumps({"ready": True}), file=answers, flush=True)
    names = [f"metric_{i}" for i in range(count)]
    for line in sys.stdin:
        first, last, stride = map(int, line.split())
        times = []
        for step in range(first, last, stride):
            metrics = dict.fromkeys(names, step / 7)
            started = time.perf_counter_ns()
            log(metrics, step)
            times.append((time.perf_counter_ns() - started) / 1000)
        print(json.dumps(times), file=answers, flush=True)


class Contender:
    def __init__(self, name: str, python: str, folder: Path, count: int) -> None:
        self.name = name
        self.folder = folder
        folder.mkdir()
        self.process = subprocess.Popen(
            [python, __file__, "--work", name, str(folder), str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.times: list[float] = []
        answer = self._answer()
        self.missing = str(answer.get("missing", "")) if isinstance(answer, dict) else ""

    def turn(self, first: int, last: int) -> None:
        assert self.process.stdin is not None
        stride = SLOW if self.name in SLOWER else 1
        print(first, last, stride, file=self.process.stdin, flush=True)
        self.times += self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"missing": "it ended at its start"}

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def measure(steps: int, count: int, peers: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as root:
        wanted = [(name, sys.executable) for name in OURS]
        wanted += [(name, peers) for name in PEERS if Path(peers).exists()]
        found = [
            Contender(name, python, Path(root, str(i)), count)
            for i, (name, python) in enumerate(wanted)
        ]
        try:
            able = [one for one in found if not one.missing]
            for first in range(0, steps, TURN):
                for one in able:
                    one.turn(first, min(first + TURN, steps))
            kept = _count(next(one.folder for one in able if one.name == "pj.log"))
        finally:
            for one in found:
                one.close()
    missing = {one.name: one.missing for one in found if one.missing}
    missing |= {name: f"there is no {peers}" for name in PEERS if not Path(peers).exists()}
    return {
        "rows": {one.name: _quantiles(one.times) for one in able},
        "missing": missing,
        "lost": steps * count - kept,
    }


def _count(folder: Path) -> int:
    from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
    from perijove.core.context import ProjectContext
    from perijove.develop.ingester import Ingester

    project = ProjectContext.open(folder)
    store, run_id = SqliteRunStore(project), (folder / "run").read_text()
    Ingester(project, store).ingest(run_id)
    return len(store.points(run_id))


def _quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values[min(20, len(values) // 4) :], n=100)
    return {"p50": round(cuts[49], 2), "p99": round(cuts[98], 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2000, help="steps")
    parser.add_argument("--metrics", type=int, default=20)
    parser.add_argument("--peers", default="/tmp/peers/bin/python")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.rows, options.metrics, options.peers)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    base = found["rows"]["pj.log"]
    print(f"{'':28} {'p50 us':>10} {'p99 us':>12} {'p50 to pj.log':>14}")
    for name, row in found["rows"].items():
        print(f"{name:28} {row['p50']:10.1f} {row['p99']:12.1f} {row['p50'] / base['p50']:13.1f}x")
    for name, why in found["missing"].items():
        print(f"{name:28} not here: {why}")
    within = base["p50"] <= LIMITS[0] and base["p99"] <= LIMITS[1]
    print(f"limits {LIMITS[0]:.0f} / {LIMITS[1]:,.0f} us: {'kept' if within else 'BROKEN'}; "
          f"points lost: {found['lost']}")  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
