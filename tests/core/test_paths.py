"""Walls: no path leads out of a project, and sockets lie where others cannot reach."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from perijove.core.errors import ForbiddenPathError, NotFoundError
from perijove.core.paths import ProjectPaths, find_project, resolve_inside


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "link/passwd", "a\0b"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    root = (tmp_path / "root").resolve()
    root.mkdir()
    (root / "link").symlink_to("/etc")
    with pytest.raises((ForbiddenPathError, ValueError)):
        resolve_inside(root, path)


def test_a_path_inside_is_found(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    assert resolve_inside(root, "a/b.csv") == root / "a" / "b.csv"


def test_a_project_is_found_from_below(folder: Path) -> None:
    below = folder / "a" / "b"
    below.mkdir(parents=True)
    assert find_project(below).root == folder.resolve()


def test_no_project_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="perijove init"):
        find_project(tmp_path)


def test_sockets_are_private_and_short(folder: Path) -> None:
    sockets = ProjectPaths(folder.resolve()).sockets()
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert len(str(sockets / "12345678.sock")) <= 104
    sockets.chmod(0o755)
    with pytest.raises(ForbiddenPathError):
        ProjectPaths(folder.resolve()).sockets()
