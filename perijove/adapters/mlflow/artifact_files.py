"""Artifacts of a run in a folder of this machine."""

from __future__ import annotations

from pathlib import Path

from perijove.core.errors import NotFoundError
from perijove.core.paths import resolve_inside
from perijove.develop.ports import StoredArtifact


def listed(root: Path, path: str) -> list[StoredArtifact]:
    """Return what lies in a folder below ``root``; links that lead out are passed over."""
    root = root.resolve()
    folder = resolve_inside(root, path)
    try:
        entries = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = []
    for entry in entries:
        real = entry.resolve()
        if not real.is_relative_to(root) or not real.exists():
            continue
        within = (folder / entry.name).relative_to(root).as_posix()
        size = None if real.is_dir() else real.stat().st_size
        found.append(StoredArtifact(within, real.is_dir(), size))
    return found


def found_file(root: Path, path: str) -> Path:
    """Return a file below ``root``.

    Raises
    ------
    NotFoundError
        When there is none.
    ForbiddenPathError
        When the path leads out.
    """
    file = resolve_inside(root.resolve(), path)
    if not file.is_file():
        raise NotFoundError(
            f"The run has no artifact {path!r}.",
            "See its artifacts for those that it has.",
            code="artifact_not_found",
        )
    return file
