"""Rules over the files of a version: counts and examples, nothing is changed or copied."""

from __future__ import annotations

from typing import Any

import msgspec

from perijove.adapters.duckdb.expressions import Known, RuleFaultError
from perijove.adapters.duckdb.masks import WORD, Pass, Source, blocks, outcome
from perijove.adapters.duckdb.worker.conditions import Relation, relation
from perijove.adapters.duckdb.worker.database import Action, Database, Report
from perijove.contracts.quality import Rule, RuleResult
from perijove.data.rules import TABLE_CHECKS


def check_rules(
    database: Database,
    report: Report,
    *,
    files: list[str],
    partitions: str | None = None,
    rules: list[dict[str, Any]],
    references: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """Count the rows that fail each rule."""
    wanted = [msgspec.convert(rule, Rule) for rule in rules]
    source = _source(relation(database, files, partitions))
    with database.watched(report):
        held = {key: _held(database, **other) for key, other in references.items()}
        ready = Pass(database.db, source, wanted, held)
        counts = ready.evaluate(lambda sql: _count(database, sql, len(wanted)))
        (rows,) = database.row(f"SELECT count(*) FROM {source.table}")
        results = [
            _result(ready, at, rule, counts[at], rows)
            for at, rule in enumerate(wanted)
        ]  # fmt: skip
    return {
        "rows": rows,
        "results": msgspec.to_builtins(results),
        "blocked": blocks(results),
    }


def _source(table: Relation) -> Source:
    """Name the columns; one whose name another has too cannot be meant."""
    names = [column.name for column in table.columns]
    return Source(
        table.source,
        table.row,
        {
            column.name: Known(f"c{at}", column.type)
            for at, column in enumerate(table.columns)
            if names.count(column.name) == 1
        },
    )


def _held(
    database: Database, *, files: list[str], column: str, partitions: str | None = None
) -> tuple[str, Known]:
    other = _source(relation(database, files, partitions))
    known = other.columns.get(column)
    return other.table, known if known is not None else Known("NULL", "VARCHAR")


def _count(database: Database, failing: str, rules: int) -> list[int]:
    counts = ", ".join(
        f"count(*) FILTER (WHERE (m{at // WORD} >> {at % WORD}) & 1 = 1)" for at in range(rules)
    ) or "0"  # fmt: skip
    return list(database.row(f"SELECT {counts} FROM ({failing})"))


def _result(ready: Pass, at: int, rule: Rule, failed: int, rows: int) -> RuleResult:
    if at in ready.faults:
        return outcome(rule, 0, fault=ready.faults[at])
    if rule.check in TABLE_CHECKS:
        try:
            holds, detail = ready.table_result(at, rows)
        except RuleFaultError as error:
            return outcome(rule, 0, fault=str(error))
        return outcome(rule, 0 if holds else 1, detail=detail, acted=False)
    examples = ready.examples(at) if failed else []
    return outcome(rule, failed, examples=examples, acted=False)


def newest(
    database: Database, report: Report, *, files: list[str], partitions: str | None, column: str
) -> dict[str, Any]:
    """Return the greatest time of a column, if it has one."""
    source = _source(relation(database, files, partitions))
    known = source.columns.get(column)
    if known is None or known.kind != "time":
        return {"newest": None}
    (greatest,) = database.row(f"SELECT epoch_ms(max({known.sql})) FROM {source.table}")
    return {"newest": greatest}


ACTIONS: dict[str, Action] = {"check_rules": check_rules, "newest": newest}
