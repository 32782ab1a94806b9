"""Reports from journals: traffic, drift, outcomes and live KPIs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.contracts.alerts import Alert
from perijove.contracts.deploy import FeatureProfile
from perijove.core.chain import WantedEndpoint
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.core.gate import Candidate
from perijove.monitor import drift, traffic
from perijove.monitor.checks import monitor
from perijove.monitor.latency import Latencies
from perijove.monitor.service import MonitorService
from tests.monitor.conftest import Worker, model_facts, training


def rows(worker: Worker, size: Any, team: str = "core", **more: Any) -> str:
    values = [float(v) for v in size]
    return worker.answer({"size": values, "team": [team] * len(values)}, **more)


def test_traffic_is_counted_by_the_minute(worker: Worker) -> None:
    worker.deploy()
    for ms in range(1, 101):
        rows(worker, [0.0], ms=float(ms), ago=90)
    rows(worker, [0.0], ms=5000.0, status=400, error="Column 'size', row 0: no", ago=4000)
    report = worker.monitor.report("builds", minutes=60)
    assert (report.requests, report.errors) == (100, 0)
    assert report.p50 == pytest.approx(50, rel=0.02)
    assert report.p95 == pytest.approx(95, rel=0.02)
    assert report.p99 == pytest.approx(99, rel=0.02)
    assert len(report.minutes) == 60
    assert sum(minute.requests for minute in report.minutes) == 100
    assert report.recent[0].status == 200
    assert report.recent[0].inputs == '{"size":0.0,"team":"core"}'
    day = worker.monitor.report("builds", minutes=24 * 60)
    assert (day.requests, day.errors) == (101, 1)


def test_only_what_is_new_is_read(worker: Worker) -> None:
    worker.deploy()
    rows(worker, [0.0])
    assert worker.monitor.report("builds").requests == 1
    rows(worker, [0.0])
    rows(worker, [0.0], revision=2)
    assert worker.monitor.report("builds").requests == 3


def test_errors_raise_a_finding(worker: Worker) -> None:
    worker.deploy()
    for number in range(20):
        rows(worker, [0.0], status=400 if number < 2 else 200)
    (finding,) = worker.monitor.report("builds").findings
    assert (finding.id, finding.severity) == ("errors:builds", "attention")
    assert worker.monitor.status().state == "attention"


def test_drift_is_measured_against_the_training_rows(worker: Worker) -> None:
    worker.deploy()
    rows(worker, training()[:20])
    few = {d.feature: d for d in worker.monitor.report("builds").drift}
    assert few["size"].state == "too_few"
    assert few["size"].psi is None
    rows(worker, training()[20:1020])
    same = {d.feature: d for d in worker.monitor.report("builds").drift}
    assert same["size"].state == "stable"
    assert same["size"].rows == 1020
    assert same["team"].state == "drifted", "all rows are of one team"
    assert sum(same["size"].observed) == pytest.approx(1)
    assert len(same["size"].bins) == len(same["size"].expected) == 10
    rows(worker, training(4000) + 1.5)
    moved = worker.monitor.report("builds")
    assert {d.feature: d.state for d in moved.drift} == {"size": "drifted", "team": "drifted"}
    assert "size" in next(a for a in moved.findings if a.id == "drift:builds").title
    assert "data:builds@1" in moved.drift_detail


def test_drift_is_of_the_model_that_answers_now(worker: Worker) -> None:
    worker.deploy()
    rows(worker, training(500) + 3, revision=1)
    worker.deploy()
    rows(worker, training(500), revision=2)
    assert worker.monitor.report("builds").drift[0].rows == 500
    assert worker.monitor.report("builds").drift[0].state == "stable"
    worker.want(1)
    assert worker.monitor.report("builds").drift[0].state == "drifted"


def test_a_model_without_a_profile_says_why(worker: Worker, project: ProjectContext) -> None:
    worker.deploy(profile=[], unprofiled="its data was not read with pj.dataset")
    report = worker.monitor.report("builds")
    assert report.drift == []
    assert "pj.dataset" in report.drift_detail
    node = project.chain.get("model:builds@1")
    bare = model_facts(profile=[], unprofiled="why not")
    assert monitor(Candidate(project, node, bare, "builds")).state == "fail"
    assert monitor(Candidate(project, node, model_facts(), "builds")).state == "pass"
    half = model_facts(profile=model_facts().profile[:1])
    assert monitor(Candidate(project, node, half, "builds")).items == ["team"]


def test_outcomes_make_a_live_kpi_and_a_node(worker: Worker, project: ProjectContext) -> None:
    worker.deploy()

    def answer(*shares: float) -> str:
        outputs = {
            "prediction": [int(s > 0.5) for s in shares],
            "probability_0": [1 - s for s in shares],
            "probability_1": list(shares),
        }
        return rows(worker, [0.0] * len(shares), outputs=outputs)

    one, many = answer(0.9), answer(0.2, 0.8, 0.4)
    (kpi,) = worker.monitor.report("builds").kpis
    assert (kpi.value, kpi.state, kpi.outcomes) == (None, "unmeasured", 0)
    worker.monitor.record_outcomes("builds", [one], [1], by="ada")
    (kpi,) = worker.monitor.report("builds").kpis
    assert (kpi.value, kpi.outcomes) == (None, 1)
    assert "both classes" in kpi.detail or "outcome" in kpi.detail
    said = worker.monitor.record_outcomes(
        "builds", [f"{many}:{row}" for row in range(3)], [0, 0, 1], by="ada"
    )
    assert said == "3 outcomes recorded; live roc_auc 0.75"
    (kpi,) = worker.monitor.report("builds").kpis
    assert (kpi.value, kpi.state, kpi.outcomes) == (0.75, "met", 4)
    worker.monitor.record_outcomes("builds", [f"{many}:1", f"{many}:0"], [0, 1], by="ada")
    report = worker.monitor.report("builds")
    assert report.kpis[0].state == "missed"
    assert [a.severity for a in report.findings] == ["failed"]
    assert worker.monitor.status().state == "failed"
    newest = project.chain.latest("outcomes", "builds")
    assert newest is not None
    assert newest.facts["endpoint"] == "endpoint:builds@1"
    assert newest.facts["metric"] == "roc_auc"
    assert [n.ref for n in project.chain.sources(newest.ref)] == ["endpoint:builds@1"]


@pytest.mark.parametrize("identifier", ["nope", "p1", "p1:9", "p1:x", "p1:-1", "", "p2:1"])
def test_an_unknown_id_is_named_and_nothing_is_written(
    worker: Worker, project: ProjectContext, identifier: str
) -> None:
    worker.deploy()
    outputs = {"prediction": [0, 1]}
    rows(worker, [0.0, 1.0], outputs=outputs)
    rows(worker, [0.0], outputs={"prediction": [0]})
    with pytest.raises(InvalidInputError, match=identifier.rpartition(":")[2] or "prediction"):
        worker.monitor.record_outcomes("builds", ["p2", identifier], [1, 1], by="ada")
    assert project.chain.versions("outcomes") == []
    assert not (project.paths.endpoint("builds") / "outcomes").exists()
    with pytest.raises(InvalidInputError):
        worker.monitor.record_outcomes("builds", ["p2"], [1, 1], by="ada")


def test_an_endpoint_that_is_not_there(worker: Worker) -> None:
    assert worker.monitor.status().state == "not_started"
    with pytest.raises(NotFoundError, match="no endpoint"):
        worker.monitor.report("builds")


@given(st.lists(st.one_of(st.floats(), st.integers(-9, 9), st.none(), st.text()), max_size=600))
def test_counting_one_by_one_and_many_at_once_agree(values: list[Any]) -> None:
    profile = FeatureProfile(feature="x", counts=[1, 1, 1, 1], edges=[-1.0, 0.0, 2.5])
    single = [0] * 5
    for value in values:
        single = [a + b for a, b in zip(single, drift.count(profile, [value]), strict=True)]
    assert drift.count(profile, values) == drift._count_many(profile, values) == single
    assert sum(single) == len(values)


def test_no_drift_raises_hardly_any_false_alarm() -> None:
    random = np.random.default_rng(4)
    profile = model_facts().profile[0]
    states = [
        drift.measure(profile, drift.count(profile, list(map(float, random.normal(size=n))))).state
        for n in (30, 60, 200, 1000)
        for _ in range(250)
    ]
    assert sum(state != "stable" for state in states) <= 10


@given(st.lists(st.floats(0.002, 1e6), min_size=1, max_size=300), st.floats(0.01, 1))
def test_percentiles_are_within_one_per_cent(values: list[float], share: float) -> None:
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    assert latencies.quantile(share) == pytest.approx(exact, rel=0.011, abs=0.001)


def test_an_endpoint_is_judged_by_the_targets_on_its_own_data(
    worker: Worker, project: ProjectContext
) -> None:
    second = '\n[[kpi]]\nmetric = "rmse"\ndata = "prices"\ndirection = "minimize"\ntarget = 3\n'
    third = '\n[[kpi]]\nmetric = "accuracy"\ndata = "builds"\ntarget = 0.9\n'
    definition = project.paths.definition
    definition.write_text(definition.read_text() + second + third)
    worker.deploy()
    shares = {"prediction": [1, 0], "probability_0": [0.1, 0.8], "probability_1": [0.9, 0.2]}
    answered = rows(worker, [0.0, 1.0], outputs=shares)
    said = worker.monitor.record_outcomes(
        "builds", [f"{answered}:0", f"{answered}:1"], [1, 0], by="ada"
    )
    assert said == "2 outcomes recorded; live roc_auc 1, accuracy 1"
    assert [k.metric for k in worker.monitor.report("builds").kpis] == ["roc_auc", "accuracy"]
    newest = project.chain.latest("outcomes", "builds")
    assert newest is not None
    assert [(v["metric"], v["data"], v["value"]) for v in newest.facts["values"]] == [
        ("roc_auc", "builds", 1.0), ("accuracy", "builds", 1.0),
    ]  # fmt: skip


def test_the_newest_rows_are_kept_whichever_file_they_are_in(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "KEPT_ROWS", 4)
    worker.deploy()
    outputs = {"prediction": [1]}
    # By name, the file of revision 10 comes before that of revision 2.
    for _ in range(10):
        worker.deploy()
    old = [rows(worker, [0.0], outputs=outputs, revision=2, ago=60) for _ in range(4)]
    live = [rows(worker, [0.0], outputs=outputs, revision=10) for _ in range(3)]
    worker.want(10)
    worker.monitor.record_outcomes("builds", [*live, old[3]], [1, 1, 1, 1], by="ada")
    assert worker.monitor.report("builds").kpis[0].outcomes == 3
    with pytest.raises(InvalidInputError, match=old[0]):
        worker.monitor.record_outcomes("builds", [old[0]], [1], by="ada")
    kept = worker.monitor._endpoint("builds").traffic
    assert set(kept.outcomes) == {*live, old[3]}
    rows(worker, [0.0], outputs=outputs, revision=10)
    worker.monitor.report("builds")
    assert set(kept.outcomes) == set(live), "outcomes go with their predictions"


def test_outcomes_that_another_process_records_are_joined(worker: Worker) -> None:
    worker.deploy()
    outputs = {"prediction": [1], "probability_0": [0.1], "probability_1": [0.9]}
    one = rows(worker, [0.0], outputs=outputs)
    other = MonitorService(worker.project, worker.monitor._measure)
    other.record_outcomes("builds", [one], [1], by="eve")
    assert worker.monitor.report("builds").kpis[0].outcomes == 1


def test_what_is_wrong_stands_as_an_alert_until_it_is_mended(worker: Worker) -> None:
    def sync() -> dict[str, Alert]:
        worker.monitor.alerts.sync("monitor", worker.monitor.watch())
        return {alert.id: alert for alert in worker.monitor.alerts.standing("monitor")}

    assert sync() == {}
    worker.deploy()
    for _ in range(20):
        rows(worker, training()[:5] + 3, status=400)
    for _ in range(20):
        rows(worker, training()[:5] + 3, outputs={"prediction": [0] * 5})
    standing = sync()
    assert set(standing) == {"errors:builds", "drift:builds"}
    assert standing["drift:builds"].subject == "endpoint:builds@1"
    assert "size" in standing["drift:builds"].title
    assert all(alert.fix for alert in standing.values())
    assert {f.id for f in worker.monitor.report("builds").findings} == set(standing)

    worker.deploy()  # another revision: nothing is known of it yet
    assert set(sync()) == {"errors:builds"}
    stopped = WantedEndpoint(revision=2, running=False)
    worker.project.chain.want_endpoint("builds", stopped, by="ada", action="stop")
    assert sync() == {}


def test_silence_mends_nothing(worker: Worker) -> None:
    worker.deploy()
    rows(worker, training()[:100] + 3, outputs={"prediction": [0] * 100})
    worker.monitor.alerts.sync("monitor", worker.monitor.watch())
    quiet = MonitorService(worker.project, worker.monitor._measure)
    for file in (worker.project.paths.endpoint("builds") / "predictions").iterdir():
        file.unlink()  # as after an hour without requests
    (alert,) = quiet.watch()
    assert alert.id == "drift:builds"
