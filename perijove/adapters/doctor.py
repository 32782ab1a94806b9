"""``perijove doctor``: is everything there that Perijove needs, and does it work?"""

from __future__ import annotations

import shutil
import sys
from importlib import metadata
from pathlib import Path

from perijove.contracts.base import Struct
from perijove.contracts.chain import AuditQuery
from perijove.core.errors import PerijoveError

FLOORS = {"jupyterlab": (4, 6), "jupyter_server": (2, 20), "ipykernel": (7, 0)}
LOW_DISK = 1 * 2**30


class Finding(Struct):
    title: str
    ok: bool
    detail: str


def examine(start: Path) -> list[Finding]:
    """Check the installation, and the project that ``start`` lies in."""
    findings = [
        Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0]),
        *(_package(name, floor) for name, floor in FLOORS.items()),
    ]
    free = shutil.disk_usage(start).free
    findings.append(Finding("Free disk", free > LOW_DISK, f"{free / 2**30:.1f} GB"))
    return [*findings, *_project(start)]


def _package(name: str, floor: tuple[int, int]) -> Finding:
    wanted = ".".join(map(str, floor))
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, False, f"not installed; {wanted} or newer is needed")
    found = tuple(int(part) for part in version.split(".")[:2])
    return Finding(name, found >= floor, f"{version} ({wanted} or newer is needed)")


def _project(start: Path) -> list[Finding]:
    from perijove.adapters.workbench import open_workbench

    try:
        bench = open_workbench(start)
        bench.project.file.read()
    except PerijoveError as error:
        return [Finding("Project", error.code == "no_project", error.message)]
    audit = bench.problem.audit(AuditQuery(limit=0))
    sockets = bench.project.paths.sockets()
    return [
        Finding("Project", True, str(bench.project.paths.root)),
        Finding("Ledger", audit.intact, f"{audit.total} audit entries, hashes intact"
                if audit.intact else audit.fault),
        _lake(bench.data.curation.unlisted()),
        Finding("Sockets", True, str(sockets)),
    ]  # fmt: skip


def _lake(unlisted: dict[str, list[int]]) -> Finding:
    """Versions of the lake that no dataset has: another program wrote them, or a commit was cut off
    before its kept rows were in.
    """
    if not unlisted:
        return Finding("Lake", True, "every version in it is a dataset's")
    found = "; ".join(
        f"{name} {', '.join(map(str, versions[:5]))}{', …' if len(versions) > 5 else ''}"
        for name, versions in unlisted.items()
    )
    return Finding(
        "Lake", False, f"it has Delta versions that are no dataset's: {found}; Perijove reads none "
        "of them, other readers of the folder may"
    )  # fmt: skip
