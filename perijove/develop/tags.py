"""What Perijove keeps in a run's tags, and how it is read back: anybody may have edited them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from perijove.core.files import ProcessId
from perijove.develop.ports import StoredRun

COMMIT_TAG: Final = "mlflow.source.git.commit"
DIRTY_TAG: Final = "perijove.git_dirty"
DISORDER_TAG: Final = "perijove.disorder"
"""JSON: why a fresh run of the cells might not do the same."""
INPUTS_TAG: Final = "perijove.inputs"
JOB_TAG: Final = "perijove.job"
"""The job that runs it."""
MASKED_TAG: Final = "perijove.masked"
"""JSON: what looked like a secret and was not kept."""
NOTE_TAG: Final = "mlflow.note.content"
"""Markdown; MLflow's own page shows it as the run's description."""
PIN_TAG: Final = "perijove.pin"
PROCESS_TAG: Final = "perijove.process"
SEARCH_TAG: Final = "perijove.search"
"""JSON: what the head of a search searches."""
SEED_TAG: Final = "perijove.seed"
STAR_TAG: Final = "perijove.star"
"""Not empty for a run that somebody starred."""
UNREGISTERED_TAG: Final = "perijove.unregistered"
USAGE_TAG: Final = "perijove.usage"
"""JSON: what its processes took."""


def process_of(run: StoredRun) -> ProcessId | None:
    """Return the process that a run runs in; None for a run of another tool."""
    found: ProcessId | None = value_of(run.tags.get(PROCESS_TAG), ProcessId)
    return found


def strings_of(text: str | None) -> list[str]:
    """Read a tag that should hold a JSON list of strings."""
    return value_of(text, list[str]) or []


def value_of(text: str | None, kind: Any) -> Any:
    """Read a tag that should hold JSON; None where it is not there, or something else."""
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        return None
