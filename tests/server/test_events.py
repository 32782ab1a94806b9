"""The event stream: what other processes write shows up, and a broken file is told and mended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError

from perijove.adapters.jobs.board import JobBoard
from perijove.core.chain import RunFacts
from perijove.core.context import ProjectContext
from perijove.core.errors import UnavailableError
from perijove.core.journal import JournalWriter
from perijove.server.base import STATE
from perijove.testing.job_runner import start
from tests.conftest import DEFINITION

Fetch = Callable[..., Any]
DEADLINE = 30


async def _next(stream: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        while True:
            message = await stream.read_message()
            assert message is not None, "the stream was closed"
            event: dict[str, Any] = json.loads(message)
            if wanted(event):
                return event

    return await asyncio.wait_for(read(), DEADLINE)


async def _watch(fetch: Fetch, **what: Any) -> Any:
    stream = await fetch("perijove", "api", "events")
    watch = {"type": "watch", "project": "p", "runs": [], "resources": False, **what}
    await stream.write_message(json.dumps(watch))
    return stream


async def test_an_edited_file_is_told(jp_ws_fetch: Fetch, served: Path) -> None:
    stream = await _watch(jp_ws_fetch, resources=True)
    load = await _next(stream, lambda e: e["type"] == "load")  # by now it has looked once
    assert load["resources"]["memory_total"] > 0
    (served / "perijove.toml").write_text(DEFINITION.replace("Ada", "Grace"))
    event = await _next(stream, lambda e: e["type"] == "changed" and "problem" in e["topics"])
    assert event["project"] == "p"
    stream.close()


async def test_a_broken_file_is_told_and_then_mended(jp_ws_fetch: Fetch, served: Path) -> None:
    (served / "perijove.toml").write_text("[project]\nname = 3\n")
    stream = await _watch(jp_ws_fetch)
    failed = await _next(stream, lambda e: e["type"] == "failed")
    assert "line 2" in failed["message"]
    (served / "perijove.toml").write_text(DEFINITION)
    await _next(stream, lambda e: e["type"] == "changed" and "problem" in e["topics"])
    stream.close()


async def test_a_point_that_another_process_logs_arrives(jp_ws_fetch: Fetch, served: Path) -> None:
    project = ProjectContext.open(served)
    folder = project.paths.journals / "r1"
    writer = JournalWriter(folder / "1-0.pj")
    writer.append(["m", 1000, 0, {"loss": 0.5}])
    stream = await _watch(jp_ws_fetch, runs=["r1"])
    first = await _next(stream, lambda e: e["type"] == "points")
    assert first["reset"] is True
    assert first["series"][0]["values"] == [0.5]
    writer.append(["m", 2000, 1, {"loss": float("nan")}])
    second = await _next(stream, lambda e: e["type"] == "points" and bool(e["series"]))
    assert second["reset"] is False
    assert second["series"][0]["values"] == ["NaN"]
    writer.close()
    stream.close()


async def test_a_job_that_has_ended_is_told_once(jp_ws_fetch: Fetch, served: Path) -> None:
    board = JobBoard(ProjectContext.open(served))
    old = await asyncio.to_thread(board.wait, start(board, "pass").id, DEADLINE)
    going = start(board, "import sys; sys.stdin.read(); import time; time.sleep(600)")
    stream = await _watch(jp_ws_fetch, resources=True)
    await _next(stream, lambda e: e["type"] == "load")
    quick = start(board, "pass")
    told = [await _next(stream, lambda e: e["type"] == "ended")]
    await asyncio.to_thread(board.stop, going.id, by="ada")
    told.append(await _next(stream, lambda e: e["type"] == "ended"))
    assert [(e["job"]["id"], e["job"]["state"]) for e in told] == [
        (quick.id, "finished"), (going.id, "stopped"),
    ]  # fmt: skip
    assert old.id not in json.dumps(told)
    stream.close()


async def test_two_tabs_hear_of_the_same_change(jp_ws_fetch: Fetch, served: Path) -> None:
    tabs = [await _watch(jp_ws_fetch, resources=True) for _ in range(2)]
    for tab in tabs:
        await _next(tab, lambda e: e["type"] == "load")
    ProjectContext.open(served).chain.ledger.audit("ada", "look", "at me")
    for tab in tabs:
        await _next(tab, lambda e: e["type"] == "changed")
        tab.close()


async def test_a_store_that_is_away_silences_nothing_else(
    jp_ws_fetch: Fetch, jp_serverapp: ServerApp, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ProjectContext.open(served)
    bench = jp_serverapp.web_app.settings[STATE].workbench("p")

    def away(*arguments: object) -> None:
        raise UnavailableError("The store is away.")

    monkeypatch.setattr(bench.store, "change_counter", away)
    monkeypatch.setattr(bench.ingester, "ingest", away)
    stream = await _watch(jp_ws_fetch, runs=["r1"], resources=True)
    seen: list[str] = []
    await _next(stream, lambda e: seen.append(e["type"]) or e["type"] == "load")
    writer = JournalWriter(project.paths.journals / "r1" / "1-0.pj")
    writer.append(["m", 1000, 0, {"loss": 0.5}])
    await _next(stream, lambda e: seen.append(e["type"]) or (e["type"] == "points" and e["series"]))
    assert "failed" not in seen
    project.chain.add("run", "r1", RunFacts("r1"), by="ada")
    await _next(stream, lambda e: e["type"] == "changed" and "data" in e["topics"])
    monkeypatch.undo()
    await _next(stream, lambda e: e["type"] == "changed" and e["topics"] == ["develop"])
    writer.close()
    stream.close()


async def test_a_tab_hears_of_the_steps_that_it_may_read(
    jp_ws_fetch: Fetch, served: Path, recorder: Any
) -> None:
    recorder.denied = {("read", "perijove:operate"), ("read", "perijove:develop")}
    stream = await _watch(jp_ws_fetch, runs=["r1"], resources=True)
    project = ProjectContext.open(served)
    seen: list[str] = []

    def changed(event: dict[str, Any]) -> bool:
        seen.append(event["type"])
        return event["type"] == "changed"

    async def write() -> None:
        while True:
            project.chain.add("run", "r1", RunFacts("r1"), by="ada")
            await asyncio.sleep(0.1)

    writing = asyncio.create_task(write())
    event = await _next(stream, changed)
    writing.cancel()
    assert event["topics"] == ["data", "deploy", "monitor", "problem"]
    assert set(seen) == {"changed"}
    stream.close()


async def test_nonsense_ends_the_stream_and_not_the_server(
    jp_ws_fetch: Fetch, jp_fetch: Fetch, served: Path
) -> None:
    stream = await jp_ws_fetch("perijove", "api", "events")
    await stream.write_message('{"type":"watch","colour":1}')
    assert await asyncio.wait_for(stream.read_message(), DEADLINE) is None
    reply = await jp_fetch("perijove", "api", "projects")
    assert reply.code == 200
    with pytest.raises(HTTPClientError):
        await jp_ws_fetch("perijove", "api", "events", headers={"Authorization": ""})
