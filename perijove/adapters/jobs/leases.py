"""The queue of this machine: who holds how many CPUs and which GPUs, and who is next.

Standard library only, since it runs in the supervisors of jobs. The queue is a folder of the user,
shared by all projects. A job's ticket is a file that its supervisor keeps locked (``flock``), so
that the system itself takes back what a dead one held. All that is to be known is in the names,
and a ticket that gets what it waits for is renamed: there is no state that could be half written.

    000000000012_c2.5_g1_m0_ID.waits        2.5 CPUs and a GPU are wanted
    000000000011_c4_g2_m0_ID.holds_0-3    GPUs 0 and 3 are held

First come, first served, where two want something of the same kind: a job for the CPU does not
wait for one before it that wants a GPU only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

LOCK = "lock"
_NAME = re.compile(
    r"(\d{12})_c(\d+(?:\.\d+)?)_g(\d+)_m(\d+)_([0-9a-z]+)\.(?:(waits)|holds_((?:\d+(?:-\d+)*)?))"
)
_CLOSE = 1e-6


class Wish(NamedTuple):
    """What a job wants."""

    cpus: float = 0
    gpus: int = 0
    memory: int = 0
    """Bytes that are free when it starts."""

    def kinds(self) -> set[str]:
        return {kind for kind, wanted in zip(self._fields, self, strict=True) if wanted}


class Pool(NamedTuple):
    """What jobs may hold, all together."""

    cpus: float
    gpus: tuple[int, ...] = ()


class Ticket(NamedTuple):
    """A job in the queue, as its file's name tells it."""

    number: int
    wish: Wish
    owner: str
    holds: bool = False
    devices: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        cpus, gpus, memory = self.wish
        place = "holds_" + "-".join(map(str, self.devices)) if self.holds else "waits"
        return f"{self.number:012}_c{round(cpus, 3):g}_g{gpus}_m{memory}_{self.owner}.{place}"


def parse(name: str) -> Ticket | None:
    """Understand a file's name; None for what is no ticket."""
    if not (found := _NAME.fullmatch(name)):
        return None
    devices = tuple(int(device) for device in (found[7] or "").split("-") if device)
    wish = Wish(float(found[2]), int(found[3]), int(found[4]))
    return Ticket(int(found[1]), wish, found[5], holds=not found[6], devices=devices)


class Verdict(NamedTuple):
    """Whether a ticket gets what it wants now."""

    granted: bool
    devices: tuple[int, ...] = ()
    waiting: str = ""
    """For people: what there is too little of, and how many are before it."""
    before: int = 0


def judge(mine: Ticket, others: list[Ticket], pool: Pool, free_memory: int) -> Verdict:
    """Decide over one ticket; ``others`` are those of living supervisors."""
    held = [ticket for ticket in others if ticket.holds]
    before = sum(
        not ticket.holds
        and ticket.number < mine.number
        and bool(ticket.wish.kinds() & mine.wish.kinds())
        for ticket in others
    )
    cpus = max(0.0, pool.cpus - sum(ticket.wish.cpus for ticket in held))
    taken = {device for ticket in held for device in ticket.devices}
    gpus = tuple(device for device in pool.gpus if device not in taken)
    short = []
    if mine.wish.cpus > cpus + _CLOSE:
        short.append(_few(mine.wish.cpus, "CPU", cpus, pool.cpus))
    if mine.wish.gpus > len(gpus):
        short.append(_few(mine.wish.gpus, "GPU", len(gpus), len(pool.gpus)))
    if mine.wish.memory > free_memory:
        wanted, free = mine.wish.memory / 2**30, free_memory / 2**30
        short.append(f"{wanted:.1f} GB of memory: {free:.1f} GB are free")
    if before:
        short.append("1 job is before it" if before == 1 else f"{before} jobs are before it")
    if short:
        return Verdict(granted=False, waiting="; ".join(short), before=before)
    return Verdict(granted=True, devices=gpus[: mine.wish.gpus])


def _few(wanted: float, noun: str, free: float, of: float) -> str:
    plural = "" if wanted == 1 else "s"
    return f"{wanted:g} {noun}{plural}: {free:g} of {of:g} {'is' if free == 1 else 'are'} free"


class Lease:
    """A place in the queue, and then what it was given. Kept until this process ends or leaves.

    Parameters
    ----------
    queue
        The folder of the queue; made where it is not there.
    owner
        The job's id.
    folder
        The job's folder, for whoever has to end what a dead supervisor left.
    wish, pool
        What it wants, of what.
    end
        Ends the processes of the job whose folder it is given.
    """

    def __init__(
        self,
        queue: str,
        owner: str,
        folder: str,
        wish: Wish,
        pool: Pool,
        end: Callable[[str], None],
    ) -> None:
        self.queue = queue
        self.pool = pool
        self.waiting = ""
        self.before = 0
        self._end = end
        self._folder = folder
        os.makedirs(queue, mode=0o700, exist_ok=True)
        with self._locked():
            numbers = [ticket.number for ticket in self._tickets()]
            self.ticket = Ticket(max(numbers, default=0) + 1, wish, owner)
            self._file = self._make()

    @property
    def devices(self) -> tuple[int, ...]:
        return self.ticket.devices

    def claim(self) -> bool:
        """Take what it wants where that is free and its turn has come; else say what it waits for."""
        with self._locked():
            # What a dead supervisor's job still runs goes first, and frees what it held.
            others = [t for t in self._tickets() if t.name != self.ticket.name and self._lives(t)]
            memory = available_memory() if self.ticket.wish.memory else 0
            verdict = judge(self.ticket, others, self.pool, memory)
            self.waiting, self.before = verdict.waiting, verdict.before
            if verdict.granted:
                granted = self.ticket._replace(holds=True, devices=verdict.devices)
                os.rename(self._path(self.ticket), self._path(granted))
                self.ticket = granted
        return verdict.granted

    def keep(self) -> None:
        """Show that it is in use: what is old in a temporary folder gets swept away."""
        try:
            os.utime(self._path(self.ticket))
        except FileNotFoundError:
            with contextlib.suppress(OSError):
                os.makedirs(self.queue, mode=0o700, exist_ok=True)
                with self._locked():
                    gone, self._file = self._file, self._make()
                    os.close(gone)
        except OSError:  # a folder that cannot be written: what it holds, it holds by its lock
            return

    def leave(self) -> None:
        """Give back what it holds."""
        with contextlib.suppress(OSError):
            os.unlink(self._path(self.ticket))
        os.close(self._file)

    def _make(self) -> int:
        file = os.open(self._path(self.ticket), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(file, os.fsencode(self._folder))
        return file

    def _lives(self, ticket: Ticket) -> bool:
        """Whether a ticket's supervisor runs; what a dead one left is ended and removed."""
        path = self._path(ticket)
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            if folder := os.fsdecode(os.read(file, 65536)):
                self._end(folder)
            os.unlink(path)
            return False
        finally:
            os.close(file)

    def _tickets(self) -> list[Ticket]:
        found = (parse(name) for name in os.listdir(self.queue))
        return [ticket for ticket in found if ticket is not None]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        handle = os.open(self._at(LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _path(self, ticket: Ticket) -> str:
        return self._at(ticket.name)

    def _at(self, name: str) -> str:
        return os.path.join(self.queue, name)


def available_memory() -> int:
    """Return the bytes that a new process can have without swapping."""
    try:
        with open("/proc/meminfo") as file:
            return next(
                int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable")
            )
    except (FileNotFoundError, StopIteration):
        import psutil

        return int(psutil.virtual_memory().available)
