"""Data by name: what is read is recorded, and is what the reference says."""

from __future__ import annotations

from pathlib import Path

import pytest

from perijove.contracts.data import DataFacts
from perijove.core.chain import facts_of
from perijove.core.errors import ConflictError, InvalidInputError, NotFoundError
from tests.kernel.conftest import Notebook, write_builds


def test_reading_a_part_records_version_and_split(notebook: Notebook) -> None:
    notebook.ok('train = pj.dataset("builds").read(split="train")')
    assert len(notebook["train"]) == 420
    assert notebook["train"]["start"].is_monotonic_increasing
    assert notebook.session.inputs().refs == ["data:builds@1", "split:builds@1"]


def test_arrow_and_columns(notebook: Notebook) -> None:
    table = notebook.ok('pj.dataset("builds").read(as_="arrow", columns=["load", "failed"])')
    assert table.column_names == ["load", "failed"]
    assert table.num_rows == 600
    assert isinstance(
        notebook.run('pj.dataset("builds").read(columns=["lod"])').error_in_exec, NotFoundError
    )


def test_a_changed_file_is_a_new_version_and_the_old_one_stays(
    notebook: Notebook, root: Path
) -> None:
    assert notebook.ok('pj.dataset("builds").ref') == "data:builds@1"
    write_builds(root / "data" / "builds.csv", rows=700)
    assert notebook.ok('len(pj.dataset("builds").read())') == 700
    assert notebook.ok('len(pj.dataset("builds@1").read())') == 600
    assert notebook.session.inputs().refs == ["data:builds@2", "data:builds@1"]


def test_registering_finds_files_from_the_notebooks_folder(notebook: Notebook, root: Path) -> None:
    write_builds(root / "notebooks" / "near.csv", rows=20)
    notebook.ok("import os; os.chdir('notebooks')")
    notebook.ok('near = pj.register("near.csv", target="failed")')
    assert notebook.ok("near.ref") == "data:near@1"
    assert notebook.bench.project.definition.data["near"].path == "notebooks/near.csv"
    assert notebook.session.inputs().refs == []


def test_a_curation_knows_its_code_and_its_inputs(notebook: Notebook) -> None:
    cell = (
        '@pj.curate("calm", inputs=["builds"])\n'
        "def calm(frame):\n"
        '    return frame[frame["load"] < 0]\n'
    )
    made = notebook.ok(cell + "calm()")
    node = notebook.bench.project.chain.get(made.ref)
    facts = facts_of(node, DataFacts)
    assert facts.inputs == ["data:builds@1"]
    assert 'frame["load"] < 0' in facts.source
    assert (made.read()["load"] < 0).all()
    assert notebook.ok(cell + "calm().ref") == "data:calm@1"
    assert notebook.ok(cell.replace("< 0", "< 1") + "calm().ref") == "data:calm@2"
    # A curation reads for its dataset, not for the model that comes later.
    assert notebook.session.inputs().refs == ["data:calm@1"]


def test_a_curation_that_returns_nothing_is_refused(notebook: Notebook) -> None:
    result = notebook.run('@pj.curate("x", inputs=["builds"])\ndef x(frame):\n    pass\nx()')
    assert isinstance(result.error_in_exec, InvalidInputError)


def test_a_split_is_made_once(notebook: Notebook) -> None:
    text = repr(notebook.ok('pj.split("builds", train=0.6, validation=0.2, test=0.2)'))
    assert text == "split:builds@1 by start: train 360 · validation 120 · test 120 rows"
    assert notebook.ok('len(pj.dataset("builds").read(split="validation"))') == 120
    result = notebook.run('pj.split("builds", train=0.5, test=0.5)')
    assert isinstance(result.error_in_exec, ConflictError)


@pytest.mark.parametrize("name", ["nothing", "builds@9", "builds@x"])
def test_unknown_data_is_refused_by_name(notebook: Notebook, name: str) -> None:
    result = notebook.run(f'pj.dataset("{name}").read()')
    assert isinstance(result.error_in_exec, (NotFoundError, InvalidInputError))
    assert name.partition("@")[0] in str(result.error_in_exec)
