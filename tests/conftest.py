"""What all tests share: a project in a folder of its own, and the real data where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perijove.core.context import ProjectContext

REAL_CSV = Path(__file__).parents[2] / "shared" / "data" / "ci_builds.csv"

DEFINITION = """\
# kept by every edit
[project]
name = "builds"
question = "Which builds will fail?"
owner = "Ada"

[[kpi]]
metric = "roc_auc"  # why this one
data = "builds"
split = "test"
direction = "maximize"
target = 0.75
minimum = 0.7
"""


@pytest.fixture(autouse=True)
def _surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Sockets lie beside the tests' files, in a path that is short enough, and what a library
    writes to the current folder does not land in the checkout."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path_factory.getbasetemp().parent / "rt"
    folder.mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
    # Which projects are trusted is kept there; an empty MLflow database too, for all sessions.
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder.with_name("data")))
    # No test waits for what somebody else's jobs hold.
    monkeypatch.setenv("PERIJOVE_QUEUE", str(tmp_path / "queue"))
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a definition and nothing else."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "perijove.toml").write_text(DEFINITION)
    return root


@pytest.fixture
def project(folder: Path) -> ProjectContext:
    return ProjectContext.open(folder, actor="ada")


@pytest.fixture
def real_csv() -> Path:
    """The CI builds of OpenShift; not part of this repository."""
    if not REAL_CSV.is_file():
        pytest.skip(f"{os.path.relpath(REAL_CSV)} is not there")
    return REAL_CSV
