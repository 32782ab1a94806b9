"""The keeper: chores are done with no browser tab open, and cost nearly nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp

from perijove.adapters.housekeeping import Chore, Housekeeping
from perijove.adapters.jobs.board import JobBoard
from perijove.core.context import ProjectContext
from perijove.core.errors import UnavailableError
from perijove.server import keeper
from perijove.testing.job_runner import FOREVER, read_log, start

Fetch = Callable[..., Any]
DEADLINE = 30


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "ROUND_SECONDS", 0.05)


async def _until(check: Callable[[], Any]) -> Any:
    end = time.monotonic() + DEADLINE
    while not (found := check()):
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.02)
    return found


async def test_a_lost_job_is_noticed_and_a_running_one_keeps_the_server(
    jp_fetch: Fetch, jp_serverapp: ServerApp, served: Path
) -> None:
    times = jp_serverapp.web_app.settings["last_activity_times"]
    await jp_fetch("perijove", "api", "project", params={"project": "p"})
    runner = JobBoard(ProjectContext.open(served))
    job = start(runner, FOREVER)
    await asyncio.to_thread(read_log, runner, job.id, "up")
    first = await _until(lambda: times.get("perijove"))
    assert await _until(lambda: times["perijove"] > first)
    state = runner.folder / job.id / "state.json"
    os.kill(json.loads(state.read_text())["supervisor"]["pid"], signal.SIGKILL)
    await _until(lambda: json.loads(state.read_text())["state"] == "lost")
    ended = times["perijove"]
    await asyncio.sleep(0.3)
    last = times["perijove"]
    await asyncio.sleep(0.3)
    assert times["perijove"] == last >= ended


async def test_a_deleted_project_stops_no_other(
    jp_fetch: Fetch, jp_serverapp: ServerApp, served: Path
) -> None:
    await jp_fetch("perijove", "api", "project", params={"project": "p"})
    other = served.parent / "q"
    other.mkdir()
    (other / "perijove.toml").write_text("")
    await jp_fetch("perijove", "api", "project", params={"project": "q"})
    (other / "perijove.toml").unlink()
    (served / "perijove.toml").write_text("[broken")
    runner = JobBoard(ProjectContext.open(served))
    job = start(runner, FOREVER)
    times = jp_serverapp.web_app.settings["last_activity_times"]
    assert await _until(lambda: times.get("perijove"))
    await asyncio.to_thread(runner.stop, job.id, by="the test")


def test_a_chore_that_fails_is_told_once_and_hinders_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []

    def fail() -> None:
        raise UnavailableError("The disk is gone.")

    def crash() -> None:
        raise ValueError("a bug")

    house = Housekeeping(
        [
            Chore("first", fail),
            Chore("second", crash),
            Chore("third", lambda: done.append("third")),
            Chore("rare", lambda: done.append("rare"), every=3),
        ],
        logging.getLogger("perijove.test"),
    )
    for _ in range(4):
        house.keep()
    assert (done.count("third"), done.count("rare")) == (4, 2)
    assert [record.message for record in caplog.records] == [
        "Perijove, first: The disk is gone.",
        "Perijove, second: ValueError: a bug",
    ]


async def test_a_project_at_the_root_is_kept_from_the_start(
    jp_root_dir: Path, jp_configurable_serverapp: Callable[..., ServerApp]
) -> None:
    (jp_root_dir / "perijove.toml").write_text("")
    runner = JobBoard(ProjectContext.open(jp_root_dir))
    job = start(runner, FOREVER)
    app = jp_configurable_serverapp(
        config={"ServerApp": {"jpserver_extensions": {"perijove": True}}}
    )
    times = app.web_app.settings["last_activity_times"]
    assert await _until(lambda: times.get("perijove"))
    await asyncio.to_thread(runner.stop, job.id, by="the test")


async def test_a_server_that_culls_itself_waits_for_a_job(
    jp_fetch: Fetch, jp_serverapp: ServerApp, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await jp_fetch("perijove", "api", "project", params={"project": "p"})
    stopped: list[bool] = []
    monkeypatch.setattr(jp_serverapp, "stop", lambda: stopped.append(True))
    jp_serverapp.shutdown_no_activity_timeout = 1
    runner = JobBoard(ProjectContext.open(served))
    job = start(runner, FOREVER)
    await asyncio.to_thread(read_log, runner, job.id, "up")
    times = jp_serverapp.web_app.settings["last_activity_times"]
    first = await _until(lambda: times.get("perijove"))
    # Jupyter's own look, which it has every minute.
    await _until(lambda: times["perijove"] - first > timedelta(seconds=2))
    jp_serverapp.shutdown_no_activity()
    assert not stopped
    await asyncio.to_thread(runner.stop, job.id, by="the test")
    await _until(lambda: jp_serverapp.shutdown_no_activity() or stopped)
