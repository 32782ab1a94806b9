"""What MLflow's API was given, as records of journals."""

from __future__ import annotations

import json
import os
import threading
import warnings
import weakref
from collections.abc import Sequence
from typing import Any, Final

from mlflow.entities import Metric, Param

from perijove.core.paths import ProjectPaths
from perijove.core.process_journal import ProcessJournal
from perijove.core.secrets import mask_values
from perijove.develop.tags import MASKED_TAG

OPEN_JOURNALS: Final = 16

_all: weakref.WeakSet[RunJournals] = weakref.WeakSet()


def metric_records(metrics: Sequence[Metric]) -> list[tuple[Any, ...]]:
    """Put the metrics of one time and step into one record, each key once."""
    records: list[tuple[Any, ...]] = []
    for metric in metrics:
        values: dict[str, float] | None = None
        if records:
            _, at, step, last = records[-1]
            if (at, step) == (metric.timestamp, metric.step) and metric.key not in last:
                values = last
        if values is None:
            values = {}
            records.append(("m", metric.timestamp, metric.step, values))
        values[metric.key] = float(metric.value)
    return records


class RunJournals:
    """The journals of the runs that this process writes to. Safe to share and to fork.

    Parameters
    ----------
    paths
        The project's paths.
    """

    def __init__(self, paths: ProjectPaths) -> None:
        self._paths = paths
        self._lock = threading.Lock()
        self._open: dict[str, ProcessJournal] = {}
        self._written: set[str] = set()
        self._masked: dict[str, set[str]] = {}
        self._warned = False
        _all.add(self)

    def append(self, run_id: str, record: tuple[Any, ...]) -> None:
        """Append to a run's journal. A full disk costs the caller nothing: the record waits."""
        with self._lock:
            journal = self._open.get(run_id)
            if journal is None:
                while len(self._open) >= OPEN_JOURNALS:
                    self._open.pop(next(iter(self._open))).close()
                journal = self._open[run_id] = ProcessJournal(self._paths.journals / run_id)
            self._written.add(run_id)
        try:
            journal.append(record)
        except OSError as error:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"Metrics wait in memory: {error.strerror or error}. Training goes on; free "
                    "some disk space before the run ends, and they are kept.",
                    RuntimeWarning,
                    stacklevel=4,
                )

    def masked(self, run_id: str, params: Sequence[Param]) -> list[Param]:
        """Return parameters without what looks like a secret; the run and the user are told."""
        kept, names = mask_values({param.key: str(param.value) for param in params})
        known = self._masked.setdefault(run_id, set())
        if fresh := [name for name in names if name not in known]:
            known.update(fresh)
            found = json.dumps([f"params.{name}" for name in sorted(known)])
            self.append(run_id, ("t", {MASKED_TAG: found}))
            warnings.warn(
                f"{', '.join(fresh)} looks like a secret: its value is not kept with the run.",
                UserWarning,
                stacklevel=4,
            )
        return [Param(key, text) for key, text in kept.items()] if names else list(params)

    def written(self) -> list[str]:
        """Return the runs that were written to since they were last asked for here."""
        with self._lock:
            found = list(self._written)
            self._written.clear()
            return found

    def moved(self, run_id: str) -> None:
        """Take note that a run's journals are in the store."""
        self._written.discard(run_id)

    def close(self, run_id: str) -> None:
        """Let go of a run's journal; the next record opens another one."""
        with self._lock:
            journal = self._open.pop(run_id, None)
        if journal is not None:
            journal.close()


def _start_anew() -> None:
    """In a forked child: the parent moves what the parent wrote."""
    for journals in list(_all):
        journals._lock = threading.Lock()
        journals._written.clear()


os.register_at_fork(after_in_child=_start_anew)
