"""What the data step asks at the gate about a model's inputs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from perijove.adapters.workbench import Workbench
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
def ask(project: ProjectContext, data: DataService) -> Ask:
    """Ask about a model that was trained on some data versions."""

    def check(*refs: str, unregistered: list[str] | None = None) -> GateCheck:
        facts = ModelFacts(
            run_id="1", uri="", folder="", flavor="", format="skops", manifest={},
            unregistered=unregistered or [],
        )  # fmt: skip
        node = project.chain.add(
            "model", "m", facts, by="ada", sources=dict.fromkeys(refs, "trained")
        )
        candidate = Candidate(project, node, facts_of(node, ModelFacts), "e")
        return inputs_registered(candidate, data.registry.state)

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


def _files(data: DataService, folder: Path, version: int) -> list[Path]:
    node = data.project.chain.get(f"data:clean@{version}")
    files = list(data.registry.table(node).files)
    assert files
    assert all(file.is_relative_to(folder / ".perijove" / "lake") for file in files)
    return files


def test_a_byte_that_changed_in_the_lake_shuts_the_gate(
    data: DataService, ask: Ask, folder: Path
) -> None:
    old = data.curation.commit("clean", pa.table({"a": [1]}), inputs=[], by="ada")
    new = data.curation.commit("clean", pa.table({"a": [2]}), inputs=[], by="ada")
    assert (ask(old.ref).state, ask(new.ref).state) == ("pass", "pass")
    (file,) = _files(data, folder, 1)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert ask(old.ref).items == [f"{old.ref} (its files in the lake are changed)"]
    assert ask(new.ref).state == "pass"


def test_a_file_that_is_gone_from_the_lake_shuts_the_gate(
    data: DataService, ask: Ask, folder: Path
) -> None:
    made = data.curation.commit("clean", pa.table({"a": [1]}), inputs=[], by="ada")
    (file,) = _files(data, folder, 1)
    content = file.read_bytes()
    file.unlink()
    assert ask(made.ref).items == [f"{made.ref} (its files in the lake are missing)"]
    file.write_bytes(content)
    assert ask(made.ref).state == "pass"
    shutil.rmtree(file.parent)
    assert ask(made.ref).state == "fail"


def test_the_gate_of_a_project_asks_for_the_files(
    project: ProjectContext, data: DataService, ask: Ask, folder: Path
) -> None:
    made = data.curation.commit("clean", pa.table({"a": [1]}), inputs=[], by="ada")
    ask(made.ref)

    def inputs() -> str:
        gate = Workbench(project).gate.evaluate(project, "model:m@1")
        return next(check.state for check in gate.checks if check.id == "inputs_registered")

    assert inputs() == "pass"
    _files(data, folder, 1)[0].unlink()
    assert inputs() == "fail"
