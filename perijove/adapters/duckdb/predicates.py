"""Which rows a rule fails, as SQL: an expression that is true where the row does, else false."""

from __future__ import annotations

import re

from perijove.adapters.duckdb.expressions import (
    Columns,
    Known,
    RuleFaultError,
    condition,
    literal,
    text,
)
from perijove.contracts.quality import Rule
from perijove.data.expression import columns as names_of
from perijove.data.expression import parse
from perijove.data.filters import FLOATS, INTEGERS

SPACES = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(160) || chr(65279)"
"""What ``trim`` takes away at both ends."""
TYPES = frozenset(
    [*INTEGERS, *FLOATS, "VARCHAR", "BOOLEAN", "DATE", "TIME", "TIMESTAMP",
     "TIMESTAMP WITH TIME ZONE"]
)  # fmt: skip
"""Types that a rule may ask for, beside ``DECIMAL(p,s)``."""
_ALIASES = {
    "TEXT": "VARCHAR", "STRING": "VARCHAR", "INT": "INTEGER", "INT64": "BIGINT", "LONG": "BIGINT",
    "INT32": "INTEGER", "INT16": "SMALLINT", "INT8": "TINYINT", "FLOAT64": "DOUBLE",
    "FLOAT32": "FLOAT", "REAL": "FLOAT", "BOOL": "BOOLEAN", "DATETIME": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")


def wanted_type(name: str) -> str:
    """Return DuckDB's name of the type that a rule asks for.

    Raises
    ------
    RuleFaultError
        When there is no such type.
    """
    upper = " ".join(name.upper().split())
    upper = _ALIASES.get(upper, upper)
    decimal = _DECIMAL.fullmatch(upper)
    if decimal and 1 <= int(decimal[1]) <= 38 and int(decimal[2]) <= int(decimal[1]):
        return f"DECIMAL({int(decimal[1])},{int(decimal[2])})"
    if upper not in TYPES:
        raise RuleFaultError(f"{name!r} is no type: use {', '.join(sorted(TYPES))} or DECIMAL(p,s)")
    return upper


def rule_columns(rule: Rule) -> list[str]:
    """Return the columns that a rule looks at."""
    if rule.check == "expression":
        return names_of(parse(rule.expression))
    return rule.columns


def known(columns: Columns, name: str) -> Known:
    """Return a column, or the fault that it is not there."""
    found = columns.get(name)
    if found is None:
        raise RuleFaultError(f"there is no column {name!r}")
    return found


def fails(rule: Rule, columns: Columns) -> str:
    """Write when a row fails a rule that needs nothing but the row.

    Raises
    ------
    RuleFaultError
        When the rule cannot be evaluated on these columns.
    """
    if rule.check == "expression":
        return f"coalesce(NOT {condition(parse(rule.expression), columns)}, false)"
    return "(" + " OR ".join(_column_fails(rule, name, columns) for name in rule.columns) + ")"


def _column_fails(rule: Rule, name: str, columns: Columns) -> str:
    column = known(columns, name)
    value = column.value
    match rule.check:
        case "not_null":
            return f"({value} IS NULL)"
        case "range":
            tests = []
            if rule.minimum is not None:
                tests.append(f"{value} < {literal(name, column.type, rule.minimum)}")
            if rule.maximum is not None:
                tests.append(f"{value} > {literal(name, column.type, rule.maximum)}")
            return f"coalesce({' OR '.join(tests)}, false)"
        case "set":
            listed = ", ".join(literal(name, column.type, value) for value in rule.values)
            return f"coalesce({value} NOT IN ({listed}), false)"
        case "regex":
            if column.kind != "text":
                raise RuleFaultError(f"a pattern is for text, and {name!r} holds {column.type}")
            return f"coalesce(NOT regexp_full_match({value}, {text(rule.pattern)}), false)"
        case "type":
            return unreadable(column, wanted_type(rule.type))
    raise AssertionError(rule.check)


def unreadable(column: Known, wanted: str) -> str:
    """Write when a value cannot be turned into a type without a loss."""
    value = column.value
    if column.type == wanted:
        return "false"
    turned = f"TRY_CAST({value} AS {wanted})"
    lost = f"{turned} IS NULL"
    if column.kind != "text":
        # Back again, it must be what it was.
        lost = f"({lost} OR TRY_CAST({turned} AS {column.type}) IS DISTINCT FROM {value})"
    elif wanted in INTEGERS or wanted.startswith("DECIMAL"):
        # A text such as 1.5 would be rounded.
        lost = f"({lost} OR TRY_CAST({value} AS DECIMAL(38, 15)) IS DISTINCT FROM {turned})"
    elif wanted == "DATE":
        lost = f"({lost} OR TRY_CAST({value} AS TIMESTAMP) IS DISTINCT FROM {turned})"
    return f"({value} IS NOT NULL AND {lost})"


def mended(rule: Rule, name: str, column: Known) -> str:
    """Write what a fix of values makes of a value that fails."""
    match rule.fix:
        case "trim":
            if column.kind != "text":
                raise RuleFaultError(f"trim is for text, and {name!r} holds {column.type}")
            return f"trim({column.sql}, {SPACES})"
        case "fill":
            assert rule.fill is not None  # rules.fault_of refuses one without
            return literal(name, column.type, rule.fill)
        case "clip":
            clipped = column.sql
            if rule.minimum is not None:
                clipped = f"greatest({clipped}, {literal(name, column.type, rule.minimum)})"
            if rule.maximum is not None:
                clipped = f"least({clipped}, {literal(name, column.type, rule.maximum)})"
            return clipped
    raise AssertionError(rule.fix)
