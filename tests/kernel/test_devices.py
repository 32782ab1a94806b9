"""GPUs of a cell, seeds and bits, and memory that runs out. GPUs are simulated: there is none."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable

import numpy as np
import pytest
from IPython.core.error import UsageError

from perijove.adapters import nvml
from perijove.adapters.jobs.leases import Lease, Pool, Wish
from perijove.contracts.operate import Gpu
from perijove.core.errors import ConflictError, ExhaustedError, InvalidInputError
from perijove.kernel import devices
from perijove.kernel.environment import deterministic, prepare
from perijove.kernel.imports import waits, when_imported, withdraw
from tests.kernel.conftest import Notebook

GIB = 2**30


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate three GPUs with 10, 70 and 40 GiB free."""
    found = [
        Gpu(index, "simulated", 0.0, (80 - free) * GIB, 80 * GIB)
        for index, free in enumerate((10, 70, 40))
    ]
    monkeypatch.setattr(nvml, "sample_gpus", lambda: found)
    monkeypatch.setattr(
        nvml, "gpu_processes", lambda index=None: [(os.getpid(), 8 * GIB), (1, GIB)]
    )
    for name in (devices.VISIBLE, devices.ORDER):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("gpus")
def test_simulated_gpus_with_the_most_free_memory_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with devices.held(2) as found:
        assert found == [1, 2]
        assert os.environ[devices.VISIBLE] == "1,2"
        assert os.environ[devices.ORDER] == "PCI_BUS_ID"
    assert devices.VISIBLE not in os.environ
    with devices.held(0):
        assert os.environ[devices.VISIBLE] == ""
    with devices.held(None):
        assert devices.VISIBLE not in os.environ
    monkeypatch.setenv(devices.VISIBLE, "0,2")  # what the machine's owner left to this process
    with devices.held(1) as found:
        assert found == [2]
    with pytest.raises(InvalidInputError, match="--gpus 3: there are 2"), devices.held(3):
        pass


@pytest.mark.usefixtures("gpus")
def test_simulated_gpus_are_shared_with_jobs() -> None:
    def lease(count: int) -> Lease:
        return Lease(
            os.environ["PERIJOVE_QUEUE"], "0a0b0c0d", "", Wish(gpus=count), Pool(2, (0, 1, 2)),
            lambda _folder: None,
        )  # fmt: skip

    job = lease(2)
    assert job.claim()
    assert job.devices == (0, 1)
    with devices.held(1) as found:
        assert found == [2]
        waiting = lease(1)
        assert not waiting.claim()
        waiting.leave()
    with pytest.raises(ConflictError, match="Jobs hold the GPUs"), devices.held(2):
        pass
    job.leave()
    with devices.held(3) as found:
        assert sorted(found) == [0, 1, 2]


def test_a_line_that_asks_for_too_many_makes_no_run(notebook: Notebook) -> None:
    result = notebook.run("%%train --gpus 4096\npj.log(a=1)")
    assert isinstance(result.error_in_exec, UsageError)
    assert notebook.bench.develop.list_runs().total == 0


# Seeds and bits


def test_a_seed_reaches_what_is_imported_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sched", raising=False)
    seen: list[str] = []
    when_imported("sched", "first", lambda module: seen.append(module.__name__))
    when_imported("sched", "first", lambda module: seen.append(f"{module.__name__} once"))
    when_imported("sched", "second", lambda module: seen.append("and this"))
    assert seen == []
    import sched

    assert seen == ["sched once", "and this"]
    assert type(sched.__loader__).__name__ == "SourceFileLoader"
    when_imported("sched", "third", lambda module: seen.append("at once"))
    assert seen[-1] == "at once"


def test_seeds_of_all_generators() -> None:
    torch = pytest.importorskip("torch")

    def draw() -> tuple[float, float, float]:
        prepare(11)
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    assert draw() == draw()
    prepare(2**40 + 3)  # NumPy takes 32 bits


def test_deterministic_algorithms_end_with_the_cell() -> None:
    torch = pytest.importorskip("torch")
    assert not torch.are_deterministic_algorithms_enabled()
    with deterministic(wanted=True):
        assert torch.are_deterministic_algorithms_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert not torch.are_deterministic_algorithms_enabled()
    with deterministic(wanted=False):
        assert not torch.are_deterministic_algorithms_enabled()


def test_a_wish_for_determinism_ends_with_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with deterministic(wanted=True):
        assert waits("torch", "deterministic")
    assert not waits("torch", "deterministic")  # a later cell may import torch
    prepare(None, deterministic=True)
    with deterministic(wanted=True):
        pass
    assert waits("torch", "deterministic")  # whoever else wished it still does
    withdraw("torch", "deterministic")


def test_the_order_of_sets_is_spoken_of(
    notebook: Notebook, shown: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    notebook.ok("%%train --deterministic --seed 1\npj.log(a=1)")
    assert "PYTHONHASHSEED" in shown()


# Out of memory

WORK = """%%train
import weakref, numpy as np
class Held:
    pass
def work():
    global seen
    held = Held()
    seen = weakref.ref(held)
    return {call}
pj.log(a=1)
work()
"""


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        ("np.empty(10**14)", "TiB"),
        ("__import__('torch').empty(10**14)", "GiB"),
    ],
)
def test_memory_that_runs_out_is_explained_and_freed(
    notebook: Notebook, shown: Callable[[], str], call: str, asked: str
) -> None:
    if "torch" in call:
        pytest.importorskip("torch")
    result = notebook.run(WORK.format(call=call))
    error = result.error_in_exec
    assert isinstance(error, ExhaustedError)
    assert notebook["seen"]() is None  # what the function held
    assert f"line 9, return {call}" in error.message
    assert asked in error.message.splitlines()[0]
    assert "are free; this process holds" in error.message
    assert "smaller types" in error.hint
    text = shown()
    assert "the machine has no memory left" in text
    assert "training.py" not in text
    assert "run_cell_magic" not in text
    run = notebook.last_run()
    assert run.summary.state == "failed"
    assert run.error.startswith("ExhaustedError: line 9")


def test_an_error_of_a_cell_before_is_let_go_too(notebook: Notebook) -> None:
    notebook.run(
        "import weakref\nclass Held: pass\ndef hold():\n    held = Held()\n"
        "    global old\n    old = weakref.ref(held)\n    1 / 0\nhold()"
    )
    assert notebook["old"]() is not None
    notebook.run("%%train\nraise MemoryError('made by hand')")
    assert notebook["old"]() is None


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    "error",
    [
        type("OutOfMemoryError", (RuntimeError,), {})(
            "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 80 GiB"
        ),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_full_simulated_gpu_is_explained(error: RuntimeError) -> None:
    found = devices.exhausted(error)
    assert found is not None
    assert "GPU 1: 70.0 GiB of 80.0 GiB are free" in found.message
    assert f"process {os.getpid()} (this one) holds 8.0 GiB" in found.message
    assert "process 1 (" in found.message
    assert ("for 20.00 GiB" in found.message) is ("Tried" in str(error))
    assert "autocast" in found.hint


@pytest.mark.parametrize(
    "error", [ValueError("CUDA out of memory"), RuntimeError("shapes differ"), OSError(2, "none")]
)
def test_other_errors_are_left_alone(error: Exception) -> None:
    assert devices.exhausted(error) is None


def test_what_a_cell_catches_itself_is_its_own(notebook: Notebook) -> None:
    notebook.ok(
        "%%train\nimport numpy as np\ntry:\n    np.empty(10**14)\nexcept MemoryError:\n    pj.log(a=1)"
    )
    assert notebook.last_run().summary.state == "finished"
