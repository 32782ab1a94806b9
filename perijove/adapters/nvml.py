"""GPUs through NVML. The library is opened at the first sample, never at import."""

from __future__ import annotations

import threading
from typing import Any

from perijove.contracts.operate import Gpu

_lock = threading.Lock()
_handles: list[Any] | None = None


def sample_gpus() -> list[Gpu]:
    """Sample every GPU; an empty list where there is no NVIDIA driver.

    A sample costs microseconds; the first one opens the library.
    """
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
        gpus = []
        for index, handle in enumerate(_handles):
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
