"""Commits under way: what the ledger will say of a version is written down before the lake has it.

A commit is two steps, one in the lake and one in the ledger. Where a process dies in between, the
next one finds here what the version is, and lists it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import msgspec

from perijove.contracts.base import Facts
from perijove.contracts.data import DataFacts
from perijove.contracts.quality import QualityFacts
from perijove.core.files import write_atomically

ENDING: Final = ".pending"


class Part(Facts):
    """A table of a commit: its first file names the commit in the lake's log."""

    file: str
    facts: DataFacts
    """All but the version of the lake."""


class Pending(Facts):
    """A commit, whole: it can be listed by whoever finds it in the lake."""

    name: str
    by: str
    kept: Part
    quarantined: Part | None = None
    """In the lake before the rows that are kept."""
    checked: QualityFacts | None = None
    """Without the references of the two versions."""


class PendingCommits:
    """The commits under way of one lake, a file each; the dataset's lock guards it.

    Parameters
    ----------
    folder
        Of the lake.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the datasets that have one."""
        found = self._folder.glob(f".*{ENDING}")
        return sorted(path.name[1:].removesuffix(ENDING) for path in found)

    def write(self, pending: Pending) -> None:
        """Keep a commit; durable when it returns.

        Raises
        ------
        ReadOnlyError
            When the disk is full.
        """
        write_atomically(self._path(pending.name), msgspec.json.encode(pending))

    def read(self, name: str) -> Pending | None:
        """Return it; None where there is none, or one of a program that knows other facts."""
        with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode(self._path(name).read_bytes(), type=Pending)
        return None

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f".{name}{ENDING}"
