"""Files that others may read at any moment, locks, hashes, and who a process is."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from perijove.contracts.base import Facts
from perijove.core.errors import ReadOnlyError

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|9p|afs|ceph|lustre|gpfs|beegfs|fuse\.(sshfs|s3fs|gcsfuse)"
)


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace a file's content, so that a reader sees the old or the new, never a part.

    Raises
    ------
    ReadOnlyError
        When the folder cannot be written; the old content stays.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ReadOnlyError(
            f"{path} cannot be written: {error.strerror}.", "Check the folder's permissions."
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if path.exists():
            os.chmod(name, path.stat().st_mode & 0o777)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock on a file while the block runs.

    Yields whether the lock was got; always true with ``wait``. The kernel drops the lock when
    the holder dies, so that there is nothing to clean up.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def sha256_file(path: Path) -> str:
    """Hash a file's bytes; about 1 GB/s."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def on_network(folder: Path) -> bool:
    """Whether a folder lies on a network file system, where SQLite's WAL does not work."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    best, kind = "", ""
    for line in mounts:
        _, place, fstype, *_ = line.split(" ")
        place = place.replace("\\040", " ")
        if len(place) >= len(best) and folder.is_relative_to(place):
            best, kind = place, fstype
    return _NETWORK.fullmatch(kind) is not None


@functools.cache
def _here() -> tuple[str, str, str]:
    """Name this machine, its boot, and the space of process numbers."""
    boot = space = ""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return os.uname().nodename, boot, space


class ProcessId(Facts):
    """Who a process is: its number can be used again, number and birth together cannot.

    A project's folder may be shared by machines, and by containers of one machine, which do not
    see each other's processes.
    """

    pid: int
    born: float
    """Creation time in seconds since the epoch, as the system tells it."""
    host: str = ""
    """The machine's name; empty in what older versions wrote, which is taken for this machine."""
    boot: str = ""
    space: str = ""
    """Of numbers: that of the container."""

    @staticmethod
    def of(pid: int) -> ProcessId | None:
        """Identify a running process; None when there is none (or only its zombie)."""
        import psutil

        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return ProcessId(pid, process.create_time(), *_here())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None

    @staticmethod
    def here() -> ProcessId:
        me = ProcessId.of(os.getpid())
        assert me is not None  # this process runs
        return me

    def alive(self) -> bool | None:
        """Whether it runs; None for one that cannot be seen from here."""
        if self.host:
            host, boot, space = _here()
            if self.host != host:
                return None
            if self.boot != boot:
                return False  # the machine was started anew
            if self.space != space:
                return None
        other = ProcessId.of(self.pid)
        return other is not None and abs(other.born - self.born) < 1.0
