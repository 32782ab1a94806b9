"""What the problem step does: the definition, its targets, and how each target stands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from perijove.contracts.base import State, number, to_float
from perijove.contracts.chain import Audit, AuditQuery, Lineage, StepEntry, StepStatus
from perijove.contracts.problem import (
    Kpi,
    KpiStatus,
    Project,
    ProjectSummary,
    ProjectUpdate,
    SignOff,
)
from perijove.core.anchor import Anchor
from perijove.core.chain import OutcomesFacts, SignOffFacts, facts_of
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, ProjectFileError
from perijove.core.files import sha256_text
from perijove.core.measurements import Measured, best, measurements
from perijove.core.metrics import METRICS, meets
from perijove.core.paths import PROJECT_FILE, STATE_FOLDER
from perijove.core.project_file import NAME, Definition, parse
from perijove.core.targets import describe_kpi

SEARCH_DEPTH = 3
_SKIPPED = {STATE_FOLDER, "node_modules", "__pycache__"}


def find_projects(root: Path) -> list[ProjectSummary]:
    """List the projects at and below a folder, at most ``SEARCH_DEPTH`` folders down."""
    found: list[ProjectSummary] = []
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        depth = len(here.relative_to(root).parts)
        folders[:] = sorted(
            name
            for name in folders
            if depth < SEARCH_DEPTH and name not in _SKIPPED and not name.startswith(".")
        )
        if PROJECT_FILE in files:
            relative = "" if here == root else str(here.relative_to(root))
            found.append(ProjectSummary(path=relative, name=_name_of(here)))
    return found


def _name_of(folder: Path) -> str:
    try:
        return parse((folder / PROJECT_FILE).read_text()).project.name or folder.name
    except (ProjectFileError, OSError, UnicodeDecodeError):
        return folder.name


class ProblemService:
    """The definition of one project and the targets that decide.

    Parameters
    ----------
    project
        The open project.
    """

    def __init__(self, project: ProjectContext) -> None:
        self.project = project
        self._anchor = Anchor(project.paths, project.chain.ledger)

    def get(self, path: str) -> Project:
        """Return the definition. ``path`` is how the caller names the project's folder."""
        definition, revision = self.project.file.read()
        return Project(
            path=path,
            name=self.project.name,
            question=definition.project.question,
            owner=definition.project.owner,
            kpis=definition.kpi,
            revision=revision,
            sign_offs=self._sign_offs(definition),
        )

    def update(self, change: ProjectUpdate, *, by: str) -> None:
        """Write new values into ``perijove.toml``, beside what people wrote there.

        Raises
        ------
        InvalidInputError
            For an unknown metric, or a target twice.
        ConflictError
            When the file is not the revision that the caller saw.
        """
        if change.kpis is not None:
            _check_kpis(change.kpis)
        self.project.file.change(lambda doc: _apply(doc, change), revision=change.revision)
        self.project.chain.ledger.audit(
            by,
            "change definition",
            PROJECT_FILE,
            fields=[
                f for f in ("name", "question", "owner", "kpis") if getattr(change, f) is not None
            ],
        )

    def sign_off(self, note: str, *, by: str) -> None:
        """Put a name under the targets as they stand now."""
        definition = self.project.definition
        if not definition.kpi:
            raise InvalidInputError(
                "There is no target to sign.", "Set a KPI first, then sign it off."
            )
        self.project.chain.add(
            "signoff",
            "targets",
            SignOffFacts(kpis_sha256=_kpis_hash(definition), note=note),
            by=by,
            action="sign off targets",
        )

    def _sign_offs(self, definition: Definition) -> list[SignOff]:
        current = _kpis_hash(definition)
        return [
            SignOff(by=node.by, at=node.at, note=facts.note)
            for node in self.project.chain.versions("signoff")
            if (facts := facts_of(node, SignOffFacts)).kpis_sha256 == current
        ]

    def kpis(self) -> list[KpiStatus]:
        """Tell how each target stands: best measured honest model, and the live endpoint."""
        measured = measurements(self.project)
        outcomes = [facts_of(node, OutcomesFacts) for node in self.project.chain.newest("outcomes")]
        return [
            _kpi_status(kpi, measured.get(kpi, []), outcomes) for kpi in self.project.definition.kpi
        ]

    def lineage(self, ref: str = "") -> Lineage:
        return self.project.chain.lineage(ref)

    def audit(self, only: AuditQuery | None = None) -> Audit:
        """Return who did what, newest first, and whether the record holds."""
        return self._anchor.audit(only)

    def anchor_audit(self, *, by: str) -> Audit:
        """Write the audit's head into the file that can be committed."""
        return self._anchor.write(by=by)

    def status(self) -> StepStatus:
        """The sidebar's row."""
        statuses = self.kpis()
        if not statuses:
            question = self.project.definition.project.question
            return StepStatus(
                step="problem",
                state="attention" if question else "not_started",
                fact="No target: nothing says when a model is good enough" if question else "",
                next="Set a target",
            )
        first = statuses[0]
        unknown = [s for s in statuses if s.verdict == "unknown_metric"]
        signed = bool(self._sign_offs(self.project.definition))
        fact = describe_kpi(first.kpi)
        if unknown:
            fact = unknown[0].detail
        elif not signed:
            fact = f"not signed off · {fact}"
        return StepStatus(
            step="problem",
            state="failed" if unknown else "ok" if signed else "attention",
            fact=fact,
            entries=[_entry(status) for status in statuses[:5]],
        )


