"""Curation with rules: what may pass, what is put aside, what is blocked; and the history of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from perijove.contracts.base import to_float
from perijove.contracts.data import DataFacts, Distribution
from perijove.contracts.quality import QualityFacts
from perijove.core.chain import facts_of
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnsupportedError,
)
from perijove.data.service import DataService

RULES = """\
[[rule]]
id = "size-known"
check = "not_null"
columns = ["size"]
action = "quarantine"

[[rule]]
id = "size-sane"
check = "range"
columns = ["size"]
minimum = "0"
maximum = "1000"
action = "quarantine"

[[rule]]
id = "enough"
check = "row_count"
minimum = "2"
action = "block"
"""
ROWS = pa.table({"id": [1, 2, 3, 4, 5], "size": [10, None, 5000, 30, -1]})


@pytest.fixture
def raw(data: DataService, folder: Path) -> str:
    (folder / "raw.csv").write_text("id,size\n1,10\n2,\n3,5000\n")
    return data.registry.register("raw.csv", by="ada").ref


@pytest.fixture
def rules(folder: Path) -> Path:
    path = folder / "rules" / "clean.toml"
    path.parent.mkdir()
    path.write_text(RULES)
    return path


def _commit(data: DataService, table: pa.Table, inputs: list[str], name: str = "clean") -> Any:
    return data.curation.commit(name, table, inputs=inputs, source="def f(): 1", by="ada")


def test_rejected_rows_are_a_dataset_of_their_own(data: DataService, raw: str, rules: Path) -> None:
    node = _commit(data, ROWS, [raw])
    facts = facts_of(node, DataFacts)
    assert data.registry.read(node)["id"].to_pylist() == [1, 4]
    check = data.project.chain.get(facts.quality)
    found = facts_of(check, QualityFacts)
    assert (found.dataset, found.rows, found.kept, found.quarantined) == (node.ref, 5, 2, 3)
    assert [result.failed for result in found.results] == [1, 2, 0]
    aside = data.project.chain.get(found.quarantine)
    assert (aside.ref, facts_of(aside, DataFacts).kind) == ("data:clean.quarantine@1", "quarantine")
    rows = data.registry.read(aside).to_pylist()
    assert {row["id"] for row in rows} == {2, 3, 5}
    assert all("size" in str(row["_failed"]) for row in rows)
    assert data.registry.get("clean.quarantine").state == "current"
    (version,) = data.history.versions("clean").items
    assert version.quality is not None
    assert (version.quality.state, version.quality.failed, version.quality.quarantined) == (
        "warn", 2, 3,
    )  # fmt: skip
    assert version.obstacle == "Its program was not recorded."
    (aside_version,) = data.history.versions("clean.quarantine").items
    assert aside_version.obstacle == "It is made with clean."
    roles = {(edge.src, edge.dst): edge.role for edge in data.project.chain.lineage().edges}
    assert roles[node.ref, aside.ref] == "quarantined"
    assert roles[raw, node.ref] == "input"

    # The same rows and rules are the same version; other rules are not.
    assert _commit(data, ROWS, [raw]).ref == node.ref
    rules.write_text(RULES.replace("1000", "6000"))
    assert _commit(data, ROWS, [raw]).ref == "data:clean@2"


def test_a_block_names_the_rule_and_is_on_the_chain(
    data: DataService, raw: str, rules: Path
) -> None:
    with pytest.raises(ConflictError, match="keep it from being made: enough") as caught:
        _commit(data, ROWS.slice(0, 1), [raw])
    assert caught.value.code == "quality_blocked"
    assert data.project.chain.latest("data", "clean") is None
    check = data.project.chain.latest("quality", "clean")
    assert check is not None
    assert facts_of(check, QualityFacts).blocked
    assert check.ref in caught.value.hint
    assert not list(data.project.paths.lake.glob("clean/*.parquet"))


def test_a_name_must_leave_room_for_the_rejected_rows(data: DataService) -> None:
    for name in ("x" * 60, "a.quarantine", "../a"):
        with pytest.raises(InvalidInputError):
            _commit(data, ROWS, [], name)


# History


def _spread(distributions: list[Distribution], column: str) -> dict[str, tuple[int, int]]:
    (found,) = (d for d in distributions if d.column == column)
    return dict(zip(found.labels, zip(found.before, found.after, strict=True), strict=True))


def test_two_versions_are_compared(data: DataService) -> None:
    before = pa.table(
        {
            "n": [1, 2, 2, 3],
            "x": [0.0, 1.0, float("nan"), None],
            "word": ["a", "a", "b", None],
            "old": [1, 1, 1, 1],
        }
    )
    after = pa.table(
        {
            "word": ["a", "c", "c", "c", "c"],
            "n": [1, 2, 2, 9, None],
            "x": [0.0, 1.0, 2.0, 3.0, 4.0],
            "new": [[1], [], None, [2], [3]],
        }
    )
    _commit(data, before, [])
    _commit(data, after, [])
    diff = data.history.diff("clean", 1, 2)
    assert [(c.column, c.change, c.before, c.after) for c in diff.columns] == [
        ("word", "nulls", "1", "0"),
        ("n", "nulls", "0", "1"),
        ("x", "nulls", "1", "0"),
        ("new", "added", "", "BIGINT[]"),
        ("old", "removed", "BIGINT", ""),
    ]
    assert (diff.rows_before, diff.rows_after, diff.added, diff.removed) == (4, 5, None, None)
    assert _spread(diff.distributions, "word") == {
        "c": (0, 4), "a": (2, 1), "b": (1, 0), "missing": (1, 0),
    }  # fmt: skip
    assert _spread(diff.distributions, "n") == {
        "1": (1, 1), "2": (2, 2), "3": (1, 0), "4": (0, 0), "5": (0, 0), "6": (0, 0),
        "7": (0, 0), "8": (0, 0), "9": (0, 1), "missing": (0, 1),
    }  # fmt: skip
    x = _spread(diff.distributions, "x")
    assert (x["missing"], x["not finite"]) == ((1, 0), (1, 0))
    assert sum(counts[1] for counts in x.values()) == 5
    divergences = [d.divergence for d in diff.distributions]
    assert divergences == sorted(divergences, reverse=True)
    assert data.history.diff("clean", 1, 2) == diff
    back = data.history.diff("clean", 2, 1)
    assert back.base == "data:clean@2"


def test_columns_are_compared_a_page_at_a_time(data: DataService) -> None:
    wide = {f"c{at}": [at, at] for at in range(450)}
    data.curation.commit("wide", pa.table(wide), inputs=[], source="a", by="ada")
    data.curation.commit("wide", pa.table(wide | {"c449": [0, 1]}), inputs=[], source="b", by="ada")
    pages = [data.history.diff("wide", 1, 2, start) for start in (0, 200, 400, 600)]
    assert [len(page.distributions) for page in pages] == [200, 200, 50, 0]
    assert {(page.common, page.added, page.removed) for page in pages} == {(450, 2, 2)}
    assert pages[2].distributions[0].column == "c449"
    assert to_float(pages[2].distributions[0].divergence) == 1
    assert len({one.column for page in pages for one in page.distributions}) == 450
    for start, limit in ((-1, 10), (0, 0), (0, 10_000)):
        with pytest.raises(InvalidInputError):
            data.history.diff("wide", 1, 2, start, limit)


def test_rows_are_compared_with_repetition_and_whatever_the_order(data: DataService) -> None:
    _commit(data, pa.table({"a": [1, 1, 2, 3], "b": ["x", "x", "y", None]}), [])
    _commit(data, pa.table({"b": [None, "x", "z", "z"], "a": [3, 1, 2, 2]}), [])
    diff = data.history.diff("clean", 1, 2)
    assert diff.columns == []
    assert (diff.added, diff.removed) == (2, 2)
    same = data.history.diff("clean", 1, 1)
    assert (same.added, same.removed) == (0, 0)
    assert {d.divergence for d in same.distributions} == {0.0}
    with pytest.raises(NotFoundError, match="data:clean@9"):
        data.history.diff("clean", 1, 9)
    with pytest.raises(NotFoundError, match="nothing"):
        data.history.versions("nothing")


def test_a_frame_of_mixed_values_names_its_column(data: DataService) -> None:
    import pandas as pd

    with pytest.raises(UnsupportedError, match="column x"):
        _commit(data, pd.DataFrame({"x": [1, "a", object()]}), [])
