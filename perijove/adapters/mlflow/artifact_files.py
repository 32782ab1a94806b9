"""Artifacts of a run in folders of this machine: its own, and those of the models that it logged.

MLflow 3 keeps a logged model in a folder of its own, and shows it among the artifacts of the run
that logged it, by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from perijove.core.errors import NotFoundError
from perijove.core.paths import resolve_inside
from perijove.develop.ports import StoredArtifact


def listed(root: Path, path: str, models: Mapping[str, Path] | None = None) -> list[StoredArtifact]:
    """Return what lies in a folder below ``root``; links that lead out are passed over.

    Parameters
    ----------
    models
        The folders of logged models by their names; what lies in ``root`` goes before them.
    """
    models = models or {}
    name, inside = _model_of(root, path, models)
    if name:
        found = listed(models[name], inside)
        return [replace(one, path=f"{name}/{one.path}") for one in found]
    found = _listed(root, path)
    if path.strip("/") == "":
        there = {one.path for one in found}
        found += [StoredArtifact(one, True, None) for one in models if one not in there]
    return found


def _model_of(root: Path, path: str, models: Mapping[str, Path]) -> tuple[str, str]:
    """Tell which model a path leads into, and where in it; an empty name for none."""
    path = path.strip("/")
    for name in models:
        if (path == name or path.startswith(f"{name}/")) and not (root / name).exists():
            return name, path[len(name) + 1 :]
    return "", path


def _listed(root: Path, path: str) -> list[StoredArtifact]:
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


def found_file(root: Path, path: str, models: Mapping[str, Path] | None = None) -> Path:
    """Return a file below ``root``, or in the folder of a logged model.

    Raises
    ------
    NotFoundError
        When there is none.
    ForbiddenPathError
        When the path leads out.
    """
    models = models or {}
    name, inside = _model_of(root, path, models)
    file = resolve_inside((models[name] if name else root).resolve(), inside if name else path)
    if not file.is_file():
        raise NotFoundError(
            f"The run has no artifact {path!r}.",
            "See its artifacts for those that it has.",
            code="artifact_not_found",
        )
    return file