_STATES: dict[str, State] = {"met": "ok", "missed": "failed", "unmeasured": "not_started"}


def _entry(status: KpiStatus) -> StepEntry:
    if status.verdict == "unknown_metric":
        return StepEntry(
            ref="page:problem", label=status.kpi.metric, state="failed", detail=status.detail
        )
    detail = "not measured yet" if status.best is None else f"best {to_float(status.best):.3g}"
    return StepEntry(
        ref="page:problem",
        label=describe_kpi(status.kpi),
        state=_STATES[status.verdict],
        detail=detail,
    )


def _check_kpis(kpis: list[Kpi]) -> None:
    seen: set[tuple[str, str, str]] = set()
    for kpi in kpis:
        if kpi.metric not in METRICS:
            raise InvalidInputError(
                f"{kpi.metric!r} is no metric that Perijove measures.",
                f"It measures {', '.join(METRICS)}.",
                code="unknown_metric",
            )
        if not NAME.fullmatch(kpi.data):
            raise InvalidInputError(
                f"{kpi.data!r} cannot be a dataset's name.",
                "Name a dataset with letters, digits, '.', '_' and '-'.",
            )
        wanted = METRICS[kpi.metric].direction
        if kpi.direction != wanted:
            raise InvalidInputError(
                f"{kpi.metric} is to {wanted}, not to {kpi.direction}.",
                f'Set direction = "{wanted}".',
            )
        key = (kpi.metric, kpi.data, kpi.split)
        if key in seen:
            raise InvalidInputError(
                f"{kpi.metric} on {kpi.data}/{kpi.split} is there twice.", "Keep one of the two."
            )
        seen.add(key)


def _apply(document: Any, change: ProjectUpdate) -> None:
    import tomlkit

    table = document.setdefault("project", tomlkit.table())
    for key in ("name", "question", "owner"):
        value = getattr(change, key)
        if value is not None:
            table[key] = value
    if change.kpis is None:
        return
    kept = {_kpi_key(entry): entry for entry in document.get("kpi", [])}
    tables = tomlkit.aot()
    for kpi in change.kpis:
        values = msgspec.to_builtins(kpi)
        entry = kept.get(_kpi_key(values), tomlkit.table())
        for key, value in values.items():
            if value is None:
                entry.pop(key, None)
            elif entry.get(key) != value:
                entry[key] = value
        tables.append(entry)
    if len(tables):
        document["kpi"] = tables
    else:
        document.pop("kpi", None)


def _kpi_key(entry: Any) -> tuple[str, str, str]:
    return (str(entry.get("metric")), str(entry.get("data")), str(entry.get("split", "test")))


def _kpis_hash(definition: Definition) -> str:
    return sha256_text(msgspec.json.encode(definition.kpi).decode())


def _kpi_status(kpi: Kpi, measured: list[Measured], outcomes: list[OutcomesFacts]) -> KpiStatus:
    if kpi.metric not in METRICS:
        return KpiStatus(
            kpi=kpi,
            verdict="unknown_metric",
            detail=f"{kpi.metric!r} is no metric that Perijove measures; "
            f"it measures {', '.join(METRICS)}",
        )
    status = KpiStatus(kpi=kpi, verdict="unmeasured")
    top = best(kpi, [one for one in measured if one.honest])
    if top is not None:
        status = msgspec.structs.replace(
            status,
            verdict="met" if meets(top.value, kpi.target, kpi.direction) else "missed",
            best=number(top.value),
            best_model=top.model,
            best_run=top.run_id,
        )
    live = ((facts, facts.live(kpi)) for facts in outcomes)
    for facts, value in live:
        if value is not None:
            floor = kpi.target if kpi.minimum is None else kpi.minimum
            good = meets(to_float(value), floor, kpi.direction)
            return msgspec.structs.replace(
                status,
                live=value,
                live_endpoint=facts.endpoint,
                live_verdict="met" if good else "missed",
            )
    return status
