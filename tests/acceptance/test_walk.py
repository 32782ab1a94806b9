"""The example's notebook, run as a reader runs it: in a real kernel, from the first cell to the last."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from perijove.adapters.initialize import initialize_project
from perijove.adapters.workbench import Workbench
from perijove.contracts.base import to_float
from perijove.contracts.data import DataFacts
from perijove.contracts.deploy import EndpointFacts
from perijove.core.chain import EvaluationFacts, OutcomesFacts, facts_of
from perijove.core.context import ProjectContext
from perijove.core.files import ProcessId, sha256_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

NOTEBOOK = "notebooks/builds.ipynb"
REASON = "A rehearsal: nobody acts on its answers."


@dataclass
class Walk:
    """A walked project: what the notebook says, and what the stores say after its kernel ended."""

    bench: Workbench
    notebook: nbformat.NotebookNode
    stopped_at: list[str]
    """Identifiers of the cells that stopped *Run All*."""

    def said(self, cell: str) -> str:
        """Return a cell's outputs as text."""
        (found,) = [c for c in self.notebook.cells if c.id == cell]
        words: list[str] = []
        for output in found.outputs:
            words.append(output.get("text", ""))
            words.append(output.get("evalue", ""))
            words.append(json.dumps(output.get("data", {}), ensure_ascii=False))
        return "\n".join(words)

    def measured(self, model: str) -> float:
        """Return what Perijove measured of a model version on the project's target."""
        (kpi,) = self.bench.project.definition.kpi
        (value,) = [
            facts.value
            for node in self.bench.project.chain.results(model, "evaluation")
            if (facts := facts_of(node, EvaluationFacts)).metric == kpi.metric
        ]
        return to_float(value)

    def gate_states(self, model: str) -> dict[str, str]:
        return {check.id: check.state for check in self.bench.deploy.gate(model).checks}


def walk(folder: Path, *, reason: str = "") -> tuple[nbformat.NotebookNode, list[str]]:
    """Run all cells; where a gate stops it, sign with the reason and go on, as the text says."""
    path = folder / NOTEBOOK
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    stopped: list[str] = []
    with client.setup_kernel(env=_environment(path)):
        for index, cell in enumerate(notebook.cells):
            if cell.id == "override" and stopped:
                assert 'REASON = ""' in cell.source
                cell.source = cell.source.replace('REASON = ""', f'REASON = "{reason}"')
            try:
                client.execute_cell(cell, index)
            except CellExecutionError:
                stopped.append(cell.id)
                if not reason:
                    raise
    nbformat.write(notebook, path)
    return notebook, stopped


def _environment(notebook: Path) -> dict[str, str]:
    """What Jupyter tells a kernel of its notebook."""
    return {**os.environ, "JPY_SESSION_NAME": str(notebook)}


def _walked(folder: Path, *, data: Path | None, reason: str = "") -> Iterator[Walk]:
    initialize_project(folder, example=True, data=data).chain.ledger.close()
    bench: Workbench | None = None
    try:
        notebook, stopped = walk(folder, reason=reason)
        bench = Workbench(ProjectContext.open(folder))
        yield Walk(bench, notebook, stopped)
    finally:
        bench = bench or Workbench(ProjectContext.open(folder))
        _end(bench)


def _end(bench: Workbench) -> None:
    """Stop every endpoint, and see that its processes are gone."""
    for endpoint in bench.deploy.endpoints():
        worker = ProcessId.of(endpoint.pid) if endpoint.pid else None
        bench.deploy.stop(endpoint.name, by="test")
        bench.deploy.wait(endpoint.name)
        assert worker is None or not worker.alive()
    bench.close()


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> Iterator[Walk]:
    yield from _walked(tmp_path_factory.mktemp("generated") / "example", data=None)


@pytest.fixture(scope="module")
def real(
    tmp_path_factory: pytest.TempPathFactory, runtime: Path, real_builds: Path
) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("real") / "example"
    yield from _walked(folder, data=real_builds, reason=REASON)


@pytest.fixture(params=["generated", "real"])
def walked(request: pytest.FixtureRequest) -> Walk:
    found: Walk = request.getfixturevalue(request.param)
    return found


def test_the_tempting_model_is_stopped_and_the_columns_are_named(walked: Walk) -> None:
    assert walked.measured("model:builds_leaky@1") > 0.98
    assert walked.gate_states("model:builds_leaky@1")["leakage"] == "fail"
    said = walked.said("leaky-gate")
    assert "size" in said
    assert "duration" in said
    assert (
        not walked.bench.project.chain.newest("endpoint")[0]
        .facts["model"]
        .startswith("model:builds_leaky")
    )


