"""Our expression tree as SQL over typed columns.

A missing value makes what is computed from it missing, and a NaN is a missing value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from perijove.contracts.data import Column
from perijove.core.errors import InvalidInputError
from perijove.data.expression import (
    Among,
    Binary,
    Comparing,
    Expression,
    Function,
    IsNull,
    Logic,
    Name,
    Negation,
    Negative,
    Value,
)
from perijove.data.filters import FLOATS, INTEGERS, is_text, is_zoned, read_value

Kind = Literal["integer", "float", "decimal", "text", "truth", "time", "other"]
NUMBERS: frozenset[Kind] = frozenset(["integer", "float", "decimal"])


class RuleFaultError(Exception):
    """A rule that cannot be evaluated on these columns; the text says why."""


@dataclass(frozen=True, slots=True)
class Known:
    """A column as SQL names it, and its type as DuckDB names it."""

    sql: str
    type: str

    @property
    def kind(self) -> Kind:
        return kind_of(self.type)

    @property
    def value(self) -> str:
        """The value, missing where it is NaN."""
        if self.type in FLOATS:
            return f"CASE WHEN {is_nan(self.sql)} THEN NULL ELSE {self.sql} END"
        return self.sql


def is_nan(value: str) -> str:
    """Write that a float is NaN, so that no statistics of a file decide it.

    DuckDB 2.0 takes a Parquet file's greatest value, which leaves NaN out, for proof that there
    is none: isnan(x), isnan(x + 1) and x = 'nan' are false then, whatever x is
    (duckdb/duckdb#25521). Of this sum it knows no greatest value.
    """
    return f"isnan(signbit({value})::TINYINT + {value})"


Columns = Mapping[str, Known]


@dataclass(frozen=True, slots=True)
class Term:
    sql: str
    kind: Kind
    type: str
    """DuckDB's, of a column; empty for what is computed, which may be NaN."""
    literal: Value | None = None


def kind_of(type_: str) -> Kind:
    if type_ in INTEGERS:
        return "integer"
    if type_ in FLOATS:
        return "float"
    if type_.startswith("DECIMAL"):
        return "decimal"
    if is_text(type_):
        return "text"
    if type_ == "BOOLEAN":
        return "truth"
    if type_ == "DATE" or type_.startswith("TIMESTAMP"):
        return "time"
    return "other"


def text(value: str) -> str:
    """Write a text literal."""
    if "\0" in value:
        raise RuleFaultError("a value holds a NUL character")
    return "'" + value.replace("'", "''") + "'"


def literal(column: str, type_: str, value: str) -> str:
    """Write a value as the type of a column.

    Raises
    ------
    RuleFaultError
        When the column cannot hold it.
    """
    try:
        read = read_value(Column(name=column, type=type_), value)
    except InvalidInputError as error:
        raise RuleFaultError(error.message.rstrip(".")) from error
    kind = kind_of(type_)
    if kind == "integer":
        return str(read)
    if kind == "decimal":
        # As many digits as were written: 1.005 is not equal to 1.01.
        scale = max(0, -read.as_tuple().exponent, int(type_.rstrip(")").rpartition(",")[2]))
        return f"CAST('{read}' AS DECIMAL(38, {min(scale, 38)}))"
    if kind == "truth":
        return str(read).lower()
    if kind == "text":
        return text(value)
    if type_ == "BLOB":
        return f"unhex('{read.hex()}')"
    if type_.startswith("TIMESTAMP"):
        return f"CAST('{read.isoformat(sep=' ')}' AS {type_})"
    return f"CAST({text(str(read))} AS {type_})"


def condition(tree: Expression, columns: Columns) -> str:
    """Write a condition: true, false, or null where something is missing.

    Raises
    ------
    RuleFaultError
        Naming the column that is not there, or the kinds that do not go together.
    """
    return _truth(_Writer(columns).write(tree), tree)


class _Writer:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def write(self, tree: Expression) -> Term:
        match tree:
            case Name(column=column):
                return self._column(column)
            case Value():
                return _value(tree)
            case Negative(of=inner):
                term = _number(self.write(inner), "-")
                return Term(f"(-{_exact(term)})", term.kind, "")
            case Binary():
                return self._binary(tree)
            case Comparing(op=op, left=left, right=right):
                terms = self.write(left), self.write(right)
                first, second = _alike(*terms)
                sign = {"==": "=", "!=": "<>"}.get(op, op)
                return Term(_guarded(f"({first} {sign} {second})", *terms), "truth", "")
            case Among(of=inner, values=values):
                term = self.write(inner)
                listed = ", ".join(_alike(term, _value(value))[1] for value in values)
                found = f"({_alike(term, _value(values[0]))[0]} IN ({listed}))"
                return Term(_guarded(found, term), "truth", "")
            case IsNull(of=inner):
                term = self.write(inner)
                return Term(f"({_guarded(term.sql, term)} IS NULL)", "truth", "")
            case Negation(of=inner):
                return Term(f"(NOT {_truth(self.write(inner), inner)})", "truth", "")
            case Logic(op=op, of=many):
                parts = [_truth(self.write(inner), inner) for inner in many]
                return Term("(" + f" {op.upper()} ".join(parts) + ")", "truth", "")
            case Function():
                return self._function(tree)

    def _column(self, column: str) -> Term:
        known = self._columns.get(column)
        if known is None:
            raise RuleFaultError(f"there is no column {column!r}")
        kind, sql = known.kind, known.value
        if kind == "text" and known.type != "VARCHAR":
            sql = f"CAST({sql} AS VARCHAR)"
        return Term(sql, kind, known.type)

    def _binary(self, tree: Binary) -> Term:
        left, right = self.write(tree.left), self.write(tree.right)
        if tree.op == "-" and {left.kind, right.kind} == {"time"}:
            return Term(f"((epoch_us({_moment(left)}) - epoch_us({_moment(right)})) / 1e6)",
                        "float", "")  # fmt: skip
        _number(left, tree.op)
        _number(right, tree.op)
        whole = left.kind == right.kind == "integer"
        if tree.op == "/" or not whole:
            first, second = f"CAST({left.sql} AS DOUBLE)", f"CAST({right.sql} AS DOUBLE)"
        else:
            first, second = _exact(left), _exact(right)
        if tree.op in "/%":
            second = f"nullif({second}, 0)"
        computed = f"({first} {tree.op} {second})"
        if tree.op != "/" and whole:
            return Term(computed, "integer", "")
        return Term(computed, "float", "")

    def _function(self, tree: Function) -> Term:
        terms = [self.write(inner) for inner in tree.of]
        first = terms[0]
        match tree.name:
            case "abs" | "floor" | "ceil":
                _number(first, tree.name)
                return Term(f"{tree.name}({_exact(first)})", first.kind, "")
            case "round":
                digits = terms[1].literal if len(terms) > 1 else Value(0)
                if digits is None or not isinstance(digits.value, int):
                    raise RuleFaultError("round takes a whole number of digits")
                _number(first, "round")
                return Term(f"round({_exact(first)}, {digits.value:d})", first.kind, "")
            case "lower" | "upper" | "trim":
                return Term(f"{tree.name}({_texts(first, tree.name)})", "text", "")
            case "length":
                return Term(f"length({_texts(first, 'length')})", "integer", "")
            case "starts_with" | "ends_with" | "contains":
                name = "suffix" if tree.name == "ends_with" else tree.name
                pair = ", ".join(_texts(term, tree.name) for term in terms)
                return Term(f"{name}({pair})", "truth", "")
            case "matches":
                pattern = terms[1].literal
                if pattern is None or not isinstance(pattern.value, str):
                    raise RuleFaultError("matches takes a pattern in quotes")
                value = _texts(first, "matches")
                return Term(f"regexp_full_match({value}, {text(pattern.value)})", "truth", "")
            case "year" | "month" | "day" | "hour":
                return Term(f"{tree.name}({_moment(first)})", "integer", "")
        kinds = {term.kind for term in terms}
        if len(kinds) > 1 and not kinds <= NUMBERS:
            raise RuleFaultError("coalesce takes values of one kind")
        return Term(f"coalesce({', '.join(term.sql for term in terms)})", first.kind, "")


def _value(tree: Value) -> Term:
    match tree.value:
        case bool():
            return Term(str(tree.value).lower(), "truth", "", tree)
        case int():
            if abs(tree.value) >= 2**127:
                raise RuleFaultError(f"{tree.value} is too big a number")
            return Term(str(tree.value), "integer", "", tree)
        case float():
            return Term(f"{text(repr(tree.value))}::DOUBLE", "float", "", tree)
        case _:
            return Term(text(tree.value), "text", "", tree)


def _exact(term: Term) -> str:
    """Whole numbers in 128 bits: the sum of two of 64 bits has room."""
    return f"CAST({term.sql} AS HUGEINT)" if term.kind == "integer" else term.sql


def _number(term: Term, what: str) -> Term:
    if term.kind not in NUMBERS:
        raise RuleFaultError(f"{what} takes numbers, not {_words(term)}")
    return term


def _texts(term: Term, what: str) -> str:
    if term.kind != "text":
        raise RuleFaultError(f"{what} takes text, not {_words(term)}")
    return term.sql


def _moment(term: Term) -> str:
    if term.kind != "time":
        raise RuleFaultError(f"a time is needed, not {_words(term)}")
    return f"CAST({term.sql} AS TIMESTAMP)" if not is_zoned(term.type) else term.sql


def _guarded(sql: str, *terms: Term) -> str:
    """Make what is computed of a NaN missing."""
    tests = [
        is_nan(term.sql)
        for term in terms
        if term.kind == "float" and not term.type and term.literal is None
    ]
    return f"CASE WHEN {' OR '.join(tests)} THEN NULL ELSE {sql} END" if tests else sql


def _alike(left: Term, right: Term) -> tuple[str, str]:
    """Make two values of one kind, or refuse to compare them."""
    if left.kind in NUMBERS and right.kind in NUMBERS:
        return _numbers(left, right)
    for term, other, turned in ((left, right, False), (right, left, True)):
        if (
            term.literal is not None
            and isinstance(term.literal.value, str)
            and (other.kind == "time" and other.type)
        ):
            pair = (literal("", other.type, term.literal.value), other.sql)
            return pair if not turned else (pair[1], pair[0])
    if left.kind != right.kind or left.kind == "other":
        raise RuleFaultError(f"{_words(left)} and {_words(right)} cannot be compared")
    return left.sql, right.sql


def _numbers(left: Term, right: Term) -> tuple[str, str]:
    # A float literal beside a column of fewer bits is read as the column reads it.
    for term, other, turned in ((left, right, False), (right, left, True)):
        if term.literal is not None and other.type == "FLOAT":
            pair = (f"CAST({term.sql} AS FLOAT)", other.sql)
            return pair if not turned else (pair[1], pair[0])
    return left.sql, right.sql


def _truth(term: Term, tree: Expression) -> str:
    if term.kind != "truth":
        raise RuleFaultError(f"a condition is needed, and {_words(term)} is none")
    return term.sql


def _words(term: Term) -> str:
    if term.literal is not None:
        return repr(term.literal.value)
    words = {"truth": "a truth value", "time": "a time", "other": term.type or "another kind"}
    return words.get(term.kind, "text" if term.kind == "text" else "a number")
