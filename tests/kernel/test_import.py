"""What an import costs, counted in modules: heavy ones come when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "tornado",
    "mlflow",
    "pandas",
    "duckdb",
    "pyarrow",
    "sklearn",
    "sqlalchemy",
    "jupyter_server",
)


@pytest.mark.parametrize(
    "code",
    [
        "import perijove",
        "import perijove as pj\npj.log, pj.dataset, pj.deploy",
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().run_cell('%load_ext perijove').raise_error()",
    ],
)
def test_nothing_heavy_is_imported(code: str, root: Path) -> None:
    script = f"{code}\nimport sys\nprint('loaded', *(m for m in {HEAVY!r} if m in sys.modules))"
    printed = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True)
    assert printed.splitlines()[-1] == "loaded"
