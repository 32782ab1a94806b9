"""Alerts about data: older than declared, with other columns, or blocked by its rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from perijove.contracts.alerts import Alert
from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts
from perijove.contracts.quality import QualityFacts
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.ledger import now
from perijove.core.project_file import DataTable
from perijove.data.rules import age_ms

_SHOWN = 5
"""Columns or rules that an alert names."""


def standing_alerts(
    project: ProjectContext, newest: Callable[[Node, str], int | None]
) -> list[Alert]:
    """Compute the alerts that should stand.

    ``freshness:NAME``
        The newest version is older than ``fresh`` of ``[data.NAME]`` allows. Its age is that of
        the newest value of its time column where one is declared, else of its registration.
    ``schema:NAME``
        The newest version of a registered source has other columns than the one before.
    ``quality:NAME``
        Rules block what was checked last.

    Parameters
    ----------
    newest
        Returns the greatest time of a version's column in ms since the epoch, if there is one.
    """
    alerts: list[Alert] = []
    declared = project.definition.data
    for node in project.chain.newest("data"):
        facts = facts_of(node, DataFacts)
        if facts.kind == "quarantine":
            continue
        table = declared.get(node.name, DataTable())
        if table.fresh:
            value = newest(node, table.time) if table.time else None
            alerts += _freshness(node, table, value)
        if facts.kind != "curated":
            alerts += _schema(project, node, facts)
    for node in project.chain.newest("quality"):
        alerts += _blocked(node)
    return sorted(alerts, key=lambda alert: alert.id)


def _freshness(node: Node, table: DataTable, value: int | None) -> list[Alert]:
    limit = age_ms(table.fresh)
    if limit is None:
        title = f"{node.name}: {table.fresh!r} is no age"
        detail = f"fresh of [data.{node.name}] in perijove.toml is not understood."
        fix = 'Write an age such as "2 days", "6 hours" or "1 week".'
        return [_alert("freshness", node, title, detail, fix, node.at)]
    at = node.at if value is None else value
    age = now() - at
    if age <= limit:
        return []
    what = f"v{node.version} was registered" if value is None else f"its newest {table.time} is"
    return [
        _alert(
            "freshness", node, f"{node.name} is older than {table.fresh}",
            f"{what[0].upper()}{what[1:]} {_words(age)} ago.",
            "Register the source again, or look why it stands still.", at + limit,
        )
    ]  # fmt: skip


def _blocked(node: Node) -> list[Alert]:
    facts = facts_of(node, QualityFacts)
    if not facts.blocked:
        return []
    wrong = [result for result in facts.results if result.state in {"blocked", "error"}]
    words = [
        f"{result.rule.id}: {result.detail or f'{result.failed:,} rows fail'}" for result in wrong
    ]
    return [
        _alert(
            "quality", node, f"Rules block {node.name}", _listed(words),
            "Look at the rules that fail, and mend the source or the rules.", node.at, "failed",
        )
    ]  # fmt: skip


def _schema(project: ProjectContext, node: Node, facts: DataFacts) -> list[Alert]:
    if node.version == 1:
        return []
    versions = project.chain.versions("data", node.name)
    before = next((one for one in versions if one.version == node.version - 1), None)
    if before is None:
        return []
    changes = schema_changes(facts_of(before, DataFacts), facts)
    if not changes:
        return []
    return [
        _alert(
            "schema", node, f"{node.name} has other columns since v{node.version}",
            _listed(changes),
            "Look at the columns, and change the curation and the rules that use them.", node.at,
        )
    ]  # fmt: skip


def _alert(
    kind: str, node: Node, title: str, detail: str, fix: str, since: int,
    level: Literal["attention", "failed"] = "attention",
) -> Alert:  # fmt: skip
    return Alert(
        id=f"{kind}:{node.name}", step="data", level=level, subject=node.ref, title=title,
        detail=detail, fix=fix, since=since,
    )  # fmt: skip


def _listed(words: list[str]) -> str:
    more = f"; and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return "; ".join(words[:_SHOWN]) + more + "."


def schema_changes(before: DataFacts, after: DataFacts) -> list[str]:
    """Say which columns differ between two versions."""
    old = {column.name: column.type for column in before.columns}
    new = {column.name: column.type for column in after.columns}
    return (
        [f"{name} ({kind}) is gone" for name, kind in old.items() if name not in new]
        + [f"{name} ({kind}) is new" for name, kind in new.items() if name not in old]
        + [
            f"{name} was {kind} and is {new[name]}"
            for name, kind in old.items()
            if name in new and new[name] != kind
        ]
    )


def _words(age: int) -> str:
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)):
        if age >= size:
            count = age // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
