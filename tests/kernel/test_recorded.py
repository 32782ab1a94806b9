"""A recipe executed: what its cells see, what becomes of the run, what the job is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perijove.adapters.workbench import Workbench
from perijove.contracts.develop import Cell, Run
from perijove.core.recipes import Recipe, write_recipe
from tests.kernel.conftest import Notebook

PJ = "import perijove as pj"


class Recorded:
    """Executes recipes as a job does, each in a process and a folder of its own."""

    def __init__(self, bench: Workbench, folder: Path) -> None:
        self.bench = bench
        self.folder = folder
        self.log = ""

    def start(self, *sources: str, as_job: bool = True, **settings: Any) -> subprocess.Popen[str]:
        cells = [Cell(number, source) for number, source in enumerate(sources, 1)]
        settings = {"chosen": True, "notebook": "notebooks/train.ipynb", **settings}
        write_recipe(self.folder, Recipe("sent", cells, **settings))
        env = {k: v for k, v in os.environ.items() if not k.startswith("JPY_")}
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "perijove.kernel.recorded"]
            + ([] if as_job else [str(self.folder)]),
            cwd=self.bench.project.paths.root,
            env=env | ({"PERIJOVE_JOB": str(self.folder)} if as_job else {}),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def __call__(self, *sources: str, **settings: Any) -> int:
        process = self.start(*sources, **settings)
        self.log, _ = process.communicate(timeout=60)
        return process.returncode

    @property
    def run(self) -> Run:
        develop = self.bench.develop
        return develop.get_run(develop.list_runs().items[0].run_id)

    @property
    def metrics(self) -> dict[str, Any]:
        """What the code logged; not the machine's load."""
        found = self.run.summary.metrics
        return {key: value for key, value in found.items() if not key.startswith("system/")}

    def told(self, name: str) -> Any:
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
def recorded(notebook: Notebook, root: Path) -> Recorded:
    folder = root / ".perijove" / "jobs" / "0123456789ab"
    folder.mkdir(parents=True)
    (root / "notebooks").mkdir()
    return Recorded(notebook.bench, folder)


def test_the_cells_run_as_in_a_kernel_and_only_the_last_is_tracked(recorded: Recorded) -> None:
    code = recorded(
        f"%load_ext perijove\n{PJ}\nimport pandas as pd",
        "%%train --name before --background\npj.log(early=1)\npj.checkpoint(1)\nbase = 2",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "names = !echo one two\npd.DataFrame({'a': [7]})",
        "%%train --background --name not-this --gpus 3 --param rate=9\n"
        'assert pj.resume() is None\npj.log(loss=base * rate)\npj.progress(1.0)\nprint(names, "said")\n6 * 7',
        params={"rate": "0.5"},
    )  # fmt: skip
    assert code == 0, recorded.log
    run = recorded.run
    assert (run.summary.name, run.summary.state) == ("sent", "finished")
    assert recorded.metrics == {"loss": 1.0}
    assert run.summary.notebook == "notebooks/train.ipynb"
    assert [cell.number for cell in run.cells] == [1, 2, 3, 4, 5]
    assert recorded.bench.develop.list_runs().total == 1
    assert "['one two'] said" in recorded.log
    assert "Out[5]: 42" in recorded.log
    assert "   a\n0  7" in recorded.log
    assert recorded.told("result") == {"run": run.summary.run_id, "metrics": {"loss": 1.0}}
    assert recorded.told("progress")["progress"] == 1.0


def test_a_queued_run_becomes_this_process_s(recorded: Recorded) -> None:
    run_id = recorded.bench.develop.queue_run("sent", params={"rate": "1"})
    assert recorded(f"{PJ}\npj", "%%train\npj.log(a=1)", run_id=run_id) == 0
    assert recorded.run.summary.run_id == run_id
    assert recorded.run.summary.state == "finished"


def test_an_error_shows_the_user_s_own_frames(recorded: Recorded) -> None:
    code = recorded(PJ, "def half(x):\n    return x / 0", "%%train\npj.log(a=1)\nhalf(1)")
    assert code == 1
    assert recorded.run.summary.state == "failed"
    assert recorded.run.error == "ZeroDivisionError: division by zero"
    assert recorded.metrics == {"a": 1.0}
    assert "return x / 0" in recorded.log
    assert "recorded.py" not in recorded.log
    assert "training.py" not in recorded.log
    error = recorded.told("error")
    assert error["message"] == "ZeroDivisionError: division by zero."
    assert error["hint"] == "Cell 2, line 2: return x / 0"


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("x = (", "SyntaxError"),
        ("exit()", "SystemExit"),
        ("input()", "EOFError"),
        ('pj.dataset("none")', "NotFoundError"),
    ],
)
def test_a_cell_before_fails_the_run(recorded: Recorded, cell: str, error: str) -> None:
    assert recorded(PJ, cell, "%%train\npj.log(a=1)") == 1
    assert recorded.run.summary.state == "failed"
    assert recorded.run.error.startswith(error)
    assert recorded.told("error") is not None
    if cell == "input()":
        assert "nobody to ask" in recorded.told("error")["hint"]


