"""Model cards: what a model is for, what it was made of and how good it is, told from the chain.

The sections are those that Mitchell et al., "Model Cards for Model Reporting" (2019), ask for.
Nothing is asked of a person that the chain knows; what nobody has said is named as missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from perijove.contracts.base import Number, to_float
from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts
from perijove.contracts.deploy import CardSection, ModelCard, ModelFacts
from perijove.contracts.develop import CertificateFacts
from perijove.contracts.problem import Kpi
from perijove.core.chain import EvaluationFacts, RecipeFacts, facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.leakage import leaking_inputs
from perijove.core.measurements import Verdicts
from perijove.core.metrics import sign
from perijove.core.targets import concerned

SHOWN = 12
"""Inputs that are told one by one."""


def model_card(project: ProjectContext, node: Node) -> ModelCard:
    """Write the card of a model version."""
    facts = facts_of(node, ModelFacts)
    kpis = list(concerned(project, node.ref, facts))
    sections = [
        _use(project, kpis),
        _figures(project, node, kpis),
        _evaluations(project, node),
        _training(project, facts),
        _inputs(facts),
        _limits(project, facts),
        _origin(project, node, facts),
    ]
    title = f"{node.name} v{node.version}"
    markdown = "\n\n".join([f"# {title}", *(f"## {one.title}\n\n{one.text}" for one in sections)])
    return ModelCard(ref=node.ref, title=title, sections=sections, markdown=markdown + "\n")


def _use(project: ProjectContext, kpis: list[Kpi]) -> CardSection:
    table = project.definition.project
    if not table.question:
        return CardSection(
            title="Intended use", missing=True,
            text="Nobody wrote down what the model is for: `question` in perijove.toml does.",
        )  # fmt: skip
    lines = [_plain(table.question)]
    if table.owner:
        lines.append(f"Owner: {_plain(table.owner)}.")
    if not kpis:
        lines.append("No target of the project is about this model.")
    return CardSection(title="Intended use", text="\n\n".join(lines))


def _figures(project: ProjectContext, node: Node, kpis: list[Kpi]) -> CardSection:
    title = "Against the targets"
    if not kpis:
        return CardSection(
            title=title, missing=True, text="The project has no target for it: `[[kpi]]` sets one."
        )
    verdicts = {(v.metric, v.split): v for v in Verdicts(project).of_model(node.ref)}
    rows, missing = [], False
    for kpi in kpis:
        found = verdicts.get((kpi.metric, kpi.split))
        bound = f"{sign(kpi.direction)} {kpi.target:g}"
        if found is None:
            missing = True
            rows.append((kpi.metric, f"{kpi.data}, {kpi.split}", bound, "–", "not measured"))
            continue
        word = "worth nothing: answers leak" if found.leaks else "met" if found.met else "missed"
        rows.append((kpi.metric, f"{found.data}, {kpi.split}", bound, _number(found.value), word))
    head = ("Metric", "Rows", "Target", "Value", "")
    return CardSection(title=title, text=_table(head, rows), missing=missing)


def _evaluations(project: ProjectContext, node: Node) -> CardSection:
    title = "Measured"
    newest: dict[tuple[str, str, str], EvaluationFacts] = {}
    for result in project.chain.results(node.ref, "evaluation"):
        one = facts_of(result, EvaluationFacts)
        newest[one.metric, one.data, one.split] = one
    if not newest:
        return CardSection(
            title=title, missing=True,
            text=f'Perijove measured nothing yet: `pj.evaluate("{node.name}@{node.version}", '
            '"DATASET")` does.',
        )  # fmt: skip
    rows = [
        (one.metric, f"{one.data}, {one.split}", f"{one.rows:,}", _number(one.value))
        for one in newest.values()
    ]
    return CardSection(title=title, text=_table(("Metric", "Data", "Rows", "Value"), rows))


def _training(project: ProjectContext, facts: ModelFacts) -> CardSection:
    title = "Training data"
    if not facts.dataset:
        return CardSection(
            title=title, missing=True, text=f"Not known: {facts.unprofiled or 'nothing was read'}."
        )
    node = project.chain.find(facts.dataset)
    if node is None:
        return CardSection(title=title, missing=True, text=f"{facts.dataset} is not on the chain.")
    data = facts_of(node, DataFacts)
    lines = [f"{node.ref}: {data.rows:,} rows, {len(data.columns)} columns, `{data.sha256[:16]}`."]
    if facts.target:
        lines.append(f"It predicts `{facts.target}`.")
    if data.inputs:
        lines.append(f"Made from {', '.join(data.inputs)}.")
    if facts.unregistered:
        names = ", ".join(f"`{path}`" for path in facts.unregistered[:5])
        lines.append(f"**Also read, and registered by nobody: {names}.**")
    return CardSection(title=title, text="\n\n".join(lines), missing=bool(facts.unregistered))


def _inputs(facts: ModelFacts) -> CardSection:
    title = "Inputs and answers"
    if facts.signature is None:
        return CardSection(title=title, missing=True, text="It has no signature.")
    rows = [
        (f"`{one.name}`", one.type, "" if one.required else "may be missing")
        for one in facts.signature.inputs[:SHOWN]
    ]
    text = _table(("Input", "Type", ""), rows)
    more = len(facts.signature.inputs) - SHOWN
    if more > 0:
        text += f"\n\nand {more} more."
    answers = ", ".join(f"`{one.name}` ({one.type})" for one in facts.signature.outputs)
    return CardSection(title=title, text=f"{text}\n\nIt answers {answers}." if answers else text)


def _limits(project: ProjectContext, facts: ModelFacts) -> CardSection:
    lines = [
        f"- `{column}` gives the answer away: {reason}."
        for column, reason in leaking_inputs(project.definition, facts).items()
    ]
    if facts.unprofiled:
        lines.append(f"- What it learnt from has no profile: {facts.unprofiled}.")
    gaps = [p.feature for p in facts.profile if p.missing]
    if gaps:
        names = ", ".join(f"`{name}`" for name in gaps[:SHOWN])
        lines.append(f"- Values were missing in training: {names}.")
    if facts.format == "pickle":
        lines.append("- It is a pickle: loading it runs code. Load it only from this project.")
    if not lines:
        lines.append("None that the chain knows of. What people know, they must add.")
    return CardSection(title="Limits", text="\n".join(lines))


def _origin(project: ProjectContext, node: Node, facts: ModelFacts) -> CardSection:
    made = datetime.fromtimestamp(node.at / 1000, UTC)
    lines = [f"Logged by {_plain(node.by)} on {made:%Y-%m-%d %H:%M} UTC as {facts.uri}."]
    lines.append(f"Run `{facts.run_id}`, flavour {facts.flavor}, {len(facts.manifest)} files.")
    recipe = project.chain.find(make_ref("recipe", facts.run_id, 1))
    if recipe is not None:
        lock = facts_of(recipe, RecipeFacts)
        lines.append(
            f"Cells `{lock.cells_sha256[:16]}`, packages `{lock.lock_sha256[:16]}`, "
            f"Python {lock.machine.get('python', '?')}."
        )
    lines += _proofs(project, facts.run_id)
    return CardSection(title="Where it comes from", text="\n\n".join(lines))


def _proofs(project: ProjectContext, run_id: str) -> Iterator[str]:
    for node in project.chain.versions("certificate", run_id)[:1]:
        found = facts_of(node, CertificateFacts)
        when = datetime.fromtimestamp(found.at / 1000, UTC)
        if not found.ok:
            yield f"**A rerun on {when:%Y-%m-%d} did not prove it: {' '.join(found.reasons)}**"
        else:
            how = "bit for bit" if found.bitwise else f"within {found.tolerance:g}"
            yield f"A rerun on {when:%Y-%m-%d} came to the same numbers {how}."


def _number(value: Number) -> str:
    figure = to_float(value)
    return f"{figure:.4g}" if math.isfinite(figure) else str(value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_plain(text) for text in line)} |" for line in lines)


def _plain(text: str) -> str:
    """Keep a person's text from being read as HTML, or as the end of a table's cell."""
    return " ".join(text.replace("<", "&lt;").replace("|", "\\|").split())
