"""Splits by time, by group and by hash: fixed once, the same on every machine."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.adapters.parts import group_counts, group_hashes, take_part
from perijove.contracts.chain import Node
from perijove.contracts.data import SplitFacts, SplitRequest
from perijove.core.chain import facts_of
from perijove.core.errors import ConflictError, InvalidInputError
from perijove.data.service import DataService

PARTS = {"train": 0.6, "validation": 0.2, "test": 0.2}


def _commit(data: DataService, **columns: Any) -> Node:
    return data.curation.commit("t", pa.table(columns), inputs=[], source="", by="ada")


def _read(data: DataService, node: Node, column: str) -> dict[str, list[Any]]:
    return {part: data.splits.read(node, part, [column])[column].to_pylist() for part in PARTS}


def test_a_group_stays_together_and_in_the_part_of_its_value(data: DataService) -> None:
    users = [f"user {number % 100}" for number in range(1000)]
    node = _commit(data, row=list(range(1000)), user=users)
    made = data.splits.ensure(node, PARTS, "user", method="group", by="ada")
    facts = facts_of(made, SplitFacts)
    assert (facts.method, facts.column) == ("group", "user")
    parts = _read(data, node, "user")
    assert [len(parts[part.name]) for part in facts.parts] == [part.rows for part in facts.parts]
    members = {part: set(values) for part, values in parts.items()}
    assert sum(len(found) for found in members.values()) == 100
    assert 45 <= len(members["train"]) <= 75
    rows = data.splits.read(node, "train")["row"].to_pylist()
    assert rows == sorted(rows)

    # In a later version with other rows each group is where it was.
    other = _commit(data, row=list(range(500)), user=users[::-1][:400] + ["new"] * 100)
    data.splits.ensure(other, PARTS, "user", method="group", by="ada")
    for part, values in _read(data, other, "user").items():
        assert set(values) - {"new"} <= members[part]


def test_a_split_is_asked_for_by_name_and_fixed(data: DataService) -> None:
    _commit(data, g=[1, 1, 2, 3, 4, 5, 6, 7, 8, 9], x=list(range(10)))
    asked = SplitRequest(version=1, method="hash", parts={"train": 0.5, "test": 0.5})
    dataset = data.splits.make("t", asked, by="ada")
    assert [(part.name, part.rows) for part in dataset.splits[0].parts] == [
        ("train", 5),
        ("test", 5),
    ]
    with pytest.raises(ConflictError, match="split otherwise"):
        data.splits.make("t", SplitRequest(version=1, method="group", column="g"), by="ada")
    for method, column, said in (("group", "", "needs a column"), ("time", "z", "no column 'z'")):
        with pytest.raises(InvalidInputError, match=said):
            data.splits.make(
                "t", SplitRequest(version=1, method=method, column=column), by="ada"
            )  # fmt: skip


def test_too_few_groups_are_refused(data: DataService) -> None:
    node = _commit(data, g=["a"] * 10)
    with pytest.raises(InvalidInputError, match="too few groups"):
        data.splits.ensure(node, PARTS, "g", method="group", by="ada")


@pytest.mark.parametrize(
    ("values", "hashes"),
    [
        (pa.array(["a", "ü", None]), [0x40F89E395B66422F, 0, 0x6A09E667F3BCC909]),
        (pa.array([0, -1, 1]), [0xE220A8397B1DCDAF, 0xE4D971771B652C20, 0x910A2DEC89025CC1]),
    ],
)
def test_hashes_of_groups_never_change(values: pa.Array, hashes: list[int]) -> None:
    found = group_hashes(pa.chunked_array([values])).tolist()
    assert [a for a, b in zip(found, hashes, strict=True) if b] == [b for b in hashes if b]


@pytest.mark.parametrize(
    "values",
    [
        [1.5, -0.0, 0.0, float("nan"), None, 1.5],
        [date(2026, 1, 1), None, date(2026, 1, 1), date(2025, 1, 1)],
        [datetime(2026, 1, 1), datetime(2026, 1, 1), None],
        [True, False, None, True],
        [b"a", b"b", b"a"],
        [Decimal("1.10"), Decimal("1.20"), Decimal("1.10")],
        ["", "a", None, "a"],
    ],
)
def test_equal_values_of_any_type_have_one_hash(values: list[Any]) -> None:
    column = pa.chunked_array([pa.array(values[:2]), pa.array(values[2:], pa.array(values).type)])
    hashes = group_hashes(column).tolist()
    for value, found in zip(values, hashes, strict=True):
        same = [h for v, h in zip(values, hashes, strict=True) if v == value]
        assert set(same) <= {found}
    assert len(set(hashes)) == len({str(0.0 if v == 0 and v is not False else v) for v in values})


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 60),
    cuts=st.lists(st.integers(1, 10), min_size=1, max_size=4),
    method=st.sampled_from(["time", "group", "hash"]),
    chance=st.randoms(),
)
def test_parts_are_all_rows_once(rows: int, cuts: list[int], method: Any, chance: Any) -> None:
    table = pa.table(
        {"row": list(range(rows)), "c": [chance.choice([*range(8), None]) for _ in range(rows)]}
    )
    shares = [cut / sum(cuts) for cut in cuts]
    counts = (
        group_counts(table["c"], shares)
        if method == "group"
        else [rows * (at + 1) // len(cuts) - rows * at // len(cuts) for at in range(len(cuts))]
    )
    assert sum(counts) == rows
    found: list[pa.Table] = []
    start = 0
    for count in counts:
        found.append(take_part(table, method, "c", start, count))
        start += count
    assert [part.num_rows for part in found] == counts
    together = [row for part in found for row in part["row"].to_pylist()]
    assert sorted(together) == list(range(rows))
    if method == "group":
        groups = [set(part["c"].to_pylist()) for part in found]
        assert sum(len(group) for group in groups) == len(set(table["c"].to_pylist()))
    if method == "time":
        values = [value for part in found for value in part["c"].to_pylist() if value is not None]
        assert values == sorted(values)
