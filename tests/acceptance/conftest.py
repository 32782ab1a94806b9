"""Where acceptance tests find real builds, and where their endpoints put sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

REAL_BUILDS = Path(__file__).parents[3] / "shared" / "data" / "ci_builds.csv"


@pytest.fixture(scope="session")
def real_builds() -> Path:
    """CI builds of OpenShift; they are not part of this repository."""
    if not REAL_BUILDS.is_file():
        pytest.skip("there are no real builds in ../shared/data")
    return REAL_BUILDS


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The runtime folder that each test has too, for what outlives one test."""
    folder = tmp_path_factory.getbasetemp().parent / "rt"
    folder.mkdir(mode=0o700, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
        patch.setenv("JUPYTER_DATA_DIR", str(folder.with_name("data")))
        patch.setenv("MPLBACKEND", "agg")
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME"):
            patch.delenv(name, raising=False)
        yield folder
