"""Rows from outside, column by column: checked against the signature, or refused by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from perijove.contracts.deploy import Field, Signature, TensorType
from perijove.core.errors import ModelInputError

Columns = dict[str, list[Any]]
"""Column to its values, one a row."""

_NONE: Final = type(None)
_WORDS: Final = {"NaN", "Infinity", "-Infinity"}
"""What JSON cannot say as a number; accepted where a float is wanted."""

_RANGES: Final[dict[str, tuple[int, int]]] = {
    f"{prefix}{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    for prefix, signed in (("INT", True), ("UINT", False))
    for bits in (8, 16, 32, 64)
}
_SAID: Final[dict[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}
_WANTED: Final = {"BOOL": "true or false", "BYTES": "text", "FP32": "a number", "FP64": "a number"}


def check(signature: Signature | None, columns: Columns, rows: int) -> Columns:
    """Return the columns in the model's order, each value of its column's type.

    A float's missing value becomes NaN; a missing value of another type is refused where the
    column is required.

    Raises
    ------
    ModelInputError
        Naming the column, and the row where it is one row's fault.
    """
    if rows == 0:
        raise ModelInputError("There are no rows.", "Send at least one row.", code="no_rows")
    for name, values in columns.items():
        if len(values) != rows:
            raise ModelInputError(
                f"Column {name!r} has {len(values)} values, other columns have {rows}.",
                "Send one value a row in every column.",
            )
    if signature is None:
        return columns
    known = {field.name for field in signature.inputs}
    extra = [name for name in columns if name not in known]
    if extra:
        raise ModelInputError(
            f"The model has no column {extra[0]!r}.",
            f"Leave it out. The model takes: {', '.join(sorted(known)[:30])}.",
            code="unknown_column",
        )
    checked: Columns = {}
    for field in signature.inputs:
        if field.required and field.name not in columns:
            raise ModelInputError(
                f"Column {field.name!r} is missing.",
                f"Send {_wanted(field.type)} for it in every row.",
                code="missing_column",
            )
        checked[field.name] = _typed(field, columns.get(field.name, [None] * rows))
    return checked


def _typed(field: Field, values: list[Any]) -> list[Any]:
    types = set(map(type, values))
    if field.type in _RANGES:
        if types - {int}:
            values = [_whole(field, row, value) for row, value in enumerate(values)]
        low, high = _RANGES[field.type]
        numbers = [v for v in values if v is not None] if _NONE in types else values
        if numbers and (min(numbers) < low or max(numbers) > high):
            row = next(i for i, v in enumerate(values) if v is not None and not low <= v <= high)
            raise _refusal(field, row, values[row], f"{values[row]} does not fit {field.type}")
        return values
    if field.type in ("FP32", "FP64"):
        if types <= {float}:
            return values
        return [_float(field, row, value) for row, value in enumerate(values)]
    wanted = bool if field.type == "BOOL" else str
    if types <= {wanted}:
        return values
    for row, value in enumerate(values):
        if type(value) is not wanted and not (value is None and not field.required):
            raise _refusal(field, row, value)
    return values


def _whole(field: Field, row: int, value: Any) -> int | None:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    if value is None and not field.required:
        return None
    raise _refusal(field, row, value)


def _float(field: Field, row: int, value: Any) -> float:
    if value is None:
        return float("nan")
    if type(value) in (int, float) or (type(value) is str and value in _WORDS):
        try:
            return float(value)
        except OverflowError:
            raise _refusal(field, row, value, "the number is too large") from None
    raise _refusal(field, row, value)


def _wanted(kind: TensorType) -> str:
    return _WANTED.get(kind, "a whole number")


def _refusal(field: Field, row: int, value: Any, why: str = "") -> ModelInputError:
    if value is None:
        said = "nothing"
    elif type(value) in (str, int, float, bool):
        said = f"{_SAID[type(value)]}, {shortened(value)}"
    else:
        said = _SAID.get(type(value), "something else")
    detail = why or f"it wants {_wanted(field.type)} ({field.type}) and got {said}"
    return ModelInputError(
        f"Column {field.name!r}, row {row}: {detail}.",
        f"Send {_wanted(field.type)}.",
    )


def shortened(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def blame(
    predict: Callable[[Columns], object],
    columns: Columns,
    rows: int,
    sample: Columns | None,
    error: Exception,
    seconds: float,
) -> ModelInputError | None:
    """Find the row, and where one is at fault the column, that made the model raise.

    The row is found by halving. Then each of its values in turn is replaced by the sample's, which
    the model is known to take: the replacement that helps names the column.

    Parameters
    ----------
    seconds
        How long to look; what is known by then is told.

    Returns
    -------
    ModelInputError or None
        None when the model cannot take its own sample either: then it is not the row's fault.
    """
    end = time.monotonic() + seconds

    def raises(trial: Columns) -> Exception | None:
        try:
            predict(trial)
        except Exception as caught:  # noqa: BLE001  a model may raise anything
            return caught
        return None

    if sample is not None and time.monotonic() < end and raises(sample) is not None:
        return None
    low, high = 0, rows
    while high - low > 1 and time.monotonic() < end:
        middle = (low + high) // 2
        found = raises({name: values[low:middle] for name, values in columns.items()})
        if found is not None:
            high, error = middle, found
        else:
            low = middle
    if high - low > 1:
        return ModelInputError(f"Rows {low} to {high - 1}: the model raises. {_said(error)}")
    row = {name: values[low : low + 1] for name, values in columns.items()}
    if rows > 1:
        alone = raises(row)
        if alone is None:
            return ModelInputError(f"The model cannot take {rows} rows together. {_said(error)}")
        error = alone
    for name, values in row.items():
        if sample is None or name not in sample or time.monotonic() > end:
            continue
        if raises({**row, name: sample[name]}) is None:
            return ModelInputError(
                f"Column {name!r}, row {low}: the model cannot take {shortened(values[0])}. "
                f"{_said(error)}",
                f"A value that it takes: {shortened(sample[name][0])}.",
            )
    return ModelInputError(f"Row {low}: the model raises. {_said(error)}")


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text if len(text) <= 300 else f'{text[:299]}…'}"
