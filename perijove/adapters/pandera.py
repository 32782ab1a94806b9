"""Rules from pandera schemas, as ``to_yaml`` and ``to_json`` write them; pandera is not needed.

pandera refuses a frame that fails, so what it says becomes a rule that blocks, or a cast where the
schema coerces.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from perijove.contracts.quality import Rule, Suggestion, Suggestions
from perijove.core.errors import InvalidInputError
from perijove.data.rules import fault_of
from perijove.data.suggestions import rule_id

LONGEST = 2**20
_TYPES = {
    "str": "VARCHAR", "string": "VARCHAR", "utf8": "VARCHAR", "bool": "BOOLEAN",
    "boolean": "BOOLEAN", "date": "DATE", "float64": "DOUBLE", "float32": "FLOAT",
    "float": "DOUBLE", "int": "BIGINT", "int64": "BIGINT", "int32": "INTEGER",
    "int16": "SMALLINT", "int8": "TINYINT", "uint64": "UBIGINT", "uint32": "UINTEGER",
    "uint16": "USMALLINT", "uint8": "UTINYINT",
}  # fmt: skip
_COLUMN_FIELDS = frozenset(
    ["title", "description", "dtype", "nullable", "checks", "unique", "coerce", "required",
     "regex", "metadata", "default", "parsers", "name"]
)  # fmt: skip


def import_rules(text: str) -> Suggestions:
    """Read a schema.

    Raises
    ------
    InvalidInputError
        When the text is no pandera schema.
    """
    document = _document(text)
    columns = document.get("columns")
    if document.get("schema_type") != "dataframe" or not isinstance(columns, dict):
        raise InvalidInputError(
            "That is no pandera schema of a data frame.",
            "Paste what schema.to_yaml() or schema.to_json() returns.",
            code="pandera_schema",
        )
    found = _Import()
    coerce = bool(document.get("coerce"))
    for name, column in columns.items():
        if isinstance(column, dict):
            found.column(str(name), column, coerce)
    unique = document.get("unique")
    if unique:
        names = [unique] if isinstance(unique, str) else [str(name) for name in unique]
        found.add(f"The schema says that {', '.join(names)} are unique together.", check="unique",
                  columns=names)  # fmt: skip
    for field in ("checks", "index", "strict", "ordered", "add_missing_columns"):
        if document.get(field):
            found.left_out.append(f"{field} of the schema")
    return Suggestions(items=found.items, left_out=found.left_out)


def schema_text(schema: Any) -> str:
    """Return the text of a live ``DataFrameSchema``, or of a ``DataFrameModel``.

    Raises
    ------
    InvalidInputError
        For anything else.
    """
    schema = schema.to_schema() if hasattr(schema, "to_schema") else schema
    if not hasattr(schema, "to_yaml"):
        raise InvalidInputError(
            f"A {type(schema).__name__} is no pandera schema.", "Give a DataFrameSchema."
        )
    return str(schema.to_yaml())


def _document(text: str) -> dict[str, Any]:
    import yaml

    if len(text) > LONGEST:
        raise InvalidInputError("The schema is longer than a megabyte.", "Import it in parts.")
    try:
        document = yaml.safe_load(text)  # JSON is YAML
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or "it is too deep"
        raise InvalidInputError(
            f"The schema is neither YAML nor JSON: {reason}{where}.", code="pandera_schema"
        ) from error
    return document if isinstance(document, dict) else {}


class _Import:
    def __init__(self) -> None:
        self.items: list[Suggestion] = []
        self.left_out: list[str] = []
        self._ids: set[str] = set()

    def add(self, reason: str, **fields: Any) -> None:
        fields.setdefault("action", "block")
        rule = Rule(id="rule", **fields)
        rule = msgspec.structs.replace(rule, id=rule_id(rule, self._ids))
        fault = fault_of(rule)
        if fault is None:
            self.items.append(Suggestion(rule=rule, reason=reason))
        else:
            self.left_out.append(f"{rule.check} of {', '.join(rule.columns)}: {fault[1]}")

    def column(self, name: str, column: dict[str, Any], coerce: bool) -> None:
        if column.get("regex"):
            self.left_out.append(f"{name}: a pattern of columns")
            return
        dtype = column.get("dtype")
        kind = _type(str(dtype)) if dtype else ""
        if kind:
            cast = coerce or column.get("coerce")
            action = {"action": "fix", "fix": "cast"} if cast else {}
            self.add(f"The schema says {dtype}.", check="type", columns=[name], type=kind, **action)
        elif dtype and dtype != "object":
            self.left_out.append(f"{name}: the type {dtype}")
        if not column.get("nullable"):
            self.add("The schema says not nullable.", check="not_null", columns=[name])
        if column.get("unique"):
            self.add("The schema says unique.", check="unique", columns=[name])
        for check, value, options in _checks(column):
            self._check(name, check, value, options)

    def _check(self, name: str, check: str, value: Any, options: dict[str, Any]) -> None:
        make = _MADE.get(check)
        try:
            fields = make(_quoted(name), value) if make is not None else None
        except (KeyError, TypeError, ValueError):
            fields = None
        if fields is None:
            self.left_out.append(f"{name}: {check}")
            return
        if fields["check"] != "expression":
            fields["columns"] = [name]
        if options.get("raise_warning"):
            fields["action"] = "warn"
        self.add(f"The schema says {check.replace('_', ' ')}.", **fields)


def _checks(column: dict[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield name, value and options: checks stand in the column, in a mapping, or in a list."""
    listed = column.get("checks") or {}
    inline = {key: value for key, value in column.items() if key not in _COLUMN_FIELDS}
    pairs = [*inline.items(), *(listed.items() if isinstance(listed, dict) else ())]
    if isinstance(listed, list):
        for entry in listed:
            if isinstance(entry, dict):
                options = entry.get("options") or {}
                name = str(options.get("check_name", ""))
                rest = {key: value for key, value in entry.items() if key != "options"}
                pairs.append((name, {**rest, "options": options}))
    for name, value in pairs:
        options = {}
        if isinstance(value, dict) and "options" in value:
            options = value["options"] or {}
            value = {key: inner for key, inner in value.items() if key != "options"}
            value = value["value"] if set(value) == {"value"} else value
        yield str(name), value, options


