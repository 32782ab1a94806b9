"""The supervisor of one job: one small detached process that starts it, waits, and writes down.

    python -I supervisor.py FOLDER

It imports the standard library only, and little of that, so that it takes 5 MB. Its state is a
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
VARIABLE = "PERIJOVE_JOB"
HEARTBEAT = 2.0
GRACE = 5.0
RETRY = 1.0
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
    return [pid for pid in _pids() if pid != os.getpid() and wanted in _environment(pid)]


def _pids() -> list[int]:
    if os.path.isdir("/proc/self"):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    import psutil

    return list(psutil.pids())


def _environment(pid: int) -> list[bytes]:
    try:
        if os.path.isdir("/proc/self"):
            with open(f"/proc/{pid}/environ", "rb") as file:
                return file.read().split(b"\0")
        import psutil

        return [f"{k}={v}".encode() for k, v in psutil.Process(pid).environ().items()]
    except Exception:  # noqa: BLE001 - it ended while looked at, or is somebody else's
        return []


def end_members(folder: str) -> None:
    """Kill what is left of a job's processes. They may fork meanwhile, so it looks again."""
    for _ in range(20):
        left = members(folder)
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.02)


class Supervisor:
    """One job, from its start to the last word about it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.spec: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        self.child = 0
        self.stopping = False

    def run(self) -> None:
        with open(self._path(SPEC_FILE), "rb") as file:
            self.spec = json.load(file)
        wake = self._listen()
        with self._locked():
            if os.path.exists(self._path(STATE_FILE)):
                return  # whoever waited gave this start up
            me = os.getpid()
            self.state = {
                "state": "running",
                "host": os.uname().nodename,
                "supervisor": {"pid": me, "born": born(me)},
                "started": _now(),
            }
            self._write()
        self.child = self._start()
        self.state["child"] = {"pid": self.child, "born": born(self.child)}
        with contextlib.suppress(OSError):
            self._write()
        self._end(self._wait(wake))

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
            os.chdir(self.spec["cwd"])
            os.execvp(self.spec["argv"][0], self.spec["argv"])
        except BaseException as error:  # noqa: BLE001 - the forked process must not go on here
            os.write(2, f"{self.spec['argv'][0]} cannot be run: {error}\n".encode())
        os._exit(127)

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
                    kill_at = time.monotonic() + GRACE
                    self._signal(signal.SIGTERM)
                elif time.monotonic() >= kill_at:
                    self._signal(signal.SIGKILL)
            rest = min(HEARTBEAT, max(0.05, kill_at - time.monotonic())) if kill_at else HEARTBEAT
            if select.select([wake], [], [], rest)[0]:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake, 4096)

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

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child, number)

    def _end(self, code: int) -> None:
        self._signal(signal.SIGKILL)
        end_members(self.folder)
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
    Supervisor(sys.argv[1]).run()
