"""The supervisor of one job: one small detached process that starts it, waits, and writes down.

    python -I supervisor.py FOLDER [SECONDS OF GRACE]

It imports the standard library only, and little of that, so that it takes 6 MB. A job that wants
CPUs or GPUs waits in the queue of :mod:`perijove.adapters.jobs.leases` first. Its state is a
file replaced atomically; that file's time is its heartbeat. When the supervisor is killed, the
job's own process dies with it (on Linux the system sees to that), and whoever notices ends the
rest: each process of a job has the job's folder in its environment.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import sys
import time
from typing import Any

SPEC_FILE = "job.json"
STATE_FILE = "state.json"
STOP_FILE = "stop.json"
LOG_FILE = "log.txt"
LOCK_FILE = "lock"
WISH_FILE = "wish.json"
"""What the job waits for, of what; not there for one that waits for nobody."""
ERROR_FILE = "error.json"
VARIABLE = "PERIJOVE_JOB"
HEARTBEAT = 2.0
GRACE = 5.0
RETRY = 1.0
NEXT = 0.1
"""Seconds after which the first of the queue looks again."""
RARELY = 5.0
THREADS = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS", "RAYON_NUM_THREADS",
)  # fmt: skip
"""What numerical libraries ask how many threads they may start."""
FULL_DISK = 3600.0
"""Seconds that the last word is kept while no disk takes it."""


def born(pid: int) -> float:
    """When a process began, in seconds since the epoch, as psutil says it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        with open("/proc/stat") as file:
            boot = next(float(line.split()[1]) for line in file if line.startswith("btime"))
        return boot + ticks / os.sysconf("SC_CLK_TCK")
    except FileNotFoundError:
        import psutil

        return float(psutil.Process(pid).create_time())


def members(folder: str) -> list[int]:
    """Return the processes of this user that belong to the job in ``folder``, but not this one."""
    wanted = f"{VARIABLE}={folder}".encode()
    return [pid for pid in pids() if pid != os.getpid() and wanted in environment(pid)]


def pids() -> list[int]:
    """Return the processes of this machine."""
    if os.path.isdir("/proc/self"):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    import psutil

    return list(psutil.pids())


def environment(pid: int) -> list[bytes]:
    """Return the environment that a process began with; empty where nobody may know it."""
    try:
        if os.path.isdir("/proc/self"):
            with open(f"/proc/{pid}/environ", "rb") as file:
                return file.read().split(b"\0")
        import psutil

        return [f"{k}={v}".encode() for k, v in psutil.Process(pid).environ().items()]
    except Exception:  # noqa: BLE001 - it ended while looked at, or is somebody else's
        return []


def signal_all(found: list[int], number: int) -> None:
    """Send a signal to processes that may have ended meanwhile."""
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end_members(folder: str) -> None:
    """Kill what is left of a job's processes. They may fork meanwhile, so it looks again."""
    for _ in range(20):
        left = members(folder)
        signal_all(left, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.02)


