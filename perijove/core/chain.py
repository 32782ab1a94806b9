"""The chain in the ledger: add nodes, walk edges, and the wanted state of endpoints."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from perijove.contracts.base import Facts, Number, Struct
from perijove.contracts.chain import Edge, Lineage, Node, NodeKind
from perijove.contracts.data import DataFacts, SplitFacts
from perijove.contracts.deploy import EndpointFacts, ModelFacts
from perijove.contracts.develop import CertificateFacts
from perijove.contracts.problem import Direction, Kpi
from perijove.contracts.quality import QualityFacts
from perijove.core.errors import InvalidInputError, NotFoundError, UnavailableError
from perijove.core.ledger import SYSTEM, Ledger, node_digest, now, read_kept

F = TypeVar("F", bound=Struct)


class RunFacts(Facts):
    """What the chain keeps of a run; its metrics and parameters are in the run store."""

    run_id: str
    notebook: str = ""


class RecipeFacts(Facts):
    """What made a run, by hash: its artifacts can be edited, and this cannot."""

    run_id: str
    cells_sha256: str
    lock_sha256: str
    recipe_sha256: str
    points_sha256: str
    """Of every point that the run had logged when it ended."""
    inputs: list[str] = []
    """References of the data versions and splits that it had read."""
    machine: dict[str, str] = {}
    withheld: list[str] = []
    """Parameters whose values were not kept."""


class EvaluationFacts(Facts):
    """A number that Perijove measured itself: the only kind that opens the gate."""

    model: str
    run_id: str
    data: str
    """Reference of the data version."""
    split: str
    metric: str
    value: Number
    rows: int
    direction: Direction

    def measures(self, kpi: Kpi) -> bool:
        """Whether this is a number of that target: its metric, on its data and split."""
        return (self.metric, ref_name(self.data), self.split) == (
            kpi.metric,
            kpi.data,
            kpi.split,
        )


class SourceFacts(Facts):
    """Where registered versions come from. A new version when the place changes."""

    location: str
    kind: str
    query: str = ""


class ProofFacts(Facts):
    """A curated version that was made again."""

    dataset: str
    same: bool
    rows: int
    fingerprint: str
    seconds: float
    job: str = ""
    differences: list[str] = []


class SignOffFacts(Facts):
    kpis_sha256: str
    """Hash of the targets that were signed."""
    note: str = ""


class LiveValue(Facts):
    """What outcomes make of one target."""

    metric: str
    data: str
    """The target's dataset."""
    value: Number


class OutcomesFacts(Facts):
    endpoint: str
    """Reference of the endpoint revision."""
    count: int
    metric: str = ""
    """The first of ``values``, for readers that know one only."""
    value: Number | None = None
    values: list[LiveValue] = []
    """One for each target that could be measured."""

    def live(self, kpi: Kpi) -> Number | None:
        """Return what was measured on a target."""
        if not self.values:  # written before there were several
            return self.value if self.metric == kpi.metric else None
        for one in self.values:
            if (one.metric, one.data) == (kpi.metric, kpi.data):
                return one.value
        return None


class WantedEndpoint(Facts):
    """What an endpoint should be doing; its supervisor makes it so."""

    revision: int
    running: bool


_ADD_EDGE = "INSERT OR IGNORE INTO edge VALUES (?,?,?)"

FACTS: dict[str, type[Struct]] = {
    "source": SourceFacts,
    "data": DataFacts,
    "quality": QualityFacts,
    "proof": ProofFacts,
    "split": SplitFacts,
    "run": RunFacts,
    "recipe": RecipeFacts,
    "certificate": CertificateFacts,
    "model": ModelFacts,
    "evaluation": EvaluationFacts,
    "endpoint": EndpointFacts,
    "signoff": SignOffFacts,
    "outcomes": OutcomesFacts,
}


def make_ref(kind: str, name: str, version: int) -> str:
    return f"{kind}:{name}@{version}"