def _type(dtype: str) -> str:
    word = dtype.strip().lower()
    if word.startswith("datetime"):
        zoned = "," in word and "none" not in word.partition(",")[2]
        return "TIMESTAMP WITH TIME ZONE" if zoned else "TIMESTAMP"
    return _TYPES.get(re.sub(r"\[.*\]$", "", word), "")


def _quoted(name: str) -> str:
    if "`" in name:
        raise ValueError(name)
    return f"`{name}`"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(value)
    if isinstance(value, dict | list) or value is None:
        raise ValueError(value)
    return str(value)


def _literal(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return _word(value)
    return repr(_word(value))


def _between(column: str, value: Any) -> dict[str, Any]:
    low, high = value["min_value"], value["max_value"]
    if value.get("include_min", True) and value.get("include_max", True):
        return {"check": "range", "minimum": _word(low), "maximum": _word(high)}
    first = "<=" if value.get("include_min", True) else "<"
    second = "<=" if value.get("include_max", True) else "<"
    return _expression(f"{_literal(low)} {first} {column} {second} {_literal(high)}")


def _length(column: str, value: Any) -> dict[str, Any]:
    if value.get("exact_value") is not None:
        return _expression(f"length({column}) == {int(value['exact_value'])}")
    low, high = value.get("min_value"), value.get("max_value")
    tests = [f"length({column}) >= {int(low)}"] if low is not None else []
    tests += [f"length({column}) <= {int(high)}"] if high is not None else []
    return _expression(" and ".join(tests))


def _expression(text: str) -> dict[str, Any]:
    return {"check": "expression", "expression": text}


def _comparison(sign: str) -> Callable[[str, Any], dict[str, Any]]:
    return lambda column, value: _expression(f"{column} {sign} {_literal(value)}")


def _listed(value: Any) -> list[Any]:
    return list(value["allowed_values"] if isinstance(value, dict) else value)


_MADE: dict[str, Callable[[str, Any], dict[str, Any]]] = {
    "greater_than_or_equal_to": lambda _, v: {"check": "range", "minimum": _word(v)},
    "less_than_or_equal_to": lambda _, v: {"check": "range", "maximum": _word(v)},
    "greater_than": _comparison(">"),
    "less_than": _comparison("<"),
    "not_equal_to": _comparison("!="),
    "equal_to": lambda _, v: {"check": "set", "values": [_word(v)]},
    "in_range": _between,
    "isin": lambda _, v: {"check": "set", "values": [_word(one) for one in _listed(v)]},
    "notin": lambda column, v: _expression(
        f"{column} not in ({', '.join(_literal(one) for one in v)},)"
    ),
    # pandera looks for the pattern at the start, ours is of the whole value.
    "str_matches": lambda _, v: {"check": "regex", "pattern": f"(?:{_word(v)})(?s:.*)"},
    "str_contains": lambda _, v: {"check": "regex", "pattern": f"(?s:.*)(?:{_word(v)})(?s:.*)"},
    "str_startswith": lambda column, v: _expression(f"starts_with({column}, {_word(v)!r})"),
    "str_endswith": lambda column, v: _expression(f"ends_with({column}, {_word(v)!r})"),
    "str_length": _length,
}  # fmt: skip
