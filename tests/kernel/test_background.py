"""``%%train --background``: what is sent, what is refused, and that it outlives the kernel."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from perijove.adapters.workbench import Workbench, open_workbench
from perijove.contracts.background import TARGET
from perijove.contracts.jobs import Job
from perijove.core.errors import ConflictError, PerijoveError
from perijove.core.recipes import read_recipe
from perijove.kernel import background
from perijove.kernel.training import CARD
from tests.kernel.conftest import Notebook

SECONDS = 90.0


def ended(notebook: Notebook) -> Job:
    """Wait for the newest job."""
    jobs = notebook.bench.jobs
    return jobs.wait(jobs.list()[0].id, SECONDS)


def said(notebook: Notebook) -> str:
    text: str = notebook.outputs[-1]["data"]["text/plain"]
    return text


def refused(notebook: Notebook, source: str) -> str:
    """Run a cell that must be refused before anything is made."""
    result = notebook.run(source)
    assert isinstance(result.error_in_exec, UsageError), result.error_in_exec
    assert notebook.bench.develop.list_runs().total == 0
    assert notebook.bench.jobs.list() == []
    return str(result.error_in_exec)


def test_the_cells_that_ran_go_along(
    notebook: Notebook, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.ok('rows = pj.dataset("builds").read(split="train")')
    notebook.run("rows_of_nothing = 1 / 0")
    notebook.ok("%precision 4")
    notebook.ok("!touch made")
    (root / "made").unlink()
    notebook.ok(
        "%%train --background --name far --seed 7 --param rate=0.5 --param api_key=s3cr3tvalue\n"
        "pj.log(loss=rate, rows=len(rows))\nhere = 1"
    )
    assert "here" not in notebook.shell.user_ns
    first = notebook.outputs[0]
    run_id = first["data"][CARD]["run_id"]
    assert first["transient"] == {"display_id": run_id}
    assert "cells that went along: 1, 2, 4" in said(notebook)
    assert "left out: cell 3, it failed" in said(notebook)
    assert "left out: cell 5, its shell line may write outside: touch made" in said(notebook)

    job = ended(notebook)
    run = notebook.bench.develop.get_run(run_id)
    assert (job.state, job.kind, job.title, job.notebook) == (
        "finished", "train", "far", "notebooks/train.ipynb",
    )  # fmt: skip
    assert job.result == {"run": run_id, "metrics": {"loss": 0.5, "rows": 420.0}}
    assert (run.summary.state, run.summary.name, run.seed) == ("finished", "far", 7)
    assert run.summary.params.pop("api_key") != "s3cr3tvalue"
    assert run.summary.params == {"rate": "0.5"}
    assert run.masked == ["params.api_key"]
    assert run.summary.job == job.id
    assert run.inputs == ["data:builds@1", "split:builds@1"]
    assert [cell.number for cell in run.cells] == [1, 2, 4, 6]
    assert [one.kind for one in run.disorder] == ["failed"]
    assert not (root / "made").exists()

    folder = root / ".perijove" / "jobs" / job.id
    recipe = read_recipe(folder)
    assert recipe.pins == {"builds": 1}
    assert [cell.number for cell in recipe.left_out] == [3, 5]
    compile((folder / "script.py").read_text(), "script.py", "exec")
    params = (folder / "params.json").read_text()
    assert json.loads(params)["params"]["rate"] == "0.5"
    files = [file for file in (root / ".perijove").rglob("*") if file.is_file()]
    assert [file for file in files if b"s3cr3tvalue" in file.read_bytes()] == []
    assert recipe.withheld == ["api_key"]
    with pytest.raises(ConflictError, match="was not kept: it looked like a secret"):
        notebook.bench.develop.reruns.prove(run_id)

    with pytest.raises(PerijoveError, match="PERIJOVE_PARAM_api_key"):
        notebook.bench.jobs.retry(job.id, by="ada")
    monkeypatch.setenv("PERIJOVE_PARAM_api_key", "'s3cr3tvalue'")
    again = notebook.bench.jobs.retry(job.id, by="ada")
    again = notebook.bench.jobs.wait(again.id, SECONDS)
    other = notebook.bench.develop.get_run(again.result["run"])
    assert other.summary.run_id != run_id
    assert (other.summary.name, other.seed, other.summary.job) == ("far", 7, again.id)
    assert other.summary.params["rate"] == "0.5"
    assert "s3cr3tvalue" not in other.summary.params["api_key"]
    assert other.disorder == run.disorder
    assert "pandas==" in (folder / "lock.txt").read_text()


def test_names_that_would_be_missing_stop_it(notebook: Notebook) -> None:
    notebook.ok("!touch made\nlow = 3")
    notebook.shell.user_ns["ghost"] = 1
    text = refused(notebook, "%%train --background\npj.log(a=low + ghost)")
    assert "low: cell 2 defines it, which stays behind: its shell line may write" in text
    assert "ghost: this kernel has it, and no cell that ran defines it" in text
    assert "--cells" in text

    notebook.ok("%%train --background --cells 1-2 --force\npj.log(a=low)\nghosts = 0")
    assert ended(notebook).result["metrics"] == {"a": 3.0}
    notebook.ok("%%train --background --force\npj.log(a=low)")
    assert "missing: low" in said(notebook)
    job = ended(notebook)
    assert job.state == "failed"
    assert job.error is not None
    assert job.error.message == "NameError: name 'low' is not defined."
    assert job.error.hint == "Cell 5, line 2: pj.log(a=low)"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--cells 1,77", "No executed cell has the number 77"),
        ("--executor moon", "moon"),
        ("--gpus 99", "GPU"),
        ("--cpus 4096", "CPU"),
    ],
)
def test_what_there_is_not_is_said(notebook: Notebook, line: str, words: str) -> None:
    result = notebook.run(f"%%train --background {line}\npj.log(a=1)")
    assert isinstance(result.error_in_exec, UsageError)
    assert words in str(result.error_in_exec)
    assert all(run.state == "failed" for run in notebook.bench.develop.list_runs().items)


def test_a_tag_in_the_notebook_keeps_a_cell_behind(notebook: Notebook, root: Path) -> None:
    path = root / "notebooks" / "train.ipynb"
    path.parent.mkdir()
    cells = [
        {"cell_type": "markdown", "id": "m", "source": "# text"},
        {"cell_type": "code", "id": "t", "metadata": {"tags": ["perijove-skip"]}, "source": "x"},
    ]
    path.write_text(json.dumps({"cells": cells}))
    notebook.shell.run_cell("x = 1", store_history=True, cell_id="t")
    reply = background.answer({"id": 1, "op": "review", "source": "%%train\npj.log(a=1)"})
    assert reply.review is not None
    reasons = [(cell.wanted, cell.reason) for cell in reply.review.cells]
    assert reasons == [(True, ""), (False, "it is marked to be skipped")]
    assert "local" in reply.review.executors


def test_the_dialog_s_questions_are_answered(notebook: Notebook) -> None:
    notebook.ok("scale = 2")
    notebook.ok("%lifecycle")
    ask: dict[str, Any] = {"id": 4, "op": "review", "source": "pj.log(a=scale, b=ghost)"}
    reply = background.answer(ask)
    assert reply.review is not None
    assert [cell.wanted for cell in reply.review.cells] == [True, True, False]
    assert reply.problems == ["ghost: nothing defines it, here neither"]

    reply = background.answer({**ask, "op": "submit", "numbers": [1, 2]})
    assert reply.error is not None
    assert reply.error.code == "names_missing"
    reply = background.answer(
        {**ask, "op": "submit", "numbers": [1, 2], "source": "pj.log(a=scale)", "name": "asked"}
    )
    assert reply.error is None
    assert reply.job is not None
    job = notebook.bench.jobs.wait(reply.job.id, SECONDS)
    assert job.result == {"run": reply.run_id, "metrics": {"a": 2.0}}
    assert job.title == "asked"

    for wrong in ({"id": 1}, {"id": 1, "op": "review"}, {"id": 1, "op": "submit", "source": "x = ("},
                  {"id": 1, "op": "submit", "source": "%%train --wings\n1"}):  # fmt: skip
        assert background.answer(wrong).error is not None


Kernel = tuple[KernelManager, BlockingKernelClient]


@pytest.fixture
def kernel(root: Path) -> Iterator[Kernel]:
    env = {**os.environ, "JPY_SESSION_NAME": str(root / "train.ipynb")}
    manager, client = start_new_kernel(cwd=str(root), env=env)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def bench(root: Path) -> Iterator[Workbench]:
    opened = open_workbench(root)
    yield opened
    opened.close()


def run(client: BlockingKernelClient, *cells: str) -> str:
    """Run cells; return what they wrote."""
    texts: list[str] = []

    def hook(message: Any) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            texts.append(content["text"])
        elif "data" in content:
            texts.append(content["data"].get("text/plain", ""))
        elif message["msg_type"] == "error":
            texts.append("\n".join(content["traceback"]))

    for cell in cells:
        client.execute_interactive(cell, timeout=SECONDS, output_hook=hook)
    return "\n".join(texts)


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def points(bench: Workbench, run_id: str) -> int:
    return sum(one.total for one in bench.develop.series(run_id).series if one.key == "loss")


def test_a_torch_model_trains_on_while_the_kernel_is_restarted(
    kernel: Kernel, bench: Workbench, root: Path
) -> None:
    pytest.importorskip("torch")
    manager, client = kernel
    text = run(
        client,
        "%load_ext perijove\nimport perijove as pj\nimport torch",
        'rows = pj.dataset("builds").read(split="train")\n'
        'X = torch.tensor(rows[["load", "noise"]].values, dtype=torch.float32)\n'
        'y = torch.tensor(rows["failed"].values, dtype=torch.float32)',
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.layer = torch.nn.Linear(2, 1)\n"
        "    def forward(self, x):\n"
        "        return self.layer(x).squeeze(1)",
        "from pathlib import Path\n"
        "net, go = Net(), Path('go')\n"
        "optimizer = torch.optim.Adam(net.parameters(), lr=0.05)",
        "%%train --background --name torch-far --seed 3\n"
        "import time\n"
        "for epoch in range(40):\n"
        "    loss = torch.nn.functional.binary_cross_entropy_with_logits(net(X), y)\n"
        "    optimizer.zero_grad(); loss.backward(); optimizer.step()\n"
        "    pj.log(loss=loss.item())\n"
        "    pj.progress((epoch + 1) / 40)\n"
        "    if epoch % 10 == 9:\n"
        '        pj.checkpoint({"net": net.state_dict(), "optimizer": optimizer.state_dict(),\n'
        '                       "epoch": epoch})\n'
        "    while epoch == 20 and not go.exists():\n"
        "        time.sleep(0.02)",
    )
    assert "torch-far queued" in text or "torch-far running" in text, text
    job_id = bench.jobs.list()[0].id
    run_id = bench.develop.list_runs().items[0].run_id
    until(lambda: points(bench, run_id) == 21, "half of it is trained")
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=SECONDS)
    assert bench.jobs.get(job_id).state == "running"
    (root / "go").touch()
    job = bench.jobs.wait(job_id, SECONDS)
    assert job.state == "finished", bench.jobs.log(job_id).text
    assert job.resumable is False
    found = bench.develop.get_run(job.result["run"])
    assert found.summary.state == "finished"
    assert found.summary.notebook == "train.ipynb"
    losses = next(s for s in bench.develop.series(run_id).series if s.key == "loss")
    assert losses.total == 40
    assert float(losses.values[-1]) < float(losses.values[0])
    assert "torch" in found.environment


def test_the_dialog_is_answered_over_its_comm(kernel: Kernel) -> None:
    _, client = kernel
    run(client, "%load_ext perijove\nimport perijove as pj", "scale = 3")
    comm = "b" * 32
    for kind, content in (
        ("comm_open", {"target_name": TARGET, "data": {}}),
        ("comm_msg", {"data": {"id": 9, "op": "review", "source": "%%train\npj.log(a=scale)"}}),
    ):
        client.shell_channel.send(client.session.msg(kind, {"comm_id": comm, **content}))
    while True:
        message = client.get_iopub_msg(timeout=SECONDS)
        if message["msg_type"] == "comm_msg":
            break
    reply = message["content"]["data"]
    assert reply["id"] == 9
    assert [cell["wanted"] for cell in reply["review"]["cells"]] == [True, True]
    assert reply["problems"] == []
