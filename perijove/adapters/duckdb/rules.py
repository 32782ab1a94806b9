"""The rule engine: DuckDB over Arrow tables in the caller's memory, and in a data worker."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from perijove.adapters.duckdb.expressions import RuleFaultError
from perijove.adapters.duckdb.predicates import wanted_type
from perijove.adapters.duckdb.workers import Workers, place_of
from perijove.contracts.quality import Rule, RuleResult
from perijove.core.errors import UnavailableError
from perijove.data.expression import Function, Value, parse, walk
from perijove.data.ports import Applied, ArrowTable, Checked, Table, Work

if TYPE_CHECKING:
    import duckdb

CHECK_SECONDS = 3600.0
NEWEST_SECONDS = 30.0


class DuckDbRules:
    """Implements ``perijove.data.ports.RuleEngine``.

    Parameters
    ----------
    workers
        The processes that read user files.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def apply(
        self, table: ArrowTable, rules: Sequence[Rule], references: Mapping[str, ArrowTable]
    ) -> Applied:
        import duckdb

        from perijove.adapters.duckdb.application import Application

        started = time.perf_counter()
        with session() as db:
            try:
                application = Application(db, table, rules, references)
                kept, quarantined = application.run()
            except duckdb.OutOfMemoryException as error:
                raise UnavailableError(
                    "There is not enough memory to apply the rules.",
                    "Free some memory in this kernel, or curate in parts.",
                    code="out_of_memory",
                ) from error
        return Applied(
            rows=table.num_rows,
            results=application.results,
            blocked=application.blocked,
            seconds=time.perf_counter() - started,
            kept=kept,
            quarantined=quarantined,
            fixed=application.fixed,
            dropped=application.dropped,
        )

    def check(
        self,
        table: Table,
        rules: Sequence[Rule],
        references: Mapping[str, tuple[Table, str]],
        *,
        work: Work | None = None,
        scratch: Path | None = None,
    ) -> Checked:
        started = time.perf_counter()
        request = {
            "do": "check_rules",
            **place_of(table),
            "rules": msgspec.to_builtins(list(rules)),
            "references": {
                key: {**place_of(other), "column": column}
                for key, (other, column) in references.items()
            },
        }
        files = [*table.files, *(file for other, _ in references.values() for file in other.files)]
        spill = scratch / uuid.uuid4().hex if scratch is not None else None
        try:
            reply = self._workers.work(request, files, CHECK_SECONDS, work, scratch=spill)
        finally:
            if spill is not None:
                shutil.rmtree(spill, ignore_errors=True)
        return Checked(
            rows=reply["rows"],
            results=[msgspec.convert(result, RuleResult) for result in reply["results"]],
            blocked=reply["blocked"],
            seconds=time.perf_counter() - started,
        )

    def faults(self, rules: Sequence[Rule]) -> dict[str, str]:
        found = {rule.id: _fault(rule) for rule in rules}
        return {rule: fault for rule, fault in found.items() if fault}

    def newest(self, table: Table, column: str) -> int | None:
        request = {"do": "newest", **place_of(table), "column": column}
        found: int | None = self._workers.ask(request, table.files, NEWEST_SECONDS)["newest"]
        return found


@contextmanager
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory that sees nothing but what is registered with it."""
    import duckdb

    db = duckdb.connect(":memory:")
    try:
        db.execute("SET enable_external_access=false")
        # A kernel without ipywidgets has no bar, and DuckDB refuses even to turn it off there.
        if db.sql("SELECT current_setting('enable_progress_bar')").fetchall() == [(True,)]:
            db.execute("SET enable_progress_bar=false")
        db.execute("SET python_enable_replacements=false")
        db.execute("SET TimeZone='UTC'")
        db.execute("SET lock_configuration=true")
        yield db
    finally:
        db.close()


def _fault(rule: Rule) -> str:
    if rule.check == "type":
        try:
            wanted_type(rule.type)
        except RuleFaultError as error:
            return str(error)
    patterns = [rule.pattern] if rule.pattern else []
    if rule.expression:
        patterns += [
            part.of[1].value
            for part in walk(parse(rule.expression))
            if isinstance(part, Function)
            and part.name == "matches"
            and isinstance(part.of[1], Value)
            and isinstance(part.of[1].value, str)
        ]
    return next((fault for pattern in patterns if (fault := _pattern_fault(pattern))), "")


def _pattern_fault(pattern: str) -> str:
    import pyarrow as pa
    import pyarrow.compute as pc

    # Arrow's patterns are RE2's too, and a server need not load DuckDB for it.
    try:
        pc.match_substring_regex(pa.array(["x"]), pattern)
    except pa.ArrowInvalid as error:
        reason = str(error).partition(":")[2].strip()
        return f"{pattern!r} is no regular expression (RE2): {reason or error}"
    return ""
