"""The columns of the table of runs: their names, what they hold, and which way a metric is better.

A column is named as MLflow's search words name it: ``metrics.loss``, ``params.lr``, ``tags.team``,
``attributes.run_name``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from perijove.contracts.develop import RunState
from perijove.contracts.problem import Direction, Kpi
from perijove.contracts.table import AllOf, AnyOf, Compare, Filter, Missing, Not, OneOf, SortKey
from perijove.core.errors import InvalidInputError
from perijove.core.metrics import METRICS
from perijove.develop.ports import NOTEBOOK_TAG, PARENT_TAG
from perijove.develop.tags import NOTE_TAG

ColumnKind = Literal["metrics", "params", "tags", "attributes"]
Holds = Literal["number", "text", "time"]

ATTRIBUTES: Final[dict[str, Holds]] = {
    "run_name": "text",
    "status": "text",
    "start_time": "time",
    "duration": "number",
    "notebook": "text",
    "verdict": "text",
    "end_time": "time",
    "cost": "number",
    "user_id": "text",
    "run_id": "text",
    "artifact_uri": "text",
}
"""In the order in which a person wants to see them."""
STATUS_WORDS: Final[dict[RunState, str]] = {
    "queued": "SCHEDULED",
    "running": "RUNNING",
    "finished": "FINISHED",
    "failed": "FAILED",
    "stopped": "KILLED",
    "lost": "LOST",
}
"""MLflow's words, and ours for a run whose process is gone."""
SHOWN_TAGS: Final = (NOTEBOOK_TAG, NOTE_TAG, PARENT_TAG, "mlflow.user", "mlflow.source.git.commit")
"""Of the tags that MLflow and Perijove write themselves, those that people look for."""
TEXT_OPS: Final = frozenset(("contains", "starts_with", "ends_with", "matches"))
DEEPEST: Final = 50
MAX_LEAVES: Final = 500

_MINIMIZED: Final = re.compile(
    r"(^|[^a-z])(loss|error|err|mse|mae|rmse|mape|perplexity|ppl|logloss|brier|wer|cer|fid)"
    r"([^a-z]|$)"
)
_MAXIMIZED: Final = re.compile(
    r"(^|[^a-z])(acc|accuracy|auc|auroc|f1|precision|recall|score|r2|map|iou|bleu|rouge|reward"
    r"|ndcg|mrr|dice)([^a-z0-9]|$)"
)


@dataclass(frozen=True, slots=True)
class Column:
    kind: ColumnKind
    key: str

    @property
    def holds(self) -> Holds:
        """What its values are; a parameter's and a tag's are texts, of which some say a number."""
        if self.kind == "attributes":
            return ATTRIBUTES[self.key]
        return "number" if self.kind == "metrics" else "text"

    def __str__(self) -> str:
        return f"{self.kind}.{self.key}"


def read_column(name: str) -> Column:
    """Read a column's name.

    Raises
    ------
    InvalidInputError
        When it names no column that there could be.
    """
    kind, dot, key = name.partition(".")
    if dot and key and kind in ("metrics", "params", "tags"):
        return Column(kind, key)  # type: ignore[arg-type]
    if kind == "attributes" and key in ATTRIBUTES:
        return Column("attributes", key)
    known = ", ".join(f"attributes.{key}" for key in ATTRIBUTES)
    raise InvalidInputError(
        f"There is no column {name!r}.",
        f"Write metrics.NAME, params.NAME or tags.NAME; else the columns are {known}.",
        code="unknown_column",
    )


def read_number(text: str) -> int | float | None:
    """Read a text that says a number; None where it does not. NaN is none.

    Whole numbers of up to 64 bits keep all their digits.
    """
    if not text or len(text) > 400:
        return None
    try:
        whole = int(text)
        return whole if -(2**63) <= whole < 2**63 else float(whole)
    except (ValueError, OverflowError):
        pass
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value


def read_value(column: Column, text: str) -> int | float | str:
    """Read what a filter compares with, as the column holds it.

    Raises
    ------
    InvalidInputError
        When the column cannot hold it.
    """
    if column.holds == "text":
        return _status(text) if column == STATUS else text
    value = read_number(text.strip().replace("∞", "inf"))
    if value is None and column.holds == "time":
        value = _moment(text)
    if value is None:
        example = "2026-05-31 14:30" if column.holds == "time" else "0.5"
        raise InvalidInputError(
            f"{text!r} cannot be compared with {column}: it holds "
            f"{'times' if column.holds == 'time' else 'numbers'}.",
            f"Write one, such as {example}.",
            code="filter_value",
        )
    return value


STATUS: Final = Column("attributes", "status")
VERDICT: Final = Column("attributes", "verdict")


def _status(text: str) -> str:
    word = text.strip()
    return STATUS_WORDS.get(word.lower(), word.upper())  # type: ignore[call-overload,no-any-return]


def _moment(text: str) -> int | None:
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    return round(value.timestamp() * 1000)


def leaves(tree: Filter, depth: int = 0) -> Iterator[Compare | OneOf | Missing]:
    """Yield the conditions on single columns."""
    if depth > DEEPEST:
        raise InvalidInputError(
            f"The filter is more than {DEEPEST} levels deep.", "Make it of fewer groups."
        )
    match tree:
        case Not(of=inner):
            yield from leaves(inner, depth + 1)
        case AllOf(of=many) | AnyOf(of=many):
            for inner in many:
                yield from leaves(inner, depth + 1)
        case _:
            yield tree


def check_filter(tree: Filter) -> set[Column]:
    """Refuse a filter that asks for what its columns cannot have; return the columns.

    Raises
    ------
    InvalidInputError
        Naming the column and the value.
    """
    found: set[Column] = set()
    for number, leaf in enumerate(leaves(tree)):
        if number >= MAX_LEAVES:
            raise InvalidInputError(
                f"The filter has more than {MAX_LEAVES} conditions.",
                "Use `one of` for many values.",
            )
        column = read_column(leaf.column)
        found.add(column)
        if isinstance(leaf, OneOf):
            for value in leaf.values:
                read_value(column, value)
        elif isinstance(leaf, Compare):
            if leaf.op not in TEXT_OPS:
                read_value(column, leaf.value)
            elif column.holds != "text":
                raise InvalidInputError(
                    f"{leaf.op.replace('_', ' ')!r} is for text, and {column} holds numbers.",
                    "Compare it by =, <, > or their kin.",
                    code="filter_value",
                )
    return found


def check_sort(sort: Iterable[SortKey]) -> set[Column]:
    """Refuse an order by what is no column; return the columns."""
    return {read_column(key.column) for key in sort}


def direction_of(metric: str, kpis: Iterable[Kpi]) -> Direction | None:
    """Tell which way a logged metric is better: by the targets, by its name, or not at all."""
    for kpi in kpis:
        if _names(metric, kpi.metric):
            return kpi.direction
    if metric.startswith("system/"):
        return None
    for known in METRICS.values():
        if _names(metric, known.name):
            return known.direction
    word = metric.lower()
    if _MINIMIZED.search(word):
        return "minimize"
    return "maximize" if _MAXIMIZED.search(word) else None


def _names(key: str, metric: str) -> bool:
    """Whether a logged key is a metric, such as ``val_roc_auc`` or ``test/roc_auc``."""
    return key == metric or key.endswith((f"_{metric}", f"/{metric}", f"-{metric}", f".{metric}"))
