"""Profiles: exact where they say so, and within the errors that they state where they do not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.adapters.duckdb.worker.hashes import Texts, hash_array
from perijove.adapters.duckdb.worker.sketches import Distinct
from perijove.adapters.workbench import Workbench
from perijove.contracts.base import to_float
from perijove.contracts.data import DatasetSettings
from perijove.contracts.table import ColumnProfile, Profile, ProfileQuery
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError
from perijove.data.service import DataService

ROWS = 400_000
SECONDS = 60.0


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Columns of every shape: skewed, constant, all missing, one value nearly everywhere, ..."""
    rng = np.random.default_rng(1)
    normal = rng.normal(size=ROWS)
    odd = normal.copy()
    odd[::1000], odd[1::1000], odd[2::2000] = np.nan, np.inf, -np.inf
    return pa.table(
        {
            "normal": pa.array(normal, mask=rng.random(ROWS) < 0.05),
            "twice": normal * 2 + 1,
            "skewed": rng.lognormal(3, 2, ROWS),
            "odd": odd,
            "constant": np.full(ROWS, 7),
            "missing": pa.nulls(ROWS, pa.float64()),
            "small": rng.integers(-5, 5, ROWS),
            "huge": np.arange(ROWS) + 2**62,
            "hitter": np.where(rng.random(ROWS) < 0.6, 42, rng.integers(0, 2**40, ROWS)),
            "word": pa.array(np.char.add("w", rng.integers(0, 100_000, ROWS).astype(str))),
            "city": pa.array(rng.choice(["Paris", "Żary", "<b>", ""], ROWS, p=[0.7, 0.2, 0.09, 0.01])),
            "ok": rng.random(ROWS) < 0.25,
            "at": pa.array(1_700_000_000_000 + np.arange(ROWS) * 1000).cast(pa.timestamp("ms")),
            "price": pa.array(rng.integers(0, 10**6, ROWS)).cast(pa.decimal128(21, 2)),
            "list": pa.array([[1, 2]] * ROWS),
            "bytes": pa.array([b"abc"] * ROWS),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def profiled(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("profiled")
    (folder / "perijove.toml").write_text('[project]\nname = "p"\n')
    pq.write_table(table, folder / "t.parquet", row_group_size=50_000)
    service = Workbench(ProjectContext.open(folder)).data
    service.registry.register("t.parquet", name="t", by="ada")
    footer = service.profiles.get("t", ProfileQuery(stage="footer"))
    sample = service.profiles.get("t", ProfileQuery(stage="sample"))
    task = service.profiles.start("t")
    assert service.tasks.wait(task.id, SECONDS).state == "finished"
    full = service.profiles.get("t", ProfileQuery(stage="full"))
    service.close()
    return footer, sample, full


def column(profile: Profile, name: str) -> ColumnProfile:
    return next(c for c in profile.columns if c.name == name)


def test_the_footer_tells_bounds_and_nulls_of_all_rows(profiled: Any, table: pa.Table) -> None:
    footer, _, _ = profiled
    assert (footer.stage, footer.rows, footer.seen) == ("footer", ROWS, ROWS)
    huge = column(footer, "huge")
    assert (huge.minimum, huge.maximum) == (str(2**62), str(2**62 + ROWS - 1))
    assert column(footer, "normal").nulls == table.column("normal").null_count
    assert column(footer, "normal").histogram is None


def test_a_sample_says_how_many_rows_it_has_seen(profiled: Any) -> None:
    _, sample, _ = profiled
    assert sample.stage == "sample"
    assert 100_000 < sample.seen < ROWS
    at = column(sample, "at")
    # From all over the table, not from its head alone.
    assert at.maximum is not None
    assert at.maximum > "2023-11-18"


@pytest.mark.parametrize("name", ["normal", "skewed", "twice", "small", "hitter", "price"])
def test_figures_of_all_rows_are_within_their_errors(
    profiled: Any, table: pa.Table, name: str
) -> None:
    profile = profiled[2]
    one = column(profile, name)
    values = table.column(name).to_pandas().astype(float).dropna()
    assert profile.stage == "full"
    assert one.nulls == ROWS - len(values)
    assert to_float(one.mean or 0) == pytest.approx(values.mean(), rel=1e-9, abs=1e-9)
    assert to_float(one.deviation or 0) == pytest.approx(values.std(), rel=1e-9)
    assert one.zeros == (values == 0).sum()
    exact = values.nunique()
    # Four standard errors: once in 16,000 times by chance, and the seed is fixed.
    assert abs((one.distinct or 0) - exact) <= 4 * one.distinct_error * exact
    assert one.histogram is not None
    assert sum(one.histogram.counts) == len(values)
    assert 0 <= one.quantile_error < 0.003
    for share, value in zip(profile.shares, one.quantiles, strict=True):
        below, at_most = (values < to_float(value)).mean(), (values <= to_float(value)).mean()
        assert below - one.quantile_error - 1e-9 <= share <= at_most + one.quantile_error + 1e-9


def test_what_is_counted_one_by_one_is_exact(profiled: Any, table: pa.Table) -> None:
    profile = profiled[2]
    for name in ("city", "small", "ok"):
        one = column(profile, name)
        counts = table.column(name).to_pandas().value_counts()
        assert (one.distinct, one.distinct_error) == (len(counts), 0)
        said = {top.value: top.count for top in one.top}
        assert said == {
            str(v).lower() if name == "ok" else str(v): int(c) for v, c in counts.head(10).items()
        }
    city = column(profile, "city")
    assert (city.shortest, city.longest) == (0, 5)
    assert city.histogram is not None
    assert city.histogram.labels[0] == "Paris"


def test_a_value_that_is_nearly_everywhere_is_counted_exactly(
    profiled: Any, table: pa.Table
) -> None:
    top = column(profiled[2], "hitter").top
    assert top[0].value == "42"
    assert top[0].count == int((table.column("hitter").to_numpy() == 42).sum())


def test_odd_values_are_counted_and_spoil_nothing(profiled: Any) -> None:
    odd = column(profiled[2], "odd")
    assert (odd.nan, odd.infinite) == (400, 400 + 200)
    assert all(math.isfinite(to_float(q)) for q in odd.quantiles)
    assert to_float(odd.mean or 0) == pytest.approx(0, abs=0.01)
    missing = column(profiled[2], "missing")
    assert (missing.nulls, missing.distinct, missing.minimum) == (ROWS, 0, None)
    constant = column(profiled[2], "constant")
    assert (constant.distinct, constant.minimum, constant.maximum) == (1, "7", "7")
    assert constant.histogram is not None
    assert constant.histogram.counts == [ROWS]
    huge = column(profiled[2], "huge")
    assert (huge.minimum, huge.maximum) == (str(2**62), str(2**62 + ROWS - 1))
    assert [column(profiled[2], n).kind for n in ("list", "bytes")] == ["other", "other"]
    assert column(profiled[2], "bytes").longest == 3


def test_correlations_and_the_time_axis(profiled: Any) -> None:
    profile = profiled[2]
    found = profile.correlation
    assert found is not None
    at = {name: index for index, name in enumerate(found.columns)}
    r = to_float(found.values[at["normal"]][at["twice"]])
    assert r == pytest.approx(1.0, abs=1e-9)
    assert abs(to_float(found.values[at["normal"]][at["skewed"]])) < 0.02
    axis = profile.time_axis
    assert axis is not None
    assert (axis.column, sum(axis.counts), len(axis.edges)) == ("at", ROWS, len(axis.counts) + 1)
    assert max(axis.counts) - min(axis.counts) < ROWS / 1000


def test_equal_bytes_have_one_profile_and_a_cancel_leaves_none(
    data: DataService, folder: Path, table: pa.Table
) -> None:
    pq.write_table(table, folder / "a.parquet")
    data.registry.register("a.parquet", name="a", by="ada")
    task = data.profiles.start("a")
    assert data.profiles.start("a").id == task.id
    assert data.profiles.get("a", ProfileQuery()).task == task.id
    assert data.tasks.cancel(task.id).state == "cancelled"
    assert data.profiles.get("a", ProfileQuery(stage="full")).stage == "footer"
    again = data.profiles.start("a")
    assert data.tasks.wait(again.id, SECONDS).state == "finished"
    (folder / "b.parquet").write_bytes((folder / "a.parquet").read_bytes())
    data.registry.register("b.parquet", name="b", by="ada")
    twin = data.profiles.get("b", ProfileQuery(stage="full"))
    assert (twin.stage, twin.ref) == ("full", "data:b@1")


def test_a_text_table_has_a_profile_and_its_leaks(data: DataService, folder: Path) -> None:
    rng = np.random.default_rng(0)
    failed = rng.integers(0, 2, 3000)
    frame = pd.DataFrame(
        {"size": failed * 100 + rng.random(3000), "noise": rng.random(3000), "failed": failed}
    )
    frame.to_csv(folder / "builds.csv", index=False)
    data.registry.register("builds.csv", name="builds", target="failed", by="ada")
    data.registry.declare("builds", DatasetSettings(known={"noise": "after"}), by="ada")
    assert data.profiles.best("builds").stage == "full"  # a sample that has seen every row
    report = data.profiles.leaks("builds", "failed")
    by_name = {leak.column: leak for leak in report.columns}
    assert list(by_name) == ["size", "noise"]
    assert by_name["size"].leaks
    assert "alone scores 1.000" in by_name["size"].reason
    assert by_name["noise"].reason == "known only after the prediction"
    with pytest.raises(InvalidInputError, match="no column 'gone'"):
        data.profiles.leaks("builds", "gone")


def test_the_real_builds_tell_their_answer_by_size(data: DataService, real_csv: Path) -> None:
    data.registry.register(str(real_csv), name="builds", by="ada")
    report = data.profiles.leaks("builds", "result")
    assert [leak.column for leak in report.columns if leak.leaks] == ["size"]


@pytest.mark.parametrize("distinct", [10, 4095, 5000, 200_000])
def test_distinct_values_are_estimated_within_their_error(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    values = pa.array(np.char.add("value ", rng.permutation(distinct).astype(str)))
    sketch = Distinct()
    for start in range(0, distinct, 7000):
        sketch.add(hash_array(values.slice(start, 7000)))
        sketch.add(hash_array(values.slice(0, 50)))  # again: it changes nothing
    estimate, error = sketch.estimate()
    assert abs(estimate - distinct) <= 4 * error * distinct


@pytest.mark.parametrize(
    "words", [["", "a", "ab", "abcdefgh", "abcdefghi", "ż" * 40, "a\0", "a\0\0"], [b"\0", b"\0\0"]]
)
def test_hashes_tell_texts_apart_wherever_they_lie(words: list[Any]) -> None:
    once = hash_array(pa.array(words))
    assert len(set(once.tolist())) == len(words)
    shifted = pa.array([words[0], *words, words[-1]]).slice(1, len(words))
    assert hash_array(shifted).tolist() == once.tolist()
    assert hash_array(pa.array(words).dictionary_encode()).tolist() == once.tolist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1.7e308, -1.7e308] * 50), {"zeros": 0, "distinct": 2}),
        (pa.array([2**60 + i for i in range(100)]), {"distinct": 100}),
        (pa.array(np.arange(200, dtype=np.float16)), {"distinct": 200}),
        (pa.array([300_000_000_000_000] * 3, pa.timestamp("ms")), {"nulls": 0}),
        (pa.array(["x" * 3_000_000, "y"] * 3), {"longest": 3_000_000, "distinct": 2}),
    ],
)
def test_odd_tables_have_a_profile(
    data: DataService, folder: Path, values: pa.Array, expected: dict[str, Any]
) -> None:
    pq.write_table(pa.table({"v": values}), folder / "odd.parquet")
    data.registry.register("odd.parquet", name="odd", by="ada")
    assert data.profiles.get("odd", ProfileQuery(stage="footer")).rows == len(values)
    (one,) = data.profiles.get("odd", ProfileQuery(stage="sample")).columns
    assert {name: getattr(one, name) for name in expected} == expected
    assert len(one.maximum or "") <= 200
    if values.type == pa.int64():
        assert to_float(one.deviation or 0) == pytest.approx(np.arange(100).std(ddof=1))


