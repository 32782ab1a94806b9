"""GPUs of a training cell: which ones it sees, what it took of them, and what to do when they are
full.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import sys
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from perijove.core.errors import ConflictError, ExhaustedError, InvalidInputError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.contracts.operate import Gpu
    from perijove.kernel.run import TrackedRun

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
ORDER: Final = "CUDA_DEVICE_ORDER"
_CUDA_NAMES: Final = frozenset(
    ["OutOfMemoryError", "CudaOutOfMemoryError", "ResourceExhaustedError"]
)
_CUDA_SAYS: Final = re.compile(r"CUDA.{0,40}out of memory|CUDNN_STATUS_ALLOC_FAILED", re.IGNORECASE)
_HOST_SAYS: Final = re.compile(r"DefaultCPUAllocator|[Cc]annot allocate memory")
_ASKED: Final = re.compile(
    r"(?:[Tt]ried|[Uu]nable) to allocate (?:(?P<bytes>\d+) bytes|(?P<size>[\d.]+ ?\w+))"
)
_HERE: Final = "ipython-input", "ipykernel_"
MAX_HOLDERS: Final = 4


@contextlib.contextmanager
def held(wanted: int | None) -> Iterator[list[int]]:
    """Let the block see so many GPUs, those with the most free memory that no job holds.

    Jobs do not get them while the block runs. 0 hides all of them; None changes nothing.

    Raises
    ------
    InvalidInputError
        When the machine, or what this kernel may see of it, has fewer.
    ConflictError
        When jobs hold too many of them, or the framework has taken others already.
    """
    if wanted is None:
        yield []
        return
    if not wanted:
        with _visible([]):
            yield []
        return
    gpus = _allowed()
    if wanted > len(gpus):
        raise InvalidInputError(
            f"--gpus {wanted}: {_count(len(gpus))} to be had here.",
            "Ask for fewer, or send the cell with --background --executor ray to where there are.",
            code="too_few_gpus",
        )
    order = sorted(gpus, key=lambda gpu: gpu.memory_used - gpu.memory_total)
    with _leased(wanted, [gpu.index for gpu in order]) as devices, _visible(devices):
        yield devices


def _allowed() -> list[Gpu]:
    """Return the GPUs that this process may see, as it was started."""
    from perijove.adapters.nvml import sample_gpus

    gpus = sample_gpus()
    limit = os.environ.get(VISIBLE)
    if limit is None:
        return gpus
    named = [part.strip() for part in limit.split(",")]
    return [gpu for gpu in gpus if str(gpu.index) in named]


@contextlib.contextmanager
def _leased(wanted: int, order: list[int]) -> Iterator[list[int]]:
    """Hold GPUs as a job would, so that none is started on them."""
    from perijove.adapters.jobs.leases import Lease, Pool, Wish
    from perijove.adapters.jobs.local import queue_folder

    lease = Lease(
        str(queue_folder()), f"kernel{os.getpid()}", "",
        Wish(gpus=wanted), Pool(os.cpu_count() or 1, tuple(order)), lambda _folder: None,
    )  # fmt: skip
    try:
        if not lease.claim():
            raise ConflictError(
                f"Jobs hold the GPUs: {lease.waiting}.",
                "--background waits for its turn; `perijove jobs list` shows who holds them.",
                code="gpus_held",
            )
        yield list(lease.devices)
    finally:
        lease.leave()


@contextlib.contextmanager
def _visible(devices: list[int]) -> Iterator[None]:
    """Set what CUDA sees; it looks once, when it is first used."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        seen = os.environ.get(VISIBLE)
        known = [part.strip() for part in seen.split(",")] if seen is not None else None
        names = [str(device) for device in devices]
        if known is not None and known[: len(names)] == names:
            yield
            return
        if known is None and devices and len(devices) == 1:
            with torch.cuda.device(devices[0]):
                yield
            return
        raise ConflictError(
            "This kernel uses CUDA already, and keeps the GPUs that it saw then.",
            "Restart the kernel and run this cell before others use the GPU, or send it with "
            "--background: a job starts afresh.",
            code="cuda_in_use",
        )
    before = {name: os.environ.get(name) for name in (VISIBLE, ORDER)}
    os.environ[VISIBLE] = ",".join(map(str, devices))
    os.environ[ORDER] = "PCI_BUS_ID"  # as NVML counts
    try:
        yield
    finally:
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_initialized():
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def _count(number: int) -> str:
    return "there is no GPU" if not number else f"there {'is' if number == 1 else 'are'} {number}"


