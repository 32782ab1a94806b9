"""PyTorch's tensors and datasets among a kernel's variables."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from perijove.contracts.variables import VariablesRequest
from perijove.kernel.variables import Variables

torch = pytest.importorskip("torch")
data = pytest.importorskip("torch.utils.data")


def rows(value: Any, offset: int = 0, limit: int = 100, columns: list[int] | None = None) -> Any:
    arrow = Variables({"x": value}).rows("x", offset, limit, columns)
    return pa.ipc.open_stream(io.BytesIO(arrow)).read_all().to_pylist()


def listed(value: Any) -> tuple[int, int, int | None]:
    (found,) = Variables({"x": value}).tables()
    return found.rows, found.columns, found.bytes


TABLE = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "int8", "uint8",
     "int16", "int32", "int64", "uint16", "uint32", "uint64"],
)  # fmt: skip
def test_every_type_of_number(dtype: str) -> None:
    tensor = torch.tensor(TABLE).to(getattr(torch, dtype))
    assert listed(tensor) == (3, 2, 6 * tensor.element_size())
    assert rows(tensor, 1, 1) == [{"x0": 2, "x1": 3}]
    assert rows(tensor, 2, 5, [1]) == [{"x1": 5}]
    assert rows(tensor, 3, 5) == []
    _, columns = Variables({"x": tensor}).describe("x")
    assert [column.name for column in columns] == ["x0", "x1"]


def test_numbers_that_are_none_and_large_ones() -> None:
    first, second = rows(torch.tensor([math.nan, -math.inf]))
    assert math.isnan(first["x0"])
    assert second == {"x0": -math.inf}
    assert rows(torch.tensor([2**63 - 1])) == [{"x0": 2**63 - 1}]
    assert rows(torch.tensor([2**63], dtype=torch.uint64)) == [{"x0": 2**63}]


def test_tensors_that_are_no_plain_memory() -> None:
    table = torch.tensor(TABLE)
    assert rows(table.clone().requires_grad_(), 1, 1) == [{"x0": 2, "x1": 3}]
    assert rows(torch.nn.Parameter(table.clone()), 1, 1) == [{"x0": 2, "x1": 3}]
    assert rows(table.T, 0, 1) == [{"x0": 0, "x1": 2, "x2": 4}]
    assert rows(table.to_sparse(), 1, 1) == [{"x0": 2, "x1": 3}]
    assert listed(table.to_sparse()) == (3, 2, None)
    assert rows(torch.complex(table, table).conj(), 1, 1) == [{"x0": "(2-2j)", "x1": "(3-3j)"}]
    assert rows(torch.complex(table, table).conj().imag, 1, 1) == [{"x0": -2, "x1": -3}]
    assert rows(table > 2, 1, 1) == [{"x0": False, "x1": True}]


@pytest.mark.parametrize(
    ("shape", "size"),
    [((), (1, 1)), ((0,), (0, 1)), ((0, 3), (0, 3)), ((4,), (4, 1)), ((2, 2, 3), (2, 6))],
)
def test_every_shape(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    tensor = torch.zeros(shape)
    assert listed(tensor)[:2] == size
    assert len(rows(tensor)) == size[0]
    assert rows(tensor, size[0], 10) == []
    assert len(Variables({"x": tensor}).describe("x")[1]) == size[1]


def test_a_page_costs_a_page() -> None:
    """A view of a terabyte: what would copy it would not come back."""
    huge = torch.zeros(1).expand(2**36, 4)
    assert listed(huge)[:2] == (2**36, 4)
    assert len(rows(huge, 2**35, 512)) == 512
    assert len(rows(data.TensorDataset(huge), 2**35, 512)) == 512


def test_what_has_no_rows_hides_no_other() -> None:
    class Odd(torch.Tensor):  # type: ignore[misc, name-defined, unused-ignore]
        @property
        def is_nested(self) -> bool:
            raise RuntimeError("odd")

    namespace = {
        "csr": torch.tensor(TABLE).to_sparse_csr(),
        "meta": torch.zeros(2, 2, device="meta"),
        "odd": torch.zeros(2).as_subclass(Odd),
        "nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        "images": data.ConcatDataset([data.TensorDataset(torch.zeros(1))]),
        "table": torch.zeros(2, 2),
        "type": torch.Tensor,
    }
    variables = Variables(namespace)
    assert [found.name for found in variables.tables()] == ["table"]
    reply, _ = variables.answer(VariablesRequest(id=1, do="rows", name="odd", limit=1))
    assert reply.error is not None
    assert reply.error.message == "odd cannot be shown: RuntimeError: odd."


def test_datasets_are_tensors_side_by_side() -> None:
    features, target = torch.tensor(TABLE), torch.tensor([0, 1, 1])
    whole = data.TensorDataset(features, target)
    assert listed(whole) == (3, 3, 6 * 4 + 3 * 8)
    assert rows(whole, 1, 1) == [{"tensor0.x0": 2, "tensor0.x1": 3, "tensor1": 1}]
    assert rows(whole, 2, 9, [2]) == [{"tensor1": 1}]
    chosen = data.Subset(whole, [2, 0])
    assert listed(chosen) == (2, 3, None)
    assert [row["tensor0.x0"] for row in rows(chosen)] == [4, 0]
    assert [row["tensor0.x0"] for row in rows(data.Subset(chosen, [1]))] == [0]
    assert rows(data.Subset(whole, np.array([1])), 0, 5, [2]) == [{"tensor1": 1}]
    parts = data.random_split(whole, [2, 1])
    assert sorted(r["tensor0.x0"] for part in parts for r in rows(part)) == [0, 2, 4]


def test_a_choice_from_somebodys_own_dataset_is_no_table() -> None:
    class Images(data.Dataset):  # type: ignore[misc, name-defined, unused-ignore]
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> int:
            raise AssertionError("nobody asked for it")

    namespace = {"images": Images(), "some": data.Subset(Images(), [0])}
    assert Variables(namespace).tables() == []
