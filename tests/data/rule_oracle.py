"""What rules mean, row by row in plain Python: the tests' second opinion on the engine."""

from __future__ import annotations

import math
import re
from typing import Any

from perijove.contracts.quality import Rule
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
    parse,
)

Row = dict[str, Any]
Outcome = tuple[list[Row], list[tuple[Row, list[str]]], list[int], int]
SPACES = " \t\n\v\f\r\u00a0\ufeff"


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def read(like: Any, text: str) -> Any:
    return type(like)(text)


def evaluate(tree: Expression, row: Row) -> Any:
    """Evaluate in SQL's logic: None where something is missing."""
    match tree:
        case Name(column=column):
            return None if missing(row[column]) else row[column]
        case Value(value=value):
            return value
        case Negative(of=inner):
            found = evaluate(inner, row)
            return None if found is None else -found
        case Binary(op=op, left=left, right=right):
            return _computed(op, evaluate(left, row), evaluate(right, row))
        case Comparing(op=op, left=left, right=right):
            first, second = evaluate(left, row), evaluate(right, row)
            if first is None or second is None:
                return None
            return {
                "==": first == second, "!=": first != second, "<": first < second,
                "<=": first <= second, ">": first > second, ">=": first >= second,
            }[op]  # fmt: skip
        case Among(of=inner, values=values):
            found = evaluate(inner, row)
            return None if found is None else found in [value.value for value in values]
        case IsNull(of=inner):
            return evaluate(inner, row) is None
        case Negation(of=inner):
            found = evaluate(inner, row)
            return None if found is None else not found
        case Logic(op=op, of=many):
            parts = [evaluate(inner, row) for inner in many]
            if (op == "or") in parts:
                return op == "or"
            return None if None in parts else op == "and"
        case Function(name="length", of=(inner,)):
            found = evaluate(inner, row)
            return None if found is None else len(found)
    raise AssertionError(tree)


def _computed(op: str, first: Any, second: Any) -> Any:
    if first is None or second is None or (op in "/%" and second == 0):
        return None
    if op == "%":
        found = math.fmod(first, second) if math.isfinite(first) else math.nan
    else:
        found = {
            "+": lambda: first + second, "-": lambda: first - second,
            "*": lambda: first * second, "/": lambda: first / second,
        }[op]()  # fmt: skip
    return None if missing(found) else found


def fails(rule: Rule, row: Row) -> bool:
    """Whether a row fails a rule that needs only the row."""
    if rule.check == "expression":
        return evaluate(parse(rule.expression), row) is False
    values = [row[column] for column in rule.columns]
    if rule.check == "not_null":
        return any(missing(value) for value in values)
    return any(_fails(rule, value) for value in values if not missing(value))


def _fails(rule: Rule, value: Any) -> bool:
    match rule.check:
        case "range":
            low, high = rule.minimum, rule.maximum
            return (low is not None and value < read(value, low)) or (
                high is not None and value > read(value, high)
            )
        case "set":
            return value not in [read(value, one) for one in rule.values]
        case "regex":
            return re.fullmatch(rule.pattern, value) is None
        case "type":
            return re.fullmatch(r"\s*[+-]?\d{1,15}\s*", value) is None
    raise AssertionError(rule.check)


def masks(rules: list[Rule], rows: list[Row], held: dict[str, set[Any]]) -> list[list[bool]]:
    """Tell for each rule which rows fail it."""
    found = []
    for rule in rules:
        if rule.check == "unique":
            seen: set[Any] = set()
            bits = []
            for row in rows:
                key = tuple(row[column] for column in rule.columns)
                there = not any(missing(value) for value in key)
                bits.append(there and key in seen)
                if there:
                    seen.add(key)
            found.append(bits)
        elif rule.check == "foreign_key":
            values = held[rule.references]
            cells = [row[rule.columns[0]] for row in rows]
            found.append([not missing(cell) and cell not in values for cell in cells])
        else:
            found.append([fails(rule, row) for row in rows])
    return found


def apply(rules: list[Rule], rows: list[Row], held: dict[str, set[Any]]) -> Outcome:
    """Return kept rows, quarantined rows with reasons, failing rows a rule, and dropped rows."""
    work = [dict(row) for row in rows]
    counts = {}
    for rule in rules:
        if rule.fix not in {"trim", "fill", "clip"}:
            continue
        (bits,) = masks([rule], work, held)
        counts[rule.id] = sum(bits)
        for row, bad in zip(work, bits, strict=True):
            if bad:
                for column in rule.columns:
                    _mend(rule, column, row)
    final = masks(rules, work, held)
    kept, quarantined, dropped = [], [], 0
    for at, row in enumerate(work):
        failed = [rule for rule, bits in zip(rules, final, strict=True) if bits[at]]
        if any(
            rule.action == "quarantine" or rule.fix in {"trim", "fill", "clip"} for rule in failed
        ):
            quarantined.append((rows[at], [rule.id for rule in failed]))
        elif any(rule.fix in {"drop", "deduplicate"} for rule in failed):
            dropped += 1
        else:
            kept.append(row)
    failing = [
        counts.get(rule.id, sum(bits)) for rule, bits in zip(rules, final, strict=True)
    ]  # fmt: skip
    return kept, quarantined, failing, dropped


def _mend(rule: Rule, column: str, row: Row) -> None:
    value = row[column]
    single = Rule(
        id=rule.id, check=rule.check, columns=[column], minimum=rule.minimum,
        maximum=rule.maximum, values=rule.values, pattern=rule.pattern,
    )  # fmt: skip
    if rule.check != "foreign_key" and not fails(single, row):
        return
    if rule.fix == "trim":
        row[column] = value.strip(SPACES)
    elif rule.fix == "fill":
        assert rule.fill is not None
        like = value if not missing(value) else {"i": 0, "j": 0, "f": 0.0}.get(column, "")
        row[column] = read(like, rule.fill)
    elif rule.fix == "clip":
        if rule.minimum is not None:
            row[column] = max(row[column], read(value, rule.minimum))
        if rule.maximum is not None:
            row[column] = min(row[column], read(value, rule.maximum))
