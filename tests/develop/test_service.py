"""Runs as the service tells them: their states, what made them, and how they meet the targets."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace

import msgspec
import pytest

from perijove.adapters.environments import UvEnvironments
from perijove.adapters.mlflow import database
from perijove.adapters.mlflow.client_store import ClientRunStore
from perijove.adapters.mlflow.stores import open_run_queries
from perijove.contracts.base import number
from perijove.contracts.data import DataFacts
from perijove.contracts.deploy import ModelFacts
from perijove.contracts.develop import Cell, Disorder, Usage
from perijove.contracts.routes import ROUTES, RunsQuery, SeriesQuery
from perijove.core.call import Call
from perijove.core.chain import EvaluationFacts
from perijove.core.errors import ConflictError, NotFoundError, ReadOnlyError
from perijove.core.files import ProcessId
from perijove.core.jobs import JobSpec
from perijove.core.journal import JournalWriter
from perijove.develop import states
from perijove.develop.ingester import Ingester
from perijove.develop.ports import Batch, Point
from perijove.develop.routes import HANDLERS
from perijove.develop.service import DevelopService
from perijove.develop.tags import PROCESS_TAG
from perijove.testing.run_store import START


def add_data(project, name="builds"):
    facts = DataFacts(path="a.csv", kind="file", sha256="", bytes=1, rows=1, columns=[], table="t")
    return project.chain.add("data", name, facts, by="ada").ref


def add_model(project, run_id, name="builds"):
    facts = ModelFacts(
        run_id=run_id, uri="", folder="m", flavor="sklearn", format="skops", manifest={}
    )
    source = {f"run:{run_id}@1": "made"}
    return project.chain.add("model", name, facts, by="ada", sources=source).ref


def measure(project, model, run_id, value, data="data:builds@1", metric="roc_auc"):
    facts = EvaluationFacts(
        model=model, run_id=run_id, data=data, split="test", metric=metric,
        value=number(value), rows=10, direction="maximize",
    )  # fmt: skip
    name = model.partition(":")[2]
    project.chain.add("evaluation", name, facts, by="ada", sources={model: "measured"})


def log(service, run_id, *records):
    writer = JournalWriter(service.ingester.folder(run_id) / f"{os.getpid()}-0.pj")
    for record in records:
        writer.append(record)
    writer.close()


def submit(jobs, argv):
    return jobs.submit(JobSpec("train", "t", "", argv, "ada"))


def dead_process():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = ProcessId.of(child.pid)
    child.communicate(b"\n")
    return msgspec.json.encode(found).decode()


def test_a_run_from_start_to_end(project, service):
    ref = add_data(project)
    run_id = service.start_run(
        "hgb-7",
        notebook="notes/builds.ipynb",
        params={"depth": "3"},
        tags={"mlflow.source.git.commit": "abc", "perijove.git_dirty": "True"},
        seed=7,
        inputs=[ref],
        by="ada",
    )
    log(service, run_id, ["m", START, 1, {"loss": 0.5}], ["g", START, 0.62])
    (summary,) = service.list_runs(notebook="notes/builds.ipynb").items
    assert (summary.name, summary.state, summary.progress) == ("hgb-7", "running", 0.62)
    assert summary.metrics == {"loss": 0.5}
    assert summary.tracked_by == "perijove"
    assert [run.run_id for run in service.running()] == [run_id]

    cells = [Cell(number=3, source="import this"), Cell(number=4, source="%%train\nfit()")]
    service.record_origin(run_id, cells=cells, environment={"python": "3.11"})
    log(service, run_id, ["m", START + 1, 2, {"loss": 0.25}])
    service.finish_run(run_id, "finished")

    run = service.get_run(run_id)
    assert run.summary.state == "finished"
    assert run.summary.ended is not None
    assert run.summary.progress is None
    assert run.summary.metrics == {"loss": 0.25}
    assert run.summary.params == {"depth": "3"}
    assert (run.cells, run.environment) == (cells, {"python": "3.11"})
    assert (run.inputs, run.unregistered, run.seed) == ([ref], [], 7)
    assert (run.git_commit, run.git_dirty) == ("abc", True)
    (series,) = service.series(run_id).series
    assert series.values == [0.5, 0.25]
    node = project.chain.get(f"run:{run_id}@1")
    assert [source.ref for source in project.chain.sources(node.ref)] == [ref]
    assert project.chain.ledger.read_audit().entries[0].action == "start run"
    assert service.running() == []


def test_an_unknown_input_makes_no_run(service):
    with pytest.raises(NotFoundError, match="data:none@1"):
        service.start_run("r", inputs=["data:none@1"])
    assert service.list_runs().total == 0


def test_inputs_are_found_while_it_runs(project, service):
    run_id = service.start_run("r")
    one, two = add_data(project), add_data(project, "other")
    service.record_inputs(run_id, [one])
    service.record_inputs(run_id, [one, two], ["/tmp/x.csv"])
    run = service.get_run(run_id)
    assert run.inputs == [one, two]
    assert run.unregistered == ["/tmp/x.csv"]
    assert {node.ref for node in project.chain.sources(f"run:{run_id}@1")} == {one, two}


def test_a_failed_run_says_why(service):
    run_id = service.start_run("r")
    service.finish_run(run_id, "failed", "ValueError: bad\n  at line 3")
    run = service.get_run(run_id)
    assert (run.summary.state, run.error) == ("failed", "ValueError: bad\n  at line 3")
    status = service.status()
    assert (status.state, status.fact) == ("failed", "r failed: ValueError: bad")


def test_a_run_on_another_machine_is_lost_when_it_is_silent(service, monkeypatch):
    away = msgspec.structs.replace(ProcessId.here(), host="another-machine", pid=1)
    run_id = service.start_run("r", tags={PROCESS_TAG: msgspec.json.encode(away).decode()})
    assert service.get_run(run_id).summary.state == "running"
    assert [activity.memory for activity in service.activities()] == [None]
    monkeypatch.setattr(states, "SILENT_MS", -1)
    assert service.get_run(run_id).summary.state == "lost"
    monkeypatch.setattr(service.ingester, "heard", lambda run: START + 10**12)
    assert service.get_run(run_id).summary.state == "running"


def test_a_run_without_its_process_is_lost(service):
    run_id = service.start_run("r", tags={PROCESS_TAG: dead_process()})
    assert service.get_run(run_id).summary.state == "lost"
    assert service.running() == service.activities() == []
    assert service.status().fact == "r lost: its process is gone"
    with pytest.raises(ConflictError, match="lost"):
        service.stop_run(run_id, "ada")


def test_a_stop_reaches_the_process(project, service):
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    process = msgspec.json.encode(ProcessId.of(child.pid)).decode()
    run_id = service.start_run("r", notebook="a.ipynb", tags={PROCESS_TAG: process})
    (activity,) = service.activities()
    assert (activity.id, activity.pid, activity.name) == (run_id, child.pid, "r")
    assert activity.memory > 0
    service.stop_run(run_id, "grace")
    assert child.wait(20) == 42
    assert (service.ingester.folder(run_id) / "stop").exists()
    entry = project.chain.ledger.read_audit().entries[0]
    assert (entry.actor, entry.action, entry.resource) == ("grace", "stop run", f"run:{run_id}@1")
    service.finish_run(run_id, "stopped")
    with pytest.raises(ConflictError, match="stopped"):
        service.stop_run(run_id, "grace")


def test_the_pulse_beats_with_progress_and_stops_with_the_process(service):
    still = service.pulse()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = msgspec.json.encode(ProcessId.of(child.pid)).decode()
    run_id = service.start_run("r", tags={PROCESS_TAG: process})
    started = service.pulse()
    assert started != still
    assert service.pulse() == started
    log(service, run_id, ["g", START, 0.5])
    service.ingester.ingest()
    half = service.pulse()
    assert half != started
    child.communicate(b"\n")
    assert service.pulse() not in (started, half)


def test_a_reused_process_number_takes_no_signal(service):
    other = ProcessId(pid=os.getpid(), born=1.0)
    run_id = service.start_run("r", tags={PROCESS_TAG: msgspec.json.encode(other).decode()})
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ConflictError):
        service.stop_run(run_id, "ada")
    assert signal.getsignal(signal.SIGINT) == before


def test_verdicts_come_from_measurements_only(project, service):
    run_id = service.start_run("r")
    log(service, run_id, ["m", START, 0, {"roc_auc": 0.99}])
    service.finish_run(run_id, "finished")
    assert service.get_run(run_id).summary.verdicts == []
    assert service.status().state == "attention"
    assert "not measured" in service.status().fact
    model = add_model(project, run_id)
    measure(project, model, run_id, 0.9)
    measure(project, model, run_id, 0.6)  # the newest counts
    measure(project, model, run_id, 0.99, data="data:other@1")
    summary = service.get_run(run_id).summary
    assert summary.models == [model]
    (verdict,) = summary.verdicts
    assert (verdict.value, verdict.target, verdict.met) == (0.6, 0.75, False)
    assert service.status().state == "failed"
    assert "missed by 0.15" in service.status().fact

    better = service.start_run("r2")
    measure(project, add_model(project, better), better, 0.8)
    service.finish_run(better, "finished")
    newest = service.start_run("r3")
    service.finish_run(newest, "finished")
    status = service.status()
    assert status.state == "ok"
    assert status.fact == "r2 · roc_auc 0.8, target ≥ 0.75 met · 3 runs"
    assert [e.state for e in status.entries] == ["ok", "ok", "failed"]


def test_the_sidebar_shows_the_running_run(project, service):
    assert (service.status().state, service.status().next) == ("not_started", "Track a cell")
    run_id = service.start_run("hgb-7")
    log(service, run_id, ["m", START, 0, {"val/roc_auc": 0.7123, "x": math.nan}], ["g", 1, 0.62])
    status = service.status()
    assert (status.state, status.value) == ("running", 0.62)
    assert status.fact == "hgb-7 · 62% · val/roc_auc 0.712"
    assert status.entries[0].ref == f"run:{run_id}@1"


def test_odd_metrics_are_fine(service):
    run_id = service.start_run("r")
    values = {f"m{i}": float(i) for i in range(10_000)} | {"🚀/loss": math.nan, "roc_auc": math.inf}
    log(service, run_id, ["m", START, 0, values])
    service.finish_run(run_id, "finished")
    run = service.get_run(run_id)
    assert len(run.summary.metrics) == 10_002
    assert run.summary.metrics["🚀/loss"] == "NaN"
    (listed,) = service.list_runs().items
    assert len(listed.metrics) == 100
    assert listed.metrics["roc_auc"] == "Infinity"
    assert len(service.series(run_id).series) == 10_002
    json.loads(msgspec.json.encode(run))


def test_a_run_of_mlflow_alone_needs_nothing_of_ours(project, service):
    code = (
        "import numpy as np, mlflow\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "mlflow.sklearn.autolog(log_models=False, log_datasets=False)\n"
        "X = np.arange(20.0).reshape(-1, 1)\n"
        "LogisticRegression(C=0.5).fit(X, X[:, 0] > 9)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **database.tracking_environment(project.paths, project.name)},
        cwd=project.paths.root,
        check=True,
        capture_output=True,
    )
    assert not (project.paths.root / "mlruns").exists()
    (summary,) = service.list_runs().items
    assert (summary.state, summary.tracked_by, summary.notebook) == ("finished", "mlflow", "")
    assert summary.params["C"] == "0.5"
    assert any(key.startswith("training_") for key in summary.metrics)
    run = service.get_run(summary.run_id)
    assert (run.cells, run.inputs, run.environment, run.seed) == ([], [], {}, None)
    assert service.series(summary.run_id).series
    assert summary.name in service.status().fact


def test_tags_that_somebody_edited_break_nothing(service, store):
    tags = {
        "perijove.process": "{",
        "perijove.inputs": '{"a": 1}',
        "perijove.seed": "seven",
        "perijove.unregistered": "x",
    }
    run_id = store.create_run("r", started=START, batch=Batch(tags=tags))
    (store.artifact_folder(run_id) / "perijove").mkdir()
    (store.artifact_folder(run_id) / "perijove/cells.json").write_text("[{]")
    run = service.get_run(run_id)
    assert run.summary.state == "running"
    assert (run.inputs, run.unregistered, run.seed, run.cells) == ([], [], None, [])


def test_the_service_works_through_mlflows_client(project, jobs, engines):
    database.ensure_database(project.paths, project.name)
    store = ClientRunStore(project, database.own_uri(project.paths))
    service = DevelopService(
        project, store, Ingester(project, store), jobs, UvEnvironments(), lambda ref: "",
        lambda: replace(engines, queries=open_run_queries(store)),
    )  # fmt: skip
    run_id = service.start_run("r", notebook="a.ipynb", seed=1)
    service.record_origin(run_id, cells=[Cell(number=1, source="x")], environment={})
    log(service, run_id, ["m", START, 0, {"a": 1.0}])
    service.finish_run(run_id, "finished")
    run = service.get_run(run_id)
    assert (run.summary.state, run.summary.metrics, len(run.cells)) == ("finished", {"a": 1.0}, 1)


def test_routes_answer(service, store):
    assert set(HANDLERS) == {route.op for route in ROUTES if route.step == "develop"}
    run_id = service.start_run("r", notebook="a.ipynb")
    store.write(run_id, Batch([Point("x", 1.0, START, 0)]))
    call = Call(actor="ada", path={"run_id": run_id}, query=RunsQuery(notebook="a.ipynb", limit=-5))
    assert HANDLERS["list_runs"](service, call).total == 1
    assert HANDLERS["get_run"](service, call).summary.run_id == run_id
    call = Call(actor="ada", path={"run_id": run_id}, query=SeriesQuery(points=10**9))
    assert len(HANDLERS["get_series"](service, call).series) == 1
    for op in ("get_run", "get_series"):
        with pytest.raises(NotFoundError):
            HANDLERS[op](service, Call(actor="ada", path={"run_id": "../x"}, query=SeriesQuery()))


def test_a_run_that_the_chain_does_not_take_is_not_left_running(service, project, monkeypatch):
    def full(*arguments, **options):
        raise ReadOnlyError("The disk is full.")

    monkeypatch.setattr(project.chain, "add", full)
    with pytest.raises(ReadOnlyError):
        service.start_run("first")
    (run,), _ = service.store.list_runs(limit=9)
    assert run.status == "FAILED"


def test_a_queued_run_stands_like_its_job_until_it_is_adopted(project, service, jobs):
    run_id = service.queue_run("night", notebook="a.ipynb", params={"lr": "0.1"}, seed=3)
    run = service.get_run(run_id)
    assert (run.summary.state, run.summary.job, run.seed) == ("queued", "", 3)
    assert run.summary.tracked_by == "mlflow"  # nobody has it yet
    assert service.status().fact == "night waits for its turn"
    job = submit(jobs, [sys.executable, "-c", "import time; time.sleep(60)"])
    service.assign_job(run_id, job.id)
    assert service.get_run(run_id).summary.state == "queued"
    assert service.get_run(run_id).summary.job == job.id
    service.stop_run(run_id, "grace")
    assert jobs.wait(job.id, 30).state == "stopped"
    assert service.get_run(run_id).summary.state == "stopped"
    service.adopt_run(run_id)  # the job was sent again
    run = service.get_run(run_id)
    assert (run.summary.tracked_by, run.tags[PROCESS_TAG] != "") == ("perijove", True)
    assert service.store.get_run(run_id).status == "RUNNING"


def test_a_run_whose_job_ended_without_ending_it_reads_like_the_job(service, jobs):
    run_id = service.queue_run("night")
    for code, state in (("pass", "lost"), ("raise SystemExit(3)", "failed")):
        job = submit(jobs, [sys.executable, "-c", code])
        service.assign_job(run_id, job.id)
        jobs.wait(job.id, 30)
        assert service.get_run(run_id).summary.state == state
    service.assign_job(run_id, "gone")
    assert service.get_run(run_id).summary.state == "lost"


def test_a_queued_run_that_nobody_gave_a_job_is_lost(service, monkeypatch):
    run_id = service.queue_run("night")
    monkeypatch.setattr(states, "UNASSIGNED_MS", -1)
    assert service.get_run(run_id).summary.state == "lost"


def test_tags_say_the_rest(service, store):
    usage = Usage(seconds=2.0, cpu_seconds=3.5, peak_memory=1 << 30)
    disorder = [Disorder(kind="order", detail="Cell 3 ran after cell 5.", cells=[3, 5])]
    parent = service.start_run("search")
    run_id = service.start_run(
        "trial",
        tags={
            "mlflow.note.content": "# Why",
            "mlflow.parentRunId": parent,
            "perijove.star": "1",
            "perijove.usage": msgspec.json.encode(usage).decode(),
            "perijove.disorder": msgspec.json.encode(disorder).decode(),
            "perijove.masked": '["params.token"]',
        },
    )
    run = service.get_run(run_id)
    assert (run.note, run.parent, run.summary.starred) == ("# Why", parent, True)
    assert (run.usage, run.disorder, run.masked) == (usage, disorder, ["params.token"])
    assert service.get_run(parent).children == [run_id]
