"""Filters as people write them: is each value one that its column can hold?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from perijove.contracts.data import Column
from perijove.contracts.table import (
    AllOf,
    AnyOf,
    Compare,
    Filter,
    Missing,
    Not,
    OneOf,
    ViewSpec,
)
from perijove.core.errors import InvalidInputError

DEEPEST = 50
INTEGERS = {
    name: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if name[0] != "U" else (0, 2**bits - 1)
    for bits, names in {
        8: ("TINYINT", "UTINYINT"),
        16: ("SMALLINT", "USMALLINT"),
        32: ("INTEGER", "UINTEGER"),
        64: ("BIGINT", "UBIGINT"),
        128: ("HUGEINT", "UHUGEINT"),
    }.items()
    for name in names
}
FLOATS = {"FLOAT", "DOUBLE"}
TEXT_OPS = {"contains", "starts_with", "ends_with", "matches"}
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def is_text(kind: str) -> bool:
    return kind in {"VARCHAR", "JSON", "UUID"} or kind.startswith("ENUM")


def is_zoned(kind: str) -> bool:
    return kind in {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIMESTAMP_NS WITH TIME ZONE"}


def check_view(spec: ViewSpec, columns: Sequence[Column]) -> None:
    """Refuse a view that asks for what these columns cannot have.

    Raises
    ------
    InvalidInputError
        Naming the column, its type and the value.
    """
    known = {column.name: column for column in columns}
    named = [*spec.columns, *(key.column for key in spec.sort)]
    if spec.filter is not None:
        for leaf in leaves(spec.filter):
            named.append(leaf.column)
            if leaf.column in known:
                _check_leaf(leaf, known[leaf.column])
    unknown = [name for name in named if name not in known]
    if unknown:
        raise InvalidInputError(
            f"There is no column {unknown[0]!r}.",
            f"The columns are {_some(list(known))}.",
            code="unknown_column",
        )
    twice = _repeated([key.column for key in spec.sort]) or _repeated(spec.columns)
    if twice:
        raise InvalidInputError(f"Column {twice!r} is named twice.", "Name each column once.")


def leaves(tree: Filter, depth: int = 0) -> Iterator[Compare | OneOf | Missing]:
    """Yield the conditions on single columns."""
    if depth > DEEPEST:
        raise InvalidInputError(
            f"The filter is more than {DEEPEST} levels deep.", "Make it of fewer groups."
        )
    match tree:
        case Not(of=inner):
            yield from leaves(inner, depth + 1)
        case AllOf(of=many) | AnyOf(of=many):
            for inner in many:
                yield from leaves(inner, depth + 1)
        case _:
            yield tree


def read_value(column: Column, text: str) -> Any:
    """Read a value as the column's type.

    Returns
    -------
    int, float, Decimal, bool, date, time, datetime or str
        Times without a zone are UTC where the column has zones.

    Raises
    ------
    InvalidInputError
        When the column cannot hold it.
    """
    kind = column.type
    try:
        if kind in INTEGERS:
            return _integer(kind, text)
        if kind in FLOATS:
            return _float(text)
        if kind.startswith("DECIMAL"):
            return _decimal(text)
        if kind == "BOOLEAN":
            return _TRUTHS[text.strip().lower()]
        if kind == "DATE":
            return date.fromisoformat(text.strip())
        if kind == "TIME":
            return time.fromisoformat(text.strip())
        if kind.startswith("TIMESTAMP"):
            return _moment(kind, text)
        if kind == "BLOB":
            return bytes.fromhex(text.strip().removeprefix("0x"))
    except (ValueError, KeyError, InvalidOperation) as error:
        reason = str(error) if isinstance(error, _RangeError) else "which that is not"
        raise InvalidInputError(
            f"{text!r} cannot be compared with column {column.name!r}: it holds {kind}, {reason}.",
            _example(kind),
            code="filter_value",
        ) from error
    if is_text(kind):
        return text
    raise InvalidInputError(
        f"Column {column.name!r} holds {kind}, which cannot be compared with a value.",
        "Filter it by whether it is missing, or by another column.",
        code="filter_value",
    )


class _RangeError(ValueError):
    """The value is of the type, and too big for it."""


def _integer(kind: str, text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text.strip()) or len(text) > 60:
        raise ValueError(text)
    value = int(text)
    low, high = INTEGERS[kind]
    if not low <= value <= high:
        raise _RangeError(f"from {low} to {high}")
    return value


def _float(text: str) -> float:
    value = float(text.strip().replace("∞", "inf"))
    if math.isnan(value):
        raise _RangeError("and a NaN counts as missing there")
    return value


def _decimal(text: str) -> Decimal:
    value = Decimal(text.strip())
    if not value.is_finite() or len(value.as_tuple().digits) > 38:
        raise ValueError(text)
    return value


def _moment(kind: str, text: str) -> datetime:
    value = datetime.fromisoformat(text.strip())
    if is_zoned(kind):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    if value.tzinfo is not None:
        raise _RangeError("without a time zone")
    return value


def _check_leaf(leaf: Compare | OneOf | Missing, column: Column) -> None:
    if isinstance(leaf, OneOf):
        for value in leaf.values:
            read_value(column, value)
    elif isinstance(leaf, Compare):
        if leaf.op not in TEXT_OPS:
            read_value(column, leaf.value)
        elif not is_text(column.type):
            raise InvalidInputError(
                f"{leaf.op.replace('_', ' ')!r} is for text, and column {column.name!r} holds "
                f"{column.type}.",
                "Compare it by =, <, > or their kin.",
                code="filter_value",
            )


def _example(kind: str) -> str:
    if kind in INTEGERS:
        return "Write a whole number, such as 42."
    if kind in FLOATS or kind.startswith("DECIMAL"):
        return "Write a number, such as 4.2."
    examples = {
        "BOOLEAN": "true or false", "DATE": "2026-05-31", "TIME": "14:30:00", "BLOB": "0x00ff"
    }  # fmt: skip
    return f"Write {examples.get(kind, '2026-05-31 14:30:00')}."


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 12:,} more" if len(names) > 12 else ""
    return ", ".join(names[:12]) + more


def _repeated(names: Sequence[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
