"""Environments: what is installed here, written as a lock, and made anew elsewhere from one.

A lock names the packages that a process has imported, what those need, and what Perijove's kernel
side needs, each with its exact version: everything that could change what the code computes, and
not the hundreds of others that happen to be installed. uv makes an environment of one in seconds,
for it links files that it has had before.
"""

from __future__ import annotations

import ast
import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from perijove.core.errors import UnavailableError, UnsupportedError
from perijove.core.files import sha256_text, write_atomically

OURS: Final = "perijove"
SERVER_SIDE: Final = frozenset(("jupyterlab", "jupyter-server"))
"""What we need and a kernel does not."""
_LOCAL: Final = re.compile(r"^-e (?P<path>.+?)  # (?P<name>\S+)==\S+ sha256=(?P<sha>\w+)$", re.M)
_SKIPPED: Final = frozenset(("node_modules", "build", "dist", "__pycache__", "venv", "env"))


class UvEnvironments:
    """Implements ``perijove.develop.ports.Environments``."""

    def lock(self) -> str:
        return lock()

    def machine(self) -> dict[str, str]:
        return machine()

    def changed(self, text: str) -> list[str]:
        return [
            f"The package {found['name']} at {found['path']} is not as it was"
            for found in _LOCAL.finditer(text)
            if _tree(Path(found["path"])) != found["sha"]
        ]

    def make(self, folder: Path, text: str, python: str) -> Path:
        uv = _uv()
        same = python == platform.python_version()
        wanted = getattr(sys, "_base_executable", sys.executable) if same else python
        _run([uv, "venv", "--quiet", "--no-project", "--python", wanted, str(folder)], folder)
        executable = folder / "bin" / "python"
        lines = [line for line in text.splitlines() if line and not line.startswith(("#", "-e "))]
        wishes = folder / "requirements.txt"
        write_atomically(wishes, ("\n".join(lines) + "\n").encode(), durable=False)
        _run(
            [uv, "pip", "install", "--quiet", "--no-deps", "--no-config", "--index-strategy",
             "unsafe-best-match", "--python", str(executable), "--requirements", str(wishes)],
            folder,
        )  # fmt: skip
        site = next((folder / "lib").glob("python*/site-packages"))
        # What is under work on this machine has no index to come from: it is linked as it is here.
        for name in [OURS, *(found["name"] for found in _LOCAL.finditer(text))]:
            _link(name, site)
        return executable


def lock() -> str:
    """Write down what this process computes with, a line a package."""
    from perijove.adapters.mlflow.models import distributions

    known = distributions()
    roots = {name.partition(".")[0] for name in list(sys.modules)}
    imported = frozenset(name for root in roots for name in known.get(root, ())[:1])
    pins, local = _pinned(imported, _places())
    lines = [*pins, *(f"-e {at}  # {pin} sha256={_tree(at)}" for pin, at in local)]
    head = [f"# Python {platform.python_version()}", f"# {OURS}=={metadata.version(OURS)}"]
    return "\n".join([*head, *sorted(lines, key=_name)]) + "\n"


def _places() -> tuple[tuple[str, int], ...]:
    """Tell when something was last installed: a package more or less changes its folder's time."""
    found = []
    for place in sys.path:
        with contextlib.suppress(OSError):
            found.append((place, os.stat(place).st_mtime_ns))
    return tuple(found)


@lru_cache(maxsize=4)
def _pinned(
    imported: frozenset[str], places: tuple[tuple[str, int], ...]
) -> tuple[list[str], list[tuple[str, Path]]]:
    """Pin what was imported, and name what is under work on this machine, with its place."""
    names = _closure([OURS], SERVER_SIDE) | _closure(imported, frozenset())
    pins: list[str] = []
    local: list[tuple[str, Path]] = []
    for name in sorted(names - {OURS}):
        pin, place = _pin(name)
        if place is None:
            pins.append(pin)
        else:
            local.append((pin, place))
    return pins, local


def _name(line: str) -> str:
    return line.rpartition("  # ")[2] if line.startswith("-e ") else line


