"""``perijove jobs``, ``alerts`` and ``audit``: what they print, and their exit codes."""

from __future__ import annotations

import json
import sqlite3

import pytest

from perijove.adapters.workbench import Workbench
from perijove.cli import main
from perijove.contracts.alerts import Alert
from perijove.contracts.jobs import JobResources
from perijove.core.context import ProjectContext
from perijove.testing.job_runner import DEADLINE, FOREVER, read_log, start

Capture = pytest.CaptureFixture[str]


def test_jobs_are_listed_read_and_stopped(project: ProjectContext, capsys: Capture) -> None:
    root = str(project.paths.root)
    jobs = Workbench(project).jobs
    assert main(["jobs", "list", "--project", root]) == 0
    assert "No jobs." in capsys.readouterr().out
    done = jobs.wait(start(jobs, "print('made it')").id, DEADLINE)
    going = start(jobs, FOREVER)
    read_log(jobs, going.id, "up")
    assert main(["jobs", "list", "--json", "--project", root]) == 0
    items = json.loads(capsys.readouterr().out)["items"]
    assert [(job["id"], job["state"]) for job in items] == [
        (going.id, "running"), (done.id, "finished"),
    ]  # fmt: skip
    assert main(["jobs", "logs", "-f", done.id, "--project", root]) == 0
    assert capsys.readouterr().out == "made it\n"
    assert main(["jobs", "logs", going.id, "--project", root]) == 0
    assert capsys.readouterr().out == "up\n"
    assert main(["jobs", "stop", going.id, "--project", root]) == 0
    assert "stopped" in capsys.readouterr().out
    assert main(["jobs", "stop", "../../etc", "--project", root]) == 1
    assert "perijove jobs list" in capsys.readouterr().err


def test_a_job_is_shown_retried_and_resumed(project: ProjectContext, capsys: Capture) -> None:
    root = str(project.paths.root)
    board = Workbench(project).jobs
    code = "from perijove.core import jobs; jobs.checkpoint({}); raise ValueError('no size')"
    failed = board.wait(start(board, code, resources=JobResources(cpus=1)).id, DEADLINE)
    assert main(["jobs", "show", failed.id, "--project", root]) == 0
    shown = capsys.readouterr().out
    for words in ("failed", "data:x", "1 CPU", "no size", f"perijove jobs resume {failed.id}"):
        assert words in shown
    for word, attempt in (("retry", 2), ("resume", 2)):
        assert main(["jobs", word, failed.id, "--json", "--project", root]) == 0
        again = json.loads(capsys.readouterr().out)
        assert (again["retry_of"], again["attempt"]) == (failed.id, attempt)
        board.wait(again["id"], DEADLINE)
    assert main(["jobs", "logs", "-f", again["id"], "--json", "--project", root]) == 0
    log = json.loads(capsys.readouterr().out)
    assert log["ended"]
    assert "no size" in log["text"]
    done = board.wait(start(board, "pass").id, DEADLINE)
    assert main(["jobs", "resume", done.id, "--project", root]) == 1
    assert "nothing to go on from" in capsys.readouterr().err
    assert main(["jobs", "list", "--limit", "1", "--project", root]) == 0
    assert capsys.readouterr().out.split()[0] == done.id


def test_alerts_are_listed(project: ProjectContext, capsys: Capture) -> None:
    root = str(project.paths.root)
    alert = Alert(
        id="freshness:b", step="data", level="attention", subject="data:b@1", title="b is old",
        detail="3 days", fix="Register it again.", since=1,
    )  # fmt: skip
    Workbench(project).alerts.raise_(alert)
    assert main(["alerts", "--project", root]) == 0
    shown = capsys.readouterr().out
    assert "b is old" in shown
    assert "Register it again." in shown


def test_the_audit_is_anchored_verified_and_filtered(
    project: ProjectContext, capsys: Capture
) -> None:
    root = str(project.paths.root)
    for place in ("data:a@1", "data:b@1"):
        project.chain.ledger.audit("ada", "look", place)
    assert main(["audit", "verify", "--project", root]) == 0
    assert "not anchored" in capsys.readouterr().out
    assert main(["audit", "anchor", "--project", root]) == 0
    assert "anchored at 3" in capsys.readouterr().out
    assert main(["audit", "--resource", "data:b", "--json", "--project", root]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [entry["resource"] for entry in found["entries"]] == ["data:b@1"]
    with sqlite3.connect(project.paths.ledger) as db:
        db.execute("DROP TRIGGER audit_is_kept")
        db.execute("DELETE FROM audit WHERE seq > 1")
    assert main(["audit", "verify", "--project", root]) == 1
    assert "missing at the end" in capsys.readouterr().err
    assert main(["audit", "anchor", "--project", root]) == 1
