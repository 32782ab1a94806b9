"""Recipes: what it takes to run a training cell again, elsewhere or later.

A recipe is the cells of a kernel in the order in which they ran, the training cell last, with what
they depend on that is not in them. A background job runs one, a retry runs it again, and a rerun
proves by it that a run is what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from perijove.contracts.base import Facts
from perijove.contracts.develop import Cell
from perijove.core.errors import NotFoundError, UnsupportedError
from perijove.core.files import sha256_text, write_atomically

RECIPE_FILE: Final = "recipe.json"
RECORDED: Final = "perijove.kernel.recorded"
"""The module that executes a recipe, in a process of its own."""


class Recipe(Facts):
    name: str
    """What the run is called."""
    cells: list[Cell]
    """The training cell last, each as it was written, magics and all."""
    notebook: str = ""
    folder: str = ""
    """Where the cells run: the folder that the kernel was started in, relative to the project."""
    seed: int | None = None
    deterministic: bool = False
    hash_seed: str = ""
    """``PYTHONHASHSEED`` of its process; empty where nobody asked for one."""
    pins: dict[str, int] = {}
    """Dataset to the version that ``pj.dataset`` gives, whatever is the newest now."""
    params: dict[str, str] = {}
    """Variables that are set before the training cell, as Python literals."""
    withheld: list[str] = []
    """Parameters that look like secrets: their values are masked here, and kept nowhere."""
    tags: dict[str, str] = {}
    """Of a run that has to be made: the commit, why a fresh run might differ."""
    run_id: str = ""
    """The run that the training cell adopts; a new one when empty."""
    resume: bool = False
    """Go on from the run's last checkpoint."""
    chosen: bool = False
    """Whether the cells are a choice already. Else they are all that ran, and those that have
    effects outside are left out when they are executed."""
    left_out: list[Cell] = []
    """Cells that ran and were not taken along: they deploy, or write outside."""


def digest(cells: list[Cell]) -> str:
    """Hash the cells' texts in their order; their numbers do not count."""
    return sha256_text("\0".join(cell.source for cell in cells))


def write_recipe(folder: Path, recipe: Recipe) -> Path:
    """Keep a recipe in a folder, whole or not at all."""
    path = folder / RECIPE_FILE
    write_atomically(path, encode_recipe(recipe))
    return path


def encode_recipe(recipe: Recipe) -> bytes:
    return msgspec.json.format(msgspec.json.encode(recipe), indent=1)


def again(files: Mapping[str, bytes], *, resume: bool) -> dict[str, bytes]:
    """Return a job's files for another attempt: in the same run, or in a new one."""
    found = dict(files)
    if RECIPE_FILE in found:
        recipe = msgspec.json.decode(found[RECIPE_FILE], type=Recipe)
        run_id = recipe.run_id if resume else ""
        found[RECIPE_FILE] = encode_recipe(
            msgspec.structs.replace(recipe, run_id=run_id, resume=resume)
        )
    return found


def read_recipe(folder: Path) -> Recipe:
    """Read a folder's recipe.

    Raises
    ------
    NotFoundError
        When there is none.
    UnsupportedError
        When it was damaged.
    """
    path = folder / RECIPE_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recipe)
    except FileNotFoundError:
        raise NotFoundError(
            f"{path} is gone.", "Send the cell again from its notebook.", code="recipe_not_found"
        ) from None
    except msgspec.DecodeError as error:
        raise UnsupportedError(
            f"{path} is damaged: {error}.", "Send the cell again from its notebook."
        ) from error
