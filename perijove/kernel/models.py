"""``pj.log_model``: from an object of the kernel to a version on the chain, ready to serve."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove.contracts.data import DataFacts
from perijove.contracts.deploy import (
    FeatureLeak,
    FeatureProfile,
    Field,
    ModelFacts,
    Signature,
    TensorType,
)
from perijove.core.chain import facts_of, make_ref, parse_version
from perijove.core.errors import ConflictError, InvalidInputError, PerijoveError, UnsupportedError
from perijove.core.project_file import NAME, DataTable
from perijove.kernel import tracking
from perijove.kernel.files import unwatched
from perijove.kernel.frames import plain_rows, plain_values, to_pandas
from perijove.kernel.run import tracked
from perijove.kernel.session import Session, current

if TYPE_CHECKING:
    from pandas import DataFrame

    from perijove.adapters.mlflow.models import StoredModel
    from perijove.adapters.serving.worker.model import Model
    from perijove.contracts.chain import Node

EXAMPLE_ROWS: Final = 5
_TYPES: Final[dict[str, TensorType]] = {
    "bool": "BOOL", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
    "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
    "float32": "FP32", "float64": "FP64", "object": "BYTES", "str": "BYTES", "string": "BYTES",
    "category": "BYTES",
}  # fmt: skip


@dataclass(slots=True)
class Training:
    """What is known of the rows that a model learnt from."""

    dataset: str | None = None
    split: str = ""
    target: str = ""
    profile: list[FeatureProfile] = field(default_factory=list)
    leaks: list[FeatureLeak] = field(default_factory=list)
    gaps: set[str] = field(default_factory=set)
    """Columns that have missing values in training."""
    unprofiled: str = ""


def log_model(
    model: Any,
    name: str,
    sample_input: Any = None,
    code: Sequence[str | Path] | str | Path | None = None,
    data: str | None = None,
) -> str:
    """Log a model as the next version of ``name``, with what the gate and the monitor need.

    It belongs to the run of the ``%%train`` cell that runs, else to a run of its own. Its inputs
    are profiled on the training rows of the dataset that it was made from, and each input alone is
    tried on the target.

    Parameters
    ----------
    model
        An estimator of scikit-learn, XGBoost or LightGBM, a torch module, an object with
        ``predict(frame)``, or a function of a frame.
    sample_input
        A few rows of what the model takes. Taken from the dataset when left out, where the model
        knows the names of its columns.
    code
        Modules of yours that are needed to load the model; those of the project that its types
        come from are found.
    data
        The dataset that it was trained on; the last one read that has its columns when left out.

    Returns
    -------
    str
        The version's reference, such as ``"model:builds@3"``.

    Raises
    ------
    InvalidInputError
        When the model does not take the sample.
    UnsupportedError
        For what cannot predict, or cannot be saved.
    """
    session = current()
    if not NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} cannot be a model's name.",
            "Use letters, digits, '.', '_' and '-', at most 63, a letter or digit first.",
        )
    with _run_of(session, name) as run_id, unwatched():
        sample = _sample(session, model, sample_input, data)
        if sample.empty:
            raise InvalidInputError("The sample input has no rows.", "Give it one or more.")
        ref = _log(session, model, name, run_id, sample, code, data)
        session.workbench.deploy.models.describe(session.workbench.project.chain.get(ref))
    session.models.remember(model, ref)
    return ref


@contextlib.contextmanager
def _run_of(session: Session, name: str) -> Iterator[str]:
    active = tracking.current()
    if active is not None:
        yield active.run_id
        return
    with tracked(session, f"log {name}", cells=session.cells()) as run:
        yield run.run_id


def _log(
    session: Session,
    model: Any,
    name: str,
    run_id: str,
    sample: DataFrame,
    code: Sequence[str | Path] | str | Path | None,
    data: str | None,
) -> str:
    from perijove.adapters.mlflow.models import store_model

    project = session.workbench.project
    inputs = session.inputs()
    columns = [str(c) for c in sample.columns]
    training = _training(session, columns, inputs.refs, data)
    paths = [code] if isinstance(code, (str, Path)) else list(code or [])
    fields = input_fields(sample, training.gaps)
    stored = store_model(
        project,
        model,
        name,
        run_id=run_id,
        example=sample.head(EXAMPLE_ROWS),
        code=[Path(path) for path in paths],
    )
    ref = make_ref("model", name, stored.version)
    if project.chain.find(ref) is not None:
        raise ConflictError(
            f"{ref} is on the chain already: the run store has begun to count anew.",
            "Restore .perijove/mlflow.db, or log the model under another name.",
        )
    facts = ModelFacts(
        run_id=run_id,
        uri=stored.uri(name),
        folder=project.paths.relative(stored.folder),
        flavor=stored.flavor,
        format=stored.format,
        manifest=stored.manifest,
        signature=Signature(inputs=fields, outputs=[]),
        sample=_sample_row(sample),
        dataset=training.dataset,
        target=training.target,
        profile=training.profile,
        leaks=training.leaks,
        unregistered=inputs.unregistered,
        unprofiled=training.unprofiled,
    )
    facts = msgspec.structs.replace(
        facts, signature=Signature(inputs=fields, outputs=_outputs(stored, facts, ref, sample))
    )
    with contextlib.suppress(PerijoveError):  # a run that user code opened is on no chain
        session.workbench.develop.record_inputs(run_id, inputs.refs, inputs.unregistered)
    sources = {make_ref("run", run_id, 1): "made"}
    if training.dataset is not None:
        sources[training.split or training.dataset] = "trained"
        sources[training.dataset] = "trained"
    known = {source: role for source, role in sources.items() if project.chain.find(source)}
    project.chain.add(
        "model",
        name,
        facts,
        by=session.actor,
        sources=known,
        version=stored.version,
        action="log model",
    )
    return ref


def _sample(session: Session, model: Any, given: Any, data: str | None) -> DataFrame:
    names = getattr(model, "feature_names_in_", None)
    names = [str(name) for name in names] if names is not None else None
    if given is not None:
        return to_pandas(given, names)
    if names is None:
        raise InvalidInputError(
            "The model does not know its columns.", "Give sample_input: a few rows of its inputs."
        )
    node, why = _dataset_of(session, names, session.inputs().refs, data)
    if node is None:
        raise InvalidInputError(why, "Give sample_input: a few rows of the model's inputs.")
    frame: DataFrame = session.workbench.data.registry.read(node, names).to_pandas()
    return frame.head(EXAMPLE_ROWS)


def input_fields(sample: DataFrame, gaps: set[str]) -> list[Field]:
    """Describe the columns as the protocol does.

    Raises
    ------
    UnsupportedError
        For a column that JSON has no value for.
    """
    fields = []
    for name in sample.columns:
        dtype = str(sample[name].dtype).lower().partition("[")[0]
        kind = _TYPES.get(dtype)
        if kind is None:
            raise UnsupportedError(
                f"Column {name!r} is of type {sample[name].dtype}, which cannot be sent to an "
                "endpoint.",
                "Turn it into numbers or words before the model, such as seconds for a time.",
                code="column_type",
            )
        missing = str(name) in gaps or bool(sample[name].isna().any())
        # A float says itself that it is missing: the column is needed all the same.
        required = kind in ("FP32", "FP64") or not missing
        fields.append(Field(name=str(name), type=kind, required=required))
    return fields


def _sample_row(sample: DataFrame) -> dict[str, Any]:
    whole = sample.dropna()
    rows = plain_rows((whole if len(whole) else sample).head(1))
    return rows[0]


def _outputs(stored: StoredModel, facts: ModelFacts, ref: str, sample: DataFrame) -> list[Field]:
    """Let the stored model answer the sample as an endpoint would: what is served is what counts."""
    from perijove.adapters.serving.worker.model import fields_of

    rows = sample.head(EXAMPLE_ROWS)
    columns = {str(name): plain_values(rows[name]) for name in rows.columns}
    return fields_of(load(stored.folder, facts, ref).arrays(columns))


def load(folder: Path, facts: ModelFacts, ref: str) -> Model:
    """Load a stored model as an endpoint does, and leave this process's settings as they are."""
    from perijove.adapters.serving.worker import model as serving

    path, bytecode = list(sys.path), sys.dont_write_bytecode
    try:
        serving.verify(folder, facts.manifest, ref)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's advice about annotations of our own class
            return serving.load(folder, facts, ref)
    finally:
        sys.path[:], sys.dont_write_bytecode = path, bytecode


