"""Runs side by side: what differs first, then what is the same."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from perijove.contracts.base import Number, to_float
from perijove.contracts.develop import Cell, Run
from perijove.contracts.tracker import (
    CellDiff,
    CodeDiff,
    CodeLine,
    ComparedRow,
    Comparison,
    DataDiff,
)
from perijove.core.chain import ref_name
from perijove.core.errors import InvalidInputError
from perijove.develop.columns import SHOWN_TAGS, read_number
from perijove.develop.ports import NOTEBOOK_TAG, PARENT_TAG

MOST: Final = 20
AROUND: Final = 3
"""Same lines that are shown before and after a change."""
ALIKE: Final = 0.5
"""Cells that share less of their lines are two cells, and not one that was changed."""
LONGEST: Final = 20_000
"""Lines of code that are compared; a cell with data pasted into it would take for ever."""


class Comparisons:
    """Tells runs from each other.

    Parameters
    ----------
    get
        Returns a run with all that made it.
    """

    def __init__(self, get: Callable[[str], Run]) -> None:
        self._get = get

    def compare(self, run_ids: Sequence[str]) -> Comparison:
        """Put runs side by side.

        Raises
        ------
        InvalidInputError
            For fewer than two runs, or more than 20.
        NotFoundError
            When one of them is not there.
        """
        ids = list(dict.fromkeys(run_ids))
        if not 2 <= len(ids) <= MOST:
            raise InvalidInputError(
                f"{len(ids)} runs cannot be compared.", f"Choose two to {MOST}.", code="runs_chosen"
            )
        runs = [self._get(run_id) for run_id in ids]
        summaries = [run.summary for run in runs]
        return Comparison(
            runs=summaries,
            metrics=_rows([summary.metrics for summary in summaries], _same_numbers),
            params=_rows([summary.params for summary in summaries], _same_texts),
            tags=_rows([_own_tags(run.tags) for run in runs], _same_texts),
            environment=_rows([run.environment for run in runs], lambda a, b: bool(a == b)),
            data=_data([run.inputs for run in runs]),
            code=[_code(runs[0], run) for run in runs[1:]],
        )


def _rows(
    columns: Sequence[Mapping[str, Any]], same: Callable[[Any, Any], bool]
) -> list[ComparedRow]:
    keys = sorted({key for column in columns for key in column})
    rows = []
    for key in keys:
        values = [column.get(key) for column in columns]
        first = values[0]
        differs = not all(_alike(first, value, same) for value in values[1:])
        rows.append(ComparedRow(key=key, values=values, differs=differs))
    return sorted(rows, key=lambda row: not row.differs)


def _alike(left: Any, right: Any, same: Callable[[Any, Any], bool]) -> bool:
    return left is right if left is None or right is None else same(left, right)


def _same_numbers(left: Number, right: Number) -> bool:
    a, b = to_float(left), to_float(right)
    return a == b or (math.isnan(a) and math.isnan(b))


def _same_texts(left: str, right: str) -> bool:
    number = read_number(left)
    return left == right or (number is not None and number == read_number(right))


def _own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    shown = set(SHOWN_TAGS) - {PARENT_TAG}
    return {
        key: text
        for key, text in tags.items()
        if key in shown or not key.startswith(("mlflow.", "perijove."))
        if text or key != NOTEBOOK_TAG
    }


def _data(inputs: Sequence[Sequence[str]]) -> list[DataDiff]:
    """Compare the datasets' versions; a split has the number of its data version."""
    read: list[dict[str, int]] = []
    for refs in inputs:
        versions: dict[str, int] = {}
        for ref in refs:
            kind, _, rest = ref.partition(":")
            _, _, version = rest.rpartition("@")
            if kind == "data" and version.isdecimal():
                name = ref_name(ref)
                versions[name] = max(int(version), versions.get(name, 0))
        read.append(versions)
    found = []
    for name in sorted({name for versions in read for name in versions}):
        row = [versions.get(name) for versions in read]
        found.append(DataDiff(name=name, versions=row, differs=len(set(row)) > 1))
    return sorted(found, key=lambda diff: not diff.differs)


def _code(first: Run, other: Run) -> CodeDiff:
    commits = [first.git_commit, other.git_commit]
    return CodeDiff(
        run_id=other.summary.run_id,
        cells=[_cell(left, right) for left, right in _paired(first.cells, other.cells)],
        commit=commits if commits[0] != commits[1] else [],
    )


def _paired(
    left: Sequence[Cell], right: Sequence[Cell]
) -> Iterable[tuple[Cell | None, Cell | None]]:
    """Find for each cell its counterpart: the same one, or the most alike one between the same."""
    matcher = difflib.SequenceMatcher(
        None, [cell.source for cell in left], [cell.source for cell in right], autojunk=False
    )
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            yield from zip(left[a:b], right[c:d], strict=True)
        else:
            yield from _between(list(left[a:b]), list(right[c:d]))


def _between(left: list[Cell], right: list[Cell]) -> Iterable[tuple[Cell | None, Cell | None]]:
    for cell in left:
        likeness = [_likeness(cell.source, other.source) for other in right]
        top = max(range(len(right)), key=likeness.__getitem__, default=-1)
        if top < 0 or likeness[top] < ALIKE:
            yield cell, None
            continue
        # Those before it have no counterpart: cells keep their order.
        yield from ((None, other) for other in right[:top])
        yield cell, right[top]
        right = right[top + 1 :]
    yield from ((None, other) for other in right)


def _likeness(left: str, right: str) -> float:
    if left.count("\n") + right.count("\n") > LONGEST:
        return float(left == right)
    matcher = difflib.SequenceMatcher(None, left.splitlines(), right.splitlines(), autojunk=False)
    if min(left.count("\n"), right.count("\n")) < 3:  # a line that was changed is no other line
        matcher.set_seqs(left[:2000], right[:2000])
    return matcher.ratio()


def _cell(left: Cell | None, right: Cell | None) -> CellDiff:
    before = left.source.splitlines() if left is not None else []
    after = right.source.splitlines() if right is not None else []
    same = left is not None and right is not None and left.source == right.source
    return CellDiff(
        left=None if left is None else left.number,
        right=None if right is None else right.number,
        same=same,
        lines=[] if same else list(_lines(before, after)),
    )


def _lines(before: list[str], after: list[str]) -> Iterable[CodeLine]:
    if len(before) + len(after) > LONGEST:
        yield CodeLine(text=f"{len(before):,} lines, {len(after):,} lines", kind="skipped")
        return
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    codes = matcher.get_opcodes()
    for at, (kind, a, b, c, d) in enumerate(codes):
        if kind != "equal":
            for i in range(a, b):
                yield CodeLine(text=before[i], kind="removed", left=i + 1)
            for i in range(c, d):
                yield CodeLine(text=after[i], kind="added", right=i + 1)
            continue
        head = 0 if at == 0 else AROUND
        tail = 0 if at == len(codes) - 1 else AROUND
        hidden = b - a - head - tail
        for i in range(b - a):
            if hidden > 1 and head <= i < head + hidden:
                if i == head:
                    yield CodeLine(text=str(hidden), kind="skipped")
                continue
            yield CodeLine(text=before[a + i], kind="same", left=a + i + 1, right=c + i + 1)