def test_columns_of_one_name_have_figures_of_their_own(data: DataService, folder: Path) -> None:
    rows = 200_000
    columns = [np.arange(rows), np.full(rows, "x"), np.arange(rows) % 2 == 0]
    pq.write_table(pa.table(columns, names=["a", "b", "a"]), folder / "twice.parquet")
    data.registry.register("twice.parquet", name="twice", by="ada")
    task = data.profiles.start("twice")
    assert data.tasks.wait(task.id, SECONDS).state == "finished"
    profile = data.profiles.get("twice", ProfileQuery(stage="full"))
    found = [(one.name, one.kind, one.type) for one in profile.columns]
    assert found == [
        ("a", "number", "BIGINT"), ("b", "text", "VARCHAR"), ("a_1", "truth", "BOOLEAN")
    ]  # fmt: skip
    assert profile.columns[0].maximum == str(rows - 1)
    assert [one.distinct for one in profile.columns][1:] == [1, 2]


def test_a_sample_of_one_row_group_is_not_its_head(data: DataService, folder: Path) -> None:
    rows = 500_000
    pq.write_table(pa.table({"row": np.arange(rows)}), folder / "one.parquet", row_group_size=rows)
    data.registry.register("one.parquet", name="one", by="ada")
    (one,) = (sample := data.profiles.get("one", ProfileQuery(stage="sample"))).columns
    assert 100_000 < sample.seen < 200_000
    assert (one.minimum, one.maximum) == ("0", str(rows - 1))
    assert one.distinct_error > 0
    # As even as the rows themselves.
    for share, value in zip(sample.shares, one.quantiles, strict=True):
        assert to_float(value) == pytest.approx(share * rows, abs=rows / 16)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary()])
@given(words=st.lists(st.binary(max_size=20) | st.sampled_from([b"", b"a", b"a\0", b"\xff" * 9])))
def test_texts_have_the_ends_that_sorting_gives(kind: pa.DataType, words: list[bytes]) -> None:
    if not words:
        return
    if kind != pa.binary():
        words = [word.decode("latin-1").encode() for word in words]
    values = pa.array([*words, words[0]], pa.binary()).cast(kind).slice(0, len(words))
    least, most = Texts(values).ends()
    ordered = sorted(words)
    assert [end.cast(pa.binary()).as_py() for end in (least, most)] == [ordered[0], ordered[-1]]
    assert Texts(values).lengths.tolist() == [len(word) for word in words]
