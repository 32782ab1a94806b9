"""From a cell that is sent to the background to its first line, and what a checkpoint costs.

    python bench/develop/bench_background.py [--rounds 10] [--json]

The cell imports no framework. Its floor is a process that does nothing but start IPython's shell
and run a cell in it; both take turns. ``cpu`` is what the job's process has computed until then,
which a busy machine does not change. Then a checkpoint of 10 MB is kept, beside a bare pickle of the
same into a file that is synced. Limit: 0.5 s.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from perijove.kernel import tracking
from perijove.kernel.checkpoints import checkpoint
from perijove.kernel.session import Session, using
from perijove.kernel.tracking import ActiveRun

LIMIT = 0.5
FIRST_LINE = 'import time\nprint("first", time.time(), time.process_time(), flush=True)\n'
FLOOR = (
    "from IPython.core.interactiveshell import InteractiveShell\n"
    f"InteractiveShell.instance().run_cell({FIRST_LINE!r})\n"
)
MEGABYTES = 10


def first(text: str) -> tuple[float, float]:
    found = re.search(r"first ([\d.]+) ([\d.]+)", text)
    assert found is not None, text
    return float(found[1]), float(found[2])


def floor() -> tuple[float, float]:
    began = time.time()
    done = subprocess.run([sys.executable, "-c", FLOOR], capture_output=True, check=True, text=True)
    at, cpu = first(done.stdout)
    return at - began, cpu


def sent(shell: InteractiveShell, session: Session) -> tuple[float, float]:
    began = time.time()
    cell = f"%%train --background\n{FIRST_LINE}pj.log(loss=scale)"
    shell.run_cell(cell, store_history=True).raise_error()
    board = session.workbench.jobs
    job = board.wait(board.list()[0].id, 120)
    assert job.state == "finished", job
    at, cpu = first(board.log(job.id).text)
    return at - began, cpu


def kept(session: Session) -> tuple[float, float]:
    """Return the milliseconds of a checkpoint, and of a bare pickle."""
    state = {"weights": np.random.default_rng(0).random(MEGABYTES * 131_072)}
    run = ActiveRun(session.paths, "bench")
    tracking.activate(run)
    began = time.perf_counter()
    checkpoint(state)
    ours = time.perf_counter() - began
    tracking.activate(None)
    began = time.perf_counter()
    with (session.paths.state / "bare.pkl").open("wb") as file:
        pickle.dump(state, file, protocol=pickle.HIGHEST_PROTOCOL)
        file.flush()
        os.fsync(file.fileno())
    return ours * 1000, (time.perf_counter() - began) * 1000


def measure(rounds: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        root.mkdir()
        (root / "perijove.toml").write_text('[project]\nname = "bench"\n')
        os.environ["PERIJOVE_QUEUE"] = str(Path(folder, "queue"))
        os.environ["JUPYTER_DATA_DIR"] = str(Path(folder, "data"))
        os.chdir(root)
        config = Config()
        config.HistoryManager.hist_file = ":memory:"
        shell = InteractiveShell.instance(config=config)
        names = ("floor", "floor, cpu", "sent", "sent, cpu", "checkpoint", "pickle")
        figures: dict[str, list[float]] = {name: [] for name in names}
        with using(Session(shell)) as session:
            shell.run_cell("%load_ext perijove\nimport perijove as pj", store_history=True)
            shell.run_cell("scale = 2", store_history=True)
            sent(shell, session)  # warm
            for _ in range(rounds):
                for name, pair in (("floor", floor()), ("sent", sent(shell, session))):
                    figures[name].append(pair[0])
                    figures[f"{name}, cpu"].append(pair[1])
                ours, bare = kept(session)
                figures["checkpoint"].append(ours)
                figures["pickle"].append(bare)
        os.chdir("/")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.rounds)
    if options.json:
        print(json.dumps(figures))
        return
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(f"{'':32} {'median':>8} {'best':>8} {'x floor':>8}  limit")
    for name, base, limit in (
        ("floor", "floor", ""), ("sent", "floor", f"{LIMIT} s"),
        ("floor, cpu", "floor, cpu", ""), ("sent, cpu", "floor, cpu", ""),
        ("pickle", "pickle", ""), ("checkpoint", "pickle", ""),
    ):  # fmt: skip
        unit = "ms" if base == "pickle" else "s"
        print(
            f"{name + ', ' + unit:32} {middle[name]:8.3f} {min(figures[name]):8.3f} "
            f"{middle[name] / middle[base]:8.1f}  {limit}"
        )


if __name__ == "__main__":
    main()
