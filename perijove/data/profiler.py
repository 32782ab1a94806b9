"""What the data step needs of an engine that profiles tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perijove.contracts.data import SplitFacts
from perijove.contracts.table import Profile
from perijove.data.ports import Table, Work


@dataclass(frozen=True, slots=True)
class Telling:
    """How well each column alone predicts a target."""

    rows: int
    """That were tried."""
    part: str
    """Of the split that they are from; empty for rows of all parts."""
    scores: dict[str, float]


class Profiler(Protocol):
    """Makes profiles, in processes of their own. ``ref`` and the columns' types are left empty.

    Raises UnreadableDataError naming the reason, UnavailableError when a limit was reached.
    """

    def footer(self, table: Table) -> Profile:
        """Tell what the files' footers say; at once, whatever the size."""
        ...

    def sample(self, table: Table, time: str) -> Profile:
        """Tell the figures of rows from all over the table; ``full`` where it has no more."""
        ...

    def full(self, table: Table, time: str, work: Work) -> Profile:
        """Tell the figures of all rows.

        Parameters
        ----------
        time
            The column of the time axis; the only time there is when empty.
        """
        ...

    def leaks(
        self,
        table: Table,
        names: Sequence[str],
        target: str,
        split: SplitFacts | None = None,
        part: str = "",
    ) -> Telling:
        """Let each column alone predict the target, on rows of a part of the table's split.

        The names are those of all columns, no two the same. Where there is no such part, or it cannot be told apart here, all rows are tried.
        """
        ...
