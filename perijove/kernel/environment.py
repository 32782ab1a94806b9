"""What made a run: packages, commit and seed. An allow-list: no variable of the environment."""

from __future__ import annotations

import platform
import random
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

GIT_SECONDS = 2.0


def packages() -> dict[str, str]:
    """Return the versions of Python, the platform and the packages that are imported."""
    from perijove.adapters.mlflow.models import distributions

    known = distributions()
    roots = {name.partition(".")[0] for name in list(sys.modules)}
    names = {names[0] for root in roots if (names := known.get(root))}
    found = {name: metadata.version(name) for name in sorted(names, key=str.lower)}
    return {"python": platform.python_version(), "platform": platform.platform(), **found}


class Commit(NamedTuple):
    sha: str
    """Empty where there is no repository."""
    dirty: bool


def git_commit(folder: Path) -> Commit:
    """Tell the commit that a folder is at, and whether files differ from it."""
    sha = _git(folder, "rev-parse", "HEAD")
    if not sha:
        return Commit("", dirty=False)
    return Commit(sha, dirty=bool(_git(folder, "status", "--porcelain", "--untracked-files=no")))


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
            start_new_session=True,  # an interrupt of the kernel is not meant for it
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def set_seed(seed: int) -> None:
    """Seed Python's and NumPy's generators, and torch's where it is imported."""
    random.seed(seed)
    import numpy as np

    np.random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
