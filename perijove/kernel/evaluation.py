"""``pj.evaluate``: the only way to a number that the gate believes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from perijove.contracts.base import number, to_float
from perijove.contracts.data import DataFacts
from perijove.contracts.deploy import ModelFacts
from perijove.contracts.develop import KpiVerdict
from perijove.core.chain import EvaluationFacts, facts_of, make_ref, parse_version
from perijove.core.errors import (
    InvalidInputError,
    ModelInputError,
    NotFoundError,
    PerijoveError,
    UnavailableError,
    UnsupportedError,
)
from perijove.core.leakage import judge, leaking_inputs, learnt
from perijove.core.ledger import now
from perijove.core.metrics import METRICS, sign
from perijove.core.project_file import DataTable
from perijove.kernel.files import unwatched
from perijove.kernel.models import load
from perijove.kernel.session import Session, current

if TYPE_CHECKING:
    from perijove.contracts.chain import Node

CLASSIFICATION: Final = ("roc_auc", "accuracy", "log_loss")
LABELS_ONLY: Final = ("accuracy", "f1")
REGRESSION: Final = ("rmse", "mae", "r2")
"""What is measured besides the project's KPIs."""
CHUNK: Final = 100_000


@dataclass(frozen=True, slots=True)
class Evaluation(Mapping[str, float]):
    """What a model version scored on the rows of a split; a mapping of metric to value."""

    model: str
    data: str
    split: str
    rows: int
    values_by_metric: dict[str, float]
    verdicts: list[KpiVerdict]
    notes: list[str] = field(default_factory=list)

    def __getitem__(self, metric: str) -> float:
        return self.values_by_metric[metric]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_metric)

    def __len__(self) -> int:
        return len(self.values_by_metric)

    def __repr__(self) -> str:
        lines = [f"{self.model} on {self.data}, {self.split}: {self.rows:,} rows"]
        decided = {verdict.metric: verdict for verdict in self.verdicts}
        width = max((len(name) for name in self.values_by_metric), default=0)
        for name, value in self.values_by_metric.items():
            line = f"  {name:<{width}}  {value:.4g}"
            if name in decided:
                line += f"   {describe_verdict(decided[name])}"
            lines.append(line)
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def describe_verdict(verdict: KpiVerdict) -> str:
    if verdict.leaks:
        return f"✗ worth nothing: {', '.join(verdict.leaks)} tell the answer"
    state = "✓ met" if verdict.met else "✗ missed"
    value = to_float(verdict.value)
    short = "" if verdict.met or math.isnan(value) else f" by {abs(value - verdict.target):.3g}"
    return f"target {sign(verdict.direction)} {verdict.target:g}: {state}{short}"


def evaluate(model: Any, data: str, split: str = "test") -> Evaluation:
    """Measure a model version on the rows of a split, and put the numbers on the chain.

    The stored model is measured, loaded as an endpoint loads it, not the object in the kernel.

    Parameters
    ----------
    model
        An object that was logged with ``pj.log_model``, or a name or reference: ``"builds"``,
        ``"model:builds@2"``, ``"models:/builds/2"``.
    data
        The dataset's name; ``"builds@3"`` for one of its versions.

    Raises
    ------
    ModelInputError
        Naming the columns that the dataset lacks.
    InvalidInputError
        When a KPI cannot be measured on these rows, or the dataset declares no target.
    ConflictError
        When the object was fitted again since it was logged.
    """
    session = current()
    with unwatched():
        return _evaluate(session, _version_of(session, model), data, split)


def _version_of(session: Session, model: Any) -> Node:
    if isinstance(model, str):
        return session.workbench.deploy.resolve_model(model)
    ref = session.models.require(model)
    if ref is None:
        raise NotFoundError(
            f"This {type(model).__name__} was not logged in this kernel.",
            "Log it with pj.log_model first, or name a version: pj.evaluate('NAME', ...).",
            code="model_not_logged",
        )
    return session.workbench.project.chain.get(ref)