def ref_name(ref: str) -> str:
    """Return the name in a reference: ``builds`` of ``data:builds@3``."""
    return ref.partition(":")[2].rpartition("@")[0]


def parse_version(text: str) -> tuple[str, int]:
    """Take ``NAME``, ``NAME@VERSION`` or ``data:NAME@VERSION`` apart; version 0 is the newest."""
    base, at, version = text.removeprefix("data:").partition("@")
    if at and not (version.isdigit() and int(version)):
        raise InvalidInputError(
            f"{text!r} names no dataset version.", "Write NAME or NAME@VERSION, such as builds@3."
        )
    return base, int(version) if at else 0


def facts_of(node: Node, kind: type[F]) -> F:
    """Read a node's facts as their struct; what a newer version added is passed over.

    Raises
    ------
    UnavailableError
        For facts that this version cannot understand.
    """
    try:
        return msgspec.convert(node.facts, kind)
    except msgspec.ValidationError as error:
        raise UnavailableError(
            f"{node.ref} cannot be understood: {error}.",
            "A newer Perijove wrote it: upgrade with `pip install -U perijove`.",
            code="ledger_newer",
        ) from error


class Chain:
    """Nodes and edges of one project.

    Nodes are immutable; a new fact is a new version of its name. Edges may be added later.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def add(
        self,
        kind: NodeKind,
        name: str,
        facts: Struct,
        *,
        by: str,
        sources: dict[str, str] | None = None,
        version: int | None = None,
        action: str = "",
    ) -> Node:
        """Add the next version of ``name``, its edges and its audit row in one transaction.

        Parameters
        ----------
        sources
            Reference of what led to it to the role it had.
        version
            A fixed version, for things that number themselves; else the next free one.
        action
            The audit's word for it; ``"add KIND"`` when empty.
        """
        at = now()
        with self.ledger.write() as db:
            if version is None:
                version = db.execute(
                    "SELECT coalesce(max(version), 0) + 1 FROM node WHERE kind=? AND name=?",
                    (kind, name),
                ).fetchone()[0]
            ref = make_ref(kind, name, version)
            row = (ref, kind, name, version, at, by, msgspec.json.encode(facts))
            db.execute("INSERT INTO node VALUES (?,?,?,?,?,?,?)", row)
            added = {
                src: role
                for src, role in (sources or {}).items()
                if db.execute(_ADD_EDGE, (src, ref, role)).rowcount
            }
            self.ledger.audit(by, action or f"add {kind}", ref, sha256=node_digest(row, added))
        return Node(
            ref=ref, kind=kind, name=name, version=version, at=at, by=by,
            facts=msgspec.to_builtins(facts),
        )  # fmt: skip

    def link(self, src: str, dst: str, role: str, *, by: str = SYSTEM) -> None:
        """Add an edge; nothing happens when it is there."""
        with self.ledger.write() as db:
            if db.execute(_ADD_EDGE, (src, dst, role)).rowcount:
                self.ledger.audit(by, "link", dst, src=src, role=role)

    def find(self, ref: str) -> Node | None:
        rows = self.ledger.rows("SELECT * FROM node WHERE ref=?", (ref,))
        return _node(rows[0]) if rows else None

    def get(self, ref: str) -> Node:
        """Return a node.

        Raises
        ------
        NotFoundError
            Saying which names of that kind there are.
        """
        node = self.find(ref)
        if node is None:
            kind = ref.partition(":")[0]
            known = ", ".join(n.ref for n in self.newest(kind)[:8])
            raise NotFoundError(
                f"The project has no {ref}.",
                f"It has: {known}." if known else f"It has no {kind} yet.",
                code=f"{kind}_not_found",
            )
        return node

    def newest(self, kind: str) -> list[Node]:
        """Return the newest version of each name of a kind, newest first."""
        return [
            _node(row)
            for row in self.ledger.rows(
                "SELECT n.* FROM node n JOIN (SELECT name, max(version) AS version FROM node "
                "WHERE kind=?1 GROUP BY name) USING (name, version) WHERE kind=?1 "
                "ORDER BY at DESC, name",
                (kind,),
            )
        ]

    def versions(self, kind: str, name: str = "") -> list[Node]:
        """Return all versions of a name, or of all names, newest first."""
        where, parameters = ("AND name=?", (kind, name)) if name else ("", (kind,))
        return [
            _node(row)
            for row in self.ledger.rows(
                f"SELECT * FROM node WHERE kind=? {where} ORDER BY at DESC, version DESC",
                parameters,
            )
        ]

    def latest(self, kind: str, name: str) -> Node | None:
        rows = self.ledger.rows(
            "SELECT * FROM node WHERE kind=? AND name=? ORDER BY version DESC LIMIT 1",
            (kind, name),
        )
        return _node(rows[0]) if rows else None

    def sources(self, ref: str, kind: str = "") -> list[Node]:
        """Return what led to a node directly."""
        return self._neighbours("edge.dst=? AND node.ref=edge.src", ref, kind)

    def results(self, ref: str, kind: str = "") -> list[Node]:
        """Return what came of a node directly."""
        return self._neighbours("edge.src=? AND node.ref=edge.dst", ref, kind)

    def _neighbours(self, join: str, ref: str, kind: str) -> list[Node]:
        sql = f"SELECT node.* FROM edge JOIN node ON {join}"
        parameters: tuple[Any, ...] = (ref,)
        if kind:
            sql, parameters = f"{sql} WHERE node.kind=?", (ref, kind)
        return [_node(row) for row in self.ledger.rows(f"{sql} ORDER BY at, ref", parameters)]

    def lineage(self, ref: str = "") -> Lineage:
        """Return the whole chain, or one node with its ancestors and descendants."""
        edges = [Edge(src=s, dst=d, role=r) for s, d, r in self.ledger.rows("SELECT * FROM edge")]
        # A recipe is its run's fingerprint: nothing to walk to.
        rows = self.ledger.rows("SELECT * FROM node WHERE kind != 'recipe'")
        nodes = {row[0]: _node(row) for row in rows}
        if ref:
            self.get(ref)
            keep = _reach(ref, [(e.dst, e.src) for e in edges]) | _reach(
                ref, [(e.src, e.dst) for e in edges]
            )
            nodes = {key: node for key, node in nodes.items() if key in keep}
        return Lineage(
            focus=ref or None,
            nodes=sorted(nodes.values(), key=lambda n: (n.at, n.ref)),
            edges=[e for e in edges if e.src in nodes and e.dst in nodes],
        )

    def wanted_endpoints(self) -> dict[str, WantedEndpoint]:
        rows = self.ledger.rows("SELECT name, value FROM wanted WHERE kind='endpoint'")
        return {name: read_kept(value, WantedEndpoint) for name, value in rows}

    def want_endpoint(self, name: str, wanted: WantedEndpoint, *, by: str, action: str) -> None:
        """Set what an endpoint should be doing."""
        with self.ledger.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO wanted VALUES ('endpoint',?,?,?)",
                (name, msgspec.json.encode(wanted), now()),
            )
            self.ledger.audit(by, action, f"endpoint:{name}", revision=wanted.revision)


def _node(row: tuple[Any, ...]) -> Node:
    ref, kind, name, version, at, by, facts = row
    return Node(
        ref=ref, kind=kind, name=name, version=version, at=at, by=by,
        facts=msgspec.json.decode(facts),
    )  # fmt: skip


def _reach(start: str, arrows: list[tuple[str, str]]) -> set[str]:
    following: dict[str, list[str]] = {}
    for src, dst in arrows:
        following.setdefault(src, []).append(dst)
    seen, todo = {start}, [start]
    while todo:
        for ref in following.get(todo.pop(), []):
            if ref not in seen:
                seen.add(ref)
                todo.append(ref)
    return seen
