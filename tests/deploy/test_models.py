"""The gate, overrides, formats and models that misbehave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perijove.contracts.chain import Node
from perijove.contracts.deploy import DeployRequest, GateCheck, OverrideRequest
from perijove.core.chain import EvaluationFacts
from perijove.core.context import ProjectContext
from perijove.core.errors import GateBlockedError, InvalidInputError, NotFoundError
from perijove.core.gate import Candidate, GateRegistry
from perijove.deploy.models import PICKLE_WARNING
from perijove.deploy.service import DeployService
from tests.deploy import shop

ROW = {"size": -2.0, "files": 4, "team": "web", "night": False}


def closed(candidate: Candidate) -> GateCheck:
    return GateCheck(
        id="leakage", step="data", title="No leakage", state="fail", detail="size", items=["size"]
    )


@pytest.fixture
def blocked(service: DeployService) -> DeployService:
    gate = GateRegistry()
    gate.add(closed)
    service._gate = gate
    return service


def test_a_closed_gate_blocks_and_says_which(
    blocked: DeployService, project: ProjectContext, saved: Path
) -> None:
    model = shop.log(project, saved)
    with pytest.raises(GateBlockedError, match="No leakage: size"):
        blocked.deploy(DeployRequest(model=model, endpoint="builds"), by="ada")
    assert project.chain.versions("endpoint") == []
    for by, reason in (("", "because it is needed"), ("Ada", "  "), ("Ada", "x")):
        signed = OverrideRequest(by=by, reason=reason)
        with pytest.raises(InvalidInputError, match="override"):
            blocked.deploy(DeployRequest(model=model, endpoint="builds", override=signed), by="ada")


def test_an_override_is_on_the_chain_in_the_audit_and_on_the_endpoint(
    blocked: DeployService, project: ProjectContext, saved: Path
) -> None:
    signed = OverrideRequest(by="Ada L.", reason="a trial of one day")
    blocked.deploy(
        DeployRequest(model=shop.log(project, saved), endpoint="builds", override=signed), by="ada"
    )
    endpoint = blocked.wait("builds")
    assert endpoint.override is not None
    assert (endpoint.override.by, endpoint.override.failed) == ("Ada L.", ["leakage"])
    assert endpoint.override.actor == "ada"  # whoever was logged in, whatever name was typed
    assert endpoint.revisions[0].override == endpoint.override
    assert project.chain.get("endpoint:builds@1").facts["override"]["reason"] == signed.reason
    entries = {e.action: e for e in project.chain.ledger.read_audit().entries}
    assert entries["override gate"].detail["signed"] == "Ada L."
    assert entries["override gate"].actor == "ada"
    assert blocked.status().state == "attention"


def test_models_are_found_by_what_people_type(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    first, second = shop.log(project, saved), shop.log(project, saved)

    def ref(text: str) -> str:
        node: Node = service.resolve_model(text)
        return node.ref

    for text in ("builds", "models:/builds/latest", "models:/builds/2", second, "builds@2"):
        assert ref(text) == second
    assert ref("builds@1") == ref("models:/builds/1") == first
    with pytest.raises(NotFoundError, match="champion"):
        ref("models:/builds@champion")
    for model, value in ((first, 0.8), (second, "NaN")):
        facts = EvaluationFacts(
            model=model, run_id="", data="data:builds@1", split="test", metric="roc_auc",
            value=value, rows=9, direction="maximize",
        )  # fmt: skip
        project.chain.add("evaluation", "builds", facts, by="ada", sources={model: "measured"})
    assert ref("models:/builds@champion") == first
    verdicts = {m.ref: m.verdicts[0].met for m in service.models.all()}
    assert verdicts == {first: True, second: False}
    with pytest.raises(NotFoundError):
        ref("models:/builds@gold")
    with pytest.raises(NotFoundError, match="builds@2"):
        ref("nothing")


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pickled model of the user's own class, with its code, that sleeps for ``size`` seconds."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "slow_model.py").write_text(shop.SLOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        import slow_model  # type: ignore[import-not-found]

        shop.save(
            slow_model.Slow().fit(None, None),
            folder / "saved",
            serialization_format="pickle",
            code_paths=[str(folder / "slow_model.py")],
        )
    return folder / "saved"


def test_a_pickle_is_served_with_a_warning_and_a_hang_ends_in_a_503(
    service: DeployService, project: ProjectContext, slow: Path
) -> None:
    sample = {**shop.SAMPLE, "size": 0.0}
    model = shop.log(project, slow, format="pickle", sample=sample, signature=shop.SIGNATURE)
    request = DeployRequest(model=model, endpoint="builds", settings={"timeout_seconds": 0.5})
    service.deploy(request, by="ada")
    endpoint = service.wait("builds")
    assert endpoint.warning == PICKLE_WARNING
    quick: dict[str, Any] = {**ROW, "size": 0.0}
    assert json.loads(service.invoke("builds", [quick]).body)["outputs"][0]["data"] == [0]
    hung = service.invoke("builds", [{**ROW, "size": 60.0}])
    assert hung.status == 503
    assert "did not answer within 0.5 s" in hung.body
    again = service
    from tests.deploy.test_endpoint import until

    until(lambda: (e := again.endpoint("builds")).state == "serving" and e.pid != endpoint.pid)
    assert service.invoke("builds", [quick]).status == 200
