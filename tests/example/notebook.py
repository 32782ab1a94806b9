"""The example's own notebook, as the tests need it: its cells, and its curation as a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

NOTEBOOK: dict[str, Any] = json.loads(
    resources.files("perijove.example").joinpath("templates", "builds.ipynb").read_text("utf-8")
)


def source(cell: str) -> str:
    """Return the source of the cell with this id."""
    return "".join(next(c["source"] for c in NOTEBOOK["cells"] if c["id"] == cell))


class _Curations:
    """Stands in for ``pj`` where only the decorated function is wanted."""

    @staticmethod
    def curate(name: str, inputs: list[str]) -> Callable[[Any], Any]:
        return lambda function: function


def _definitions() -> dict[str, Any]:
    names: dict[str, Any] = {"np": np, "pd": pd, "pj": _Curations}
    code = source("curate").rpartition("\n\n")[0]
    exec(compile(code, "builds.ipynb", "exec"), names)
    return names


_names = _definitions()
BEFORE: list[str] = _names["BEFORE"]
AFTER: list[str] = _names["AFTER"]
curate: Callable[[pd.DataFrame], pd.DataFrame] = _names["builds"]
