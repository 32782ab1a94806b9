"""A view as code: what the grid shows, made again in a notebook.

Pandas works on Arrow's types, as the grid does: integers stay whole, and missing is one thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from perijove.contracts.data import Column
from perijove.contracts.table import AllOf, AnyOf, Compare, Filter, Missing, Not, OneOf, ViewSpec
from perijove.data.filters import FLOATS, is_text, read_value

ENDINGS = {"starts_with": "startswith", "ends_with": "endswith"}


def view_code(
    name: str, version: int, columns: Sequence[Column], spec: ViewSpec, library: str
) -> str:
    """Write a program that makes the view.

    Parameters
    ----------
    columns
        Of the version; the view was checked against them.
    library
        ``pandas``, ``polars`` or ``sql``.
    """
    writers: dict[str, type[_Pandas] | type[_Polars] | type[_Sql]] = {
        "pandas": _Pandas, "polars": _Polars, "sql": _Sql
    }  # fmt: skip
    variable = re.sub(r"\W", "_", name, flags=re.ASCII)
    variable = f"data_{variable}" if variable[0].isdigit() else variable
    if variable in {"view", "pj", "pd", "pl", "duckdb", "datetime", "Decimal"}:
        variable += "_data"
    return writers[library](variable, columns).program(f"{name}@{version}", spec)


class _Writer:
    def __init__(self, variable: str, columns: Sequence[Column]) -> None:
        self.variable = variable
        self.columns = {column.name: column for column in columns}

    def kind(self, name: str) -> str:
        return self.columns[name].type

    def value(self, name: str, text: str) -> str:
        """Write a value as Python."""
        value = read_value(self.columns[name], text)
        if isinstance(value, float) and value - value != 0:
            return f'float("{value}")'
        return repr(value)

    def imports(self, code: str, *needed: str) -> str:
        lines = list(needed)
        if "datetime." in code:
            lines.insert(0, "import datetime")
        if "Decimal(" in code:
            lines.insert(0, "from decimal import Decimal")
        return "\n".join([*lines, "import perijove as pj"])


class _Pandas(_Writer):
    def program(self, dataset: str, spec: ViewSpec) -> str:
        frame = self.variable
        lines = [f"view = {frame}"]
        if spec.filter is not None:
            lines = [f"view = {frame}[{self.test(spec.filter)}]"]
        if spec.sort:
            by = repr([key.column for key in spec.sort])
            ascending = repr([not key.descending for key in spec.sort])
            floats = any(self.kind(key.column) in FLOATS for key in spec.sort)
            # NaN and null are one: both come last, in the table's order.
            nan = ", key=lambda column: column.where(column == column)" if floats else ""
            lines.append(
                f'view = view.sort_values({by}, ascending={ascending}, kind="stable"{nan})'
            )
        if spec.columns:
            lines.append(f"view = view[{spec.columns!r}]")
        body = "\n".join([*lines, "view"])
        return (
            f"{self.imports(body, 'import pandas as pd')}\n\n"
            f'{frame} = pj.dataset({dataset!r}).read(as_="arrow")'
            f".to_pandas(types_mapper=pd.ArrowDtype)\n{body}"
        )

    def test(self, tree: Filter) -> str:
        match tree:
            case Not(of=inner):
                return f"~{self.test(inner)}"
            case AllOf(of=many) | AnyOf(of=many) if not many:
                constant = isinstance(tree, AllOf)
                return f"pd.Series({constant}, index={self.variable}.index)"
            case AllOf(of=many):
                return "(" + " & ".join(self.test(inner) for inner in many) + ")"
            case AnyOf(of=many):
                return "(" + " | ".join(self.test(inner) for inner in many) + ")"
        kind = self.kind(tree.column)
        column = f"{self.variable}[{tree.column!r}]"
        is_nan = f"({column} != {column}).fillna(True)"
        if isinstance(tree, Missing):
            return is_nan if kind in FLOATS else f"{column}.isna()"
        if kind != "VARCHAR" and is_text(kind):
            column = f'{column}.astype("string[pyarrow]")'
        test = f"{self.condition(column, tree)}.fillna(False)"
        return f"({test} & ~{is_nan})" if kind in FLOATS else test

    def condition(self, column: str, tree: Compare | OneOf) -> str:
        if isinstance(tree, OneOf):
            return f"{column}.isin([{', '.join(self.value(tree.column, v) for v in tree.values)}])"
        if tree.op == "contains":
            return f"{column}.str.contains({tree.value!r}, regex=False)"
        if tree.op == "matches":
            return f"{column}.str.contains({tree.value!r}, regex=True)"
        if tree.op in ENDINGS:
            return f"{column}.str.{ENDINGS[tree.op]}({tree.value!r})"
        op = "==" if tree.op == "=" else tree.op
        return f"({column} {op} {self.value(tree.column, tree.value)})"


class _Polars(_Writer):
    def program(self, dataset: str, spec: ViewSpec) -> str:
        lines = [f"view = {self.variable}"]
        if spec.filter is not None:
            lines.append(f"view = view.filter({self.test(spec.filter)})")
        if spec.sort:
            keys = ", ".join(self.column(key.column) for key in spec.sort)
            descending = repr([key.descending for key in spec.sort])
            lines.append(
                f"view = view.sort([{keys}], descending={descending}, nulls_last=True, "
                "maintain_order=True)"
            )
        if spec.columns:
            lines.append(f"view = view[{spec.columns!r}]")
        body = "\n".join([*lines, "view"])
        return (
            f"{self.imports(body, 'import polars as pl')}\n\n"
            f'{self.variable} = pj.dataset({dataset!r}).read(as_="polars")\n{body}'
        )

    def column(self, name: str) -> str:
        column = f"pl.col({_literal(name)!r})"
        return f"{column}.fill_nan(None)" if self.kind(name) in FLOATS else column

    def test(self, tree: Filter) -> str:
        match tree:
            case Not(of=inner):
                return f"~{self.test(inner)}"
            case AllOf(of=many) | AnyOf(of=many) if not many:
                return f"pl.lit({isinstance(tree, AllOf)})"
            case AllOf(of=many):
                return "(" + " & ".join(self.test(inner) for inner in many) + ")"
            case AnyOf(of=many):
                return "(" + " | ".join(self.test(inner) for inner in many) + ")"
        column, kind = self.column(tree.column), self.kind(tree.column)
        if isinstance(tree, Missing):
            return f"{column}.is_null()"
        if kind != "VARCHAR" and is_text(kind):
            column = f"{column}.cast(pl.String)"
        return f"{self.condition(column, tree)}.fill_null(False)"

    def condition(self, column: str, tree: Compare | OneOf) -> str:
        if isinstance(tree, OneOf):
            values = [f"({column} == {self.value(tree.column, v)})" for v in tree.values]
            return f"({' | '.join(values) or 'pl.lit(False)'})"
        if tree.op == "contains":
            return f"{column}.str.contains({tree.value!r}, literal=True)"
        if tree.op == "matches":
            return f"{column}.str.contains({tree.value!r})"
        if tree.op in ENDINGS:
            return f"{column}.str.{tree.op}({tree.value!r})"
        op = "==" if tree.op == "=" else tree.op
        return f"({column} {op} {self.value(tree.column, tree.value)})"


class _Sql(_Writer):
    """DuckDB's SQL, run in the notebook."""

    def program(self, dataset: str, spec: ViewSpec) -> str:
        names = spec.columns or list(self.columns)
        number = "row number"
        while number in self.columns:
            number += "_"
        row = _quoted(number)
        lines = [
            f"SELECT {', '.join(_quoted(name) for name in names)}",
            f"FROM (SELECT *, row_number() OVER () AS {row} FROM {self.variable})",
        ]
        if spec.filter is not None:
            lines.append(f"WHERE {self.test(spec.filter)}")
        keys = [
            f"{self.key(key.column)} {'DESC' if key.descending else 'ASC'} NULLS LAST"
            for key in spec.sort
        ]
        lines.append(f"ORDER BY {', '.join([*keys, row])}")
        sql = "\n".join(lines)
        # A plain block where the text allows it, for eyes.
        plain = "\\" not in sql and '"""' not in sql
        text = f'"""\n{sql}\n"""' if plain else repr(sql)
        return (
            "import duckdb\nimport perijove as pj\n\n"
            f'{self.variable} = pj.dataset({dataset!r}).read(as_="arrow")\n'
            f"view = duckdb.sql({text}).to_arrow_table()\nview"
        )

    def key(self, name: str) -> str:
        column = _quoted(name)
        if self.kind(name) in FLOATS:
            return f"CASE WHEN isnan({column}) THEN NULL ELSE {column} END"
        return column

    def test(self, tree: Filter) -> str:
        match tree:
            case Not(of=inner):
                return f"(NOT {self.test(inner)})"
            case AllOf(of=many):
                return f"({' AND '.join(self.test(inner) for inner in many) or 'true'})"
            case AnyOf(of=many):
                return f"({' OR '.join(self.test(inner) for inner in many) or 'false'})"
        column, kind = _quoted(tree.column), self.kind(tree.column)
        missing = f"({column} IS NULL" + (f" OR isnan({column}))" if kind in FLOATS else ")")
        if isinstance(tree, Missing):
            return missing
        if kind != "VARCHAR" and is_text(kind):
            column = f"CAST({column} AS VARCHAR)"
        test = self.condition(column, tree)
        return f"({test} AND NOT {missing})"

    def condition(self, column: str, tree: Compare | OneOf) -> str:
        if isinstance(tree, OneOf):
            listed = ", ".join(self.literal(tree.column, value) for value in tree.values)
            return f"{column} IN ({listed})" if listed else "false"
        functions = {
            "contains": "contains", "starts_with": "starts_with", "ends_with": "suffix",
            "matches": "regexp_matches",
        }  # fmt: skip
        if tree.op in functions:
            return f"{functions[tree.op]}({column}, {_text(tree.value)})"
        return f"{column} {tree.op} {self.literal(tree.column, tree.value)}"

    def literal(self, name: str, text: str) -> str:
        value: Any = read_value(self.columns[name], text)
        kind = self.kind(name)
        if isinstance(value, bytes):
            return f"unhex({_text(value.hex())})"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        if is_text(kind):
            return _text(value)
        if kind.startswith("DECIMAL"):
            return str(value)
        return f"CAST({_text(str(value))} AS {kind})"


def _literal(name: str) -> str:
    """Write a name so that Polars does not take it for a pattern of names."""
    if name == "*" or (name.startswith("^") and name.endswith("$")):
        return f"^{re.escape(name)}$"
    return name


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