def _evaluate(session: Session, version: Node, data: str, split: str) -> Evaluation:
    bench = session.workbench
    name, wanted = parse_version(data)
    node = bench.data.registry.resolve(name, wanted or session.pinned(name), by=session.actor)
    declared = bench.project.definition.data.get(node.name, DataTable())
    facts = facts_of(version, ModelFacts)
    columns = _columns(node, facts, version.ref)
    target = _target(node, declared)
    table = bench.data.splits.read(node, split).select(list(dict.fromkeys([*columns, target])))
    if not table.num_rows:
        raise InvalidInputError(
            f"The part {split!r} of {node.ref} has no rows.", "Measure on another part."
        )
    outputs = _predict(session, version, facts, table.select(columns))
    truth = table[target].to_pylist()
    kpis = [
        kpi for kpi in bench.project.definition.kpi if kpi.data == node.name and kpi.split == split
    ]
    values, notes = _measure([kpi.metric for kpi in kpis], truth, outputs)
    seen = learnt(bench.project.chain, version.ref, facts, node.ref, split)
    if seen is not None:
        notes.append(
            f"{seen.reason}: the model may know the answers. "
            f'Train on pj.dataset("{node.name}").read(split="train").'
        )
    split_ref = make_ref("split", node.name, node.version)
    for metric, value in values.items():
        bench.project.chain.add(
            "evaluation",
            version.name,
            EvaluationFacts(
                model=version.ref,
                run_id=facts.run_id,
                data=node.ref,
                split=split,
                metric=metric,
                value=number(value),
                rows=table.num_rows,
                direction=METRICS[metric].direction,
            ),
            by=session.actor,
            sources={version.ref: "measured", split_ref: "rows"},
            action="evaluate",
        )
    _log_to_run(session, facts.run_id, {f"{split}_{name}": v for name, v in values.items()})
    bench.deploy.models.describe(version)
    leaks = list(leaking_inputs(bench.project.definition, facts))
    verdicts = [
        judge(kpi, values[kpi.metric], data=node.ref, leaks=leaks)
        for kpi in kpis
        if kpi.metric in values
    ]
    return Evaluation(version.ref, node.ref, split, table.num_rows, values, verdicts, notes)


def _columns(node: Node, facts: ModelFacts, ref: str) -> list[str]:
    if facts.signature is None:
        raise UnsupportedError(
            f"{ref} has no signature.", "Log it again with pj.log_model(model, name, sample_input)."
        )
    known = {column.name for column in facts_of(node, DataFacts).columns}
    columns = [one.name for one in facts.signature.inputs]
    missing = [name for name in columns if name not in known]
    if missing:
        raise ModelInputError(
            f"{node.ref} has no column {', '.join(repr(name) for name in missing)}, which {ref} "
            "takes.",
            "Measure it on a dataset that has the model's columns.",
            code="missing_column",
        )
    return columns


def _target(node: Node, declared: DataTable) -> str:
    known = [column.name for column in facts_of(node, DataFacts).columns]
    if declared.target and declared.target in known:
        return declared.target
    said = f"declares {declared.target!r}, which is no column of it" if declared.target else ""
    raise InvalidInputError(
        f"{node.ref} {said or 'declares no target'}, so that there is no truth to measure against.",
        f'Write target = "COLUMN" under [data.{node.name}] in perijove.toml.',
        code="no_target",
    )


def _predict(
    session: Session, version: Node, facts: ModelFacts, table: Any
) -> dict[str, list[Any]]:
    folder = session.workbench.project.paths.absolute(facts.folder)
    model = load(folder, facts, version.ref)
    outputs: dict[str, list[Any]] = {}
    for start in range(0, table.num_rows, CHUNK):
        part = table.slice(start, CHUNK)
        columns = {name: part[name].to_pylist() for name in part.column_names}
        try:
            answers = model.arrays(columns)
        except Exception as error:
            # Whatever the user's model raises: say which rows it was.
            raise InvalidInputError(
                f"{version.ref} raises on rows {start} to {start + part.num_rows}: "
                f"{type(error).__name__}: {error}.",
                "Make the model take such rows, or curate the dataset.",
                code="model_raised",
            ) from error
        for name, values in answers.items():
            outputs.setdefault(name, []).extend(values.tolist())
    return outputs


def _measure(
    wanted: list[str], truth: list[Any], outputs: dict[str, list[Any]]
) -> tuple[dict[str, float], list[str]]:
    """Measure the KPIs, which must be measured, and what is customary besides, which may fail."""
    from perijove.adapters.metrics import evaluate_metric

    values: dict[str, float] = {}
    notes: list[str] = []
    for metric in dict.fromkeys(wanted):
        if metric in METRICS:
            values[metric] = evaluate_metric(metric, truth, outputs)
        else:
            notes.append(f"{metric} is no metric that Perijove measures: see perijove.toml")
    for metric in _customary(truth, outputs):
        if metric not in values:
            try:
                values[metric] = evaluate_metric(metric, truth, outputs)
            except PerijoveError as error:
                notes.append(error.message)
    return values, notes


def _customary(truth: list[Any], outputs: dict[str, list[Any]]) -> tuple[str, ...]:
    from perijove.adapters.metrics import PREDICTION, PROBABILITY

    if any(name.startswith(PROBABILITY) for name in outputs):
        return CLASSIFICATION
    numbers = all(isinstance(v, float) for v in outputs.get(PREDICTION, ()))
    words = any(isinstance(v, (bool, str)) for v in truth)
    return REGRESSION if numbers and not words else LABELS_ONLY


def _log_to_run(session: Session, run_id: str, values: dict[str, float]) -> None:
    from perijove.develop.ports import Batch, Point

    at = now()
    points = [Point(key=key, value=value, at=at, step=0) for key, value in values.items()]
    try:
        session.workbench.develop.store.write(run_id, Batch(points=points))
    except (NotFoundError, UnavailableError):
        # The run was deleted, or its store does not answer: the chain has the numbers.
        return
