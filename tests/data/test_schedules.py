"""Schedules: due when their words say, once after an absence, and never in a loop."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.workbench import Workbench
from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts, DataState, Schedule
from perijove.contracts.jobs import Job
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError
from perijove.core.files import sha256_file
from perijove.core.jobs import JobSpec
from perijove.data.refresh import When, parse_refresh
from perijove.data.schedules import Schedules

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000
MINUTE = 60_000


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


def _said(at: int | None) -> str:
    assert at is not None
    return datetime.fromtimestamp(at / 1000, BERLIN).strftime("%a %d %b %H:%M %Z")


@pytest.mark.parametrize(
    ("words", "after", "then"),
    [
        ("daily at 06:00", "2026-11-24T05:59", "Tue 24 Nov 06:00 CET"),
        ("Daily  at 6:00 ", "2026-11-24T06:00", "Wed 25 Nov 06:00 CET"),
        ("mondays at 7:30", "2026-11-24T05:59", "Mon 30 Nov 07:30 CET"),
        ("weekdays at 7:30", "2026-11-27T08:00", "Mon 30 Nov 07:30 CET"),
        ("weekends at 7:30", "2026-11-24T08:00", "Sat 28 Nov 07:30 CET"),
        ("hourly", "2026-11-24T05:59", "Tue 24 Nov 06:00 CET"),
        ("every 6 hours", "2026-11-24T05:59", "Tue 24 Nov 11:59 CET"),
        ("every day", "2026-11-24T05:59", "Wed 25 Nov 05:59 CET"),
        ("*/15 9-17 * * mon-fri", "2026-11-27T17:50", "Mon 30 Nov 09:00 CET"),
        # A night without the hour, and a night with two of it.
        ("daily at 02:30", "2026-03-29T01:00", "Sun 29 Mar 03:00 CEST"),
        ("daily at 02:30", "2026-10-25T01:00", "Sun 25 Oct 02:30 CEST"),
        ("every 2 hours", "2026-03-29T01:30", "Sun 29 Mar 04:30 CEST"),
        ("0 12 29 2 *", "2026-03-01T00:00", "Tue 29 Feb 12:00 CET"),
    ],
)
def test_words_say_when(words: str, after: str, then: str) -> None:
    assert _said(parse_refresh(words).next(_at(after), BERLIN)) == then


def test_the_hour_that_comes_twice_counts_once() -> None:
    when = parse_refresh("daily at 02:30")
    first = when.next(_at("2026-10-25T01:00"), BERLIN)
    assert first is not None
    assert _said(when.next(first, BERLIN)) == "Mon 26 Oct 02:30 CET"


@pytest.mark.parametrize(
    "words",
    [
        "sometimes", "every 0 hours", "every -1 hours", "every 6 fortnights", "daily at 25:00",
        "daily at 6", "holidays at 6:00", "* * *", "61 * * * *", "0 0 30 2 *", "0 0 * * * *",
        "when the cows come home", "every 99999 days", "\0", "* * * * * ; rm -rf /",
    ],
)  # fmt: skip
def test_words_that_say_nothing_are_refused(words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_refresh(words)
    assert "every 6 hours" in caught.value.hint


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused(words: str) -> None:
    try:
        parse_refresh(words)
    except InvalidInputError:
        return


@given(
    st.integers(0, 4_000_000_000_000), st.sampled_from(["daily at 2:30", "hourly", "*/7 * * * *"])
)
def test_next_is_later(after: int, words: str) -> None:
    coming = parse_refresh(words).next(after, BERLIN)
    assert coming is not None
    assert coming > after


def test_never_is_empty() -> None:
    assert parse_refresh(" ") == When()
    assert When().next(0, BERLIN) is None


class Curations:
    """A project with a raw file, a curated dataset, a clock, and what was started."""

    def __init__(self, project: ProjectContext) -> None:
        self.project = project
        self.now = _at("2026-11-24T05:00")
        self.code = "pass"
        self.refuse = False
        self.started: list[str] = []
        self.jobs = JobBoard(project)
        self.bench = Workbench(project)
        self.raw = project.paths.root / "raw.csv"
        self.write("a\n1\n")
        self.register()
        self.curate()

    def write(self, text: str) -> None:
        self.raw.write_text(text)
        os.utime(self.raw, (self.now / 1000, self.now / 1000))

    def register(self) -> Node:
        facts = DataFacts(
            path="raw.csv", kind="file", sha256=sha256_file(self.raw), rows=1, columns=[],
            bytes=self.raw.stat().st_size, table="raw.csv",
        )  # fmt: skip
        return self.project.chain.add("data", "raw", facts, by="ada")

    def state(self, node: Node) -> DataState:
        if not self.raw.exists():
            return "missing"
        return "current" if node.facts["sha256"] == sha256_file(self.raw) else "changed"

    def curate(self) -> None:
        latest = self.project.chain.latest("data", "raw")
        assert latest is not None
        facts = DataFacts(
            path="clean", kind="curated", sha256="", rows=1, columns=[], bytes=1, table="clean",
            inputs=[latest.ref],
        )  # fmt: skip
        self.project.chain.add("data", "clean", facts, by="ada")

    def refresh(self, words: str) -> None:
        path = self.project.paths.definition
        head = path.read_text().partition("[data.clean]")[0]
        path.write_text(head + (f'[data.clean]\nrefresh = "{words}"\n' if words else ""))

    def server(self) -> Schedules:
        """A server's schedules: made anew, they know only what is kept."""
        return Schedules(
            self.project, self.state, self.jobs, self.bench.alerts, self._start,
            zone=BERLIN, clock=lambda: self.now,
        )  # fmt: skip

    def look(self, schedules: Schedules) -> int:
        """Look as a keeper does, and let what was started end."""
        before = len(self.started)
        for _ in range(2):
            for job in schedules.look():
                self.jobs.wait(job.id, 30)
            self.now += 15_000
        schedules.look()
        return len(self.started) - before

    def shown(self, schedules: Schedules) -> Schedule:
        return schedules.of("clean")

    def _start(self, name: str) -> Job:
        self.started.append(name)
        if self.refuse:
            raise ConflictError("The code is gone.")
        argv = [sys.executable, "-c", self.code]
        return self.jobs.submit(JobSpec("curate", "Curate", f"data:{name}", argv, "schedule"))


