"""Step 4: models, the gate, endpoints and their revisions."""

from __future__ import annotations

from typing import Any, Literal

from perijove.contracts.base import Facts, Millis, Struct
from perijove.contracts.develop import KpiVerdict

TensorType = Literal[
    "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
    "FP32", "FP64", "BYTES",
]  # fmt: skip
"""The datatypes of the Open Inference Protocol v2 that we use."""


class Field(Facts):
    """One column of a signature."""

    name: str
    type: TensorType
    required: bool = True


class Signature(Facts):
    inputs: list[Field]
    outputs: list[Field]


class FeatureProfile(Facts):
    """The training distribution of one feature, for drift.

    Numbers: ``edges`` holds the inner bin edges (len(counts) - 1 of them, from quantiles).
    Words: ``labels`` holds the most frequent values and the last count is all others.
    """

    feature: str
    counts: list[int]
    edges: list[float] = []
    """A number ``v`` lies in bin ``bisect_right(edges, v)``, as ``numpy.digitize`` says it."""
    labels: list[str] = []
    missing: int = 0


class FeatureLeak(Facts):
    """How well one feature alone predicts the target, on the training rows."""

    feature: str
    score: float
    """Area under the ROC curve for classes, R² for numbers; both in [0, 1]."""


class ModelFacts(Facts):
    """What is fixed of one model version."""

    run_id: str
    uri: str
    """Where MLflow's tools find it: ``models:/NAME/VERSION``."""
    folder: str
    """The model's folder relative to the project's root."""
    flavor: str
    format: Literal["onnx", "safetensors", "skops", "pickle", "other"]
    manifest: dict[str, str]
    """File name to sha256; verified before the model is loaded."""
    signature: Signature | None = None
    sample: dict[str, Any] | None = None
    """One input row, by column."""
    dataset: str | None = None
    """Reference of the data version whose training rows made the profile."""
    target: str = ""
    profile: list[FeatureProfile] = []
    leaks: list[FeatureLeak] = []
    unregistered: list[str] = []
    unprofiled: str = ""
    """Why there is no profile; empty when there is one."""


class ModelVersion(Struct):
    ref: str
    name: str
    version: int
    at: Millis
    by: str
    facts: ModelFacts
    verdicts: list[KpiVerdict]
    endpoints: list[str]
    aliases: list[str] = []


class AliasChange(Struct):
    version: int
    reason: str = ""
    """Kept in the audit."""


class ModelRegister(Struct):
    """Make a model that a run logged by MLflow's own means a version on the chain."""

    run_id: str
    path: str = "model"
    """Below the run's artifacts."""
    name: str = ""
    """The run's name when empty."""


class CardSection(Struct):
    title: str
    text: str
    """Markdown."""
    missing: bool = False
    """Nothing is known of it; ``text`` says how to fill it."""


class ModelCard(Struct):
    """What a model is for, what it was made of and how good it is, told from the chain."""

    ref: str
    title: str
    sections: list[CardSection]
    markdown: str
    """All of it as one text, as it is kept with the version in MLflow."""


class Models(Struct):
    items: list[ModelVersion]


class GateCheck(Facts):
    """One line of the checklist. Only ``pass`` opens the gate."""

    id: str
    step: Literal["problem", "data", "develop", "deploy", "monitor", "operate"]
    title: str
    state: Literal["pass", "fail", "unknown"]
    detail: str
    """The number, or the rule, that decided."""
    items: list[str] = []
    """The columns, files or runs that fail it."""
    fix: str = ""


class Gate(Facts):
    model: str
    passed: bool
    checks: list[GateCheck]


class Override(Facts):
    """A failing gate was passed by somebody with a name and a reason."""

    by: str
    reason: str
    at: Millis
    failed: list[str]
    """Identifiers of the checks that were passed over."""
    actor: str = ""
    """Who was logged in when ``by`` was written; empty in what older versions kept."""


class OverrideRequest(Struct):
    by: str
    reason: str


class DeployRequest(Struct):
    model: str
    """A reference, ``model:NAME@VERSION``."""
    endpoint: str
    target: str = "local"
    settings: dict[str, Any] = {}
    override: OverrideRequest | None = None


class EndpointFacts(Facts):
    """What is fixed of one revision of an endpoint."""

    model: str
    target: str
    settings: dict[str, Any]
    gate: Gate
    override: Override | None = None


class Revision(Struct):
    ref: str
    number: int
    model: str
    at: Millis
    by: str
    override: Override | None
    live: bool


EndpointState = Literal["starting", "serving", "degraded", "failed", "stopped"]


class Endpoint(Struct):
    name: str
    state: EndpointState
    detail: str
    """What it is doing, or why it failed, for a person."""
    model: str
    revision: int
    """The revision that answers now, 0 while none does."""
    wanted: int
    """The revision that should answer."""
    target: str
    url: str
    socket: str
    pid: int | None
    memory: int | None
    """Resident bytes of supervisor and workers."""
    started: Millis | None
    override: Override | None
    revisions: list[Revision]
    signature: Signature | None
    sample: dict[str, Any] | None
    snippets: dict[str, str]
    """Language to code: ``curl`` and ``python``."""
    warning: str = ""


class Endpoints(Struct):
    items: list[Endpoint]


class RollbackRequest(Struct):
    revision: int


class InvokeRequest(Struct):
    """Rows for the try-it form: one mapping of column to value a row."""

    rows: list[dict[str, Any]]


class InvokeReply(Struct):
    prediction_id: str
    status: int
    body: str
    """The endpoint's JSON, unparsed: a browser would round its integers."""
    milliseconds: float


class DeployTargetInfo(Struct):
    name: str
    title: str
    schema: dict[str, Any]
    """JSON Schema of the target's settings."""


class DeployTargets(Struct):
    items: list[DeployTargetInfo]
