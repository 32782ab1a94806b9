"""Why a fresh run of this kernel's notebook might differ from what ran here."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import msgspec

from perijove.contracts.develop import Disorder
from perijove.core.errors import InvalidInputError
from perijove.develop.disorder import Ran, Stands, find_disorder
from perijove.kernel.history import Executed
from perijove.kernel.names import names_of, python_of
from perijove.kernel.saved import saved_cells
from perijove.kernel.selection import Selection

if TYPE_CHECKING:
    from perijove.kernel.session import Session


def disorder(session: Session, training: Executed | None = None) -> list[Disorder]:
    """Compare what ran in this kernel with its notebook as it was saved last.

    Parameters
    ----------
    training
        The training cell; the one that runs now when left out.
    """
    history = session.history
    training = training or (history.running if history is not None else None)
    if history is None or training is None:
        return []
    executed = history.executed
    path = session.notebook_path
    cells = saved_cells(path)
    saved = int(path.stat().st_mtime * 1000) if cells is not None and path is not None else 0
    stands = None if cells is None else [Stands(cell.id, cell.source) for cell in cells]
    return find_disorder(
        [_ran(one) for one in (*executed, training)], stands, saved, _hidden(session, training)
    )


def disorder_text(session: Session, training: Executed | None = None) -> str:
    """Return the same as the run's tag holds it."""
    return msgspec.json.encode(disorder(session, training)).decode()


def _ran(one: Executed) -> Ran:
    try:
        python = python_of(one.source)
    except InvalidInputError:  # it did nothing
        return Ran(one.number, one.source, one.at, one.cell_id, one.failed, effective=False)
    names = names_of(python)
    body = python.tree.body
    looks = len(body) <= 1 and all(isinstance(node, ast.Expr) for node in body)
    return Ran(
        one.number, one.source, one.at, one.cell_id, one.failed,
        frozenset(names.defines), frozenset(names.needs), effective=not looks,
    )  # fmt: skip


def _hidden(session: Session, training: Executed) -> dict[str, int]:
    """Return the names that this kernel has and no cell that ran defines, with a cell that uses it."""
    history, shell = session.history, session.shell
    if history is None or shell is None:
        return {}
    try:
        selection = Selection(history.executed, training, shell.user_ns)
    except InvalidInputError:
        return {}
    numbers = [one.number for one in history.executed if not one.failed]
    return {
        one.name: one.user
        for one in selection.missing(numbers)
        if one.definer is None and one.name in shell.user_ns
    }