def _closure(names: Iterable[str], without: frozenset[str]) -> set[str]:
    """Return the installed packages that some packages need, themselves included."""
    from packaging.requirements import InvalidRequirement, Requirement

    found: set[str] = set()
    todo = [(_normal(name), frozenset[str]()) for name in names]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        name, extras = todo.pop()
        if (name, extras) in seen or name in without:
            continue
        seen.add((name, extras))
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        for text in needs:
            try:
                need = Requirement(text)
            except InvalidRequirement:
                continue
            wanted = [{"extra": extra} for extra in (extras or {""})]
            if need.marker is None or any(need.marker.evaluate(w) for w in wanted):
                todo.append((_normal(need.name), frozenset(need.extras)))
    return found


def _pin(name: str) -> tuple[str, Path | None]:
    """Return a package's line, and where it is under work on this machine."""
    found = metadata.distribution(name)
    pin = f"{name}=={found.version}"
    origin = found.read_text("direct_url.json")
    if not origin:
        return pin, None
    said = msgspec.json.decode(origin)
    if vcs := said.get("vcs_info"):
        return f"{name} @ {vcs['vcs']}+{said['url']}@{vcs['commit_id']}", None
    url = urlsplit(said.get("url", ""))
    place = Path(unquote(url.path))
    if said.get("dir_info"):
        return pin, place
    if place.is_file() or url.scheme not in ("", "file"):
        return f"{name} @ {said['url']}", None
    return pin, None  # the file that it came from is gone: an index may have the same version


def _tree(folder: Path) -> str:
    """Hash the Python files below a folder, their names and their content."""
    parts = []
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED and not f.startswith("."))
        for name in sorted(files):
            if name.endswith(".py"):
                path = Path(at, name)
                parts.append(f"{path.relative_to(folder)}\0{path.read_text(errors='replace')}")
    return sha256_text("\0".join(parts))


def _link(name: str, site: Path) -> None:
    """Make an installed package importable from another environment, without a copy of it."""
    found = metadata.distribution(name)
    here = Path(str(found.locate_file(""))).resolve()
    tops = {
        Path(str(file)).parts[0]
        for file in found.files or ()
        if Path(str(file)).parts[0] not in ("..", "__pycache__")
    }
    for top in sorted(tops):
        if not (site / top).exists():
            (site / top).symlink_to(here / top)


@lru_cache(maxsize=1)
def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", text, re.MULTILINE)
    # The same name with other vector instructions adds in another order.
    kind = sha256_text(" ".join(sorted(flags[1].split())))[:8] if flags else ""
    return f"{found[1] if found else platform.machine()} {kind}".strip()


def machine() -> dict[str, str]:
    """Tell what else decides the last bits of a sum: processor, threads, devices."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    told = {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()} {platform.libc_ver()[1]}".strip(),
        "processor": _processor(),
        "threads": os.environ.get("OMP_NUM_THREADS") or str(cores),
        "hash_seed": os.environ.get("PYTHONHASHSEED", ""),
        "abi": sysconfig.get_config_var("SOABI") or "",
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        names = {torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}
        told["gpu"] = ", ".join(sorted(names))
    return told


def _uv() -> str:
    try:
        from uv import find_uv_bin
    except ImportError:
        found = shutil.which("uv")
    else:
        try:
            found = find_uv_bin()
        except FileNotFoundError:
            found = shutil.which("uv")
    if found is None:
        raise UnavailableError(
            "uv is not installed, which makes the fresh environment.",
            "pip install 'perijove[rerun]'",
            code="uv_missing",
        )
    return str(found)


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | _indexes()
        )
    except OSError as error:
        raise UnavailableError(f"{command[0]} cannot be run: {error.strerror}.") from error
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise UnsupportedError(
            f"The environment cannot be made: {' '.join(said[-6:])[:800]}",
            "The lock names exact versions: your package index must still have them. uv reads "
            "UV_INDEX and UV_FIND_LINKS, and what pip is configured with is passed on to it.",
            code="environment_failed",
        )


@lru_cache(maxsize=1)
def _indexes() -> dict[str, str]:
    """Tell uv, which does not read pip's configuration, where pip would look for packages."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    said: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listed.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(f"{section}."):
                said[key.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
        "no-index": "UV_NO_INDEX",
    }
    return {
        name: " ".join(said[key].split())
        for key, name in names.items()
        if key in said and name not in os.environ
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
