"""What made a run: packages, commit and seed. An allow-list: no variable of the environment."""

from __future__ import annotations

import contextlib
import os
import platform
import random
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from perijove.kernel.imports import waits, when_imported, withdraw

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


def prepare(seed: int | None, *, deterministic: bool = False) -> None:
    """Seed the generators, and have frameworks compute alike each time, as far as asked."""
    if seed is not None:
        set_seed(seed)
    if deterministic:
        set_deterministic()


def set_seed(seed: int) -> None:
    """Seed Python's generator, and those of NumPy, torch and TensorFlow: now or when imported.

    torch's seed is that of its CUDA generators too.
    """
    random.seed(seed)
    when_imported("numpy", "seed", lambda numpy: numpy.random.seed(seed % 2**32))
    when_imported("torch", "seed", lambda torch: torch.manual_seed(seed))
    when_imported("tensorflow", "seed", lambda flow: flow.random.set_seed(seed))


def set_deterministic() -> None:
    """Have torch take algorithms that give the same bits each time, now or when imported.

    An operation that has no such algorithm raises and says so.
    """
    # cuBLAS reads it once, at its first use.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    when_imported("torch", "deterministic", lambda torch: _torch_deterministic(torch, on=True))


@contextlib.contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Let the block compute alike each time where that is wanted, and what follows as before."""
    torch = sys.modules.get("torch")
    before = waits("torch", "deterministic") or (
        torch is not None and torch.are_deterministic_algorithms_enabled()
    )
    if wanted:
        set_deterministic()
    try:
        yield
    finally:
        torch = sys.modules.get("torch")
        if wanted and not before:
            withdraw("torch", "deterministic")  # else a later cell's import would act on it
            if torch is not None:
                _torch_deterministic(torch, on=False)


def _torch_deterministic(torch: Any, *, on: bool) -> None:
    torch.use_deterministic_algorithms(on)
    torch.backends.cudnn.deterministic = on
    if on:
        torch.backends.cudnn.benchmark = False


def hashes_are_fixed() -> bool:
    """Whether sets of strings have the same order in each process."""
    return not sys.flags.hash_randomization or bool(os.environ.get("PYTHONHASHSEED", ""))