def test_the_honest_model_goes_out_without_an_override(generated: Walk) -> None:
    assert generated.stopped_at == []
    assert generated.measured("model:builds@1") >= 0.75
    assert set(generated.gate_states("model:builds@1").values()) == {"pass"}
    (revision,) = generated.bench.project.chain.versions("endpoint")
    facts = facts_of(revision, EndpointFacts)
    assert facts.override is None
    assert facts.gate.passed


def test_on_real_builds_the_target_stops_it_and_the_chain_shows_who_signed(real: Walk) -> None:
    assert real.stopped_at == ["deploy"]
    assert real.measured("model:builds@1") < 0.7
    assert "roc_auc" in real.said("deploy")
    (revision,) = real.bench.project.chain.versions("endpoint")
    override = facts_of(revision, EndpointFacts).override
    assert override is not None
    assert override.reason == REASON
    assert "kpi_met" in override.failed
    assert "leakage" not in override.failed
    assert "unseen_rows" not in override.failed
    actions = [entry.action for entry in real.bench.problem.audit().entries]
    assert "override gate" in actions
    assert real.bench.problem.audit().intact
    assert real.bench.deploy.endpoint("builds").override == override


def test_the_endpoint_outlives_the_kernel(walked: Walk) -> None:
    endpoint = walked.bench.deploy.endpoint("builds")
    assert endpoint.state == "serving"
    assert endpoint.sample is not None
    reply = walked.bench.deploy.invoke("builds", [endpoint.sample])
    assert reply.status == 200
    recent = walked.bench.monitor.report("builds").recent
    assert reply.prediction_id in {record.id for record in recent}


def test_the_monitor_shows_traffic_drift_and_the_live_target(walked: Walk) -> None:
    report = walked.bench.monitor.report("builds", minutes=24 * 60)
    assert report.requests > 0
    assert report.errors == 0
    assert report.p50 is not None
    drifted = {drift.feature for drift in report.drift if drift.state == "drifted"}
    assert "last_size" in drifted
    (kpi,) = report.kpis
    assert kpi.value is not None
    assert kpi.outcomes > 100


def test_live_predictions_score_as_the_test_did(walked: Walk) -> None:
    (kpi,) = walked.bench.monitor.report("builds").kpis
    assert kpi.value is not None
    assert to_float(kpi.value) == pytest.approx(walked.measured("model:builds@1"), abs=0.05)


def test_the_curve_of_the_honest_run_was_logged_live(walked: Walk) -> None:
    runs = {run.name: run for run in walked.bench.develop.list_runs().items}
    series = walked.bench.develop.series(runs["honest"].run_id).series
    assert {"loss", "auc"} <= {one.key for one in series}
    assert all(one.total >= 60 for one in series if one.key in {"loss", "auc"})
    assert {run.state for run in runs.values()} == {"finished"}
    assert {run.notebook for run in runs.values()} == {NOTEBOOK}


def test_the_chain_leads_from_the_target_to_the_endpoint_and_back(walked: Walk) -> None:
    chain = walked.bench.project.chain
    (kpi,) = walked.bench.project.definition.kpi

    (measured,) = [
        node
        for node in chain.versions("evaluation")
        if (facts := facts_of(node, EvaluationFacts)).model == "model:builds@1"
        and (facts.metric, facts.split) == (kpi.metric, kpi.split)
    ]
    (model,) = chain.sources(measured.ref, "model")
    (endpoint,) = chain.results(model.ref, "endpoint")
    outcomes = chain.results(endpoint.ref, "outcomes")
    assert outcomes
    assert facts_of(outcomes[-1], OutcomesFacts).metric == kpi.metric

    back = chain.lineage(outcomes[-1].ref)
    kinds = {node.kind for node in back.nodes}
    assert {"data", "run", "model", "endpoint", "outcomes"} <= kinds
    refs = {node.ref for node in back.nodes}
    assert {"data:builds_raw@1", "data:builds@1", model.ref, endpoint.ref} <= refs
    raw = facts_of(chain.get("data:builds_raw@1"), DataFacts)
    assert sha256_file(walked.bench.project.paths.absolute(raw.path)) == raw.sha256
    forth = {node.ref for node in chain.lineage("data:builds_raw@1").nodes}
    assert endpoint.ref in forth


def test_the_last_cell_shows_a_closed_loop(walked: Walk) -> None:
    steps = {step.step: step for step in walked.bench.lifecycle().steps}
    assert all(steps[name].state != "not_started" for name in steps)
    last = [cell for cell in walked.notebook.cells if cell.cell_type == "code"][-1]
    said = walked.said(last.id)
    findings = walked.bench.monitor.report("builds", minutes=24 * 60).findings
    assert any(finding.title in said for finding in findings)
    override = walked.bench.deploy.endpoint("builds").override
    assert ("past a failing gate" in said) == (override is not None)
