"""``import perijove as pj``: one door for the kernel library and for the packages behind it."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(code: str) -> str:
    """Run in a fresh interpreter: what is imported first matters here."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("first", ["", "import perijove.deploy.service\n"])
def test_deploy_is_called_whether_its_step_is_imported_or_not(first: str) -> None:
    code = f"""{first}
import perijove as pj
from perijove.kernel import api
api.deploy = lambda *arguments, **options: print("called", arguments, options)
pj.deploy("builds", override="why not")
import perijove.deploy.models as models
print(models.__name__)
"""
    assert run(code).splitlines() == [
        "called ('builds',) {'override': 'why not'}",
        "perijove.deploy.models",
    ]


def test_the_import_brings_nothing_heavy() -> None:
    code = """
import sys
import perijove
heavy = {"mlflow", "tornado", "pandas", "duckdb", "sklearn", "msgspec", "IPython"}
print(sorted(heavy & set(sys.modules)))
"""
    assert run(code) == "[]"


def test_the_door_names_what_the_kernel_library_has() -> None:
    import perijove
    from perijove.kernel import api

    assert perijove.__all__ == api.__all__
