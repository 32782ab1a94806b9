"""Which data files and URLs this kernel read without asking Perijove."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from perijove.kernel.places import is_data_url, named_urls, without_password

SUFFIXES: Final = frozenset(
    [
        "csv",
        "tsv",
        "parquet",
        "json",
        "jsonl",
        "ndjson",
        "feather",
        "arrow",
        "xlsx",
        "xls",
        "pkl",
        "pickle",
        "npy",
        "npz",
        "h5",
        "hdf5",
    ]
)
_LITERAL = re.compile(
    r"""(['"])((?:(?!\1)[^\n\\])+\.(?:""" + "|".join(sorted(SUFFIXES)) + r"""))\1""", re.IGNORECASE
)
_SYSTEM: Final = ("/proc", "/sys", "/dev", "/etc")
_PACKAGES: Final = {"site-packages", "dist-packages", "node_modules", "__pycache__"}

_paused: ContextVar[bool] = ContextVar("perijove_files_paused", default=False)
_watch: FileWatch | None = None
_hooked = False


class FileWatch:
    """Remembers the data files that the process opens for reading.

    An audit hook sees whatever goes through Python's ``open`` or ``urllib``. Readers in C++
    (pyarrow, DuckDB, Polars) and clients of object stores and databases pass it by, so that the
    names of files and the URLs in a cell's text count too.
    """

    def __init__(self) -> None:
        self._read: dict[str, None] = {}
        self._named: dict[str, None] = {}
        self._urls: dict[str, None] = {}
        self._written: set[str] = set()

    def start(self) -> None:
        """Watch from now on. A hook cannot be taken back: it does nothing while nobody watches."""
        global _watch, _hooked
        _watch = self
        if not _hooked:
            _hooked = True
            sys.addaudithook(_hook)

    def stop(self) -> None:
        global _watch
        if _watch is self:
            _watch = None

    def note(self, path: str, reading: bool) -> None:
        path = os.path.abspath(path)
        if not reading:
            self._written.add(path)
        elif path not in self._written:  # what this kernel wrote itself is no input
            self._read[path] = None

    def note_url(self, url: str) -> None:
        if is_data_url(url, SUFFIXES):
            self._urls[without_password(url)] = None

    @property
    def count(self) -> int:
        """How many paths and URLs are known: it grows when something new was read."""
        return len(self._read) + len(self._named) + len(self._urls)

    def urls(self) -> list[str]:
        """Return the URLs that were opened or named, in order, without passwords."""
        return list(self._urls)

    def note_literals(self, source: str, *, before: float) -> None:
        """Note files that a cell names, and that were there before it ran and not changed by it.

        URLs that it seems to read are noted too.

        Parameters
        ----------
        before
            When the cell began, in seconds since the epoch.
        """
        self._urls.update(dict.fromkeys(named_urls(source, SUFFIXES)))
        for _, text in _LITERAL.findall(source):
            with contextlib.suppress(OSError, ValueError):
                path = os.path.abspath(text)
                known = path in self._read or path in self._written
                if not known and os.path.isfile(path) and os.stat(path).st_mtime < before:
                    self._named[path] = None

    def opened(self, root: Path) -> list[Path]:
        """Return the data files that were read, in order; not those of packages and caches."""
        return _inputs(self._read, root)

    def named(self, root: Path) -> list[Path]:
        """Return the data files that cells name and that nobody was seen to open."""
        return _inputs(self._named, root)


def _inputs(paths: dict[str, None], root: Path) -> list[Path]:
    resolved = dict.fromkeys(Path(path).resolve() for path in list(paths))
    return [path for path in resolved if _is_input(path, root)]


def _is_input(path: Path, root: Path) -> bool:
    inside = path.is_relative_to(root)
    parts = path.relative_to(root).parts if inside else path.parts
    if any(part in _PACKAGES or part.startswith(".") for part in parts):
        return False
    if inside:
        return True
    installed = (sys.prefix, sys.base_prefix, sys.exec_prefix)
    # Another library's scratch files; a project may itself lie in a temporary folder.
    scratch = Path(tempfile.gettempdir()).resolve()
    return (
        not str(path).startswith(_SYSTEM)
        and not any(path.is_relative_to(Path(p).resolve()) for p in installed if p != "/usr")
        and not path.is_relative_to(Path("/usr"))
        and not (path.is_relative_to(scratch) and not root.is_relative_to(scratch))
    )


@contextlib.contextmanager
def unwatched() -> Iterator[None]:
    """Let Perijove's own reads in this block pass unseen: they are recorded as what they are."""
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    # Called for every audited event of the process: the common case must end at once.
    if (event != "open" and event != "urllib.Request") or _watch is None:
        return
    path = arguments[0]
    if event == "urllib.Request":
        if type(path) is str and not _paused.get():
            _watch.note_url(path)
        return
    if type(path) is not str:
        return
    dot = path.rfind(".")
    if dot < 0 or path[dot + 1 :].lower() not in SUFFIXES or _paused.get():
        return
    mode, flags = arguments[1], arguments[2] or 0
    if mode is not None:
        reading = "r" in mode
    else:
        reading = flags & os.O_ACCMODE != os.O_WRONLY and not flags & os.O_TRUNC
    _watch.note(path, reading)
