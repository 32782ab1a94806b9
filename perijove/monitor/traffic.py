"""What an endpoint's journals say, read once and kept by the minute.

Each journal has a cursor: a report reads only what came since the one before. All journals are read
side by side in the order of time, whichever revision and process wrote them: when rows are let go,
they are the oldest.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from perijove.contracts.deploy import FeatureProfile
from perijove.contracts.monitor import PredictionRecord
from perijove.core.errors import InvalidInputError
from perijove.core.journal import JournalFolder, Record
from perijove.core.ledger import now
from perijove.monitor import drift
from perijove.monitor.latency import Latencies

MINUTE: Final = 60_000
KEPT_MINUTES: Final = 24 * 60
KEPT_ROWS: Final = 200_000
"""Rows whose outputs are kept for the outcomes that may still come."""
RECENT: Final = 50
_SHOWN: Final = 400

Outcome = tuple[str, int]
"""A prediction's id and a row of it."""


def _at(record: Record) -> int:
    """When a prediction or an outcome was written; of what is neither, the beginning."""
    at = record[2] if len(record) > 2 else 0
    return at if isinstance(at, int) else 0


@dataclass(slots=True)
class Minute:
    requests: int = 0
    errors: int = 0
    latencies: Latencies = field(default_factory=Latencies)
    bins: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Model to feature to counts, as :func:`perijove.monitor.drift.count` makes them."""


@dataclass(frozen=True, slots=True)
class Prediction:
    revision: int
    rows: int
    outputs: dict[str, list[Any]]


class Traffic:
    """One endpoint's predictions and outcomes. Not thread-safe: its service holds a lock.

    Parameters
    ----------
    model_of
        Tells the model and its training profile for a revision.
    """

    def __init__(
        self, folder: Path, model_of: Callable[[int], tuple[str, list[FeatureProfile]]]
    ) -> None:
        self._predictions = JournalFolder(folder / "predictions")
        self._outcomes = JournalFolder(folder / "outcomes")
        self._model_of = model_of
        self._kept_rows = 0
        self.minutes: dict[int, Minute] = {}
        self.recent: list[PredictionRecord] = []
        self.predictions: dict[str, Prediction] = {}
        self.outcomes: dict[str, dict[int, Any]] = {}
        """Prediction to row to what turned out to be true; of the predictions that are kept."""
        self.total = 0
        self.reads: Counter[str] = Counter()
        """Records by kind: what a cached figure was made from."""

    def update(self) -> None:
        """Read what came since."""
        oldest = now() // MINUTE - KEPT_MINUTES
        # The prediction of each outcome so far is in its journal by now.
        known = self._outcomes.sizes()
        newest: deque[Record] = deque(maxlen=RECENT)
        for record in self._predictions.merged(_at):
            if record[0] == "q":
                self._take(record, oldest)
                self.reads["q"] += 1
                newest.append(record)
        if newest:
            shown = [*self.recent, *map(_shown, newest)]
            self.recent = sorted(shown, key=lambda r: -r.at)[:RECENT]
        for record in self._outcomes.merged(_at, known):
            if record[0] == "o":
                _, identifier, _, value = record
                base, row = self.locate(identifier, known=False)
                self.reads["o"] += 1
                if base in self.predictions:
                    self.outcomes.setdefault(base, {})[row] = value
        for minute in [m for m in self.minutes if m < oldest]:
            del self.minutes[minute]

    def _take(self, record: Record, oldest: int) -> None:
        _, identifier, at, revision, status, rows, milliseconds, inputs, outputs, _ = record
        self.total += 1
        if at // MINUTE >= oldest:
            minute = self.minutes.setdefault(at // MINUTE, Minute())
            minute.requests += 1
            minute.errors += status >= 400
            minute.latencies.add(milliseconds)
            if status < 400:
                self._count(minute, revision, inputs)
        if outputs:
            self.predictions[identifier] = Prediction(revision, rows, outputs)
            self._kept_rows += rows
            while self._kept_rows > KEPT_ROWS and len(self.predictions) > 1:
                first = next(iter(self.predictions))
                self._kept_rows -= self.predictions.pop(first).rows
                self.outcomes.pop(first, None)

    def _count(self, minute: Minute, revision: int, inputs: dict[str, list[Any]]) -> None:
        model, profiles = self._model_of(revision)
        features = minute.bins.setdefault(model, {})
        for profile in profiles:
            if profile.feature in inputs:
                counts = drift.count(profile, inputs[profile.feature])
                before = features.get(profile.feature)
                features[profile.feature] = (
                    counts
                    if before is None
                    else [a + b for a, b in zip(before, counts, strict=True)]
                )

    def observed(self, model: str, feature: str, since: int) -> list[int] | None:
        """Return a feature's counts of the rows that a model saw since a minute."""
        parts = [
            counts
            for at, minute in self.minutes.items()
            if at >= since and (counts := minute.bins.get(model, {}).get(feature)) is not None
        ]
        return [sum(column) for column in zip(*parts, strict=True)] if parts else None

    def locate(self, identifier: str, *, known: bool = True) -> Outcome:
        """Take ``ID`` or ``ID:ROW`` apart.

        Raises
        ------
        InvalidInputError
            Where a known one is asked for: when no prediction has that id or row.
        """
        base, separator, row = identifier.partition(":")
        found = self.predictions.get(base)
        if not known:
            return base, int(row) if row.isdigit() else 0
        if found is None:
            raise InvalidInputError(
                f"The endpoint made no prediction {identifier!r}.",
                "Use the ids that it answered with; they are known for the last "
                f"{KEPT_ROWS:,} rows.",
                code="unknown_prediction",
            )
        if not separator and found.rows > 1:
            raise InvalidInputError(
                f"Prediction {identifier!r} has {found.rows} rows.",
                f"Name the row, as in {identifier}:0.",
                code="unknown_prediction",
            )
        if separator and not (row.isdigit() and int(row) < found.rows):
            raise InvalidInputError(
                f"Prediction {base!r} has no row {row!r}.",
                f"Its rows are 0 to {found.rows - 1}.",
                code="unknown_prediction",
            )
        return base, int(row or 0)

    def answered(self, model: str) -> tuple[list[Any], dict[str, list[Any]]]:
        """Join outcomes with what a model had answered: truths, and outputs by column."""
        truths: list[Any] = []
        outputs: dict[str, list[Any]] = {}
        for identifier, outcomes in self.outcomes.items():
            found = self.predictions[identifier]
            if self._model_of(found.revision)[0] != model:
                continue
            for row, value in outcomes.items():
                if any(row >= len(values) for values in found.outputs.values()):
                    continue
                truths.append(value)
                for name, values in found.outputs.items():
                    outputs.setdefault(name, []).append(values[row])
        return truths, outputs


def _shown(record: Record) -> PredictionRecord:
    _, identifier, at, revision, status, rows, milliseconds, inputs, outputs, error = record
    return PredictionRecord(
        id=identifier,
        at=at,
        revision=revision,
        status=status,
        rows=rows,
        milliseconds=milliseconds,
        inputs=_first(inputs),
        output=_first(outputs),
        error=error,
    )


def _first(columns: dict[str, list[Any]]) -> str:
    row = {name: values[0] for name, values in columns.items() if values}
    text = msgspec.json.encode(row).decode() if row else ""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
