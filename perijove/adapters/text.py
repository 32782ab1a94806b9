"""How the command line and ``%lifecycle`` say things to people."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from perijove.contracts.alerts import Alert, Alerts
from perijove.contracts.chain import Audit, Edge, Lifecycle, Lineage, Node
from perijove.contracts.data import Dataset, Proof
from perijove.contracts.deploy import Endpoint, Endpoints
from perijove.contracts.develop import CertificateFacts
from perijove.contracts.jobs import Job, Jobs
from perijove.contracts.problem import ProjectSummary

if TYPE_CHECKING:
    from perijove.adapters.doctor import Finding

GLYPHS = {"ok": "✓", "attention": "!", "running": "▸", "failed": "✗", "not_started": "·"}
WORDS = {
    "ok": "ok",
    "attention": "attention",
    "running": "running",
    "failed": "failed",
    "not_started": "not started",
}


def created(project: ProjectSummary) -> str:
    return f"Made {project.name} in {project.path}\nOpen it with: perijove lab --project {project.path}"


def lifecycle(life: Lifecycle) -> str:
    """The sidebar as text: a row a step, the entries that fail below it."""
    lines = [life.name]
    for number, step in enumerate(life.steps, 1):
        label = f"{number} {step.step.title()}" if step.step != "operate" else "  Operate"
        fact = step.fact or (f"→ {step.next}" if step.next else "")
        lines.append(f"  {label:<11} {GLYPHS[step.state]} {WORDS[step.state]:<12} {fact}")
        lines += [
            f"{'':28}{GLYPHS[entry.state]} {entry.label}: {entry.detail}"
            for entry in step.entries
            if entry.state in ("failed", "attention")
        ]
    return "\n".join(lines)


def lineage(chain: Lineage) -> str:
    """Walk the chain from where it starts; with a focus, towards it and away from it."""
    if not chain.nodes:
        return "The chain is empty: register data with pj.register(PATH)."
    nodes = {node.ref: node for node in chain.nodes}
    if chain.focus is None:
        targets = {edge.dst for edge in chain.edges}
        roots = [node.ref for node in chain.nodes if node.ref not in targets]
        return "\n".join(_tree(roots, chain.edges, nodes, forward=True))
    before = _tree([chain.focus], chain.edges, nodes, forward=False)[1:]
    after = _tree([chain.focus], chain.edges, nodes, forward=True)[1:]
    return "\n".join(
        [
            _describe(nodes[chain.focus]),
            "came from" if before else "came from nothing that is known",
            *before,
            "led to" if after else "led to nothing yet",
            *after,
        ]
    )


def _tree(
    roots: Sequence[str], edges: Sequence[Edge], nodes: dict[str, Node], *, forward: bool
) -> list[str]:
    following: dict[str, list[tuple[str, str]]] = {}
    for edge in edges:
        src, dst = (edge.src, edge.dst) if forward else (edge.dst, edge.src)
        following.setdefault(src, []).append((dst, edge.role))
    lines: list[str] = []
    seen: set[str] = set()

    def walk(ref: str, depth: int, role: str) -> None:
        again = ref in seen and bool(following.get(ref))
        seen.add(ref)
        text = f"{'  ' * depth}{_describe(nodes[ref])}"
        lines.append(text + (f"  ({role})" if role else "") + ("  …above" if again else ""))
        if not again:
            for next_ref, next_role in sorted(following.get(ref, [])):
                walk(next_ref, depth + 1, next_role)

    for root in roots:
        walk(root, 0, "")
    return lines


def _describe(node: Node) -> str:
    facts = node.facts
    extra = {
        "data": lambda: f"{facts['rows']:,} rows, sha256 {facts['sha256'][:12]}",
        "split": lambda: ", ".join(f"{p['name']} {p['rows']:,}" for p in facts["parts"]),
        "evaluation": lambda: (
            f"{facts['metric']} {facts['value']:.4g} on {facts['split']}"
            if isinstance(facts["value"], float)
            else f"{facts['metric']} {facts['value']}"
        ),
        "model": lambda: f"{facts['flavor']}, {facts['format']}",
        "endpoint": lambda: (
            "OVERRIDDEN by {by}: {reason}".format(**facts["override"])
            if facts.get("override")
            else "passed its gate"
        ),
        "outcomes": lambda: f"{facts['count']} outcomes",
        "signoff": lambda: f"by {node.by}",
    }.get(node.kind)
    return f"{node.ref}  {extra()}" if extra else node.ref


def audit(log: Audit) -> str:
    lines = [
        f"{entry.seq:>5}  {_when(entry.at)}  {entry.actor:<12} {entry.action:<20} {entry.resource}"
        for entry in reversed(log.entries)
    ]
    return "\n".join([*lines, audit_verdict(log)])


def audit_verdict(log: Audit) -> str:
    anchor = (
        f"anchored at {log.anchor.seq} on {_when(log.anchor.at)}"
        if log.anchor is not None
        else "not anchored outside the ledger"
    )
    verdict = f"intact, {anchor}" if log.intact else f"BROKEN. {log.fault}"
    return f"{log.total} entries, chain of hashes {verdict}"


def jobs(found: Jobs) -> str:
    return "\n".join(job(item) for item in found.items) or "No jobs."


def job(item: Job) -> str:
    """Tell of a job in a line."""
    share = f" {item.progress:.0%}" if item.progress is not None and item.ended is None else ""
    said = item.error.message if item.error is not None else item.detail
    if item.waiting:
        said = f"waits for {item.waiting}"
    place = "" if item.executor == "local" else f" on {item.executor}"
    line = f"{item.id}  {_when(item.created)}  {item.state}{place}{share}  {item.title}  {said}"
    return line.rstrip()


def job_details(item: Job) -> str:
    """Tell all of a job."""
    wanted = item.resources
    resources = [
        f"{wanted.cpus:g} CPU{'s' * (wanted.cpus != 1)}" if wanted.cpus else "",
        f"{wanted.gpus} GPU{'s' * (wanted.gpus != 1)}" if wanted.gpus else "",
        f"{wanted.memory / 2**30:.1f} GB of memory" if wanted.memory else "",
        f"holds GPU {', '.join(map(str, item.devices))}" if item.devices else "",
    ]
    ended = item.ended and item.started and f" after {(item.ended - item.started) / 1000:.1f} s"
    error = item.error
    rows = (
        ("about", item.subject), ("notebook", item.notebook), ("by", item.by),
        ("executor", item.executor), ("resources", ", ".join(word for word in resources if word)),
        ("process", str(item.pid or "")), ("started", item.started and _when(item.started)),
        ("ended", item.ended and f"{_when(item.ended)}{ended or ''}"),
        ("exit code", "" if item.exit_code is None else str(item.exit_code)),
        ("attempt", f"{item.attempt}, after {item.retry_of}" if item.retry_of else ""),
        ("result", ", ".join(f"{key} {value}" for key, value in item.result.items())),
        ("error", f"{error.message} {error.hint}" if error is not None else ""),
        ("resumable", f"perijove jobs resume {item.id}" if item.resumable else ""),
    )  # fmt: skip
    return "\n".join([job(item), *(f"    {key:<10} {value}" for key, value in rows if value)])


def alerts(found: Alerts) -> str:
    return "\n".join(map(_alert, found.items)) or "No alerts."


def _alert(item: Alert) -> str:
    glyph = GLYPHS["failed" if item.level == "failed" else "attention"]
    seen = f"  (seen by {item.acknowledged_by})" if item.acknowledged_by else ""
    lines = [f"{glyph} {item.id}  since {_when(item.since)}{seen}", f"    {item.title}"]
    return "\n".join([*lines, *(f"    {text}" for text in (item.detail, item.fix) if text)])


def endpoints(found: Endpoints) -> str:
    if not found.items:
        return "No endpoints: deploy a model with %deploy in a notebook."
    return "\n".join(endpoint(item) for item in found.items)


def endpoint(item: Endpoint) -> str:
    line = f"{item.name}  {item.state}  r{item.revision}  {item.model}  {item.detail}".rstrip()
    if item.override is not None:
        line += f"\n  OVERRIDDEN by {item.override.by}: {item.override.reason}"
    return line


def version(item: Dataset) -> str:
    return f"{item.ref}  {item.facts.rows:,} rows  fingerprint {item.facts.fingerprint}"


def proof(item: Proof) -> str:
    """Say whether a version that was made again has the same rows."""
    verdict = "the same rows" if item.same else "OTHER ROWS: it cannot be reproduced"
    lines = [f"{item.ref}  {verdict}  {item.rows:,} rows in {item.seconds:.1f} s"]
    lines += [f"  {difference}" for difference in item.differences]
    return "\n".join([*lines, f"  fingerprint {item.fingerprint}"])


def certificate(found: CertificateFacts) -> str:
    """Say whether a run was proved by its rerun, and what was compared."""
    how = "bit for bit" if found.bitwise else f"within {found.tolerance:g}"
    verdict = f"proved, {how}" if found.ok else "NOT PROVED"
    same = sum(one.same for one in found.metrics)
    lines = [
        f"run:{found.run_id}@1  {verdict}  {same} of {len(found.metrics)} metrics the same "
        f"in {found.seconds:.1f} s"
    ]
    lines += [f"  ✗ {reason}" for reason in found.reasons]
    lines += [f"  other here: {difference}" for difference in found.differences]
    for one in found.metrics:
        glyph = "✓" if one.same else "✗"
        lines.append(f"  {glyph} {one.metric}  {one.expected}  {one.found}")
    return "\n".join(lines)


def doctor(findings: Sequence[Finding]) -> str:
    return "\n".join(
        f"{'✓' if finding.ok else '✗'} {finding.title}: {finding.detail}" for finding in findings
    )


def _when(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at / 1000))
