"""GPUs through NVML. The library is opened at the first sample, never at import."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from perijove.contracts.operate import Gpu

_lock = threading.Lock()
_handles: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class GpuShare:
    """What some processes take of one GPU."""

    index: int
    memory: int
    """Bytes."""
    percent: float | None
    """Of its time; None where the driver does not tell it by process."""


def sample_gpus() -> list[Gpu]:
    """Sample every GPU; an empty list where there is no NVIDIA driver.

    A sample costs microseconds; the first one opens the library.
    """
    import pynvml

    gpus = []
    for index, handle in _devices():
        try:
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            name = pynvml.nvmlDeviceGetName(handle)
            gpus.append(
                Gpu(
                    index=index,
                    name=name if isinstance(name, str) else name.decode(),
                    percent=float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu),
                    memory_used=int(memory.used),
                    memory_total=int(memory.total),
                )
            )
        except pynvml.NVMLError:
            continue  # a GPU that was taken away: the others still count
    return gpus


def gpu_processes(index: int | None = None) -> list[tuple[int, int]]:
    """Return the processes that hold memory of a GPU, or of any, with the bytes of each.

    It costs milliseconds. In a container, the numbers are those outside.
    """
    return [
        found
        for number, handle in _devices()
        if index is None or index == number
        for found in _held(handle).items()
    ]


def gpu_shares(pids: Collection[int], since: int = 0) -> list[GpuShare]:
    """Return what some processes take of each GPU that they hold memory of.

    Parameters
    ----------
    since
        Microseconds since the epoch: use of GPU time is that since then.
    """
    shares = []
    for index, handle in _devices():
        memory = [used for pid, used in _held(handle).items() if pid in pids]
        if memory:
            shares.append(GpuShare(index, sum(memory), _busy(handle, pids, since)))
    return shares


def _devices() -> Iterator[tuple[int, Any]]:
    global _handles
    import pynvml

    with _lock:
        if _handles is None:
            try:
                pynvml.nvmlInit()
                count = pynvml.nvmlDeviceGetCount()
                _handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(count)]
            except pynvml.NVMLError:
                _handles = []
        yield from enumerate(_handles)


def _held(handle: Any) -> dict[int, int]:
    import pynvml

    asks: list[Callable[[Any], list[Any]]] = [
        pynvml.nvmlDeviceGetComputeRunningProcesses,
        pynvml.nvmlDeviceGetGraphicsRunningProcesses,
    ]
    held: dict[int, int] = {}
    for ask in asks:
        try:
            processes = ask(handle)
        except pynvml.NVMLError:
            continue
        for process in processes:
            # A process that draws and computes is in both lists, with the same memory.
            held[process.pid] = max(held.get(process.pid, 0), process.usedGpuMemory or 0)
    return held


def _busy(handle: Any, pids: Collection[int], since: int) -> float | None:
    import pynvml

    try:
        samples = pynvml.nvmlDeviceGetProcessUtilization(handle, since)
    except pynvml.NVMLError as error:
        # It finds nothing where no process was busy.
        return 0.0 if error.value == pynvml.NVML_ERROR_NOT_FOUND else None
    newest: dict[int, tuple[int, float]] = {}
    for sample in samples:
        if sample.pid in pids and sample.timeStamp >= newest.get(sample.pid, (0, 0.0))[0]:
            newest[sample.pid] = sample.timeStamp, float(sample.smUtil)
    return min(100.0, sum(percent for _, percent in newest.values()))