def _training(session: Session, columns: list[str], refs: list[str], named: str | None) -> Training:
    node, why = _dataset_of(session, columns, refs, named)
    if node is None:
        return Training(unprofiled=why)
    chain = session.workbench.project.chain
    split = make_ref("split", node.name, node.version)
    declared = session.workbench.project.definition.data.get(node.name, DataTable())
    training = Training(
        dataset=node.ref, split=split if split in refs else "", target=declared.target
    )
    data = session.workbench.data
    table = data.splits.read(node, "train") if chain.find(split) else data.registry.read(node)
    known = table.column_names
    target = declared.target if declared.target in known else ""
    frame = table.select([*columns, *([target] if target and target not in columns else [])])
    _measure(training, frame, columns, target, node.name)
    return training


def _measure(training: Training, table: Any, columns: list[str], target: str, name: str) -> None:
    import numpy as np

    from perijove.adapters.profile import PROFILE_ROWS, leak_scores, profile

    if table.num_rows > PROFILE_ROWS:
        places = np.random.default_rng(0).choice(table.num_rows, PROFILE_ROWS, replace=False)
        table = table.take(np.sort(places))
    frame = table.to_pandas()
    training.profile = profile(frame, columns)
    training.gaps = {p.feature for p in training.profile if p.missing}
    if not target:
        training.unprofiled = f"{name} declares no target"
        return
    try:
        training.leaks = leak_scores(frame, columns, target)
    except InvalidInputError as error:
        training.unprofiled = error.message


def _dataset_of(
    session: Session, columns: list[str], refs: list[str], named: str | None
) -> tuple[Node | None, str]:
    """Find the data version that the columns come from, or say why there is none."""
    chain = session.workbench.project.chain
    if named is not None:
        candidates = [
            session.workbench.data.registry.resolve(*parse_version(named), by=session.actor)
        ]
    else:
        candidates = [chain.get(ref) for ref in reversed(refs) if ref.startswith("data:")]
    missing: list[str] = []
    for node in candidates:
        known = {column.name for column in facts_of(node, DataFacts).columns}
        missing = [column for column in columns if column not in known]
        if not missing:
            return node, ""
    if not candidates:
        return None, "no dataset was read with pj.dataset before the model was logged"
    if named is not None or len(candidates) == 1:
        return None, f"{candidates[0].ref} has no column {', '.join(missing[:5])}"
    return None, "no dataset that was read has all the model's columns"
