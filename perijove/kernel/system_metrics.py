"""What a run takes of the machine, once a second: as metrics, and summed up at its end.

The names are MLflow's own where it has one, so that its page draws them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from perijove.contracts.develop import Usage
from perijove.core.journal import JournalFolder

if TYPE_CHECKING:
    from psutil import Process

SECONDS: Final = 1.0
CHILDREN_EVERY: Final = 5
"""Samples between two looks for new children, which read all of the machine's processes."""
MEGABYTE: Final = 1_000_000


class SystemMetrics:
    """Samples this process and those that it started, in a thread of its own.

    Parameters
    ----------
    write
        Appends a record to the run's journal.
    quiet
        Measures for the end, and logs nothing.
    after
        Of a run that goes on: the folder of its journals, whose last step is counted on from.
    """

    def __init__(
        self,
        write: Callable[[tuple[Any, ...]], None],
        *,
        quiet: bool = False,
        after: Path | None = None,
    ) -> None:
        self._after = after
        self.quiet = quiet
        self._write = write
        self._pid = os.getpid()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = self._last = time.monotonic()
        self._step = 0
        self._tree: dict[int, Process] = {}
        self._cpu_before = self._cpu_last = 0.0
        self._peak = 0
        self._gpus: dict[int, float] = {}
        """GPU to the seconds that it was held."""
        self._gpu_peak = 0

    def start(self) -> None:
        import psutil

        self._began = self._last = time.monotonic()
        self._look_for_children()
        self._cpu_before = self._cpu_last = self._cpu()
        psutil.cpu_percent(interval=None)  # it measures from call to call
        self._thread = threading.Thread(target=self._run, name="perijove-system", daemon=True)
        self._thread.start()

    def stop(self) -> Usage:
        """End the sampling; return what was taken."""
        self._end.set()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join(5 * SECONDS)
        self._look_for_children()
        self._sample(log=False)
        return Usage(
            seconds=round(time.monotonic() - self._began, 3),
            cpu_seconds=round(max(0.0, self._cpu_last - self._cpu_before), 3),
            gpu_seconds=round(sum(self._gpus.values()), 3) if self._gpus else None,
            gpus=sorted(self._gpus),
            peak_memory=self._peak or None,
            peak_gpu_memory=self._gpu_peak if self._gpus else None,
        )

    def _run(self) -> None:
        due = self._began + SECONDS
        if self._after is not None and not self.quiet:  # here, since a long run takes a while
            self._step = _next_step(self._after)
        while not self._end.wait(max(0.05, due - time.monotonic())):
            if self._step % CHILDREN_EVERY == 0:
                self._look_for_children()
            self._sample(log=not self.quiet)
            self._step += 1
            due = max(due + SECONDS, time.monotonic())

    def _look_for_children(self) -> None:
        import psutil

        try:
            me = self._tree.get(self._pid) or psutil.Process(self._pid)
            found = [me, *me.children(recursive=True)]
        except psutil.Error:
            return
        self._tree = {process.pid: self._tree.get(process.pid, process) for process in found}

    def _sample(self, *, log: bool) -> None:
        import psutil

        at, passed = time.time_ns(), time.monotonic() - self._last
        self._last += passed
        cpu = self._cpu()
        busy, self._cpu_last = max(0.0, cpu - self._cpu_last), max(cpu, self._cpu_last)
        memory = self._memory()
        self._peak = max(self._peak, memory)
        metrics: dict[str, float] = {}
        self._sample_gpus(metrics, passed, at)
        if not log or passed <= 0:
            return
        machine = psutil.virtual_memory()
        metrics |= {
            "system/cpu_utilization_percentage": psutil.cpu_percent(interval=None),
            "system/system_memory_usage_megabytes": machine.used / MEGABYTE,
            "system/system_memory_usage_percentage": machine.percent,
            "system/process_cpu_percentage": 100 * busy / passed,
            "system/process_memory_megabytes": memory / MEGABYTE,
        }
        self._write(("m", at // 1_000_000, self._step, metrics))

    def _cpu(self) -> float:
        """CPU seconds of the processes so far; of an ended child they are its parent's."""
        import psutil

        total = 0.0
        for process in list(self._tree.values()):
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total

    def _memory(self) -> int:
        import psutil

        total = 0
        for process in list(self._tree.values()):
            try:
                total += process.memory_info().rss
            except psutil.Error:
                self._tree.pop(process.pid, None)
        return total

    def _sample_gpus(self, metrics: dict[str, float], passed: float, at: int) -> None:
        from perijove.adapters.nvml import gpu_shares, sample_gpus

        gpus = sample_gpus()
        if not gpus:
            return
        since = max(0, at // 1000 - int(2 * SECONDS * 1_000_000))
        shares = {share.index: share for share in gpu_shares(self._tree.keys(), since)}
        self._gpu_peak = max(self._gpu_peak, sum(share.memory for share in shares.values()))
        for gpu in gpus:
            share = shares.get(gpu.index)
            if share is None and gpu.index not in self._gpus:
                continue  # others' work
            name = f"system/gpu_{gpu.index}"
            metrics[f"{name}_utilization_percentage"] = gpu.percent
            metrics[f"{name}_memory_usage_megabytes"] = gpu.memory_used / MEGABYTE
            own = f"system/process_gpu_{gpu.index}"
            metrics[f"{own}_memory_megabytes"] = share.memory / MEGABYTE if share else 0.0
            if share is None:
                continue
            self._gpus[gpu.index] = self._gpus.get(gpu.index, 0.0) + passed
            if share.percent is not None:
                metrics[f"{own}_utilization_percentage"] = share.percent


def _next_step(folder: Path) -> int:
    """Return the step after the last one of the machine's metrics in the journals that count."""
    steps = (
        record[2]
        for record in JournalFolder(folder).merged(lambda record: 0)
        if record[0] == "m" and any(key.startswith("system/") for key in record[3])
    )
    return max(steps, default=-1) + 1
