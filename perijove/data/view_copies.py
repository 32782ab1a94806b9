"""Copies of views on the disk: what they are of, and how much room they have."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from perijove.contracts.base import Struct
from perijove.contracts.table import Filter, SortKey
from perijove.core.errors import NotFoundError, UnavailableError
from perijove.core.files import write_atomically
from perijove.core.paths import ProjectPaths

MOST_BYTES = 4 * 2**30
"""That copies have together; less where the disk is nearly full."""
SHARE = 0.2
"""Of what is free on the disk."""
FORMAT = 1
"""Part of each identity: a change of what copies hold makes them anew."""


class StoredView(Struct):
    """What a view is, so that another server still knows it."""

    ref: str
    filter: Filter | None
    sort: list[SortKey]
    rows: int | None = None
    """None until they were counted."""
    first: int = 0
    """Rows that its file of first rows holds."""


class ViewCopies:
    """The views of one project, in ``.perijove/cache/views``: a folder each.

    ``view.json`` says what it is, ``first.parquet`` holds the first rows, ``rows.parquet`` all.
    """

    def __init__(self, paths: ProjectPaths) -> None:
        self._paths = paths
        self._folder = paths.cache / "views"

    @property
    def scratch(self) -> Path:
        """Where sorts spill."""
        return self._paths.cache / "scratch"

    def identity(self, key: str, tree: Filter | None, sort: Sequence[SortKey]) -> str:
        """Name a view by its content."""
        said = msgspec.json.encode([FORMAT, key, tree, sort], order="sorted")
        return hashlib.sha256(said).hexdigest()[:32]

    def save(self, view: str, stored: StoredView) -> None:
        folder = self._place(view)
        self._paths.make_state()
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "view.json", msgspec.json.encode(stored), durable=False)

    def load(self, view: str) -> StoredView:
        """Return what a view is.

        Raises
        ------
        NotFoundError
            When nobody opened it, or its place went to others.
        """
        stored = self.find(view)
        if stored is None:
            raise NotFoundError(
                "That view is not known any more.",
                "Filter or sort the table again.",
                code="view_not_found",
            )
        return stored

    def find(self, view: str) -> StoredView | None:
        file = self._place(view) / "view.json"
        try:
            stored = msgspec.json.decode(file.read_bytes(), type=StoredView)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        with contextlib.suppress(OSError):
            os.utime(file)  # views that nobody looks at make place first
        return stored

    def first(self, view: str) -> Path:
        return self._place(view) / "first.parquet"

    def rows(self, view: str) -> Path:
        return self._place(view) / "rows.parquet"

    def make_room(self, view: str, wanted: int) -> int:
        """Forget views that were not looked at for longest, and return what a copy may have.

        Parameters
        ----------
        wanted
            Bytes that the copy of ``view`` probably has.

        Raises
        ------
        UnavailableError
            When there is no room for a copy of any use.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        others = sorted(
            (_looked_at(f), _size(f), f) for f in self._folder.iterdir() if f.name != view
        )
        used = sum(size for _, size, _ in others)
        most = self._most(used)
        while others and used + wanted > most:
            _, size, folder = others.pop(0)
            shutil.rmtree(folder, ignore_errors=True)
            used -= size
        if wanted > most - used:
            raise UnavailableError(
                f"A copy of this view needs about {wanted / 2**20:,.0f} MB, and views may have "
                f"{most / 2**20:,.0f} MB on this disk; only its first rows are there.",
                "Filter further, or free some space and open the view again.",
                code="view_too_large",
            )
        return most - used

    def _most(self, used: int) -> int:
        return min(MOST_BYTES, int(SHARE * (shutil.disk_usage(self._folder).free + used)))

    def _place(self, view: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{32}", view):
            raise NotFoundError(
                f"{view[:40]!r} names no view.", "Open the view first.", code="view_not_found"
            )
        return self._folder / view


def _looked_at(folder: Path) -> float:
    try:
        return (folder / "view.json").stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(folder: Path) -> int:
    total = 0
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total
