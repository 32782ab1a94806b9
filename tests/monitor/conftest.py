"""An endpoint whose journals the tests write, as a worker does."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from perijove.adapters.metrics import evaluate_metric
from perijove.contracts.deploy import (
    EndpointFacts,
    FeatureProfile,
    Field,
    Gate,
    ModelFacts,
    Signature,
)
from perijove.core.chain import WantedEndpoint
from perijove.core.context import ProjectContext
from perijove.core.journal import JournalWriter
from perijove.monitor.service import MonitorService


class Worker:
    """Answers without a model: what it writes is all that the monitor sees."""

    def __init__(self, project: ProjectContext) -> None:
        self.project = project
        self.monitor = MonitorService(project, evaluate_metric)
        self._writers: dict[int, JournalWriter] = {}
        self._count = 0

    def deploy(self, **facts: Any) -> None:
        model = self.project.chain.add("model", "builds", model_facts(**facts), by="ada")
        served = EndpointFacts(
            model=model.ref, target="local", settings={},
            gate=Gate(model=model.ref, passed=True, checks=[]),
        )  # fmt: skip
        node = self.project.chain.add("endpoint", "builds", served, by="ada")
        self.want(node.version)

    def want(self, revision: int) -> None:
        wanted = WantedEndpoint(revision=revision, running=True)
        self.project.chain.want_endpoint("builds", wanted, by="ada", action="deploy")

    def answer(
        self,
        inputs: dict[str, list[Any]],
        outputs: dict[str, list[Any]] | None = None,
        *,
        revision: int = 1,
        status: int = 200,
        ms: float = 2.0,
        ago: float = 0,
        error: str = "",
    ) -> str:
        if revision not in self._writers:
            folder = self.project.paths.endpoint("builds") / "predictions"
            self._writers[revision] = JournalWriter(folder / f"{revision}-1.pj")
        self._count += 1
        identifier = f"p{self._count}"
        rows = len(next(iter(inputs.values()), []))
        at = int((time.time() - ago) * 1000)
        record = (identifier, at, revision, status, rows, ms, inputs, outputs or {}, error)
        self._writers[revision].append(("q", *record))
        return identifier


def training(rows: int = 2000) -> Any:
    return np.random.default_rng(1).normal(size=rows)


def model_facts(**changes: Any) -> ModelFacts:
    size = training()
    edges = [float(v) for v in np.quantile(size, np.arange(1, 10) / 10)]
    counts = np.bincount(np.digitize(size, edges), minlength=10)
    fields: dict[str, Any] = {
        "run_id": "r",
        "uri": "models:/builds/1",
        "folder": "x",
        "flavor": "sklearn",
        "format": "skops",
        "manifest": {},
        "signature": Signature(
            inputs=[Field(name="size", type="FP64"), Field(name="team", type="BYTES")],
            outputs=[Field(name="prediction", type="INT64")],
        ),
        "dataset": "data:builds@1",
        "profile": [
            FeatureProfile(feature="size", counts=[int(n) for n in counts], edges=edges),
            FeatureProfile(feature="team", counts=[1200, 600, 200], labels=["core", "web"]),
        ],
    }
    return ModelFacts(**{**fields, **changes})


@pytest.fixture
def worker(project: ProjectContext) -> Worker:
    return Worker(project)
