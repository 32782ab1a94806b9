"""One pass over a table: a bit for each rule that a row fails.

The same SQL runs over Arrow tables in the caller's memory and over files in a data worker. Rows
that fail nothing are never materialised.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perijove.adapters.duckdb.expressions import Columns, Known, RuleFaultError
from perijove.adapters.duckdb.predicates import fails, known, rule_columns
from perijove.contracts.quality import Rule, RuleResult
from perijove.data.rules import TABLE_CHECKS, age_ms

if TYPE_CHECKING:
    import duckdb

WORD = 63
"""Rules that one number has bits for."""
EXAMPLES = 5
_LOOKED_AT = 50
"""Failing rows among which different examples are looked for."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table as SQL sees it."""

    table: str
    """What stands behind FROM."""
    row: str
    """The row's number, from 0."""
    columns: Columns


class Pass:
    """Rules made ready for one table.

    Parameters
    ----------
    db
        Holds small tables beside: keys that are there twice, values that may be referred to.
    references
        For each rule's ``references``, what stands behind FROM, and the column.
    narrow
        Writes a condition that holds for every row whose key is there twice, and for few others.

    Attributes
    ----------
    faults
        Position of a rule to the reason why it cannot be evaluated.
    """

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        source: Source,
        rules: Sequence[Rule],
        references: Mapping[str, tuple[str, Known]],
        narrow: Callable[[Sequence[str]], str] | None = None,
    ) -> None:
        self.rules = rules
        self.faults: dict[int, str] = {}
        self._db = db
        self._source = source
        self._references = references
        self._narrow = narrow
        self._tests: dict[int, str] = {}
        self._joins: dict[int, str] = {}
        for at, rule in enumerate(rules):
            if rule.check not in TABLE_CHECKS:
                self._prepare(at, rule)

    @property
    def words(self) -> int:
        return max(1, -(-len(self.rules) // WORD))

    def failing(self) -> str:
        """Write a SELECT of the rows that fail: number ``r``, and bits in ``m0``, ``m1``...

        Raises
        ------
        duckdb.Error
            When the table itself cannot be read.
        """
        words = [
            " | ".join(
                f"CASE WHEN {self._tests[at]} THEN {1 << (at - start)} ELSE 0 END::BIGINT"
                for at in range(start, start + WORD)
                if at in self._tests
            )
            or "0::BIGINT"
            for start in range(0, self.words * WORD, WORD)
        ]
        listed = ", ".join(f"({word}) AS m{at}" for at, word in enumerate(words))
        some = " OR ".join(untold(f"m{at}", "r") for at in range(len(words)))
        return (
            f"SELECT * FROM (SELECT {self._source.row} AS r, {listed} FROM {self._from()}) "
            f"WHERE {some}"
        )

    def evaluate(self, ask: Any) -> Any:
        """Run ``ask(sql)`` with :meth:`failing`; leave out rules that turn out not to work."""
        import duckdb

        try:
            return ask(self.failing())
        except (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InterruptException):
            raise
        except duckdb.Error:
            if not self._find_faults():
                raise
            return ask(self.failing())

    def examples(self, at: int) -> list[str]:
        """Return a few different values that fail a rule."""
        test = untold(f"CASE WHEN {self._tests[at]} THEN 1 ELSE 0 END", self._source.row)
        rest = f"{self._from(at)} WHERE {test}"
        return shown(self._db, self._source, self.rules[at], rest)

    def table_result(self, at: int, rows: int) -> tuple[bool, str]:
        """Tell whether a rule about the whole table holds, and what was found."""
        rule = self.rules[at]
        if rule.check == "row_count":
            low, high = int(rule.minimum or 0), rule.maximum
            return low <= rows and (high is None or rows <= int(high)), f"{rows:,} rows"
        limit = age_ms(rule.within)
        assert limit is not None  # rules.fault_of refuses others
        if not rule.columns:
            raise RuleFaultError("no time column is named here, and none is declared")
        column = known(self._source.columns, rule.columns[0])
        if column.kind != "time":
            raise RuleFaultError(f"{rule.columns[0]!r} holds {column.type}, which is no time")
        ((newest, shown_as),) = self._db.execute(
            f"SELECT epoch_ms(max({column.sql})), CAST(max({column.sql}) AS VARCHAR) "
            f"FROM {self._source.table}"
        ).fetchall()
        if newest is None:
            return False, "there is no value"
        return time.time() * 1000 - newest <= limit, f"the newest is {shown_as}"

    def _prepare(self, at: int, rule: Rule) -> None:
        import duckdb

        try:
            if rule.check == "unique":
                self._tests[at], self._joins[at] = self._unique(at, rule)
            elif rule.check == "foreign_key":
                self._tests[at] = self._foreign_key(at, rule)
            else:
                self._tests[at] = fails(rule, self._source.columns)
        except RuleFaultError as error:
            self.faults[at] = str(error)
        except (duckdb.BinderException, duckdb.ConversionException) as error:
            self.faults[at] = first_line(error)

    def _unique(self, at: int, rule: Rule) -> tuple[str, str]:
        """All but the first row of each key fail; a key with a missing part is none."""
        values = [known(self._source.columns, name).value for name in rule.columns]
        keys = ", ".join(f"{value} AS k{i}" for i, value in enumerate(values))
        there = " AND ".join(f"{value} IS NOT NULL" for value in values)
        if self._narrow is not None:
            there += f" AND {self._narrow(values)}"
        self._db.execute(
            f"CREATE OR REPLACE TEMP TABLE twice{at} AS SELECT {keys}, min({self._source.row}) "
            f"AS first FROM {self._source.table} WHERE {there} GROUP BY ALL HAVING count(*) > 1"
        )
        ((some,),) = self._db.execute(f"SELECT count(*) FROM twice{at}").fetchall()
        if not some:
            return "false", ""
        pairs = " AND ".join(f"{value} = twice{at}.k{i}" for i, value in enumerate(values))
        return (
            f"coalesce({self._source.row} <> twice{at}.first, false)",
            f" LEFT JOIN twice{at} ON {pairs}",
        )

    def _foreign_key(self, at: int, rule: Rule) -> str:
        column = known(self._source.columns, rule.columns[0])
        if rule.references not in self._references:
            raise RuleFaultError(f"there is no {rule.references} to refer to")
        table, other = self._references[rule.references]
        numbers = {"integer", "decimal", "float"}
        alike = column.type == other.type or {column.kind, other.kind} <= numbers
        value, held = (
            (column.value, other.value)
            if alike
            else (f"CAST({column.value} AS VARCHAR)", f"CAST({other.value} AS VARCHAR)")
        )
        self._db.execute(
            f"CREATE OR REPLACE TEMP TABLE held{at} AS SELECT DISTINCT {held} AS v FROM {table}"
        )
        self._db.execute(f"DELETE FROM held{at} WHERE v IS NULL")
        return f"({value} IS NOT NULL AND coalesce({value} NOT IN (SELECT v FROM held{at}), false))"

    def _from(self, only: int | None = None) -> str:
        joins = [join for at, join in self._joins.items() if only in {None, at}]
        return self._source.table + "".join(joins)

    def _find_faults(self) -> bool:
        import duckdb

        found = False
        for at, test in list(self._tests.items()):
            try:
                self._db.execute(f"SELECT count(*) FROM {self._from(at)} WHERE {test}").fetchall()
            except duckdb.Error as error:
                del self._tests[at]
                self._joins.pop(at, None)
                self.faults[at] = first_line(error)
                found = True
        return found


def untold(bits: str, row: str) -> str:
    """Write that some bit is set, so that no statistics of a file decide it.

    A condition on one column is pushed down to a Parquet file's statistics, which leave NaN out
    (duckdb/duckdb#25521); one that needs the row's number too is evaluated.
    """
    return f"(({bits}) | ({row} & 0)) <> 0"


def shown(db: Any, source: Source, rule: Rule, rest: str) -> list[str]:
    """Return the different values of a rule's columns among some rows, as text."""
    columns = [source.columns[name] for name in dict.fromkeys(rule_columns(rule))]
    if rule.check == "not_null" or not columns:
        rows = db.execute(f"SELECT {source.row} FROM {rest} LIMIT {EXAMPLES}").fetchall()
        return [f"row {row:,}" for (row,) in rows]
    listed = ", ".join(f"left(CAST({column.sql} AS VARCHAR), 200)" for column in columns)
    rows = db.execute(f"SELECT {listed} FROM {rest} LIMIT {_LOOKED_AT}").fetchall()
    if len(columns) == 1:
        words = ["null" if row[0] is None else row[0] for row in rows]
    else:
        names = list(dict.fromkeys(rule_columns(rule)))
        words = [
            ", ".join(
                f"{name} = {'null' if value is None else value}"
                for name, value in zip(names, row, strict=True)
            )
            for row in rows
        ]
    return list(dict.fromkeys(words))[:EXAMPLES]


def outcome(
    rule: Rule, failed: int, *, fixed: int = 0, left: int = 0, fault: str = "", detail: str = "",
    examples: Sequence[str] = (), acted: bool = True,
) -> RuleResult:  # fmt: skip
    """Say how a rule fared.

    Parameters
    ----------
    left
        Rows that a fix did not mend.
    acted
        Whether the rows were fixed or moved, or only counted.
    """
    state: Any = "pass"
    if fault:
        state, detail = "error", fault
    elif failed or fixed:
        if rule.action == "block":
            state = "blocked"
        elif rule.action == "warn" or not acted:
            state = "warn"
        elif rule.action == "fix" and not left:
            state = "fixed"
        else:
            state = "quarantined"
        if not acted and rule.action in {"quarantine", "fix"} and not detail:
            would = "quarantine them" if rule.action == "quarantine" else f"{rule.fix} them"
            detail = f"a curation would {would}"
    return RuleResult(
        rule=rule, failed=0 if fault else failed, fixed=fixed, state=state, detail=detail,
        examples=list(examples),
    )  # fmt: skip


def blocks(results: Sequence[RuleResult]) -> bool:
    """Tell whether what was checked may not become a version."""
    return any(
        result.state == "blocked" or (result.state == "error" and result.rule.action != "warn")
        for result in results
    )


def first_line(error: Exception) -> str:
    line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return line.strip()[:300].rstrip(".")
