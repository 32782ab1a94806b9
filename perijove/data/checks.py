"""What the data step asks at the gate: are the inputs known, and do answers leak into them?"""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts
from perijove.contracts.deploy import GateCheck
from perijove.contracts.quality import QualityFacts
from perijove.core.chain import facts_of, ref_name
from perijove.core.context import ProjectContext
from perijove.core.gate import Candidate, Check
from perijove.core.leakage import LEAK_SCORE, leaking_inputs
from perijove.data.versions import VersionState

StateOf = Callable[[Node], VersionState]
"""Compares a version's bytes, those in the lake too, with the hash that was registered."""


def checks(state: StateOf) -> tuple[Check, ...]:
    return lambda candidate: inputs_registered(candidate, state), leakage


def inputs_registered(candidate: Candidate, state: StateOf) -> GateCheck:
    """Everything that the model was made from is registered, and its bytes are unchanged."""
    project, chain = candidate.project, candidate.project.chain
    title = "Every input is registered and unchanged"
    inputs = {
        node.ref: node
        for source in (candidate.model, *chain.sources(candidate.model.ref, "run"))
        for node in chain.sources(source.ref, "data")
    }
    wrong = [f"{path} (not registered)" for path in candidate.facts.unregistered]
    for node in inputs.values():
        wrong += [f"{node.ref} ({reason})" for reason in _faults(project, node, state)]
    if wrong:
        return GateCheck(
            id="inputs_registered",
            step="data",
            title=title,
            state="fail",
            detail=f"{len(wrong)} input{'s' if len(wrong) > 1 else ''} cannot be traced or trusted.",
            items=wrong,
            fix="Register what was read with pj.register, read it by name, and train again; restore "
            "files of the lake from a copy, or curate anew.",
        )
    if not inputs:
        return GateCheck(
            id="inputs_registered",
            step="data",
            title=title,
            state="unknown",
            detail="What the model was trained on is not known.",
            fix="Read the data with pj.dataset(NAME).read() and train again.",
        )
    return GateCheck(
        id="inputs_registered",
        step="data",
        title=title,
        state="pass",
        detail=", ".join(sorted(inputs)),
    )


def _faults(project: ProjectContext, node: Node, state: StateOf) -> list[str]:
    """Tell what is wrong with an input, and what of it comes from nobody knows where."""
    found = [reason] if (reason := _fault(project, node, state)) else []
    seen, todo = {node.ref}, [node]
    while todo:
        made = todo.pop()
        found += [
            f"{made.ref} was made with {path}, which is not registered"
            for path in facts_of(made, DataFacts).unregistered
        ]
        earlier = [n for n in project.chain.sources(made.ref, "data") if n.ref not in seen]
        seen |= {n.ref for n in earlier}
        todo += earlier
    return found


def _fault(project: ProjectContext, node: Node, state: StateOf) -> str:
    """Tell what is wrong with an input itself; empty when nothing is."""
    facts = facts_of(node, DataFacts)
    if not facts.sha256:
        return "it has no hash"
    if facts.kind == "quarantine":
        return "its rows were rejected by rules"
    checks = [c for c in project.chain.results(node.ref, "quality") if c.name == node.name]
    if checks and (found := facts_of(checks[-1], QualityFacts)).blocked:
        rules = [r.rule.id for r in found.results if r.state in {"blocked", "error"}]
        return f"blocked by {', '.join(rules)}"
    newer = project.chain.latest("data", node.name)
    if facts.kind != "curated" and newer is not None and newer.version != node.version:
        return ""  # the file has moved on and is registered again: this version is history
    found_state = state(node)
    if found_state == "current":
        return ""
    # The lake keeps every version: what is gone or other than it was, somebody took or touched.
    where = "its files in the lake are" if facts.kind == "curated" else f"{facts.path} is"
    return f"{where} {found_state}"


def leakage(candidate: Candidate) -> GateCheck:
    """No input is known only after the prediction, and none alone gives the answer away."""
    facts = candidate.facts
    title = "No answer leaks into the inputs"
    if facts.signature is None or not facts.dataset:
        return GateCheck(
            id="leakage",
            step="data",
            title=title,
            state="unknown",
            detail="The model's inputs or its training data are not known.",
            fix="Log the model with pj.log_model after reading its data with pj.dataset.",
        )
    name = ref_name(facts.dataset)
    telling = leaking_inputs(candidate.project.definition, facts)
    if telling:
        return GateCheck(
            id="leakage",
            step="data",
            title=title,
            state="fail",
            detail=f"{len(telling)} of {len(facts.signature.inputs)} inputs tell the answer.",
            items=[f"{column} ({reason})" for column, reason in telling.items()],
            fix=f"Train without {', '.join(telling)}.",
        )
    if not facts.leaks:
        return GateCheck(
            id="leakage",
            step="data",
            title=title,
            state="unknown",
            detail="No single-feature scores: " + (facts.unprofiled or "the target is not known."),
            fix=f"Declare the target of {name} in perijove.toml and log the model again.",
        )
    top = max(facts.leaks, key=lambda leak: leak.score)
    return GateCheck(
        id="leakage",
        step="data",
        title=title,
        state="pass",
        detail=f"Most telling input alone: {top.feature}, {top.score:.3f} "
        f"(an answer from {LEAK_SCORE} on).",
    )
