"""From a job's submission to its first line, and from its stop to the end of its last process.

    python bench/develop/bench_submit.py [--rounds 10] [--ray] [--json]

The program is a Python that imports nothing. Locally its floor is the same program started by
``subprocess`` and nothing else; with leases it waits in the queue too, of which it is the first.
With ``--ray`` a Ray head is started here, and the floor is a job of bare Ray Jobs, submitted over
the same REST call: what the two differ by is ours. All contenders take turns. Then a job is stopped
of which three processes ignore SIGTERM, one of them in a session of its own, and the time beyond
the grace is what counts; and a supervisor is killed. Limits: 0.5 s locally, 3 s on a warm Ray, 2 s
beyond the grace, 10 s until it is known to be lost.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perijove.adapters.jobs import supervisor
from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.ray.cluster import Cluster
from perijove.adapters.ray.executor import GRACE as RAY_GRACE
from perijove.contracts.jobs import JobResources
from perijove.core.context import ProjectContext
from perijove.core.files import ProcessId
from perijove.core.jobs import JobSpec
from perijove.testing.executor import FAMILY
from perijove.testing.job_runner import read_log
from perijove.testing.ray_head import ray_head

FIRST_LINE = "import time; print(time.time(), flush=True)"
LIMITS = {"local": 0.5, "local, with leases": 0.5, "ray": 3.0}


class Bench:
    """One project, and a clock that is the machine's, so that other processes have it too."""

    def __init__(self, root: Path) -> None:
        (root / "perijove.toml").touch()
        self.board = JobBoard(ProjectContext.open(root))

    def spec(self, code: str, executor: str, **more: Any) -> JobSpec:
        argv = [sys.executable, "-c", code]
        return JobSpec("train", "A job", "", argv, "bench", executor=executor, **more)

    def submitted(self, executor: str, **more: Any) -> float:
        began = time.time()
        job = self.board.submit(self.spec(FIRST_LINE, executor, **more))
        done = self.board.wait(job.id, 120)
        assert done.state == "finished", done
        return float(self.board.log(job.id).text) - began

    def stopped(self, executor: str, grace: float) -> float:
        """Return the seconds beyond the grace, and see that nobody is left."""
        job = self.board.submit(self.spec(FAMILY, executor))
        family = [
            ProcessId.of(int(pid)) for pid in read_log(self.board, job.id, "up", 120).split()[:3]
        ]
        began = time.monotonic()
        assert self.board.stop(job.id, by="bench").state == "stopped"
        took = time.monotonic() - began - grace
        assert not [process for process in family if process is not None and process.alive()]
        return took

    def lost(self, executor: str) -> float:
        job = self.board.submit(self.spec(FAMILY, executor))
        read_log(self.board, job.id, "up", 120)
        state = json.loads((self.board.folder / job.id / supervisor.STATE_FILE).read_text())
        began = time.monotonic()
        os.kill(state["supervisor"]["pid"], signal.SIGKILL)
        assert self.board.wait(job.id, 60).state == "lost"
        return time.monotonic() - began


def bare_process() -> float:
    began = time.time()
    done = subprocess.run(
        [sys.executable, "-c", FIRST_LINE], capture_output=True, check=True, text=True
    )
    return float(done.stdout) - began


def bare_ray(cluster: Cluster, folder: Path) -> float:
    """Have Ray run the program, and nothing of ours."""
    out = folder / "bare.txt"
    out.unlink(missing_ok=True)
    name = f"bare-{time.time_ns()}"
    began = time.time()
    cluster.submit(
        {
            "entrypoint": f"{sys.executable} -c '{FIRST_LINE}' > {out}",
            "submission_id": name, "runtime_env": {}, "metadata": {},
        }
    )  # fmt: skip
    while True:
        found = cluster.details(name)
        if found is not None and found.status not in ("PENDING", "RUNNING"):
            return float(out.read_text()) - began
        time.sleep(0.05)


def measure(rounds: int, *, ray: bool) -> dict[str, list[float]]:
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["PERIJOVE_QUEUE"] = str(root / "queue")
        bench = Bench(root)
        turns: dict[str, Callable[[], float]] = {
            "floor: a process": bare_process,
            "local": lambda: bench.submitted("local"),
            "local, with leases": lambda: bench.submitted("local", resources=JobResources(cpus=1)),
        }
        if ray:
            head = stack.enter_context(ray_head())
            os.environ |= {"RAY_ADDRESS": head.address, "RAY_AUTH_TOKEN_PATH": str(head.token)}
            cluster = Cluster(head.address)
            bare_ray(cluster, root)  # warm
            turns["floor: bare Ray Jobs"] = lambda: bare_ray(cluster, root)
            turns["ray"] = lambda: bench.submitted("ray")
        figures: dict[str, list[float]] = {name: [] for name in turns}
        for _ in range(rounds):
            for name, turn in turns.items():
                figures[name].append(turn())
        places = [("local", supervisor.GRACE), *([("ray", RAY_GRACE)] if ray else [])]
        for executor, grace in places:
            figures[f"stop beyond the grace, {executor}"] = [bench.stopped(executor, grace)]
            figures[f"lost, {executor}"] = [bench.lost(executor)]
        return figures


def show(figures: dict[str, list[float]]) -> None:
    floors = {
        "local": "floor: a process", "local, with leases": "floor: a process",
        "ray": "floor: bare Ray Jobs",
    }  # fmt: skip
    print(f"{'seconds':34} {'median':>8} {'worst':>8} {'x floor':>8} {'over it':>8}  limit")
    for name, values in figures.items():
        middle = statistics.median(values)
        line = f"{name:34} {middle:8.3f} {max(values):8.3f}"
        if floor := floors.get(name):
            base = statistics.median(figures[floor])
            line += f" {middle / base:8.1f} {middle - base:8.3f}  {LIMITS[name]}"
        elif name.startswith("stop"):
            line += f" {'':8} {'':8}  2"
        elif name.startswith("lost"):
            line += f" {'':8} {'':8}  10"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.rounds, ray=options.ray)
    if options.json:
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
