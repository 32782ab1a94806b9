"""Conditions and orders of the table of runs, as SQL on MLflow's tables.

A column is a scalar subquery by the primary key of its table, which needs no statistics to be
quick and has no limit of 64 joins. Every value travels as a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Literal, NamedTuple

from perijove.adapters.mlflow.values import pack, short_key
from perijove.contracts.table import AllOf, AnyOf, Compare, Filter, Missing, Not, OneOf, SortKey
from perijove.develop.columns import Column, read_column, read_number, read_value
from perijove.develop.ports import NOTEBOOK_TAG
from perijove.develop.tags import NOTE_TAG, PIN_TAG, USAGE_TAG

SEARCHED_TAGS: Final = (NOTEBOOK_TAG, NOTE_TAG, "mlflow.user")
"""Of the tags that Perijove and MLflow write themselves, those that words are looked for in."""
GIVEN: Final = "pj_given"
"""The function of a connection that tells what the store does not know of a run in a column."""

_TAG = "(SELECT value FROM tags WHERE key={} AND run_uuid=r.run_uuid)"
_ATTRIBUTES: Final = {
    "run_id": "r.run_uuid",
    "run_name": "coalesce(nullif(r.name, ''), substr(r.run_uuid, 1, 8))",
    "status": "r.status",
    "start_time": "r.start_time",
    "end_time": "r.end_time",
    "user_id": "r.user_id",
    "artifact_uri": "r.artifact_uri",
}
_COST = (
    "(SELECT CASE WHEN json_valid(value) THEN CASE json_type(value, '$.cost') WHEN 'null' THEN NULL"
    " WHEN 'real' THEN json_extract(value, '$.cost')"
    " WHEN 'integer' THEN json_extract(value, '$.cost') END END"
    " FROM tags WHERE key={} AND run_uuid=r.run_uuid)"
)
_TEXT_TESTS: Final = {
    "contains": "instr({value}, {part}) > 0",
    "starts_with": "substr({value}, 1, length({part})) = {part}",
    "ends_with": "substr({value}, -length({part})) = {part}",
}


def number_or_text(text: Any) -> Any:
    """Return the number that a text says, else the text: SQLite orders numbers before texts."""
    number = read_number(text) if isinstance(text, str) else None
    return text if number is None else number


FUNCTIONS: Final[dict[str, tuple[int, Callable[..., Any]]]] = {
    "pj_number": (1, lambda text: read_number(text) if isinstance(text, str) else text),
    "pj_order": (1, number_or_text),
    "pj_has": (2, lambda text, word: isinstance(text, str) and word in text.lower()),
}
"""Functions of a connection, by the number of their arguments."""


class Term(NamedTuple):
    sql: str
    holds: Literal["number", "text", "time"]


class Conditions:
    """Writes conditions on ``runs r``, and collects the parameters.

    Parameters
    ----------
    given
        The columns of which :data:`GIVEN` knows more than the store.
    matching
        Returns those values of a term that a pattern matches.
    now
        Milliseconds; what runs still has its duration by it.
    """

    def __init__(
        self,
        given: Collection[str],
        matching: Callable[[str, dict[str, Any], str], str],
        now: int,
    ) -> None:
        self.parameters: dict[str, Any] = {}
        self._given = given
        self._matching = matching
        self._now = now

    def bind(self, value: Any) -> str:
        """Return the name of a parameter that has a value."""
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def term(self, name: str) -> Term:
        """Write what a run has in a column; null where it has nothing, or NaN."""
        column = read_column(name)
        return Term(self._value(column), column.holds)

    def _value(self, column: Column) -> str:
        match column.kind:
            case "metrics":
                return (
                    "(SELECT CASE WHEN is_nan THEN NULL ELSE value END FROM latest_metrics "
                    f"WHERE key={self.bind(short_key(column.key))} AND run_uuid=r.run_uuid)"
                )
            case "params" | "tags":
                return (
                    f"(SELECT value FROM {column.kind} "
                    f"WHERE key={self.bind(short_key(column.key))} AND run_uuid=r.run_uuid)"
                )
        sql = self._attribute(column.key)
        if str(column) not in self._given:
            return sql
        told = f"{GIVEN}({self.bind(str(column))}, r.run_uuid)"
        return f"coalesce({told}, {sql})"

    def _attribute(self, key: str) -> str:
        if key in _ATTRIBUTES:
            return _ATTRIBUTES[key]
        match key:
            case "notebook":
                return f"nullif({_TAG.format(self.bind(NOTEBOOK_TAG))}, '')"
            case "cost":
                return _COST.format(self.bind(USAGE_TAG))
            case "duration":
                status = self._value(Column("attributes", "status"))
                return (
                    f"CASE WHEN r.status = 'SCHEDULED' OR {status} = 'LOST' THEN NULL "
                    f"WHEN r.status = 'RUNNING' THEN {self.bind(self._now)} - r.start_time "
                    "ELSE r.end_time - r.start_time END"
                )
        return "NULL"  # a verdict that nobody told

    def filter(self, tree: Filter) -> str:
        """Write a filter: 1 where it holds, else 0."""
        match tree:
            case Not(of=inner):
                return f"(NOT {self.filter(inner)})"
            case AllOf(of=many):
                return self._joined(many, " AND ", "1")
            case AnyOf(of=many):
                return self._joined(many, " OR ", "0")
            case Missing(column=name):
                return f"({self.term(name).sql} IS NULL)"
            case OneOf(column=name, values=values):
                if not values:
                    return "0"
                return self._equal(name, values)
            case Compare():
                return self._compare(tree)

    def _joined(self, many: Sequence[Filter], word: str, empty: str) -> str:
        return "(" + word.join(self.filter(inner) for inner in many) + ")" if many else empty

    def _equal(self, name: str, texts: Sequence[str]) -> str:
        column, value = read_column(name), self.term(name).sql
        if column.holds != "text":
            listed = [self.bind(self._number(column, text)) for text in texts]
            return f"coalesce({value} IN ({', '.join(listed)}), 0)"
        words = [str(read_value(column, text)) for text in texts]
        test = f"{value} IN ({', '.join(map(self.bind, words))})"
        numbers = [number for word in words if (number := read_number(word)) is not None]
        if numbers and column.kind in ("params", "tags"):
            listed = [self.bind(number) for number in numbers]
            test += f" OR pj_number({self.term(name).sql}) IN ({', '.join(listed)})"
        return f"coalesce({test}, 0)"

    def _compare(self, leaf: Compare) -> str:
        if leaf.op == "=":
            return self._equal(leaf.column, [leaf.value])
        if leaf.op == "!=":
            there = f"{self.term(leaf.column).sql} IS NOT NULL"
            return f"({there} AND NOT {self._equal(leaf.column, [leaf.value])})"
        column, value = read_column(leaf.column), self.term(leaf.column).sql
        if leaf.op == "matches":
            found = self._matching(value, self.parameters, leaf.value)
            return f"coalesce({value} IN (SELECT value FROM json_each({self.bind(found)})), 0)"
        if leaf.op in _TEXT_TESTS:
            text = str(read_value(column, leaf.value))
            if not text:  # any text has it, and substr(x, -0) is the whole one
                return f"({value} IS NOT NULL)"
            part = self.bind(text)
            return f"coalesce({_TEXT_TESTS[leaf.op].format(value=value, part=part)}, 0)"
        if column.holds != "text":
            return f"coalesce({value} {leaf.op} {self.bind(self._number(column, leaf.value))}, 0)"
        number = read_number(leaf.value) if column.kind in ("params", "tags") else None
        if number is not None:
            return f"coalesce(pj_number({value}) {leaf.op} {self.bind(number)}, 0)"
        return f"coalesce({value} {leaf.op} {self.bind(str(read_value(column, leaf.value)))}, 0)"

    @staticmethod
    def _number(column: Column, text: str) -> int | float:
        value = read_value(column, text)
        assert not isinstance(value, str)
        # MLflow has no infinity: the greatest number stands for it.
        return pack(value)[0] if isinstance(value, float) else value

    def words(self, words: Sequence[str]) -> str:
        """Write that each word is in the name, the notebook, the note or a person's tag."""
        return " AND ".join(self._word(word) for word in words)

    def _word(self, word: str) -> str:
        if word.isascii():
            escaped = re.sub(r"([%_\\])", r"\\\1", word)
            test = f"{{}} LIKE {self.bind(f'%{escaped}%')} ESCAPE '\\'"
        else:
            test = f"pj_has({{}}, {self.bind(word.lower())})"
        known = ", ".join(map(self.bind, SEARCHED_TAGS))
        return (
            f"({test.format(_ATTRIBUTES['run_name'])} OR EXISTS (SELECT 1 FROM tags t "
            f"WHERE t.run_uuid=r.run_uuid AND {test.format('t.value')} AND (t.key IN ({known}) "
            "OR (t.key NOT LIKE 'perijove.%' AND t.key NOT LIKE 'mlflow.%'))))"
        )

    def order(self, sort: Sequence[SortKey]) -> str:
        """Write an order: pinned runs, then as asked for, then the newest."""
        pinned = f"SELECT run_uuid FROM tags WHERE key={self.bind(PIN_TAG)} AND value <> ''"
        terms = [f"r.run_uuid IN ({pinned}) DESC"]
        for key in sort:
            term = self.term(key.column)
            sql = term.sql
            if term.holds == "text":
                if read_column(key.column).kind in ("params", "tags"):
                    sql = f"pj_order({sql})"
                sql += " COLLATE NOCASE"
            terms.append(f"{sql} {'DESC' if key.descending else 'ASC'} NULLS LAST")
        return ", ".join([*terms, "r.start_time DESC", "r.rowid DESC"])
