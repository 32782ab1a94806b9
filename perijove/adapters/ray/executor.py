"""Jobs on a Ray cluster: scheduled by Ray, supervised as on this machine.

What Ray runs is the supervisor of :mod:`perijove.adapters.jobs`, on a node that sees the project's
folder at the same path. So the state, the log and the results come the same way as from a job
here, and the cluster is asked only for a job that has not begun, or of which nothing is heard.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from perijove.adapters.jobs import folders, supervisor
from perijove.adapters.ray.cluster import Cluster, Details
from perijove.contracts.base import ErrorBody
from perijove.contracts.jobs import ExecutorInfo
from perijove.core.context import ProjectContext
from perijove.core.errors import PerijoveError, UnavailableError
from perijove.core.files import locked, write_atomically
from perijove.core.jobs import ACTIVE, JOB_VARIABLE, JobSpec, JobStatus

GRACE: Final = 2.0
"""Seconds between asking and killing: Ray itself kills after 3, and leaves who hides from it."""
KILLS: Final = 3.0
REMEMBERED: Final = 1.0
"""Seconds that an answer of the cluster counts."""
ADDRESSES: Final = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")


class _Submitted(msgspec.Struct):
    """Which job of which cluster it is."""

    address: str
    submission: str


class RayExecutor:
    """Runs jobs on the cluster that ``[jobs]`` of the project or the environment names."""

    name = "ray"

    def __init__(self, project: ProjectContext) -> None:
        self._project = project
        self._clusters: dict[str, Cluster] = {}
        self._known: dict[str, tuple[float, Details | None]] = {}

    def info(self) -> ExecutorInfo:
        title = "Ray"
        try:
            cluster = self._cluster(self._address())
            title = f"Ray {cluster.version()} at {cluster.address}"
        except PerijoveError as error:
            reason = f"{error.message} {error.hint}".strip()
            return ExecutorInfo(self.name, title, available=False, reason=reason)
        return ExecutorInfo(self.name, title, available=True)

    def start(self, folder: Path, spec: JobSpec) -> None:
        cluster = self._cluster(self._address())
        submission = f"perijove-{folder.name}"
        request: dict[str, Any] = {
            "entrypoint": _entrypoint(folder),
            "submission_id": submission,
            # No working_dir: where there is none, Ray puts the driver's current folder, which is the
            # project's, on the path of all of its workers, and so they find the project's modules.
            "runtime_env": {"env_vars": dict(spec.env)},
            "metadata": {"perijove_job": folder.name, "title": spec.title, "by": spec.by},
        }
        wanted = {
            "entrypoint_num_cpus": spec.resources.cpus,
            "entrypoint_num_gpus": spec.resources.gpus,
            "entrypoint_memory": spec.resources.memory,
        }
        request |= {key: value for key, value in wanted.items() if value}
        kept = _Submitted(cluster.address, submission)
        write_atomically(folder / folders.EXECUTOR_FILE, msgspec.json.encode(kept))
        cluster.submit(request)

    def look(self, folder: Path) -> JobStatus:
        state = folders.read(folder / supervisor.STATE_FILE, folders.State)
        if state is not None and not folders.silent(folder, 0, state):
            return state.status()
        kept = folders.read(folder / folders.EXECUTOR_FILE, _Submitted)
        if kept is None:
            return self._over(folder, "lost", None)
        try:
            details = self._details(kept)
        except UnavailableError:
            said = state.status() if state is not None else JobStatus("queued")
            away = f"the Ray cluster at {kept.address} to answer"
            return msgspec.structs.replace(said, waiting=away)
        return self._judge(folder, details, begun=state is not None)

    def _judge(self, folder: Path, details: Details | None, *, begun: bool) -> JobStatus:
        """Tell of a job that has not begun to speak, or speaks no more, what Ray says of it."""
        if details is None:
            return self._over(folder, "lost", "The Ray cluster knows it no more: it was restarted.")
        if details.status in ("PENDING", "RUNNING"):
            state = folders.read(folder / supervisor.STATE_FILE, folders.State)
            if state is None:
                starting = details.status == "RUNNING"
                return JobStatus("queued", waiting="" if starting else "a place on the Ray cluster")
            if state.host == os.uname().nodename:
                return self._over(folder, "lost", None)
            return state.status()  # a slow file system: Ray sees its supervisor run
        if details.status == "STOPPED":
            return self._over(folder, "stopped", None)
        if begun:
            return self._over(folder, "lost", None)
        said = folders.last_line((details.message or "").encode())
        return self._over(folder, "failed", f"Ray could not run it: {said or details.status}")

    def _over(self, folder: Path, how: Any, why: str | None) -> JobStatus:
        """Write the last word where the supervisor did not, and end what it left here."""
        try:
            with locked(folder / supervisor.LOCK_FILE):
                state = folders.read(folder / supervisor.STATE_FILE, folders.State)
                if state is not None and state.state not in ACTIVE:
                    return state.status()
                if state is not None and state.host == os.uname().nodename:
                    supervisor.end_members(str(folder))
                if why is not None:
                    body = ErrorBody(f"job_{how}", why, "Its log has what Ray says.")
                    write_atomically(folder / supervisor.ERROR_FILE, msgspec.json.encode(body))
                return folders.end(folder, state, how).status()
        except OSError:
            return JobStatus(how)

    def log(self, folder: Path, offset: int) -> tuple[bytes, int, int]:
        path = folder / supervisor.LOG_FILE
        kept = folders.read(folder / folders.EXECUTOR_FILE, _Submitted)
        if kept is not None and not path.exists() and self.look(folder).state not in ACTIVE:
            # It never began: what Ray said while it tried is all there is.
            with contextlib.suppress(PerijoveError):
                said = self._reach(kept).log(kept.submission)
                start = max(0, len(said) + offset) if offset < 0 else min(offset, len(said))
                return said[start : start + folders.CHUNK], start, len(said)
        return folders.read_log(path, offset)

    def stop(self, folder: Path) -> None:
        kept = folders.read(folder / folders.EXECUTOR_FILE, _Submitted)
        if kept is None:
            return
        cluster = self._reach(kept)  # who may not reach it, may not say that it has stopped
        with contextlib.suppress(OSError), locked(folder / supervisor.LOCK_FILE):
            if folders.read(folder / supervisor.STATE_FILE, folders.State) is None:
                # Ray cannot stop what it has not scheduled. A supervisor that finds the last word
                # said ends itself.
                folders.end(folder, None, "stopped")
        cluster.stop(kept.submission)
        end = time.monotonic() + KILLS + 3
        while self.look(folder).state in ACTIVE and time.monotonic() < end:
            time.sleep(0.05)

    def _details(self, kept: _Submitted) -> Details | None:
        at, known = self._known.get(kept.submission, (0.0, None))
        if time.monotonic() - at > REMEMBERED:
            known = self._reach(kept).details(kept.submission)
            self._known[kept.submission] = time.monotonic(), known
        return known

    def _reach(self, kept: _Submitted) -> Cluster:
        """Return the cluster that a job was given to, where the user names it as well.

        The job's folder may have come with somebody else's project: an address that only it names
        would be given the user's token.

        Raises
        ------
        UnavailableError
            When another cluster is named now, or none.
        """
        named = self._cluster(self._address())
        if kept.address != named.address:
            raise UnavailableError(
                f"The job was given to the Ray cluster at {kept.address}, and {named.address} is "
                "named.",
                "Name that cluster in [jobs] of perijove.toml, or by RAY_ADDRESS.",
                code="other_ray_cluster",
            )
        return named

    def _cluster(self, address: str) -> Cluster:
        if address not in self._clusters:
            self._clusters[address] = Cluster(address)
        return self._clusters[address]

    def _address(self) -> str:
        """Find the cluster's dashboard.

        Raises
        ------
        UnavailableError
            When nobody names one, or only a project that the user does not trust: it would be
            given the user's token.
        """
        named = self._project.definition.jobs.ray
        if named and not self._project.trust.given():
            raise UnavailableError(
                f"The project names a Ray cluster, {named}, and is not trusted.",
                "Run `perijove trust`, or set RAY_ADDRESS.",
                code="not_trusted",
            )
        found = [named, *(os.environ.get(name, "") for name in ADDRESSES)]
        for address in found:
            if address.startswith(("http://", "https://")):
                return address
        raise UnavailableError(
            "No Ray cluster is named.",
            'Set ray = "http://HOST:8265" in [jobs] of perijove.toml, or RAY_ADDRESS.',
            code="no_ray_cluster",
        )


def _entrypoint(folder: Path) -> str:
    """Write the shell's line that Ray runs: the supervisor, in this Python or the cluster's own."""
    place, python = shlex.quote(str(folder)), shlex.quote(sys.executable)
    missing = shlex.quote(
        f"{folder} is not on this node: share the project's folder with the cluster, at this path."
    )
    return (
        f"test -d {place} || {{ echo {missing}; exit 1; }}; "
        f'python={python}; test -x "$python" || python=python3; '
        f'{JOB_VARIABLE}={place} exec "$python" -I -m {supervisor.__name__} {place} {GRACE}'
    )
