"""Kill -9 of a kernel, a server and four writers at seeded moments: is a point lost?

    python bench/develop/bench_kills.py [--rows 50] [--seed 7]

A round is a project in which a notebook's cell trains under ``%%train``, four more processes log into
runs of their own and into one that they share, and a server's look (the code that its event stream
runs) moves all of it into the store. Each point is written down as acknowledged, in a file that
outlives its process, when ``pj.log`` has returned. At seeded moments all six are killed, each at its
own. Then the project is opened anew: every acknowledged point must be in MLflow's table, the database
whole, and the run of the killed kernel lost.

The processes are forked from this one, which has imported everything, so that the time goes into what
is looked at. Limits: 0 points lost, every database whole.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import random
import signal
import sqlite3
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
from perijove.adapters.workbench import Workbench
from perijove.core.context import ProjectContext
from perijove.develop.ports import Batch
from perijove.kernel import tracking
from perijove.server.watch import ProjectWatch

WRITERS = 4
METRICS = 3
LONGEST = 1.5
"""Seconds from the first point to the last kill."""
BEFORE_THE_FORKS = (
    "IPython.core.interactiveshell", "perijove.develop.service", "perijove.kernel.api",
    "perijove.kernel.extension", "psutil",
)  # fmt: skip
_ACK = struct.Struct("<16sq")

CELL = """%%train --name killed
step = 0
while True:
    pj.log({f"kernel/{i}": step / 7 for i in range(METRICS)}, step=step)
    acknowledge(step)
    step += 1
    time.sleep(0.005)
"""


class Acknowledged:
    """The last step of each writer whose ``pj.log`` has returned; the file outlives them all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, writer: str, step: int) -> None:
        os.write(self._handle, _ACK.pack(writer.encode(), step))

    def read(self) -> dict[str, int]:
        found: dict[str, int] = {}
        content = self.path.read_bytes()
        for start in range(0, len(content) - _ACK.size + 1, _ACK.size):
            name, step = _ACK.unpack_from(content, start)
            found[name.rstrip(b"\0").decode()] = step
        return found


def kernel(root: Path, acknowledged: Acknowledged) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    os.chdir(root)
    shell = InteractiveShell.instance()
    shell.run_cell("%load_ext perijove\nimport perijove as pj, time")
    shell.user_ns["METRICS"] = METRICS
    shell.user_ns["acknowledge"] = lambda step: acknowledged.write("kernel", step)
    shell.run_cell(CELL, store_history=True)


def writer(root: Path, number: int, own: str, shared: str, acknowledged: Acknowledged) -> None:
    paths = ProjectContext.open(root).paths
    runs = [tracking.ActiveRun(paths, run_id) for run_id in (own, shared)]
    step = 0
    while True:
        for kind, run in zip(("own", "shared"), runs, strict=True):
            name = f"{kind}{number}"
            tracking.activate(run)
            tracking.log({f"{name}/{i}": step / 7 for i in range(METRICS)}, step=step)
            acknowledged.write(name, step)
        step += 1
        time.sleep(0.005)


def server(root: Path) -> None:
    watch = ProjectWatch(Workbench(ProjectContext.open(root)))
    while True:
        watch.look()
        time.sleep(0.05)


def forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        try:
            work()
        finally:
            os._exit(1)
    return child


@contextlib.contextmanager
def everybody(root: Path, acknowledged: Acknowledged) -> Iterator[tuple[list[int], dict[str, str]]]:
    store = SqliteRunStore(ProjectContext.open(root))
    runs = [store.create_run(f"r{i}", started=1, batch=Batch()) for i in range(WRITERS + 1)]
    store.close()
    children = [
        forked(lambda: kernel(root, acknowledged)),
        forked(lambda: server(root)),
        *(
            forked(lambda n=n: writer(root, n, runs[n], runs[-1], acknowledged))  # type: ignore[misc]
            for n in range(WRITERS)
        ),
    ]
    names = {f"own{n}": runs[n] for n in range(WRITERS)}
    names |= {f"shared{n}": runs[-1] for n in range(WRITERS)}
    try:
        yield children, names
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def one_round(seed: int) -> tuple[int, int, list[str]]:
    """Return the acknowledged points, those lost, and what else is wrong."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        root.mkdir()
        (root / "perijove.toml").write_text("[project]\n")
        acknowledged = Acknowledged(Path(folder, "acknowledged"))
        with everybody(root, acknowledged) as (children, names):
            end = time.monotonic() + 60
            while len(acknowledged.read()) < 2 * WRITERS + 1 and time.monotonic() < end:
                time.sleep(0.02)
            order = sorted((chance.uniform(0, LONGEST), child) for child in children)
            began = time.monotonic()
            for moment, child in order:
                time.sleep(max(0.0, began + moment - time.monotonic()))
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        return _verdict(root, acknowledged.read(), names)


def _verdict(
    root: Path, steps: dict[str, int], names: dict[str, str]
) -> tuple[int, int, list[str]]:
    bench = Workbench(ProjectContext.open(root))
    faults = []
    runs = {run.name: run for run in bench.develop.list_runs(limit=100).items}
    if "killed" not in runs:
        return 0, 0, ["the kernel's run is not there"]
    if runs["killed"].state != "lost":
        faults.append(f"the kernel's run is {runs['killed'].state}")
    names = {**names, "kernel": runs["killed"].run_id}
    points = lost = 0
    for name, last in steps.items():
        bench.ingester.ingest(names[name])
        for i in range(METRICS):
            there = {p.step: p.value for p in bench.store.points(names[name], f"{name}/{i}")}
            points += last + 1
            lost += sum(there.get(step) != step / 7 for step in range(last + 1))
    with contextlib.closing(sqlite3.connect(bench.project.paths.mlflow_db)) as db:
        for pragma in ("integrity_check", "foreign_key_check"):
            answer = db.execute(f"PRAGMA {pragma}").fetchall()
            if answer not in ([], [("ok",)]):
                faults.append(f"{pragma}: {answer[:3]}")
    bench.store.close()
    bench.close()
    return points, lost, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=50, help="rounds")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    for name in BEFORE_THE_FORKS:
        importlib.import_module(name)
    os.environ.setdefault("JUPYTER_DATA_DIR", tempfile.mkdtemp())
    points = lost = 0
    wrong: list[str] = []
    for number in range(options.rows):
        seed = options.seed * 1000 + number
        some, missing, faults = one_round(seed)
        points, lost = points + some, lost + missing
        wrong += [f"seed {seed}: {fault}" for fault in faults]
        print(f"\r{number + 1} rounds, {points:,} points, {lost} lost", end="", flush=True)
    print()
    print("\n".join(wrong) if wrong else "every database is whole, every killed run is lost")
    print(f"limits 0 lost, 0 damaged: {'BROKEN' if lost or wrong else 'kept'}")
    sys.exit(bool(lost or wrong))


if __name__ == "__main__":
    main()
