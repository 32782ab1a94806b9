"""A notebook as it was saved last: its cells, for what a kernel cannot know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from perijove.kernel.files import unwatched
from perijove.kernel.history import SKIP_TAG


@dataclass(frozen=True, slots=True)
class SavedCell:
    """A code cell."""

    id: str
    """Empty in notebooks of a format before 4.5."""
    source: str
    skipped: bool = False
    """Tagged to stay behind when a training cell is sent."""


def saved_cells(path: Path | None) -> list[SavedCell] | None:
    """Return a notebook's code cells; None where it is not there or cannot be read."""
    if path is None:
        return None
    try:
        with unwatched():
            content = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        return None
    return [_cell(cell) for cell in cells if isinstance(cell, dict) and _is_code(cell)]


def _is_code(cell: dict[str, Any]) -> bool:
    return cell.get("cell_type") == "code"


def _cell(cell: dict[str, Any]) -> SavedCell:
    source = cell.get("source", "")
    text = "".join(str(line) for line in source) if isinstance(source, list) else str(source)
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return SavedCell(str(cell.get("id", "")), text, isinstance(tags, list) and SKIP_TAG in tags)
