"""Jobs, alerts and the audit's anchor as the browser sees them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from perijove.adapters.workbench import Workbench
from perijove.contracts.alerts import Alert
from perijove.core.context import ProjectContext
from perijove.core.jobs import JobSpec
from perijove.testing.job_runner import read_log

Fetch = Callable[..., Any]


@pytest.fixture
def call(jp_fetch: Fetch, served: Path) -> Fetch:
    async def call(path: str, body: Any = None, **params: str) -> Any:
        options = {} if body is None else {"method": "POST", "body": json.dumps(body)}
        reply = await jp_fetch(
            "perijove", "api", *path.split("/"), params={"project": "p", **params}, **options
        )
        return json.loads(reply.body)

    return call


@pytest.fixture
def bench(served: Path) -> Workbench:
    return Workbench(ProjectContext.open(served, actor="ada"))


async def test_a_job_is_seen_read_and_stopped(call: Fetch, bench: Workbench) -> None:
    code = "import time; print('up', flush=True); time.sleep(600)"
    argv = [sys.executable, "-c", code]
    job = bench.jobs.submit(JobSpec("curate", "Curate x", "data:x", argv, "ada"))
    await asyncio.to_thread(read_log, bench.jobs, job.id, "up")
    assert [j["state"] for j in (await call("jobs"))["items"]] == ["running"]
    (activity,) = (await call("operate"))["activities"]
    assert (activity["kind"], activity["id"], activity["stoppable"]) == ("job", job.id, True)
    assert activity["memory"]
    await call("operate/stop", {"kind": "job", "id": job.id})
    stopped = await call(f"jobs/{job.id}/stop", {})
    assert stopped["state"] == "stopped"
    assert (await call("operate"))["activities"] == []
    (entry,) = (await call("audit", action="stop job"))["entries"]
    assert entry["resource"] == "data:x"
    assert (await call(f"jobs/{job.id}/log", offset="-2"))["text"] == "p\n"


async def test_a_job_is_tried_again(call: Fetch, bench: Workbench) -> None:
    code = "from perijove.core import jobs; jobs.checkpoint({}); raise SystemExit(3)"
    spec = JobSpec("train", "Train", "run:x@1", [sys.executable, "-c", code], "ada")
    failed = await asyncio.to_thread(bench.jobs.wait, bench.jobs.submit(spec).id, 30)
    again = await call(f"jobs/{failed.id}/retry", {"resume": True})
    assert (again["retry_of"], again["attempt"]) == (failed.id, 2)
    done = await asyncio.to_thread(bench.jobs.wait, again["id"], 30)
    assert (done.state, done.resumable) == ("failed", True)
    actions = [entry["action"] for entry in (await call("audit"))["entries"]]
    assert "resume job" in actions
    executors = {item["name"]: item for item in (await call("executors"))["items"]}
    assert executors["local"]["available"]
    assert executors["local"]["cpus"] > 0
    assert not executors["ray"]["available"]
    assert "[jobs]" in executors["ray"]["reason"]


@pytest.mark.parametrize("name", ["..%2F..%2Fetc", "nothing-here", "%00"])
async def test_a_hostile_id_is_no_job(call: Fetch, name: str) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await call(f"jobs/{name}")
    assert caught.value.code == 404


async def test_an_alert_is_acknowledged(call: Fetch, bench: Workbench) -> None:
    bench.alerts.raise_(
        Alert(
            id="age:b", step="operate", level="failed", subject="endpoint:b@1", title="b is old",
            detail="", fix="", since=1,
        )
    )  # fmt: skip
    assert [a["title"] for a in (await call("alerts"))["items"]] == ["b is old"]
    (alert,) = (await call("alerts/age:b/acknowledge", {"note": "on it"}))["items"]
    assert alert["note"] == "on it"
    assert alert["acknowledged_by"]


async def test_the_audit_is_anchored(call: Fetch, served: Path, bench: Workbench) -> None:
    bench.project.chain.ledger.audit("ada", "look", "x")
    audit = await call("audit/anchor", {})
    assert (audit["intact"], audit["anchor"]["seq"]) == (True, 2)
    assert (served / "perijove.audit").is_file()


async def test_words_that_say_no_time_are_refused(jp_fetch: Fetch, served: Path) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch(
            "perijove", "api", "datasets", "x", params={"project": "p"}, method="PUT",
            body=json.dumps({"refresh": "sometimes"}),
        )  # fmt: skip
    assert caught.value.code == 400
    assert json.loads(caught.value.response.body)["code"] == "invalid_refresh"
