"""Processes that a training cell starts log to its run; the examples run, here on the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kernel.conftest import Notebook

EXAMPLES = Path(__file__).parents[2] / "examples"
CHILD = """%%train --name parent
import subprocess, sys
program = "import perijove as pj; pj.log(child=1); print(pj.should_stop(), pj.resume())"
said = subprocess.run([sys.executable, "-c", program], cwd="/", capture_output=True, text=True)
pj.log(parent=1)
"""
TORCHRUN = """%%train --name {name}
import subprocess, sys
torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
subprocess.run([*torchrun, "--nproc-per-node", "2", {path!r}], check=True)
"""


def test_a_process_of_the_cell_logs_to_its_run(notebook: Notebook) -> None:
    notebook.ok(CHILD)
    assert notebook["said"].stdout == "False None\n", notebook["said"].stderr
    run = notebook.last_run()
    assert run.summary.metrics.items() >= {("child", 1.0), ("parent", 1.0)}
    result = notebook.ok(
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import perijove as pj; pj.log(late=1)'],"
        " capture_output=True).returncode"
    )
    assert result == 1  # behind the cell there is no run


@pytest.mark.parametrize("name", ["ddp", "fsdp"])
def test_an_example_under_torchrun(
    notebook: Notebook, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook.ok(TORCHRUN.format(name=name, path=str(EXAMPLES / f"{name}.py")))
    _learned(notebook)


def test_mixed_precision(notebook: Notebook) -> None:
    pytest.importorskip("lightning")
    notebook.ok(f"%%train --name amp --seed 1\n%run {EXAMPLES / 'amp.py'}")
    _learned(notebook)


def _learned(notebook: Notebook) -> None:
    run = notebook.last_run()
    assert run.summary.state == "finished"
    found = notebook.bench.develop.series(run.summary.run_id).series
    loss = next(series for series in found if series.key == "loss")
    assert len(loss.values) >= 5
    assert float(loss.values[-1]) < float(loss.values[0])
    folder = notebook.session.paths.checkpoints / run.summary.run_id
    assert list(folder.glob("*.pt"))
