"""Operations: the machine, and every process that the project runs on it."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Millis, Struct


class Gpu(Struct):
    index: int
    name: str
    percent: float
    memory_used: int
    memory_total: int


class Resources(Struct):
    at: Millis
    cpu_percent: float
    """Of all cores together, in [0, 100]."""
    cpus: int
    memory_used: int
    memory_total: int
    disk_used: int
    disk_total: int
    """Of the file system that holds the project."""
    project_bytes: int
    """What the project's ``.perijove`` folder takes."""
    gpus: list[Gpu]


class Activity(Struct):
    """A process of this project that takes the machine's resources."""

    id: str
    kind: Literal["kernel", "run", "endpoint", "job"]
    name: str
    detail: str
    pid: int | None
    cpu_percent: float | None
    memory: int | None
    since: Millis | None
    stoppable: bool
    gpu_memory: int | None = None
    devices: list[int] = []
    """GPUs that it holds, by NVML's numbers."""


class OperateReport(Struct):
    resources: Resources
    activities: list[Activity]


class StopRequest(Struct):
    kind: Literal["run", "endpoint", "job"]
    id: str
