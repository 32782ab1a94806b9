"""Leases: never more than there is, first come first served, and given back by any death."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from perijove.adapters.jobs import leases, local
from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.jobs.leases import Lease, Pool, Ticket, Wish, parse
from perijove.contracts.jobs import Job, JobResources
from perijove.core.context import ProjectContext
from perijove.core.errors import ForbiddenPathError, InvalidInputError
from perijove.core.files import ProcessId
from perijove.core.jobs import JobSpec
from perijove.testing.executor import until
from perijove.testing.job_runner import DEADLINE, FOREVER, read_log

POOL = Pool(4.0, (0, 1, 3))
SHOW = (
    "import os; print(*(os.environ.get(n) for n in ('CUDA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER', "
    "'OMP_NUM_THREADS', 'MKL_NUM_THREADS')))"
)

wishes = st.builds(Wish, st.sampled_from([0, 0.5, 1, 2, 4]), st.integers(0, 3), st.just(0)).filter(
    lambda wish: any(wish)
)


@given(
    st.integers(0, 10**12 - 1), st.decimals(0, 1000, places=3), st.integers(0, 64),
    st.integers(0, 2**45), st.from_regex(r"[0-9a-z]{8,32}", fullmatch=True), st.booleans(),
    st.lists(st.integers(0, 99), unique=True),
)  # fmt: skip
def test_a_name_tells_all_of_a_ticket(number, cpus, gpus, memory, owner, holds, devices):
    ticket = Ticket(
        number, Wish(float(cpus), gpus, memory), owner, holds, tuple(devices) if holds else ()
    )
    assert parse(ticket.name) == ticket


@pytest.mark.parametrize(
    "name", ["", "lock", "000000000001_c1_g0_m0_x.rests", ".x", "é", "a" * 300]
)
def test_what_is_no_ticket_is_passed_over(name: str) -> None:
    assert parse(name) is None


class Queue(RuleBasedStateMachine):
    """Jobs that come, look, leave and die, in one real folder.

    A death is a closed file: it is by that that the system drops the lock.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.queue = os.path.join(self._folder.name, "queue")
        self.waiting: list[Lease] = []
        self.holding: list[Lease] = []
        self.dead: set[str] = set()
        self.ended: set[str] = set()
        self.count = 0

    def teardown(self) -> None:
        for lease in self.waiting + self.holding:
            lease.leave()
        self._folder.cleanup()

    @rule(wish=wishes)
    def come(self, wish: Wish) -> None:
        self.count += 1
        owner = f"job{self.count:05}"
        self.waiting.append(Lease(self.queue, owner, owner, wish, POOL, self.ended.add))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.waiting))
        wish = lease.ticket.wish
        before = [
            other
            for other in self.waiting[: self.waiting.index(lease)]
            if (other.ticket.wish.cpus and wish.cpus) or (other.ticket.wish.gpus and wish.gpus)
        ]
        cpus = POOL.cpus - sum(other.ticket.wish.cpus for other in self.holding)
        gpus = len(POOL.gpus) - sum(other.ticket.wish.gpus for other in self.holding)
        fits = wish.cpus <= cpus and wish.gpus <= gpus and not before
        assert lease.claim() == fits
        assert bool(lease.waiting) != fits
        assert self.dead <= self.ended, "what a dead job left is ended before its place is given on"
        if fits:
            self.waiting.remove(lease)
            self.holding.append(lease)

    @precondition(lambda self: self.holding or self.waiting)
    @rule(data=st.data(), how=st.sampled_from(["leave", "die", "swept"]))
    def go(self, data: st.DataObject, how: str) -> None:
        lease = data.draw(st.sampled_from(self.waiting + self.holding))
        if how == "swept":  # somebody cleans the folder: whoever lives puts its ticket back
            os.unlink(os.path.join(self.queue, lease.ticket.name))
            lease.keep()
            return
        (self.waiting if lease in self.waiting else self.holding).remove(lease)
        if how == "leave":
            lease.leave()
        else:
            self.dead.add(lease.ticket.owner)
            os.close(lease._file)

    @invariant()
    def nobody_has_what_another_has(self) -> None:
        devices = [device for lease in self.holding for device in lease.devices]
        assert len(devices) == len(set(devices))
        assert set(devices) <= set(POOL.gpus)
        assert all(len(lease.devices) == lease.ticket.wish.gpus for lease in self.holding)
        assert sum(lease.ticket.wish.cpus for lease in self.holding) <= POOL.cpus


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_wait_is_told_in_words(tmp_path: Path) -> None:
    queue = str(tmp_path / "queue")
    pool = Pool(2.0, (0,))
    first, second, third, other = (
        Lease(queue, name, name, wish, pool, lambda folder: None)
        for name, wish in (
            ("first", Wish(1, 1)), ("second", Wish(2, 1)), ("third", Wish(1)), ("other", Wish(0, 1))
        )
    )  # fmt: skip
    assert first.claim()
    assert not second.claim()
    assert second.waiting == "2 CPUs: 1 of 2 is free; 1 GPU: 0 of 1 are free"
    assert not third.claim()
    assert third.waiting == "1 job is before it"
    assert not other.claim()
    first.leave()
    assert not other.claim()
    assert other.waiting == "1 job is before it"
    assert second.claim()
    memory = Lease(queue, "memory", "", Wish(memory=2**60), pool, lambda folder: None)
    assert not memory.claim()
    assert "GB of memory: " in memory.waiting
    assert leases.available_memory() > 2**20


@pytest.fixture
def board(project: ProjectContext, monkeypatch: pytest.MonkeyPatch) -> JobBoard:
    monkeypatch.setattr(local, "_cpus", lambda: 2)
    return JobBoard(project)


