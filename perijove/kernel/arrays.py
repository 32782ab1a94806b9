"""NumPy's arrays and PyTorch's tensors as tables: a row for each element of the first dimension.

Neither library is imported here: the values bring their own methods.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any, Final

MAX_TEXT: Final = 1_000
"""Characters of a value that is no Arrow type, written as text."""


def array_size(array: Any) -> tuple[int, int]:
    if array.dtype.names:
        return len(array), len(array.dtype.names)
    return len(array), 1 if array.ndim == 1 else array.shape[1]


def cut_array(array: Any, offset: int, limit: int, columns: list[int] | None) -> Any:
    import pyarrow as pa

    rows = array[offset : offset + limit]
    if rows.dtype.names:
        names = list(rows.dtype.names)
        arrays = [rows[name] for name in names]
    else:
        width = array_size(array)[1]
        rows = rows.reshape(len(rows), width)
        names = [f"x{index}" for index in range(width)]
        arrays = [rows[:, index] for index in range(width)]
    chosen = range(len(names)) if columns is None else columns
    return pa.Table.from_arrays(
        [_column(arrays[index]) for index in chosen], names=[names[index] for index in chosen]
    )


def _column(array: Any) -> Any:
    import pyarrow as pa

    if array.dtype == "float16":
        array = array.astype("float32")  # what grids and readers know
    try:
        return pa.array(array)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([str(value)[:MAX_TEXT] for value in array], pa.string())


def shows_tensor(value: Any) -> bool:
    """Whether a tensor has values, in rows of one length that can be had one by one."""
    return (
        not value.is_nested
        and value.device.type != "meta"
        and str(value.layout) in {"torch.strided", "torch.sparse_coo"}
    )


def tensor_size(value: Any) -> tuple[int, int]:
    """Return rows and columns; dimensions behind the first lie side by side."""
    return (value.shape[0], math.prod(value.shape[1:])) if value.ndim else (1, 1)


def tensor_bytes(value: Any) -> int | None:
    return None if value.is_sparse else int(value.element_size() * value.nelement())


def cut_tensor(value: Any, offset: int, limit: int, columns: list[int] | None) -> Any:
    end = min(offset + limit, tensor_size(value)[0])
    return _chosen_rows(value, range(min(offset, end), end), columns)


def _chosen_rows(value: Any, rows: Sequence[int], columns: list[int] | None) -> Any:
    """Bring some rows to the CPU, in a type that NumPy has; never the whole tensor."""
    width = tensor_size(value)[1]
    page = value.detach()
    page = page if page.ndim else page.reshape(1)
    if isinstance(rows, range) and not page.is_sparse:
        page = page[rows.start : rows.stop]
    else:
        # Where there is a tensor, its library is loaded.
        index = sys.modules["torch"].as_tensor(list(rows), dtype=sys.modules["torch"].int64)
        page = page.index_select(0, index.to(page.device))
    if page.is_sparse:
        page = page.to_dense()
    if page.is_quantized:
        page = page.dequantize()
    page = page.cpu().resolve_conj().resolve_neg()
    if page.is_floating_point() and page.element_size() < 4:
        page = page.float()  # NumPy knows neither bfloat16 nor floats of 8 bits
    return cut_array(page.numpy().reshape(len(rows), width), 0, len(rows), columns)


def shows_dataset(dataset: Any) -> bool:
    """Whether a dataset is tensors side by side, or a choice of such a one's rows."""
    tensors = getattr(_whole(dataset), "tensors", None)
    return isinstance(tensors, tuple) and all(map(shows_tensor, tensors))


def dataset_size(dataset: Any) -> tuple[int, int]:
    return len(dataset), sum(tensor_size(tensor)[1] for tensor in _whole(dataset).tensors)


def dataset_bytes(dataset: Any) -> int | None:
    """Return what the tensors have; a choice of rows has none of its own."""
    if hasattr(dataset, "indices"):
        return None
    return sum(tensor_bytes(tensor) or 0 for tensor in dataset.tensors)


def cut_dataset(dataset: Any, offset: int, limit: int, columns: list[int] | None) -> Any:
    import pyarrow as pa

    end = min(offset + limit, len(dataset))
    rows: Sequence[int] = range(min(offset, end), end)
    while hasattr(dataset, "indices"):
        rows = [int(dataset.indices[row]) for row in rows]
        dataset = dataset.dataset
    parts = [_chosen_rows(tensor, rows, None) for tensor in dataset.tensors]
    names = [
        f"tensor{number}" if part.num_columns == 1 else f"tensor{number}.{name}"
        for number, part in enumerate(parts)
        for name in part.column_names
    ]
    table = pa.Table.from_arrays([c for part in parts for c in part.columns], names=names)
    return table.select(columns) if columns is not None else table


def _whole(dataset: Any) -> Any:
    while hasattr(dataset, "indices"):
        dataset = dataset.dataset
    return dataset
