"""Which of the executed cells a training cell takes along, and whether they are enough for it."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from perijove.core.errors import InvalidInputError
from perijove.kernel.effects import MAGICS, MARK, Effects
from perijove.kernel.history import Executed
from perijove.kernel.names import CellNames, names_of, python_of

_IPYTHON: Final = frozenset(["get_ipython", "display", "In", "Out", "exit", "quit", "__name__"])
_RESULT: Final = re.compile(r"_+\d*|_i+\d*")
TRAINING: Final = MAGICS["train"]


@dataclass(slots=True)
class Candidate:
    """An executed cell."""

    executed: Executed
    names: CellNames = field(default_factory=CellNames)
    wanted: bool = True
    reason: str = ""
    """Why it stays behind; or why it goes although it might not have."""
    training: bool = False
    """It is a training cell, and there is nothing else against it."""

    @property
    def number(self) -> int:
        return self.executed.number


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that a sent cell uses and no sent cell defines."""

    name: str
    user: int
    """The cell that uses it first."""
    definer: int | None
    """The newest cell that defines it and stays behind."""
    reason: str
    """Why that one stays behind; else where the name comes from."""

    def __str__(self) -> str:
        if self.definer is not None:
            return f"{self.name}: cell {self.definer} defines it, which stays behind: {self.reason}"
        return f"{self.name}: {self.reason}"


class Selection:
    """The cells that ran before a training cell, and that cell.

    Parameters
    ----------
    executed
        In their order, without the training cell.
    training
        The training cell; its number is behind all others'.
    namespace
        The kernel's variables.
    skipped
        Ids of cells that are tagged to stay behind.
    """

    def __init__(
        self,
        executed: Sequence[Executed],
        training: Executed,
        namespace: Mapping[str, Any],
        skipped: Collection[str] = (),
        params: Collection[str] = (),
    ) -> None:
        self._namespace = namespace
        self._params = set(params)
        self.training = Candidate(training, names_of(python_of(training.source)))
        effects = Effects()
        self.candidates = [_candidate(one, effects, skipped) for one in executed]
        self._take_needed_training()

    def chosen(self, numbers: Collection[int] | None = None, *, every: bool = False) -> list[int]:
        """Return the numbers of the cells that go along: the wanted ones, or some person's choice.

        Raises
        ------
        InvalidInputError
            For a number that no executed cell has.
        """
        if numbers is None:
            return [
                c.number for c in self.candidates if c.wanted or (every and not c.executed.failed)
            ]
        known = {c.number for c in self.candidates}
        strange = [number for number in numbers if number not in known]
        if strange:
            raise InvalidInputError(
                f"No executed cell has the number {strange[0]}.",
                f"They are {', '.join(map(str, sorted(known))) or 'none'}.",
            )
        return [c.number for c in self.candidates if c.number in set(numbers)]

    def sufficient(self) -> list[int]:
        """Return the wanted cells, and those whose names they need, whatever else these do."""
        chosen = self.chosen()
        while True:
            needed = {one.definer for one in self.missing(chosen)} - {None}
            if not needed:
                return chosen
            chosen = [c.number for c in self.candidates if c.number in {*chosen, *needed}]

    def missing(self, chosen: Collection[int]) -> list[Missing]:
        """Return the names that the chosen cells and the training cell lack, in order of use."""
        sent = [*(c for c in self.candidates if c.number in set(chosen)), self.training]
        everywhere = {name for c in sent for name in self._gives(c)} | self._params
        found: dict[str, Missing] = {}
        known: set[str] = set(self._params)
        opaque = False
        for cell in sent:
            for name in cell.names.needs:
                given = name in known or _is_given(name) or (opaque and name in self._namespace)
                if not given and name not in found:
                    found[name] = self._explain(name, cell, chosen)
            for name in cell.names.later:
                # A function may never come to a name that nobody has.
                given = name in everywhere or _is_given(name) or name not in self._namespace
                if not given and name not in found and not any(c.names.opaque for c in sent):
                    found[name] = self._explain(name, cell, chosen)
            known |= set(self._gives(cell))
            opaque = opaque or cell.names.opaque
        return list(found.values())

    def _gives(self, cell: Candidate) -> list[str]:
        """Return what a cell defines, the names of ``import *`` as they are in this kernel."""
        names = list(cell.names.defines)
        for module in cell.names.stars:
            loaded = sys.modules.get(module)
            if loaded is not None:
                public = [name for name in vars(loaded) if not name.startswith("_")]
                names += getattr(loaded, "__all__", public)
        return names

    def _explain(self, name: str, user: Candidate, chosen: Collection[int]) -> Missing:
        for cell in reversed(self.candidates):
            if cell.number not in set(chosen) and name in self._gives(cell):
                return Missing(name, user.number, cell.number, cell.reason or "it was not chosen")
        later = next((c for c in self.candidates if name in self._gives(c)), None)
        if later is not None:
            reason = f"cell {user.number} uses it before cell {later.number} defines it"
        elif name in self._namespace:
            reason = "this kernel has it, and no cell that ran defines it"
        else:
            reason = "nothing defines it, here neither"
        return Missing(name, user.number, None, reason)

    def _take_needed_training(self) -> None:
        """Take along other training cells whose names are needed behind them."""
        while True:
            wanted = self.chosen()
            lacking = self.missing(wanted)
            needed = {one.definer: one.name for one in lacking if one.definer is not None}
            taken = next(
                (c for c in self.candidates if c.training and not c.wanted and c.number in needed),
                None,
            )
            if taken is None:
                return
            taken.wanted = True
            taken.reason = (
                f"a training cell whose {needed[taken.number]} is needed; it logs nothing"
            )


def _candidate(executed: Executed, effects: Effects, skipped: Collection[str]) -> Candidate:
    found = Candidate(executed)
    try:
        python = python_of(executed.source)
    except InvalidInputError:
        found.wanted, found.reason = False, "it does not parse"
        return found
    found.names = names_of(python)
    reasons = effects.of(python)
    if executed.failed:
        reasons = ["it failed", *reasons]
    elif MARK.search(executed.source) or executed.skipped or executed.cell_id in skipped:
        reasons = ["it is marked to be skipped", *reasons]
    if reasons:
        found.wanted, found.reason = False, reasons[0]
        found.training = reasons == [TRAINING]
    return found


def _is_given(name: str) -> bool:
    """Whether a name needs no cell: Python's own, and IPython's."""
    return hasattr(builtins, name) or name in _IPYTHON or bool(_RESULT.fullmatch(name))
