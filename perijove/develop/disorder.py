"""Why a fresh kernel that runs a notebook from its top might not do what this one did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from perijove.contracts.base import Millis
from perijove.contracts.develop import Disorder

MAX_NAMED: Final = 5
MAX_LISTED: Final = 50
"""Cells and names of one reason: a run's tag has to hold them."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One execution of a cell."""

    number: int
    source: str
    at: Millis
    """When it began; 0 when that is not known."""
    cell_id: str = ""
    failed: bool = False
    defines: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    """Names that it reads before it binds them."""
    effective: bool = True
    """Whether it may have done something before it failed: it parses, and is more than a look."""


@dataclass(frozen=True, slots=True)
class Stands:
    """A cell as it stands in the notebook."""

    cell_id: str
    source: str


def find_disorder(
    ran: Sequence[Ran],
    notebook: Sequence[Stands] | None,
    saved: Millis,
    hidden: Mapping[str, int],
) -> list[Disorder]:
    """Compare the cells that ran with the notebook as it was saved.

    Parameters
    ----------
    ran
        In the order of their execution.
    notebook
        Its code cells from the top; None when it is not known.
    saved
        When it was saved: what ran later may be in it differently, or not yet.
    hidden
        Names that no cell that ran defines, and the cell that uses each.
    """
    found: list[Disorder] = []
    if notebook is not None:
        places = _Places(notebook)
        found += _order(ran, places)
        found += _edited(ran, places, saved)
        found += _deleted(ran, places, saved)
    found += _repeated(ran)
    found += _failed(ran)
    if hidden:
        names = list(hidden)
        found.append(
            Disorder(
                "hidden",
                f"{_listed(names)} {_is(names)} used, and no cell that ran defines "
                f"{'it' if len(names) == 1 else 'them'}",
                sorted(set(hidden.values())),
                names,
            )
        )
    return [
        msgspec.structs.replace(one, cells=one.cells[:MAX_LISTED], names=one.names[:MAX_LISTED])
        for one in found
    ]


class _Places:
    """Where cells stand: by id, and by text where nobody told an id."""

    def __init__(self, notebook: Sequence[Stands]) -> None:
        self.cells = list(notebook)
        self._by_id = {cell.cell_id: at for at, cell in enumerate(notebook) if cell.cell_id}
        self._by_text = {cell.source.strip(): at for at, cell in enumerate(notebook)}

    def of(self, cell: Ran) -> int | None:
        if cell.cell_id:
            return self._by_id.get(cell.cell_id)
        return self._by_text.get(cell.source.strip())

    def text(self, cell: Ran) -> str | None:
        at = self._by_id.get(cell.cell_id) if cell.cell_id else None
        return None if at is None else self.cells[at].source


def _order(ran: Sequence[Ran], places: _Places) -> list[Disorder]:
    lowest: tuple[int, Ran] | None = None
    said: list[str] = []
    numbers: dict[int, None] = {}
    for cell in ran:
        at = None if cell.failed else places.of(cell)
        if at is None:
            continue
        if lowest is not None and at < lowest[0]:
            said.append(f"cell {cell.number} ran after cell {lowest[1].number}")
            numbers |= dict.fromkeys([lowest[1].number, cell.number])
        elif lowest is None or at > lowest[0]:
            lowest = at, cell
    if not said:
        return []
    below = "which stands below it" if len(said) == 1 else "which stand below them"
    return [Disorder("order", f"{_listed(said)}, {below}", list(numbers))]


def _repeated(ran: Sequence[Ran]) -> list[Disorder]:
    """Find cells that ran again and start from what they made themselves, such as ``n += 1``."""
    groups: dict[str, list[Ran]] = {}
    for cell in ran:
        if not cell.failed:
            groups.setdefault(cell.source.strip(), []).append(cell)
    found = []
    for cells in groups.values():
        own = sorted(cells[0].needs & cells[0].defines)
        if len(cells) > 1 and own:
            numbers = [cell.number for cell in cells]
            detail = (
                f"cells {_listed(map(str, numbers))} are the same cell, which changes "
                f"{_listed(own)} each time"
            )
            found.append(Disorder("order", detail, numbers, own))
    return found


def _edited(ran: Sequence[Ran], places: _Places, saved: Millis) -> list[Disorder]:
    last = {cell.cell_id: cell for cell in ran if cell.cell_id and not cell.failed}
    changed = [
        cell.number
        for cell in last.values()
        if cell.at <= saved
        and (text := places.text(cell)) is not None
        and text.strip() != cell.source.strip()
    ]
    if not changed:
        return []
    was = "was" if len(changed) == 1 else "were"
    return [Disorder("edited", f"{_cells(changed)} {was} edited later", changed)]


def _deleted(ran: Sequence[Ran], places: _Places, saved: Millis) -> list[Disorder]:
    gone = [
        cell
        for cell in ran
        if not cell.failed
        and 0 < cell.at <= saved
        and places.of(cell) is None
        and (cell.defines or cell.effective)
    ]
    if not gone:
        return []
    names = sorted({name for cell in gone for name in cell.defines})
    numbers = [cell.number for cell in gone]
    detail = f"{_cells(numbers)} ran, and {_is(numbers)} not in the notebook any more"
    return [Disorder("deleted", detail, numbers, names)]


def _failed(ran: Sequence[Ran]) -> list[Disorder]:
    left = [
        cell
        for at, cell in enumerate(ran)
        if cell.failed
        and cell.effective
        and not any(_same(cell, later) and not later.failed for later in ran[at + 1 :])
    ]
    if not left:
        return []
    numbers = [cell.number for cell in left]
    names = sorted({name for cell in left for name in cell.defines})
    detail = f"{_cells(numbers)} failed on the way, and may have changed something before"
    return [Disorder("failed", detail, numbers, names)]


def _same(cell: Ran, other: Ran) -> bool:
    if cell.cell_id and other.cell_id:
        return cell.cell_id == other.cell_id
    return cell.source.strip() == other.source.strip()


def _cells(numbers: Sequence[int]) -> str:
    return f"cell{'s' * (len(numbers) > 1)} {_listed(map(str, numbers))}"


def _is(things: Sequence[object]) -> str:
    return "is" if len(things) == 1 else "are"


def _listed(words: Iterable[str]) -> str:
    texts = list(words)
    more = len(texts) - MAX_NAMED
    if more > 0:
        return f"{', '.join(texts[:MAX_NAMED])} and {more} more"
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else texts[0]
