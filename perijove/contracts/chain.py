"""The chain: nodes, edges, the facts that each kind of node carries, and the audit.

A node is a fact that was true once and is never changed: a source, a data version, a check of its
quality, a split, a run, an evaluation, a model version, an endpoint revision, a sign-off. Its reference reads
``kind:name@version``, such as ``data:builds@3``.
"""

from __future__ import annotations

from typing import Any, Literal

from perijove.contracts.base import Facts, Millis, Number, State, Struct

NodeKind = Literal[
    "signoff", "source", "data", "quality", "proof", "split",
    "run", "recipe", "certificate", "model", "evaluation", "endpoint", "outcomes",
]  # fmt: skip


class Node(Struct):
    ref: str
    kind: NodeKind
    name: str
    version: int
    at: Millis
    by: str
    facts: dict[str, Any]


class Edge(Struct):
    """``src`` led to ``dst``: data to run, run to model, model to endpoint."""

    src: str
    dst: str
    role: str


class Lineage(Struct):
    """A part of the chain: everything before and after ``focus``, or all of it."""

    focus: str | None
    nodes: list[Node]
    edges: list[Edge]


class AuditEntry(Struct):
    seq: int
    at: Millis
    actor: str
    action: str
    resource: str
    detail: dict[str, Any]
    hash: str


class AuditAnchor(Facts):
    """The audit's head as a committed file remembers it: rows lost off the end show."""

    seq: int
    hash: str
    at: Millis


class Audit(Struct):
    entries: list[AuditEntry]
    intact: bool
    """False when a row does not match its hash, or the anchor no row: somebody edited the
    ledger."""
    total: int
    anchor: AuditAnchor | None = None
    fault: str = ""
    """What is wrong where it is not intact."""


class AuditQuery(Struct):
    limit: int = 200
    actor: str = ""
    action: str = ""
    """The whole word, such as ``curate dataset``."""
    resource: str = ""
    """What the resource begins with, such as ``data:builds@``."""


class StepEntry(Struct):
    """One line under a step in the sidebar."""

    ref: str
    label: str
    state: State
    detail: str = ""


class StepStatus(Struct):
    """One row of the sidebar: the state and the one fact that matters most now."""

    step: Literal["problem", "data", "develop", "deploy", "monitor", "operate"]
    state: State
    fact: str
    """One line. Empty when the step has not started."""
    next: str = ""
    """The one next thing to do when the step has not started, as a verb and an object."""
    entries: list[StepEntry] = []
    value: Number | None = None
    """Progress in [0, 1] while running."""


class Lifecycle(Struct):
    path: str
    name: str
    steps: list[StepStatus]
    """Five steps in order, then ``operate``."""