def test_data_is_read_in_the_version_that_it_was_sent_with(
    recorded: Recorded, root: Path, notebook: Notebook
) -> None:
    notebook.ok('pj.dataset("builds").read()')
    lines = (root / "data" / "builds.csv").read_text().splitlines(keepends=True)
    (root / "data" / "second.csv").write_text("".join(lines[:101]))
    text = (root / "perijove.toml").read_text()
    (root / "perijove.toml").write_text(text.replace("data/builds.csv", "data/second.csv"))
    notebook.ok('assert len(pj.dataset("builds").read()) == 100')
    cells = (PJ, '%%train\npj.log(rows=len(pj.dataset("builds").read()))')
    assert recorded(*cells, pins={"builds": 1}) == 0, recorded.log
    assert recorded.metrics == {"rows": 600.0}
    assert recorded.run.inputs == ["data:builds@1"]
    assert recorded(*cells) == 0, recorded.log
    assert recorded.metrics == {"rows": 100.0}


def test_a_seed_makes_all_of_it_come_again(recorded: Recorded) -> None:
    cells = (
        f"{PJ}\nimport random\nfirst = random.random()",
        "%%train\nimport numpy as np\nimport random\nwords = set(map(str, range(50)))\n"
        "pj.log(a=first, b=np.random.rand(), c=random.random(), d=hash(tuple(words)) % 1e6)",
    )
    found = []
    for _ in range(2):
        assert recorded(*cells, seed=5, hash_seed="5") == 0, recorded.log
        found.append(recorded.metrics)
    assert found[0] == found[1]
    assert found[0].keys() == {"a", "b", "c", "d"}
    assert recorded.run.seed == 5


def test_the_folder_is_the_kernel_s(recorded: Recorded, root: Path) -> None:
    (root / "notebooks" / "beside.py").write_text("value = 3")
    code = recorded(
        f"{PJ}\nimport os, beside", "%%train\npj.log(a=beside.value)\nprint(os.getcwd())",
        folder="notebooks",
    )  # fmt: skip
    assert code == 0, recorded.log
    assert str(root / "notebooks") in recorded.log


def test_where_nobody_chose_cells_with_effects_are_left_out(recorded: Recorded) -> None:
    code = recorded(PJ, "%deploy nothing", "!touch made", "%%train\npj.log(a=1)", chosen=False)
    assert code == 0, recorded.log
    assert "cell 2 is left out: it deploys a model" in recorded.log
    assert not (recorded.bench.project.paths.root / "made").exists()


def test_a_rerun_within_another_job_deploys_nothing_and_tells_nothing(recorded: Recorded) -> None:
    code = recorded(PJ, '%%train\npj.deploy("models:/x@y", endpoint="e")', as_job=False)
    assert code == 1
    assert recorded.told("error") is None
    assert recorded.told("result") is None


LOOP = """%%train
import time
{work}
print("begun", flush=True)
for step in range(3000):
    pj.log(loss=step)
    time.sleep(0.01)
    {ask}
print("left by itself")
"""


@pytest.mark.parametrize("asks", [True, False])
def test_a_stop_is_asked_first_and_then_an_interrupt(recorded: Recorded, asks: bool) -> None:
    ask = "if pj.should_stop(): break" if asks else "pass"
    process = recorded.start(PJ, LOOP.format(work="", ask=ask))
    _until(process, "begun")
    process.send_signal(signal.SIGTERM)
    log, _ = process.communicate(timeout=30)
    assert process.returncode == 143
    assert ("left by itself\n" in log.partition("Traceback")[0]) is asks
    assert ("KeyboardInterrupt" in log) is not asks
    assert recorded.run.summary.state == "stopped"


def test_a_failure_while_it_stops_is_no_failure(recorded: Recorded) -> None:
    ask = 'if pj.should_stop(): raise RuntimeError("a worker was ended")'
    process = recorded.start(PJ, LOOP.format(work="", ask=ask))
    _until(process, "begun")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert recorded.run.summary.state == "stopped"
    assert recorded.run.error == ""


def test_a_forked_worker_is_ended_by_the_signal_itself(recorded: Recorded) -> None:
    work = (
        "import os, signal\n"
        "ready, tell = os.pipe()\n"
        "child = os.fork()\n"
        "if child == 0:\n    os.write(tell, b'.')\n    time.sleep(60)\n    os._exit(0)\n"
        "os.read(ready, 1)\n"
        "os.kill(child, signal.SIGTERM)\n"
        "print('child', os.waitpid(child, 0)[1])"
    )
    process = recorded.start(PJ, LOOP.format(work=work, ask="break"))
    log, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"child {int(signal.SIGTERM)}" in log
    assert recorded.run.summary.state == "finished"


@pytest.mark.parametrize("content", [None, "{"])
def test_a_folder_without_a_recipe_says_so(recorded: Recorded, content: str | None) -> None:
    if content is not None:
        (recorded.folder / "recipe.json").write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "perijove.kernel.recorded", str(recorded.folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Send the cell again from its notebook." in done.stderr


def _until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    deadline = time.monotonic() + 30
    for line in process.stdout:
        if word in line:
            return
        assert time.monotonic() < deadline
    raise AssertionError("it ended before")


def test_nothing_is_named(shown: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    from perijove.kernel.recorded import main

    monkeypatch.delenv("PERIJOVE_JOB", raising=False)
    assert main([]) == 2
    assert "FOLDER" in shown()