class Supervisor:
    """One job, from its start to the last word about it."""

    def __init__(self, folder: str, grace: float = GRACE) -> None:
        self.folder = folder
        self.grace = grace
        self.spec: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        self.child = 0
        self.stopping = False
        self.lease: Any = None

    def run(self) -> None:
        with open(self._path(SPEC_FILE), "rb") as file:
            self.spec = json.load(file)
        wake = self._listen()
        queued = os.path.exists(self._path(WISH_FILE))
        with self._locked():
            if os.path.exists(self._path(STATE_FILE)):
                return  # whoever waited gave this start up
            me = os.getpid()
            self.state = {
                "state": "queued" if queued else "running",
                "host": os.uname().nodename,
                "supervisor": {"pid": me, "born": born(me)},
            }
            if not queued:
                self.state["started"] = _now()
            self._write()
        try:
            if queued and not self._queue(wake):
                self._end(None)
                return
        except (OSError, ValueError) as error:
            self._fail(
                "queue_unavailable",
                f"The queue of this machine cannot be used: {error}.",
                "Check the permissions and the free space of the folder that it names.",
            )
            self._end(127)
            return
        self.child = self._start()
        self.state["child"] = {"pid": self.child, "born": born(self.child)}
        with contextlib.suppress(OSError):
            self._write()
        self._end(self._wait(wake))

    def _queue(self, wake: int) -> bool:
        """Wait until the job has what it wants; False when it was stopped meanwhile."""
        # Found by its full name: an isolated interpreter knows installed packages only.
        from perijove.adapters.jobs.leases import Lease, Pool, Wish

        with open(self._path(WISH_FILE), "rb") as file:
            asked = json.load(file)
        pool = Pool(asked["of_cpus"], tuple(asked["of_gpus"]))
        wish = Wish(asked["cpus"], asked["gpus"], asked["memory"])
        self.lease = Lease(
            asked["queue"], self.spec["id"], self.folder, wish, pool, end_members
        )  # fmt: skip
        while not self.lease.claim():
            if not self._alive_folder():
                self.stopping = True
            if self.stopping:
                return False
            self.lease.keep()
            if self.state.get("waiting") != self.lease.waiting:
                self.state["waiting"] = self.lease.waiting
                with contextlib.suppress(OSError):
                    self._write()
            _sleep(wake, min(RARELY, NEXT * (1 + self.lease.before)))
        self.state.pop("waiting", None)
        self.state.update(state="running", started=_now(), devices=list(self.lease.devices))
        return True

    def _fail(self, code: str, message: str, hint: str) -> None:
        with (
            contextlib.suppress(OSError),
            open(self._path(ERROR_FILE), "w", opener=_private) as file,
        ):
            json.dump({"code": code, "message": message, "hint": hint}, file)

    def _listen(self) -> int:
        # A signal writes a byte here, and so ends the wait at once.
        wake, poke = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(poke, False)
        signal.set_wakeup_fd(poke, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)
        return wake

    def _note(self, number: int, frame: object) -> None:
        if number == signal.SIGTERM:
            self.stopping = True

    @contextlib.contextmanager
    def _locked(self) -> Any:
        handle = os.open(self._path(LOCK_FILE), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _start(self) -> int:
        parent = os.getpid()
        output = os.open(self._path(LOG_FILE), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        child = os.fork()
        if child:
            os.close(output)
            with contextlib.suppress(OSError):
                os.setpgid(child, child)
            return child
        try:
            os.setpgid(0, 0)
            _die_with(parent)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            self._check_files()
            self._equip()
            os.chdir(self.spec["cwd"])
            argv = self.spec["argv"]
            if not os.path.exists(self.spec.get("python", "")):
                # Another machine submitted it: its Python is not at this place.
                argv = [
                    sys.executable if word == self.spec.get("python") else word for word in argv
                ]
            os.execvp(argv[0], argv)
        except BaseException as error:  # noqa: BLE001 - the forked process must not go on here
            os.write(2, f"{self.spec['argv'][0]} cannot be run: {error}\n".encode())
        os._exit(127)

    def _check_files(self) -> None:
        """Refuse what is not what was submitted. In the child: its imports cost nobody memory."""
        import hashlib

        for name, expected in self.spec.get("files", {}).items():
            try:
                with open(self._path(name), "rb") as file:
                    same = hashlib.file_digest(file, "sha256").hexdigest() == expected
            except FileNotFoundError:
                same = False
            if not same:
                said = f"{name} is not what was submitted: it is gone, or its hash differs."
                self._fail("job_tampered", said, "Submit the job again.")
                os.write(2, f"{said}\n".encode())
                os._exit(126)

    def _equip(self) -> None:
        """Tell the job's libraries what it holds."""
        cpus = self.spec.get("resources", {}).get("cpus", 0)
        if cpus:
            for name in THREADS:
                os.environ.setdefault(name, str(max(1, int(cpus))))
        if self.lease is not None and self.lease.devices:
            # NVML counts by the bus, and CUDA by speed unless it is told.
            os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, self.lease.devices))

    def _wait(self, wake: int) -> int:
        """Return the child's exit code; negative for a signal's number."""
        kill_at = 0.0
        while True:
            pid, status = os.waitpid(self.child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if not self._alive_folder():
                self.stopping = True
            if self.stopping:
                if not kill_at:
                    kill_at = time.monotonic() + self.grace
                    self._signal(signal.SIGTERM)
                    signal_all(self._apart(), signal.SIGTERM)
                elif time.monotonic() >= kill_at:
                    self._signal(signal.SIGKILL)
            rest = min(HEARTBEAT, max(0.05, kill_at - time.monotonic())) if kill_at else HEARTBEAT
            _sleep(wake, rest)
            if self.lease is not None:
                self.lease.keep()

    def _alive_folder(self) -> bool:
        """Give the heartbeat. False when somebody deleted the job's folder."""
        try:
            os.utime(self._path(STATE_FILE))
        except FileNotFoundError:
            try:
                self._write()
            except FileNotFoundError:
                return False
            except OSError:
                return True
        except OSError:
            return True
        return True

    def _apart(self) -> list[int]:
        """Return the job's processes that left its group: once is how often each is told."""
        found = []
        for pid in members(self.folder):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) != self.child:
                    found.append(pid)
        return found

    def _signal(self, number: int) -> None:
        if self.child:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.child, number)

    def _end(self, code: int | None) -> None:
        self._signal(signal.SIGKILL)
        end_members(self.folder)
        if self.lease is not None:
            self.lease.leave()
        self.state["state"] = "stopped" if self.stopping else "failed" if code else "finished"
        self.state.update(exit_code=code, ended=_now())
        give_up = time.monotonic() + FULL_DISK
        while time.monotonic() < give_up:
            try:
                self._write(durable=True)
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(RETRY)

    def _write(self, *, durable: bool = False) -> None:
        path = self._path(STATE_FILE)
        new = f"{path}.new"
        with open(new, "w", opener=_private) as file:
            json.dump(self.state, file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(new, path)

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)


def _sleep(wake: int, seconds: float) -> None:
    """Wait for a signal, or so long."""
    if select.select([wake], [], [], seconds)[0]:
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 4096)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _die_with(parent: int) -> None:
    """Have the system kill this process when its parent dies; Linux only."""
    if sys.platform != "linux":
        return
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(127)


if __name__ == "__main__":
    Supervisor(sys.argv[1], *map(float, sys.argv[2:])).run()
