"""What the processes of jobs take of this machine: all of them, those that left their parents too."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perijove.adapters.jobs import supervisor
from perijove.adapters.nvml import gpu_processes
from perijove.operate.ports import Usage


class JobUsage:
    """Measures the jobs of one project.

    Parameters
    ----------
    folder
        That of its jobs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: dict[int, Any] = {}

    def __call__(self, jobs: Sequence[str]) -> Mapping[str, Usage]:
        """Measure jobs; CPU is the share since the last time. One without processes here is left out."""
        if not jobs:
            return {}
        import psutil

        folders = {f"{supervisor.VARIABLE}={self._folder / job}".encode(): job for job in jobs}
        members: dict[str, list[psutil.Process]] = defaultdict(list)
        with self._lock:
            alive = {}
            for pid in supervisor.pids():
                found = folders.keys() & set(supervisor.environment(pid))
                if not found:
                    continue
                # The same object again: it remembers what CPU time it had used.
                process = self._seen.get(pid)
                if process is None or not process.is_running():
                    try:
                        process = psutil.Process(pid)
                    except psutil.NoSuchProcess:
                        continue
                alive[pid] = process
                members[folders[found.pop()]].append(process)
            self._seen = alive
            on_gpu: dict[int, int] = defaultdict(int)
            for pid, used in gpu_processes():
                on_gpu[pid] += used
            return {job: _sum(processes, on_gpu) for job, processes in members.items()}


def _sum(processes: Sequence[Any], on_gpu: Mapping[int, int]) -> Usage:
    import psutil

    cpu, memory, gpu = 0.0, 0, 0
    for process in processes:
        try:
            with process.oneshot():
                cpu += process.cpu_percent()
                memory += process.memory_info().rss
        except psutil.Error:
            continue  # it has just ended
        gpu += on_gpu.get(process.pid, 0)
    return Usage(cpu, memory, gpu)