def _submit(board: JobBoard, code: str, **wanted: float) -> Job:
    return board.submit(
        JobSpec(
            "train", "t", "s", [sys.executable, "-c", code], "ada",
            resources=JobResources(**wanted),  # type: ignore[arg-type]
        )
    )  # fmt: skip


def test_two_projects_share_one_machine(board: JobBoard, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "perijove.toml").touch()
    other = JobBoard(ProjectContext.open(tmp_path / "other"))
    first = _submit(board, FOREVER, cpus=2)
    read_log(board, first.id, "up")
    second = _submit(other, SHOW, cpus=1)
    assert until(lambda: other.get(second.id).waiting, "the wait") == "1 CPU: 0 of 2 are free"
    free = _submit(other, "print('free')")
    assert other.wait(free.id, DEADLINE).state == "finished"
    board.stop(first.id, by="ada")
    assert other.wait(second.id, DEADLINE).state == "finished"
    assert other.log(second.id).text == "None None 1 1\n"


def test_they_start_in_the_order_in_which_they_came(board: JobBoard) -> None:
    root = board.project.paths.root
    first = _submit(board, FOREVER, cpus=2)
    read_log(board, first.id, "up")
    code = "import sys; open('order', 'a').write(sys.argv[1])"
    jobs = []
    for number in range(4):
        job = _submit(board, code.replace("sys.argv[1]", repr(str(number))), cpus=2)
        until(lambda job=job: board.get(job.id).waiting, "its place")
        jobs.append(job)
    board.stop(first.id, by="ada")
    for job in jobs:
        assert board.wait(job.id, DEADLINE).state == "finished"
    assert (root / "order").read_text() == "0123"


def test_killed_with_all_that_it_started_it_gives_back_what_it_held(board: JobBoard) -> None:
    stubborn = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        " start_new_session=True)\nprint(p.pid, 'up', flush=True)\ntime.sleep(600)"
    )
    first = _submit(board, stubborn, cpus=2)
    pid = int(read_log(board, first.id, "up").split()[0])
    left = ProcessId.of(pid)
    second = _submit(board, FOREVER, cpus=1)
    until(lambda: board.get(second.id).waiting, "the wait")
    state = json.loads((board.folder / first.id / "state.json").read_text())
    os.kill(state["supervisor"]["pid"], signal.SIGKILL)
    read_log(board, second.id, "up")  # nobody has looked at the first one
    assert left is not None
    assert not left.alive()
    assert board.get(first.id).state == "lost"
    queued = _submit(board, "print('never')", cpus=2)
    until(lambda: board.get(queued.id).waiting, "the wait")
    state = json.loads((board.folder / queued.id / "state.json").read_text())
    os.kill(state["supervisor"]["pid"], signal.SIGKILL)
    began = time.monotonic()
    assert board.wait(queued.id, 10).state == "lost"
    assert time.monotonic() - began < 10
    board.stop(second.id, by="ada")


def test_gpus_are_told_by_their_numbers(board: JobBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated: the numbers are those of a driver that is not here."""
    monkeypatch.setattr(local, "_gpus", lambda: [0, 1, 2])
    toml = board.project.paths.definition
    toml.write_text(toml.read_text() + "\n[jobs]\ngpus = [1, 2]\n")
    first = _submit(board, SHOW + "\n" + FOREVER, gpus=1)
    assert read_log(board, first.id, "up").startswith("1 PCI_BUS_ID None None")
    assert board.get(first.id).devices == [1]
    second = _submit(board, SHOW, gpus=1, cpus=1.5)
    assert board.wait(second.id, DEADLINE).devices == [2]
    assert board.log(second.id).text == "2 PCI_BUS_ID 1 1\n"
    with pytest.raises(InvalidInputError, match=r"wants 3 GPUs, and jobs can have 2"):
        _submit(board, SHOW, gpus=3)
    board.stop(first.id, by="ada")


@pytest.mark.parametrize(
    ("set_", "allowed"),
    [(None, [0, 1, 2]), ("2,0", [0, 2]), ("", []), ("-1", []), ("GPU-8932f937", [0, 1, 2])],
)
def test_gpus_that_were_taken_from_this_process_are_not_lent(
    set_: str | None, allowed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated: the numbers are those of a driver that is not here."""
    from types import SimpleNamespace

    from perijove.adapters import nvml

    gpus = [SimpleNamespace(index=index) for index in range(3)]
    monkeypatch.setattr(nvml, "sample_gpus", lambda: gpus)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if set_ is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", set_)
    assert local._gpus() == allowed


@pytest.mark.parametrize(
    "wanted", [{"cpus": 3}, {"gpus": 1}, {"memory": 2**60}, {"cpus": -1}, {"cpus": float("nan")}]
)
def test_what_can_never_be_had_is_refused(board: JobBoard, wanted: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match="want"):
        _submit(board, "pass", **wanted)
    assert board.list() == []
    assert list(board.folder.iterdir()) == []


def test_a_queue_that_cannot_be_used_fails_its_job(
    board: JobBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(local.QUEUE_VARIABLE, str(tmp_path / "file" / "queue"))
    failed = board.wait(_submit(board, "pass", cpus=1).id, DEADLINE)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error.code == "queue_unavailable"


def test_the_queue_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(local.QUEUE_VARIABLE)
    monkeypatch.setattr(local, "BASE", str(tmp_path / "perijove-{uid}"))
    folder = local.queue_folder()
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    folder.parent.chmod(0o777)
    with pytest.raises(ForbiddenPathError, match="open to others"):
        local.queue_folder()
