"""Why a fresh run might differ: told by rules here, and from a kernel and its notebook below."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from perijove.contracts.develop import Disorder, Usage
from perijove.core.project_file import CostsTable
from perijove.develop.disorder import Ran, Stands, find_disorder
from perijove.develop.usage import cost_of, together, with_cost
from tests.kernel.conftest import Notebook


def ran(number: int, source: str, cell_id: str = "", **more: object) -> Ran:
    return Ran(number, source, at=number, cell_id=cell_id, **more)  # type: ignore[arg-type]


NOTEBOOK = [Stands("a", "x = 1"), Stands("b", "y = x"), Stands("c", "z = y")]


def kinds(found: list[Disorder]) -> list[tuple[str, list[int]]]:
    return [(one.kind, one.cells) for one in found]


def test_a_notebook_run_from_its_top_is_in_order() -> None:
    cells = [ran(1, "x = 1", "a"), ran(2, "y = x", "b"), ran(3, "z = y", "c")]
    assert find_disorder(cells, NOTEBOOK, 99, {}) == []
    assert find_disorder(cells[:2], NOTEBOOK, 99, {}) == []
    assert find_disorder(cells, None, 0, {}) == []


def test_a_cell_that_ran_after_one_below_it() -> None:
    cells = [ran(1, "y = x", "b"), ran(2, "x = 1", "a"), ran(3, "z = y", "c")]
    (found,) = find_disorder(cells, NOTEBOOK, 99, {})
    assert (found.kind, found.cells) == ("order", [1, 2])
    assert found.detail == "cell 2 ran after cell 1, which stands below it"
    by_text = [ran(1, "y = x"), ran(2, "x = 1")]
    assert kinds(find_disorder(by_text, NOTEBOOK, 99, {})) == [("order", [1, 2])]


def test_a_cell_that_changed_and_one_that_is_gone() -> None:
    cells = [ran(1, "x = 7", "a"), ran(2, "w = 1", "gone", defines=frozenset(["w"]))]
    found = find_disorder(cells, NOTEBOOK, 99, {})
    assert kinds(found) == [("edited", [1]), ("deleted", [2])]
    assert found[0].detail == "cell 1 was edited later"
    assert found[1].detail == "cell 2 ran, and is not in the notebook any more"
    assert found[1].names == ["w"]
    # What ran after the notebook was saved may stand in it by now.
    assert find_disorder(cells, NOTEBOOK, 0, {}) == []


def test_cells_that_failed() -> None:
    failed = ran(1, "x = 1\n1 / 0", "a", failed=True, defines=frozenset(["x"]))
    (found,) = find_disorder([failed], None, 0, {})
    assert (found.kind, found.names) == ("failed", ["x"])
    assert find_disorder([failed, ran(2, "x = 1", "a")], None, 0, {}) == []
    assert find_disorder([ran(1, "tpyo", failed=True, effective=False)], None, 0, {}) == []


def test_a_cell_that_starts_from_what_it_made() -> None:
    again = {"defines": frozenset(["n"]), "needs": frozenset(["n"])}
    cells = [ran(1, "n += 1", "a", **again), ran(2, "n += 1", "a", **again)]
    (found,) = find_disorder(cells, None, 0, {})
    assert found.detail == "cells 1 and 2 are the same cell, which changes n each time"
    steady = [ran(1, "x = 1", "a"), ran(2, "x = 1", "a")]
    assert find_disorder(steady, NOTEBOOK, 99, {}) == []


def test_hidden_names_and_many_of_them() -> None:
    names = {f"n{i:02}": i for i in range(70)}
    (found,) = find_disorder([], None, 0, names)
    assert found.detail.startswith("n00, n01, n02, n03, n04 and 65 more are used")
    assert len(found.names) == len(found.cells) == 50
    (one,) = find_disorder([], None, 0, {"a": 3})
    assert one.detail == "a is used, and no cell that ran defines it"


def test_a_run_tells_it(notebook: Notebook, root: Path) -> None:
    path = root / "notebooks" / "train.ipynb"
    path.parent.mkdir()
    sources = {"first": "base = 1", "second": "top = base", "gone": "extra = 3"}
    for name in ("first", "second", "first", "gone"):
        notebook.shell.run_cell(sources[name], store_history=True, cell_id=name)
    notebook.run("wrong = 1\n1 / 0")
    notebook.shell.user_ns["ghost"] = 2
    cells = [
        {"cell_type": "code", "id": name, "metadata": {}, "source": [text]}
        for name, text in (
            ("load", "%load_ext perijove\nimport perijove as pj"),
            ("first", "base = 1"),
            ("second", "top = base + 1"),
            ("t", ""),
        )
    ]
    path.write_text(json.dumps({"cells": cells}))
    later = time.time() + 5
    os.utime(path, (later, later))
    notebook.shell.run_cell("%%train\npj.log(a=top + ghost)", store_history=True, cell_id="t")
    found = notebook.last_run().disorder
    assert [one.kind for one in found] == ["order", "edited", "deleted", "failed", "hidden"]
    assert found[0].detail == "cell 4 ran after cell 3, which stands below it"
    assert found[2].names == ["extra"]
    assert found[4].names == ["ghost"]


def test_a_clean_notebook_has_none(notebook: Notebook) -> None:
    notebook.ok("base = 1")
    notebook.ok("%%train\npj.log(a=base)")
    assert notebook.last_run().disorder == []


USAGE = Usage(seconds=7200, cpu_seconds=3600, gpu_seconds=1800, gpus=[1], peak_memory=5)


@pytest.mark.parametrize(
    ("rates", "cost"),
    [
        (CostsTable(), None),
        (CostsTable(cpu_hour=0.04), 0.04),
        (CostsTable(gpu_hour=3, currency="EUR"), 1.5),
        (CostsTable(cpu_hour=0.04, gpu_hour=3), 1.54),
    ],
)
def test_costs_by_the_project_s_rates(rates: CostsTable, cost: float | None) -> None:
    assert cost_of(USAGE, rates) == (None if cost is None else pytest.approx(cost))
    assert with_cost(USAGE, rates).currency == (rates.currency if cost is not None else "")
    assert cost_of(Usage(seconds=1), CostsTable(cpu_hour=1)) is None


def test_parts_of_a_run_add_up() -> None:
    both = together(USAGE, Usage(seconds=1, cpu_seconds=2, gpus=[0], peak_memory=9))
    assert (both.seconds, both.cpu_seconds, both.gpu_seconds) == (7201, 3602, 1800)
    assert (both.gpus, both.peak_memory) == ([0, 1], 9)
