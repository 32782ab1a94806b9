"""Parameters that look like secrets: their values are in no file that is kept of a run.

The line of a kept cell has a mask instead. A job is handed the values by its environment, which is
kept nowhere either, and puts them back before it runs the training cell.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from perijove.contracts.develop import Cell
from perijove.core.errors import ConflictError
from perijove.core.recipes import Recipe
from perijove.core.secrets import MASK, mask_values

VARIABLE: Final = "PERIJOVE_PARAM_"
"""Before a parameter's name: the variable that holds its value, as a Python literal."""
_PARAM: Final = re.compile(
    r"""(?P<option>--pa(?:r|ra|ram)?(?:\s+|=))"""
    r"""(?:(?P<quote>["'])(?P<a>\w+)=(?P<x>.*?)(?P=quote)"""
    r"""|(?P<b>\w+)=(?P<y>(?:"[^"]*"|'[^']*'|[^\s"'])*))"""
)


def without_secrets(cells: Iterable[Cell]) -> tuple[list[Cell], list[str]]:
    """Mask what looks like a secret among the parameters of ``%%train`` lines.

    Returns
    -------
    The cells, and the names of the parameters whose values are masked.
    """
    kept, names = [], set()

    def mask(match: re.Match[str]) -> str:
        name = match["a"] or match["b"]
        value = match["x"] if match["a"] else match["y"].strip("\"'")
        if not mask_values({name: value})[1]:
            return match[0]
        names.add(name)
        return f"{match['option']}{name}={MASK}"

    for cell in cells:
        line, newline, rest = cell.source.partition("\n")
        if line.startswith("%%train"):
            cell = msgspec.structs.replace(cell, source=_PARAM.sub(mask, line) + newline + rest)
        kept.append(cell)
    return kept, sorted(names)


def secrets_of(params: Mapping[str, str]) -> list[str]:
    """Name the parameters whose values are not kept, by their literals."""
    return mask_values({key: text.strip("\"'") for key, text in params.items()})[1]


def environment_of(params: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that hand secret parameters to a job."""
    return {f"{VARIABLE}{name}": params[name] for name in secrets_of(params)}


def literals(recipe: Recipe) -> dict[str, str]:
    """Return a recipe's parameters with the values that its job was handed.

    Raises
    ------
    ConflictError
        When a value was not kept, and this process was not handed it.
    """
    found = dict(recipe.params)
    for name in recipe.withheld:
        text = os.environ.get(f"{VARIABLE}{name}")
        if text is None:
            raise ConflictError(
                f"The value of the parameter {name} was not kept: it looks like a secret.",
                "Send the cell again from its notebook.",
                code="parameter_not_kept",
            )
        found[name] = text
    return found
