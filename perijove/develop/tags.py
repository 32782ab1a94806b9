"""What Perijove keeps in a run's tags, and how it is read back: anybody may have edited them."""

from __future__ import annotations

from typing import Final

import msgspec

from perijove.core.files import ProcessId
from perijove.develop.ports import StoredRun

COMMIT_TAG: Final = "mlflow.source.git.commit"
DIRTY_TAG: Final = "perijove.git_dirty"
INPUTS_TAG: Final = "perijove.inputs"
PROCESS_TAG: Final = "perijove.process"
SEED_TAG: Final = "perijove.seed"
UNREGISTERED_TAG: Final = "perijove.unregistered"


def process_of(run: StoredRun) -> ProcessId | None:
    """Return the process that a run runs in; None for a run of another tool."""
    text = run.tags.get(PROCESS_TAG, "")
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=ProcessId)
    except msgspec.DecodeError:
        return None


def strings_of(text: str | None) -> list[str]:
    """Read a tag that should hold a JSON list of strings."""
    try:
        return msgspec.json.decode(text or "[]", type=list[str])
    except msgspec.DecodeError:
        return []