@pytest.fixture
def world(project: ProjectContext) -> Curations:
    return Curations(project)


def test_it_starts_at_its_time_and_not_before(world: Curations) -> None:
    world.refresh("daily at 06:00")
    schedules = world.server()
    assert world.look(schedules) == 0
    assert _said(world.shown(schedules).next) == "Tue 24 Nov 06:00 CET"
    world.now = _at("2026-11-24T06:00")
    assert world.look(schedules) == 1
    shown = world.shown(schedules)
    assert (_said(shown.last), shown.late) == ("Tue 24 Nov 06:00 CET", 0)
    assert _said(shown.next) == "Wed 25 Nov 06:00 CET"
    assert shown.job
    assert world.look(schedules) == 0


def test_what_was_missed_is_caught_up_once_and_called_late(world: Curations) -> None:
    world.refresh("every 6 hours")
    world.look(world.server())
    world.now = _at("2026-11-26T12:00")
    schedules = world.server()
    assert world.look(schedules) == 1
    late = world.shown(schedules).late
    assert late > 40 * HOUR
    world.now += 6 * HOUR
    assert world.look(schedules) == 1
    assert world.shown(schedules).late == 0


def test_a_new_schedule_has_missed_nothing(world: Curations) -> None:
    world.refresh("daily at 04:00")
    assert world.look(world.server()) == 0


def test_a_source_that_changes_starts_it_once(world: Curations) -> None:
    world.refresh("when the source changes")
    schedules = world.server()
    assert world.look(schedules) == 0
    world.write("a\n2\n")
    assert world.look(schedules) == 1
    assert world.shown(schedules).late == 0
    world.register()
    world.curate()
    assert world.look(schedules) == 0
    world.write("a\n3\n")
    world.now += 5 * HOUR
    restarted = world.server()
    assert world.look(restarted) == 1
    assert world.shown(restarted).late > 4 * HOUR


def test_a_source_that_is_being_written_or_is_gone_is_waited_for(world: Curations) -> None:
    world.refresh("when the source changes")
    schedules = world.server()
    schedules.look()
    for number in range(4):
        world.write("a\n" * (number + 3))
        world.now += 15_000
        assert schedules.look() == []
    world.raw.unlink()
    assert world.look(schedules) == 0
    assert world.started == []


def test_a_failure_raises_an_alert_and_is_not_tried_in_a_loop(world: Curations) -> None:
    world.refresh("when the source changes")
    schedules = world.server()
    schedules.look()
    world.code = "raise SystemExit('no column size')"
    world.write("a\n2\n")
    assert world.look(schedules) == 1
    (alert,) = world.bench.alerts.standing("data")
    assert (alert.id, alert.level) == ("curation:clean", "failed")
    assert "no column size" in alert.detail
    shown = world.shown(schedules)
    assert shown.error is not None
    for again in (schedules, world.server()):
        assert world.look(again) == 0
    world.code = "pass"
    world.write("a\n22\n")
    assert world.look(schedules) == 1
    assert world.bench.alerts.standing("data") == []
    assert world.shown(schedules).error is None


def test_one_that_cannot_start_is_told_and_waits_for_its_next_time(world: Curations) -> None:
    world.refresh("every 6 hours")
    schedules = world.server()
    world.look(schedules)
    world.refuse = True
    world.now += 6 * HOUR
    assert world.look(schedules) == 1
    assert world.bench.alerts.standing("data")[0].detail == "The code is gone."
    assert world.look(schedules) == 0
    world.refresh("")
    world.look(schedules)
    assert world.bench.alerts.standing("data") == []


def test_a_clock_that_is_set_back_stops_nothing(world: Curations) -> None:
    world.refresh("every 6 hours")
    schedules = world.server()
    world.look(schedules)
    world.now += 10_000 * HOUR
    assert world.look(schedules) == 1
    world.now -= 10_000 * HOUR
    assert world.look(schedules) == 0
    world.now += 6 * HOUR + MINUTE
    assert world.look(schedules) == 1


def test_two_servers_start_it_once(world: Curations) -> None:
    world.refresh("every 6 hours")
    one, other = world.server(), world.server()
    one.look()
    world.now += 6 * HOUR
    assert len(one.look() + other.look()) == 1


def test_wrong_words_are_shown_and_stop_no_other(world: Curations) -> None:
    world.refresh("whenever")
    schedules = world.server()
    assert world.look(schedules) == 0
    error = world.shown(schedules).error
    assert error is not None
    assert error.code == "invalid_refresh"
