"""What operations do: measure the machine, list what runs, stop it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from perijove.contracts.chain import StepEntry, StepStatus
from perijove.contracts.jobs import Job
from perijove.contracts.operate import Activity, Gpu, OperateReport, Resources
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.core.jobs import ACTIVE, JobRunner
from perijove.core.ledger import now
from perijove.operate.ports import Meter, Usage


@dataclass(frozen=True, slots=True)
class Source:
    """Where activities of a kind come from, and how one is stopped.

    Steps do not know each other: the runs and the endpoints are handed in.
    """

    items: Callable[[], list[Activity]]
    stop: Callable[[str, str], None] | None = None
    """Takes the activity's id and who stops it."""


class OperateService:
    """The machine as this project sees it.

    Parameters
    ----------
    project
        The open project.
    gpus
        Samples the GPUs; an empty list where there are none.
    sources
        Kind of activity to its source; jobs come by themselves.
    jobs
        Runs the project's jobs.
    held
        Tells what waits until the user trusts the project; empty where nothing does.
    meter
        Measures the processes of jobs.
    """

    def __init__(
        self,
        project: ProjectContext,
        gpus: Callable[[], list[Gpu]],
        sources: dict[str, Source],
        jobs: JobRunner,
        held: Callable[[], str] = str,
        meter: Meter = lambda jobs: {},
    ) -> None:
        self.project = project
        self.jobs = jobs
        self._meter = meter
        self._gpus = gpus
        self._held = held
        self._sources = {
            **sources,
            "job": Source(self._running, self._stop_job),
        }
        self._project_bytes = (0.0, 0)
        self._sampled = False

    def resources(self) -> Resources:
        """Sample the machine. CPU is the share since the last sample of this process."""
        import psutil

        if not self._sampled:
            # psutil compares with the sample before, and there is none: take two.
            psutil.cpu_percent(interval=0.05)
            self._sampled = True
        memory = psutil.virtual_memory()
        disk = shutil.disk_usage(self.project.paths.root)
        return Resources(
            at=now(),
            cpu_percent=psutil.cpu_percent(),
            cpus=psutil.cpu_count() or 1,
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
            disk_used=disk.used,
            disk_total=disk.total,
            project_bytes=self._size(),
            gpus=self._gpus(),
        )

    def _size(self) -> int:
        # Walking the folder costs milliseconds: a minute-old figure is as good.
        at, size = self._project_bytes
        if time.monotonic() - at > 60 or not at:
            size = 0
            for folder, _, files in os.walk(self.project.paths.state):
                for name in files:
                    try:
                        size += os.lstat(os.path.join(folder, name)).st_size
                    except FileNotFoundError:
                        continue
            self._project_bytes = (time.monotonic(), size)
        return size

    def stop_job(self, job: str, *, by: str) -> Job:
        """Stop a job, and say in the audit who did."""
        before = self.jobs.get(job)
        if before.state not in ACTIVE:
            return before
        after = self.jobs.stop(job, by=by)
        self.project.chain.ledger.audit(by, "stop job", before.subject, job=job, kind=before.kind)
        return after

    def retry_job(self, job: str, *, by: str, resume: bool = False) -> Job:
        """Do a job's work again, and say in the audit who had it done."""
        new = self.jobs.retry(job, by=by, resume=resume)
        action = "resume job" if resume else "retry job"
        self.project.chain.ledger.audit(by, action, new.subject, job=new.id, retry_of=job)
        return new

    def _stop_job(self, job: str, by: str) -> None:
        self.stop_job(job, by=by)

    def _running(self) -> list[Activity]:
        active = [job for job in self.jobs.list() if job.state in ACTIVE]
        taken = self._meter([job.id for job in active])
        return [_activity(job, taken.get(job.id)) for job in active]

    def activities(self) -> list[Activity]:
        """List what runs, in the order of the sources."""
        return [activity for source in self._sources.values() for activity in source.items()]

    def report(self) -> OperateReport:
        return OperateReport(resources=self.resources(), activities=self.activities())

    def stop(self, kind: str, identifier: str, *, by: str) -> str:
        """Stop an activity; return what happened.

        Raises
        ------
        NotFoundError
            When nothing of that name runs.
        """
        source = self._sources.get(kind)
        if source is None or source.stop is None:
            raise InvalidInputError(f"A {kind} cannot be stopped from here.")
        found = [a for a in source.items() if a.id == identifier]
        if not found:
            raise NotFoundError(f"No {kind} {identifier} runs.", "It may have ended by itself.")
        source.stop(identifier, by)
        return f"{found[0].name} was told to stop"

    def status(self) -> StepStatus:
        """The sidebar's row."""
        resources = self.resources()
        fact = (
            f"CPU {resources.cpu_percent:.0f} % · "
            f"{resources.memory_used / 2**30:.1f} / {resources.memory_total / 2**30:.0f} GB"
        )
        for gpu in resources.gpus[:2]:
            fact += f" · GPU {gpu.index} {gpu.percent:.0f} %"
        memory = resources.memory_used / max(1, resources.memory_total)
        disk = resources.disk_used / max(1, resources.disk_total)
        if disk > 0.95:
            fact = f"disk {disk:.0%} full · {fact}"
        elif memory > 0.92:
            fact = f"memory {memory:.0%} used · {fact}"
        held = self._held()
        if held:
            fact = f"not trusted, so {held} must wait: run `perijove trust` · {fact}"
        entries = [
            StepEntry(
                ref=f"{activity.kind}:{activity.id}",
                label=activity.name,
                state="running",
                detail=activity.detail,
            )
            for activity in self.activities()[:5]
        ]
        return StepStatus(
            step="operate",
            state="attention" if held or disk > 0.95 or memory > 0.92 else "ok",
            fact=fact,
            entries=entries,
        )


def _activity(job: Job, taken: Usage | None) -> Activity:
    share = f"{job.progress:.0%} " if job.progress is not None else ""
    said = job.waiting and f"waits for {job.waiting}"
    return Activity(
        id=job.id, kind="job", name=job.title,
        detail=f"{share}{job.detail}".strip() or said or job.state, pid=job.pid,
        cpu_percent=taken.cpu_percent if taken is not None else None,
        memory=taken.memory if taken is not None else None, since=job.started or job.created,
        stoppable=True, gpu_memory=taken.gpu_memory if taken is not None else None,
        devices=job.devices,
    )  # fmt: skip
