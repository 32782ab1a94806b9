"""Leaks are looked for on the rows that a model may learn from."""

from __future__ import annotations

import unittest.mock
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.adapters.duckdb.worker import leaks
from perijove.adapters.duckdb.worker.leaks import _Order, key_at
from perijove.adapters.duckdb.worker.parquet import open_table
from perijove.contracts.base import to_float
from perijove.contracts.data import SplitFacts
from perijove.core.chain import facts_of
from perijove.data.service import DataService


@pytest.mark.parametrize("dtype", ["timestamp[us]", "int32", "double", "date32[day]"])
def test_leaks_are_tried_on_rows_that_models_learn_from(
    data: DataService, folder: Path, dtype: str
) -> None:
    """What tells the answer only in the rows to be measured on says nothing of a model."""
    rng = np.random.default_rng(1)
    rows = 6000
    order = rng.permutation(rows)
    answer = rng.integers(0, 2, rows)
    late = order >= 4200  # the last 30 % by time
    at = pa.array(order).cast(pa.int32() if "date" in dtype or "int" in dtype else pa.int64())
    table = pa.table(
        {
            "at": at.cast(dtype) if dtype != "double" else pa.array(order - 3000.5),
            "hint": np.where(late, answer, rng.random(rows)),
            "answer": answer,
        }
    )
    pq.write_table(table, folder / "rows.parquet", row_group_size=1000)
    node = data.project.chain.get(data.registry.register("rows.parquet", by="ada").ref)
    whole = data.profiles.leaks("rows", "answer")
    assert (whole.part, whole.rows) == ("", rows)
    data.splits.ensure(node, {"train": 0.7, "test": 0.3}, "at", method="time")
    report = data.profiles.leaks("rows", "answer")
    assert (report.part, report.rows) == ("train", 4200)
    hints = [to_float(one.columns[0].score) for one in (whole, report)]
    assert hints[0] > 0.6 > hints[1]


@pytest.mark.parametrize(
    ("method", "column", "exact"),
    [("time", "at", False), ("time", "gaps", False), ("group", "who", True), ("hash", "", True)],
)
def test_rows_of_a_part_are_those_of_the_split(
    data: DataService, folder: Path, method: Any, column: str, exact: bool
) -> None:
    rng = np.random.default_rng(2)
    rows = 5000
    table = pa.table(
        {
            "row": np.arange(rows),
            "at": pa.array(rng.integers(0, 40, rows)).cast(pa.timestamp("s")),
            "gaps": pa.array([None if v < 0.2 else v for v in rng.random(rows)]),
            "who": np.char.add("w", rng.integers(0, 200, rows).astype(str)),
        }
    )
    for part, name in ((table.slice(0, 2000), "1"), (table.slice(2000), "2")):
        (folder / "raw").mkdir(exist_ok=True)
        pq.write_table(part, folder / "raw" / f"{name}.parquet", row_group_size=700)
    node = data.project.chain.get(data.registry.register("raw", by="ada").ref)
    parts = {"train": 0.5, "validation": 0.2, "test": 0.3}
    split = facts_of(data.splits.ensure(node, parts, column, method=method), SplitFacts)
    tables = [open_table(str(file)) for file in data.registry.table(node).files]
    for part in split.parts:
        order = _Order.of(tables, table.column_names, {"method": method, "column": column})
        assert order is not None
        inside = order.within(part.start, part.rows, np.arange(rows))
        found = set(np.flatnonzero(inside).tolist())
        wanted = set(data.splits.read(node, part.name, ["row"])["row"].to_pylist())
        assert found <= wanted
        assert found == wanted if exact else len(found) > len(wanted) * 0.8


def test_a_time_in_words_leaves_all_rows(data: DataService, folder: Path) -> None:
    pq.write_table(
        pa.table({"at": ["b", "a", "c"] * 100, "x": range(300), "y": [0, 1, 1] * 100}),
        folder / "rows.parquet",
    )
    node = data.project.chain.get(data.registry.register("rows.parquet", by="ada").ref)
    data.splits.ensure(node, {"train": 0.7, "test": 0.3}, "at", method="time")
    report = data.profiles.leaks("rows", "y")
    assert (report.part, report.rows, report.columns[0].column) == ("", 300, "at")


@settings(deadline=None)
@given(
    keys=st.lists(st.integers(0, 2**64 - 1) | st.integers(2**63, 2**63 + 99), min_size=1),
    draw=st.data(),
)
def test_a_key_is_found_by_its_rank(keys: list[int], draw: st.DataObject) -> None:
    rank = draw.draw(st.integers(0, len(keys) - 1))
    blocks = [np.array(keys[at : at + 7], np.uint64) for at in range(0, len(keys), 7)]
    with unittest.mock.patch.object(leaks, "FEW", draw.draw(st.sampled_from([0, 3, 2**20]))):
        assert int(key_at(lambda: iter(blocks), rank)) == sorted(keys)[rank]
