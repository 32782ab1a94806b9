"""Reruns for real: a fresh environment, the recorded cells in a process of its own, a certificate."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.contracts.develop import Cell, CertificateFacts
from perijove.core.errors import ConflictError, NotFoundError
from perijove.develop.ports import Batch, Point
from perijove.develop.reruns import CELLS, LOCK, close, compare, points_digest
from tests.kernel.conftest import Notebook

TRAIN = """\
%%train --name sums --seed 7
import numpy as np
train = pj.dataset("builds").read(split="train")
for step in range(5):
    pj.log(loss=float(np.random.normal()), mean=train["load"].mean() + step)
pj.log({"wild/β": float("nan")})
"""


@pytest.fixture
def run(notebook: Notebook) -> str:
    notebook.ok('pj.split("builds")')
    notebook.ok("offset = 3")
    notebook.ok(TRAIN)
    found: str = notebook.last_run().summary.run_id
    return found


def prove(notebook: Notebook, run: str) -> CertificateFacts:
    return notebook.bench.develop.reruns.prove(run, by="ada")


def test_a_run_is_proved_bit_for_bit_and_its_page_says_so(notebook: Notebook, run: str) -> None:
    found = prove(notebook, run)
    assert found.reasons == []
    assert found.ok
    assert found.bitwise, found.differences
    assert {one.metric: one.points for one in found.metrics} == {
        "loss": 5, "mean": 5, "wild/β": 1,
    }  # fmt: skip
    assert found.inputs == ["data:builds@1"]
    develop = notebook.bench.develop
    assert develop.get_run(run).summary.proved is True
    assert develop.get_run(run).certificates == [found]
    again = develop.get_run(found.rerun)
    assert again.summary.name == "sums rerun"
    assert [cell.source for cell in again.cells] == [c.source for c in develop.get_run(run).cells]
    chain = notebook.bench.project.chain
    (node,) = chain.versions("certificate", run)
    assert {n.ref for n in chain.sources(node.ref)} == {f"run:{run}@1", f"run:{found.rerun}@1"}


def test_code_that_is_not_repeatable_is_not_proved(notebook: Notebook) -> None:
    notebook.ok("%%train --name noise\nimport os\npj.log(loss=os.urandom(1)[0], steady=1.0)")
    found = prove(notebook, notebook.last_run().summary.run_id)
    rows = {one.metric: one for one in found.metrics}
    if rows["loss"].same:  # one time in 256
        return
    assert not found.ok
    assert found.reasons == ["Not the same: loss."]
    assert rows["steady"].same
    assert (rows["loss"].differing, rows["loss"].first_step) == (1, 0)
    assert notebook.last_run().summary.name == "noise rerun"


def edit_cells(notebook: Notebook, run: str, root: Path) -> str:
    file = notebook.bench.develop.store.artifact_folder(run) / CELLS
    cells = msgspec.json.decode(file.read_bytes(), type=list[Cell])
    changed = [*cells[:-1], Cell(number=9, source=cells[-1].source.replace("range(5)", "range(6)"))]
    file.write_bytes(msgspec.json.encode(changed))
    return "cells"


def edit_lock(notebook: Notebook, run: str, root: Path) -> str:
    file = notebook.bench.develop.store.artifact_folder(run) / LOCK
    file.write_text(file.read_text().replace("numpy==", "numpy==1"))
    return "lock"


def edit_numbers(notebook: Notebook, run: str, root: Path) -> str:
    started = notebook.bench.develop.get_run(run).summary.started
    point = Point("loss", -1.0, started, 9)
    notebook.bench.develop.store.write(run, Batch(points=[point]))
    return "numbers"


def edit_data(notebook: Notebook, run: str, root: Path) -> str:
    file = root / "data" / "builds.csv"
    text = bytearray(file.read_bytes())
    text[-3] ^= 1
    file.write_bytes(text)
    return "data:builds@1 are changed"


def remove_recipe(notebook: Notebook, run: str, root: Path) -> str:
    (notebook.bench.develop.store.artifact_folder(run) / "perijove" / "recipe.json").unlink()
    return "recipe.json"


@pytest.mark.parametrize("tamper", [edit_cells, edit_lock, edit_numbers, edit_data, remove_recipe])
def test_what_was_tampered_with_fails_and_is_named(
    notebook: Notebook, run: str, root: Path, tamper: Callable[[Notebook, str, Path], str]
) -> None:
    word = tamper(notebook, run, root)
    found = prove(notebook, run)
    assert not found.ok
    assert any(word in reason for reason in found.reasons), found.reasons
    assert found.rerun == ""  # nothing was run
    assert notebook.bench.develop.get_run(run).summary.proved is False


def test_a_package_that_cannot_be_had_is_a_reason(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments = notebook.bench.develop.reruns._environments
    lock = environments.lock()
    monkeypatch.setattr(environments, "lock", lambda: lock + "numpy-that-is-not==1.0\n")
    notebook.ok("%%train --name odd\npj.log(loss=1.0)")
    found = prove(notebook, notebook.last_run().summary.run_id)
    assert not found.ok
    assert "numpy-that-is-not" in found.reasons[0]


def test_what_cannot_be_run_again_says_why(notebook: Notebook, root: Path) -> None:
    reruns = notebook.bench.develop.reruns
    with pytest.raises(NotFoundError):
        reruns.find("nothing")
    notebook.run("%%train --name broken\npj.log(loss=1.0)\n1 / 0")
    broken = notebook.last_run()
    assert broken.obstacle == "It did not finish."
    with pytest.raises(ConflictError, match="did not finish"):
        reruns.rerun(broken.summary.run_id, 1e-6, by="ada")
    subprocess.run(["cp", "data/builds.csv", "data/other.csv"], cwd=root, check=True)
    notebook.ok(
        "%%train --name stray\nimport pandas as pd\npj.log(a=pd.read_csv('data/other.csv')['load'][0])"
    )
    assert "other.csv" in notebook.last_run().obstacle


def test_the_command_line_proves_a_run_and_its_exit_code_says_so(
    notebook: Notebook, run: str, root: Path
) -> None:
    command = [sys.executable, "-m", "perijove", "rerun", run[:12], "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    edit_numbers(notebook, run, root)
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 1


# How numbers are compared


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
POINTS = st.lists(
    st.builds(Point, st.sampled_from(["a", "b/c"]), NUMBERS, st.integers(0, 9), st.integers(0, 5)),
    max_size=20,
    unique_by=lambda p: (p.key, p.step, p.at),
)


@given(POINTS)
def test_points_are_the_same_as_themselves(points: list[Point]) -> None:
    assert all(one.same for one in compare(points, list(reversed(points)), tolerance=None))
    assert points_digest(points) == points_digest(list(reversed(points)))


@given(POINTS, st.data())
def test_one_other_bit_shows(points: list[Point], data: st.DataObject) -> None:
    if not points:
        return
    place = data.draw(st.integers(0, len(points) - 1))
    old = points[place]
    if math.isnan(old.value):
        return
    new = Point(old.key, math.nextafter(old.value, 0.0) if old.value else 1e-300, old.at, old.step)
    changed = [*points[:place], new, *points[place + 1 :]]
    assert points_digest(points) != points_digest(changed)
    wrong = [one for one in compare(points, changed, tolerance=None) if not one.same]
    assert [(one.metric, one.differing, one.first_step) for one in wrong] == [
        (old.key, 1, old.step)
    ]


@given(NUMBERS, st.floats(1e-9, 1e-3))
def test_the_tolerance_is_relative_and_symmetric(value: float, tolerance: float) -> None:
    assert close(value, value, tolerance)
    if math.isfinite(value) and 1e-200 < abs(value) < 1e200:
        near, far = value * (1 + tolerance / 2), value * (1 + 3 * tolerance)
        assert close(value, near, tolerance)
        assert close(near, value, tolerance)
        assert not close(value, far, tolerance)


def test_metrics_that_nobody_has_alike_can_be_left_out() -> None:
    ours = [Point("fit_seconds", 1.0, 0, 0), Point("loss", 1.0, 0, 0)]
    theirs = [Point("fit_seconds", 2.0, 0, 0), Point("loss", 1.0, 0, 0)]
    assert [c.metric for c in compare(ours, theirs, tolerance=None, ignore=["*_seconds"])] == [
        "loss"
    ]