@contextlib.contextmanager
def watched(run: TrackedRun | None) -> Iterator[None]:
    """Measure the most memory that the block takes of GPUs, as torch's allocator knows it."""
    if run is None:
        yield
        return
    torch = _cuda()
    if torch is not None:
        for device in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(device)
    try:
        yield
    finally:
        torch = _cuda()
        if torch is not None:
            devices = range(torch.cuda.device_count())
            run.peak_gpu_memory = sum(torch.cuda.max_memory_allocated(d) for d in devices)


def _cuda() -> Any:
    """Return torch where it has used CUDA; looking must not make it do so."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_initialized() else None


# Out of memory


def exhausted(error: BaseException) -> ExhaustedError | None:
    """Tell what to do about memory that ran out; None for any other error."""
    if _of_gpu(error):
        return _gpu_full(error)
    host = isinstance(error, MemoryError)
    if host or (isinstance(error, RuntimeError | OSError) and _HOST_SAYS.search(str(error))):
        return _machine_full(error)
    return None


def _of_gpu(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _CUDA_NAMES:
        return True
    return isinstance(error, RuntimeError) and _CUDA_SAYS.search(str(error)) is not None


def _gpu_full(error: BaseException) -> ExhaustedError:
    from perijove.adapters.nvml import sample_gpus

    lines = [f"{_line(error)}: the GPU has no memory left{_asked(error)}."]
    torch = _cuda()
    if torch is not None:
        ours = sum(torch.cuda.memory_allocated(d) for d in range(torch.cuda.device_count()))
        lines.append(f"  this process holds {_size(ours)} in tensors")
    for gpu in sample_gpus():
        free = gpu.memory_total - gpu.memory_used
        lines.append(f"  GPU {gpu.index}: {_size(free)} of {_size(gpu.memory_total)} are free")
        lines += [f"    {held_by}" for held_by in _holders(gpu.index)]
    return ExhaustedError(
        "\n".join(lines),
        "What the cell's functions held is freed. Try a smaller batch with gradient accumulation, "
        "torch.autocast, or gradient checkpointing; `del` tensors that notebook variables keep; "
        "or --background, where nothing else of this kernel is in memory.",
    )


def _machine_full(error: BaseException) -> ExhaustedError:
    import psutil

    memory = psutil.virtual_memory()
    mine = psutil.Process().memory_info().rss
    return ExhaustedError(
        f"{_line(error)}: the machine has no memory left{_asked(error)}.\n"
        f"  {_size(memory.available)} of {_size(memory.total)} are free; this process holds "
        f"{_size(mine)}",
        "What the cell's functions held is freed. Read fewer columns or rows "
        "(pj.dataset(...).read(columns=[...])), use smaller types such as float32, work in "
        "batches, or `del` what notebook variables keep.",
    )


def _holders(index: int) -> list[str]:
    """Tell who holds a GPU's memory, those with the most first."""
    from perijove.adapters import nvml

    processes = sorted(nvml.gpu_processes(index), key=lambda one: -one[1])
    return [
        f"process {pid}{' (this one)' if pid == os.getpid() else _named(pid)} holds {_size(used)}"
        for pid, used in processes[:MAX_HOLDERS]
    ]


def _named(pid: int) -> str:
    import psutil

    try:
        return f" ({psutil.Process(pid).name()})"
    except psutil.Error:
        return ""


def _line(error: BaseException) -> str:
    """Name the user's line that asked for the memory."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if any(mark in frame.filename for mark in _HERE)]
    if not own:
        return type(error).__name__
    return f"line {own[-1].lineno}, {own[-1].line}" if own[-1].line else f"line {own[-1].lineno}"


def _asked(error: BaseException) -> str:
    found = _ASKED.search(str(error))
    if found is None:
        return ""
    return f" for {found['size'] or _size(int(found['bytes']))}"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def let_go(shell: InteractiveShell, error: BaseException) -> None:
    """Free what an error keeps alive: frames hold the tensors of the functions that failed.

    The interpreter and the shell each keep the last traceback, of this error or of one before.
    """
    seen: set[int] = set()
    todo: list[BaseException | None] = [error, getattr(sys, "last_value", None)]
    todo.append(getattr(sys, "last_exc", None))
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        todo += [one.__cause__, one.__context__]
        if one.__traceback__ is not None:
            traceback.clear_frames(one.__traceback__)
        one.__traceback__ = one.__context__ = None
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)
    for formatter in (shell.InteractiveTB, shell.SyntaxTB):
        for name in ("tb", "etype", "evalue", "pdb"):
            if hasattr(formatter, name):
                setattr(formatter, name, None)
    gc.collect()
    torch = _cuda()
    if torch is not None:
        torch.cuda.empty_cache()
