"""What `perijove init --example` writes."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import nbformat
import pytest

from perijove.core.errors import ConflictError, NotFoundError, ReadOnlyError
from perijove.core.project_file import parse
from perijove.example.project import create_example


def csv_line(notebook: Path) -> str:
    document = json.loads(notebook.read_text("utf-8"))
    lines = [line for cell in document["cells"] for line in cell["source"]]
    (line,) = [line for line in lines if line.startswith("CSV = ")]
    return line


def test_definition_data_and_notebook(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "example"
    written = create_example(folder)
    assert {str(path.relative_to(folder)) for path in written} == {
        "perijove.toml",
        "data/ci_builds.csv",
        "notebooks/builds.ipynb",
    }
    definition = parse((folder / "perijove.toml").read_text("utf-8"))
    (kpi,) = definition.kpi
    assert (kpi.metric, kpi.data, kpi.split, kpi.target) == ("roc_auc", "builds", "test", 0.75)
    assert definition.data["builds"].time == "start"
    late = {name for name, c in definition.data["builds"].columns.items() if c.known == "after"}
    assert {"size", "duration"} <= late
    assert (folder / definition.data["builds_raw"].path).is_file()
    assert csv_line(folder / "notebooks/builds.ipynb") == 'CSV = "data/ci_builds.csv"'
    for path in written:
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_notebook_is_valid_and_without_outputs(tmp_path: Path) -> None:
    create_example(tmp_path)
    notebook = nbformat.read(tmp_path / "notebooks/builds.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)


def test_other_data_is_referred_to_and_not_copied(tmp_path: Path) -> None:
    mine = tmp_path / 'my "own" builds.csv'
    mine.write_text(",result,size,start,end\n")
    folder = tmp_path / "example"
    create_example(folder, data=mine)
    assert not (folder / "data").exists()
    definition = parse((folder / "perijove.toml").read_text("utf-8"))
    assert definition.data["builds_raw"].path == str(mine)
    assert csv_line(folder / "notebooks/builds.ipynb") == f"CSV = {json.dumps(str(mine))}"


def test_another_seed_makes_other_data(tmp_path: Path) -> None:
    create_example(tmp_path / "a", seed=1)
    create_example(tmp_path / "b", seed=2)
    data = [(tmp_path / name / "data/ci_builds.csv").read_text() for name in ("a", "b")]
    assert data[0] != data[1]


@pytest.mark.parametrize("name", ["perijove.toml", "data/ci_builds.csv", "notebooks/builds.ipynb"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(ConflictError, match=name):
        create_example(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


def test_data_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.csv"):
        create_example(tmp_path, data=tmp_path / "gone.csv")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReadOnlyError):
        create_example(tmp_path / "file" / "example")
