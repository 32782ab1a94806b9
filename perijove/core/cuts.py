"""Where journals were cut: what stands behind no longer counts.

A process that goes on from a checkpoint does again what its forerunner did after it. The journals
that the forerunner left are not touched, but beside them is written down how much of each counts:

    cuts.json    {"4711-0.pj": 18204, "4712-0.pj": 0}

A cut is of a journal that nobody writes to any more, at the end of a frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from perijove.core.files import locked, write_atomically

CUTS_FILE: Final = "cuts.json"
LOCK_FILE: Final = "cuts.lock"
BY_FILE: Final = "cuts.by"
"""Who placed the cuts last: the attempt that went on."""


def read_cuts(folder: Path) -> dict[str, int]:
    """Return the journals of a folder that were cut, and how many bytes of each count."""
    try:
        return msgspec.json.decode((folder / CUTS_FILE).read_bytes(), type=dict[str, int])
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return {}


def write_cuts(
    folder: Path, ends: Mapping[str, int], *, by: str = "", unless_placed: bool = False
) -> None:
    """Cut journals; others stay as they were cut before.

    Parameters
    ----------
    ends
        Name to bytes that count.
    by
        The attempt that goes on, which may have several processes.
    unless_placed
        Leave the cuts as they are where a process of the same attempt has placed them.
    """
    with locked(folder / LOCK_FILE):
        if unless_placed and by and _placed_by(folder) == by:
            return
        cuts = read_cuts(folder) | dict(ends)
        write_atomically(folder / CUTS_FILE, msgspec.json.encode(cuts))
        if by:
            write_atomically(folder / BY_FILE, by.encode())


def _placed_by(folder: Path) -> str:
    try:
        return (folder / BY_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
