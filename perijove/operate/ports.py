"""What operations need of the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of a job take, all together."""

    cpu_percent: float
    """Of one core: two busy ones are 200."""
    memory: int
    """Bytes; what two of them share counts twice."""
    gpu_memory: int


class Meter(Protocol):
    """Measures jobs by their ids; those without a process on this machine are left out."""

    def __call__(self, jobs: Sequence[str]) -> Mapping[str, Usage]: ...
