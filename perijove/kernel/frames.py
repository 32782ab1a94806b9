"""Frames of the library that the kernel has, from Arrow and back."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from perijove.core.errors import InvalidInputError, UnsupportedError

if TYPE_CHECKING:
    from pandas import DataFrame

Library = Literal["pandas", "polars", "arrow"]


def as_frame(table: Any, library: Library | None) -> Any:
    """Turn an Arrow table into a frame; pandas where nothing is asked for and it is there."""
    if library is None:
        library = "pandas" if "pandas" in sys.modules or find_spec("pandas") else "arrow"
    if library == "arrow":
        return table
    if library == "pandas":
        return table.to_pandas()
    if library == "polars":
        if find_spec("polars") is None:
            raise UnsupportedError("Polars is not installed.", "Run `pip install polars`.")
        return import_module("polars").from_arrow(table)
    raise InvalidInputError(
        f"as_={library!r} is no frame library.", "Use 'pandas', 'polars' or 'arrow'."
    )


def to_pandas(rows: Any, names: Sequence[str] | None = None) -> DataFrame:
    """Take rows in any shape that people have them in.

    Parameters
    ----------
    rows
        A frame of pandas, Polars or Arrow, a mapping of columns, one row as a mapping, a list of
        rows, or a two-dimensional array.
    names
        Names for an array's columns.
    """
    import pandas as pd

    if isinstance(rows, pd.DataFrame):
        frame = rows
    elif isinstance(rows, pd.Series):
        frame = rows.to_frame().T.infer_objects()
    elif hasattr(rows, "to_pandas"):
        frame = rows.to_pandas()
    elif isinstance(rows, Mapping):
        many = all(hasattr(v, "__len__") and not isinstance(v, str) for v in rows.values())
        frame = pd.DataFrame(dict(rows) if many else [dict(rows)])
    elif isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
        frame = pd.DataFrame(rows)
    else:
        frame = _of_array(rows, names)
    return frame.set_axis([str(name) for name in frame.columns], axis=1)


def _of_array(rows: Any, names: Sequence[str] | None) -> DataFrame:
    import numpy as np
    import pandas as pd

    array = np.asarray(rows)
    if array.ndim != 2:
        raise InvalidInputError(
            f"A {type(rows).__name__} is no table of rows.",
            "Give a frame, a list of rows, or an array with two dimensions.",
        )
    if names is None or len(names) != array.shape[1]:
        names = [f"x{i}" for i in range(array.shape[1])]
    return pd.DataFrame(array, columns=list(names))


def plain_rows(frame: DataFrame) -> list[dict[str, Any]]:
    """Write rows with Python's own types; what is missing is None."""
    columns = {str(name): plain_values(frame[name]) for name in frame.columns}
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def plain_values(values: Any) -> list[Any]:
    return [None if value is None or value != value else value for value in values.tolist()]
