"""What the data step asks at the gate about a model's inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from perijove.contracts.deploy import GateCheck, ModelFacts
from perijove.contracts.quality import QualityFacts, Rule, RuleResult
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.gate import Candidate
from perijove.data.checks import inputs_registered
from perijove.data.curation import Program
from perijove.data.service import DataService

Ask = Callable[..., GateCheck]


@pytest.fixture
def ask(project: ProjectContext) -> Ask:
    """Ask about a model that was trained on some data versions."""

    def check(*refs: str, unregistered: list[str] | None = None) -> GateCheck:
        facts = ModelFacts(
            run_id="1", uri="", folder="", flavor="", format="skops", manifest={},
            unregistered=unregistered or [],
        )  # fmt: skip
        node = project.chain.add(
            "model", "m", facts, by="ada", sources=dict.fromkeys(refs, "trained")
        )
        return inputs_registered(Candidate(project, node, facts_of(node, ModelFacts), "e"))

    return check


def test_a_registered_file_passes_until_it_changes(
    data: DataService, ask: Ask, folder: Path
) -> None:
    (folder / "raw.csv").write_text("a\n1\n")
    ref = data.registry.register("raw.csv", by="ada").ref
    assert ask(ref).state == "pass"
    assert ask().state == "unknown"
    assert ask(ref, unregistered=["x.csv"]).items == ["x.csv (not registered)"]
    (folder / "raw.csv").write_text("a\n2\n")
    assert ask(ref).items == [f"{ref} (raw.csv is changed)"]
    (folder / "raw.csv").unlink()
    assert ask(ref).items == [f"{ref} (raw.csv is missing)"]


def test_what_a_curation_read_past_its_inputs_is_found_behind_other_curations(
    data: DataService, ask: Ask
) -> None:
    table = pa.table({"a": [1]})
    program = Program(source="def f(): ...", unregistered=("extra.csv",))
    first = data.curation.commit("one", table, inputs=[], program=program, by="ada")
    second = data.curation.commit("two", table, inputs=[first.ref], source="g", by="ada")
    check = ask(second.ref)
    assert check.state == "fail"
    assert check.items == [
        "data:two@1 (data:one@1 was made with extra.csv, which is not registered)"
    ]


def test_rejected_and_blocked_rows_are_no_inputs(
    data: DataService, ask: Ask, project: ProjectContext, folder: Path
) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "clean.toml").write_text(
        '[[rule]]\nid = "known"\ncheck = "not_null"\ncolumns = ["a"]\naction = "quarantine"\n'
    )
    made = data.curation.commit("clean", pa.table({"a": [1, None]}), inputs=[], by="ada")
    assert ask(made.ref).state == "pass"
    assert ask("data:clean.quarantine@1").items == [
        "data:clean.quarantine@1 (its rows were rejected by rules)"
    ]
    rule = Rule(id="known", check="not_null", columns=["a"], action="block")
    blocked = QualityFacts(
        dataset=made.ref, rows=1, kept=0, quarantined=0, fixed=0, dropped=0, blocked=True,
        results=[RuleResult(rule=rule, failed=1, fixed=0, state="blocked")], rules_sha256="",
    )  # fmt: skip
    project.chain.add("quality", "clean", blocked, by="ada", sources={made.ref: "checked"})
    assert ask(made.ref).items == [f"{made.ref} (blocked by known)"]
