"""Pages: the right rows whatever the files are like, and values that nothing is lost of."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perijove.adapters.duckdb.engine import DuckDbEngine
from perijove.adapters.duckdb.worker.checksums import verify
from perijove.adapters.duckdb.worker.database import UnreadableError
from perijove.adapters.duckdb.workers import Workers
from perijove.contracts.table import Compare, SortKey
from perijove.core.errors import InvalidInputError
from perijove.data.ports import Look, Table
from perijove.data.views import positions


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def workers(root: Path) -> Iterator[Workers]:
    made = Workers(root)
    yield made
    made.close()


@pytest.fixture(scope="module")
def engine(workers: Workers) -> DuckDbEngine:
    return DuckDbEngine(workers)


def _write(path: Path, table: pa.Table, **options: Any) -> Table:
    pq.write_table(table, path, **options)
    return Table((path,), path.name, table.num_rows)


def _page(engine: DuckDbEngine, table: Table, *arguments: Any) -> pa.Table:
    return pa.ipc.open_stream(io.BytesIO(engine.page(table, *arguments))).read_all()


NUMBERS = pa.table(
    {"id": pa.array(range(400_000)), "s": pa.array([f"s{n % 977}" for n in range(400_000)])}
)


@pytest.fixture(scope="module")
def small_groups(root: Path) -> Table:
    return _write(root / "small.parquet", NUMBERS, row_group_size=7_001)


@pytest.fixture(scope="module")
def one_group(root: Path) -> Table:
    """As other writers make them: deep pages are skipped to."""
    return _write(root / "one.parquet", NUMBERS, row_group_size=1_000_000)


@pytest.fixture(scope="module")
def many_files(root: Path) -> Table:
    cuts = [0, 1, 5_000, 5_000, 200_000, 400_000]
    tables = [
        _write(root / f"part{at}.parquet", NUMBERS.slice(a, b - a), row_group_size=50_000)
        for at, (a, b) in enumerate(itertools.pairwise(cuts))
    ]
    return Table(tuple(t.files[0] for t in tables), "many", 400_000)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    offset=st.integers(0, 400_010),
    limit=st.integers(0, 9_000),
    columns=st.sampled_from([None, [0], [1], [1, 0], [0, 1]]),
)
def test_any_page_holds_its_rows(
    engine: DuckDbEngine,
    small_groups: Table,
    one_group: Table,
    many_files: Table,
    offset: int,
    limit: int,
    columns: list[int] | None,
) -> None:
    expected = NUMBERS.slice(offset, limit).select(columns if columns is not None else [0, 1])
    for table in (small_groups, one_group, many_files):
        page = _page(engine, table, offset, limit, columns)
        assert page.column_names == expected.column_names
        assert page.to_pydict() == expected.to_pydict()


def test_pages_that_follow_each_other_and_go_back(engine: DuckDbEngine, one_group: Table) -> None:
    for offset in [*range(90_000, 110_000, 512), *range(110_000, 90_000, -3_001), 0, 399_999]:
        page = _page(engine, one_group, offset, 512)
        assert page["id"].to_pylist() == list(range(offset, min(offset + 512, 400_000)))


def test_a_wide_table_is_read_by_columns(engine: DuckDbEngine, root: Path) -> None:
    wide = pa.table({f"c{n}": pa.array([n, n + 1]) for n in range(10_000)})
    table = _write(root / "wide.parquet", wide)
    page = _page(engine, table, 0, 2, [*range(64), 9_999])
    assert page.num_columns == 65
    assert page["c9999"].to_pylist() == [9_999, 10_000]
    with pytest.raises(InvalidInputError):
        engine.page(table, 0, 2, [10_000])


def test_positions_of_columns_are_read() -> None:
    assert positions("0-3,7", 8) == [0, 1, 2, 3, 7]
    for text in ("", "a", "3-1", "0-8", "-1", "0-3,0-7", "1-2-3"):
        with pytest.raises(InvalidInputError):
            positions(text, 8)


def test_folders_with_values_in_their_names_are_columns(engine: DuckDbEngine, root: Path) -> None:
    files = []
    for year, city in ((2023, "a b"), (2024, "ü")):
        folder = root / "hive" / f"year={year}" / f"city={city}"
        folder.mkdir(parents=True)
        files.append(folder / "f.parquet")
        pq.write_table(pa.table({"v": [year, year + 1], "w": ["x", "y"]}), files[-1])
    table = Table(tuple(files), "hive", 4, partitions=root / "hive")
    described = engine.inspect(table)
    names = [column.name for column in described.columns]
    page = _page(engine, table, 1, 2)
    assert page.column_names == names
    assert page.select(["v", "w", "year", "city"]).to_pylist() == [
        {"v": 2024, "w": "y", "year": 2023, "city": "a b"},
        {"v": 2024, "w": "x", "year": 2024, "city": "ü"},
    ]
    assert page.schema.field("year").type == pa.int64()
    only = _page(engine, table, 3, 1, [names.index("city"), 0])
    assert only.to_pylist() == [{"city": "ü", "v": 2025}]


def test_columns_of_one_name_and_of_none_are_kept_apart(engine: DuckDbEngine, root: Path) -> None:
    hostile = pa.table(
        [[1], [2], [3], [4], [5], [6]],
        names=["a", "A", "a", "", 'x"; DROP TABLE t; --', "file_row_number"],
    )
    table = _write(root / "names.parquet", hostile)
    names = [column.name for column in engine.inspect(table).columns]
    assert len({name.lower() for name in names}) == 6
    assert list(_page(engine, table, 0, 1, None, names).to_pylist()[0].values()) == [
        1, 2, 3, 4, 5, 6
    ]  # fmt: skip
    assert _page(engine, table, 0, 1, [4, 2], names).to_pydict() == {names[4]: [5], names[2]: [3]}


UTC = dt.UTC
VALUES: list[tuple[str, pa.Array, list[Any]]] = [
    ("int64", pa.array([2**53 + 1, -(2**63), None]), [2**53 + 1, -(2**63), None]),
    ("uint64", pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
    ("decimal", pa.array([Decimal("12345678901234567890.12")]),
     [Decimal("12345678901234567890.12")]),
    ("decimal64", pa.array([Decimal("1.20")], pa.decimal64(9, 2)), [Decimal("1.20")]),
    ("float16", pa.array([1.5], pa.float16()), [1.5]),
    ("inf", pa.array([float("inf"), float("-inf"), None, -0.0]),
     [float("inf"), float("-inf"), None, -0.0]),
    ("html", pa.array(["<script>alert(1)</script>", "a\r\nb", "\x00", "🚀", ""]),
     ["<script>alert(1)</script>", "a\r\nb", "\x00", "🚀", ""]),
    ("utc", pa.array([dt.datetime(2024, 1, 1, 12, 0, 0, 123456, UTC)], pa.timestamp("us", "UTC")),
     [dt.datetime(2024, 1, 1, 12, 0, 0, 123456, UTC)]),
    ("zone", pa.array([dt.datetime(2024, 7, 1, tzinfo=UTC)], pa.timestamp("ms", "Europe/Berlin")),
     [dt.datetime(2024, 7, 1, tzinfo=UTC)]),
    ("nano", pa.array([1, None], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001", None]),
    ("nanozone", pa.array([1], pa.timestamp("ns", "UTC")), ["1970-01-01 00:00:00.000000001Z"]),
    ("micro", pa.array([1000], pa.timestamp("ns")), [dt.datetime(1970, 1, 1, 0, 0, 0, 1)]),
    ("date", pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
     [dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    ("time", pa.array([dt.time(23, 59, 59, 999999)]), [dt.time(23, 59, 59, 999999)]),
    ("duration", pa.array([dt.timedelta(days=2, microseconds=5), -dt.timedelta(hours=1)]),
     ["2 days, 0:00:00.000005", "-1:00:00"]),
    ("bytes", pa.array([b"\x00\xff", b""]), [b"\x00\xff", b""]),
    ("fixed", pa.array([b"abc"], pa.binary(3)), [b"abc"]),
    ("dictionary", pa.array(["x", None, "x"]).dictionary_encode(), ["x", None, "x"]),
    ("bool", pa.array([True, None]), [True, None]),
    ("null", pa.nulls(2), [None, None]),
    ("list", pa.array([[1, None], [], None]), ["[1,null]", "[]", None]),
    ("struct", pa.array([{"a": Decimal("1.10"), "b": 2**60, "c": float("nan")}]),
     ['{"a":"1.10","b":1152921504606846976,"c":"NaN"}']),
    ("map", pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), ['[["k",1]]']),
    ("large", pa.array(["x"], pa.large_string()), ["x"]),
    ("view", pa.array(["x"], pa.string_view()), ["x"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "column", "expected"), VALUES, ids=[v[0] for v in VALUES])
def test_a_value_arrives_whole(
    engine: DuckDbEngine, root: Path, name: str, column: pa.Array, expected: list[Any]
) -> None:
    table = _write(root / f"{name}.parquet", pa.table({"c": column}))
    page = _page(engine, table, 0, 10)
    assert page["c"].to_pylist() == expected
    assert not pa.types.is_nested(page.schema.field(0).type)
    assert page.schema.metadata is None


def test_what_duckdb_alone_has_is_read_too(engine: DuckDbEngine, root: Path) -> None:
    path = root / "duck.parquet"
    duckdb.sql(
        f"""COPY (SELECT uuid '12345678-1234-1234-1234-123456789abc' u, 'x'::ENUM('x', 'y') e,
        INTERVAL 14 MONTH + INTERVAL 3 DAY + INTERVAL 5 SECOND i, '{{"a": 1}}'::JSON j,
        NULL::INTERVAL n) TO '{path}'"""
    )
    page = _page(engine, Table((path,), "d", 1), 0, 1)
    assert page.to_pylist() == [
        {"u": "12345678-1234-1234-1234-123456789abc", "e": "x",
         "i": "1 year 2 months 3 days 00:00:05", "j": '{"a": 1}', "n": None}
    ]  # fmt: skip
    assert engine.cell(Table((path,), "d", 1), 0, 2).text == "1 year 2 months 3 days 00:00:05"


def test_long_values_are_cut_where_the_page_says(engine: DuckDbEngine, root: Path) -> None:
    table = pa.table(
        {
            "n": [1, 2, 3],
            "text": ["é" * 5_000, "y" * 1_000, None],
            "bytes": [b"\1" * 1_001, None, b""],
            "list": [list(range(500)), [1], None],
            "struct": [{"a": "z" * 3_000}, {"a": "z"}, None],
        }
    )
    long = _write(root / "long.parquet", table)
    page = _page(engine, long, 0, 10)
    assert json.loads(page.schema.metadata[b"cut"]) == {"1": [0], "2": [0], "3": [0], "4": [0]}
    first = page.to_pylist()[0]
    assert first["text"] == "é" * 1_000
    assert len(first["bytes"]) == 1_000
    assert first["list"].startswith("[0,1,2,")
    assert page.to_pylist()[1]["text"] == "y" * 1_000
    whole = engine.cell(long, 0, 1)
    assert (whole.text, whole.bytes) == ("é" * 5_000, 10_000)
    assert json.loads(engine.cell(long, 0, 3).text) == list(range(500))
    assert engine.cell(long, 0, 2).text == "0x" + "01" * 1_001
    assert engine.cell(long, 2, 1).text == ""


def test_a_cell_is_cut_at_a_megabyte(engine: DuckDbEngine, root: Path) -> None:
    table = _write(root / "cell.parquet", pa.table({"t": ["x" * (2**20 + 5)]}))
    cell = engine.cell(table, 0, 0)
    assert (len(cell.text), cell.bytes) == (2**20, 2**20 + 5)


CELLS: list[tuple[pa.Array, str]] = [
    (pa.array([2**63 - 1]), "9223372036854775807"),
    (pa.array([1.0]), "1"),
    (pa.array([0.1]), "0.1"),
    (pa.array([float("nan")]), "NaN"),
    (pa.array([float("-inf")]), "-∞"),
    (pa.array([Decimal("1.50")]), "1.50"),
    (pa.array([True]), "true"),
    (pa.array([dt.date(2024, 5, 6)]), "2024-05-06"),
    (pa.array([dt.datetime(2024, 5, 6, 7, 8, 9)]), "2024-05-06 07:08:09"),
    (pa.array([dt.datetime(2024, 5, 6, tzinfo=UTC)]), "2024-05-06 00:00:00Z"),
    (pa.array([1], pa.timestamp("ns")), "1970-01-01 00:00:00.000000001"),
]


@pytest.mark.parametrize(("column", "text"), CELLS)
def test_a_cell_is_written_as_it_is_copied(
    engine: DuckDbEngine, root: Path, column: pa.Array, text: str
) -> None:
    table = _write(root / "one_cell.parquet", pa.table({"c": column}))
    assert engine.cell(table, 0, 0).text == text


def test_an_empty_table_has_an_empty_page(engine: DuckDbEngine, root: Path) -> None:
    table = _write(root / "empty.parquet", NUMBERS.slice(0, 0))
    assert _page(engine, table, 0, 10).num_rows == 0
    assert _page(engine, table, 0, 10).column_names == ["id", "s"]


@pytest.mark.parametrize("options", [
    {"data_page_version": "2.0", "compression": "none"},
    {"data_page_version": "1.0", "compression": "zstd", "use_dictionary": False},
    {"data_page_version": "1.0", "compression": "snappy", "row_group_size": 100},
])  # fmt: skip
def test_every_flipped_byte_of_a_page_is_noticed(root: Path, options: dict[str, Any]) -> None:
    table = pa.table({"a": [f"x{n % 7}" for n in range(300)], "b": [[n] for n in range(300)]})
    path = root / "sums.parquet"
    pq.write_table(table, path, write_page_checksum=True, **options)
    verify(str(path))
    good = path.read_bytes()
    metadata = pq.read_metadata(path).row_group(0).column(0)
    size = metadata.total_compressed_size
    first = metadata.dictionary_page_offset or metadata.data_page_offset
    # The last bytes of a chunk are surely a page's content, and no header's.
    for at in range(first + size - 12, first + size):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(UnreadableError, match="column 'a' is damaged"):
            verify(str(path))
    path.write_bytes(good)
    verify(str(path))


def test_pages_need_no_duckdb(root: Path, small_groups: Table) -> None:
    workers = Workers(root)
    engine = DuckDbEngine(workers)
    engine.page(small_groups, 0, 512)
    libraries = Path(f"/proc/{workers.process('pages')}/maps")
    if libraries.exists():
        assert "duckdb" not in libraries.read_text()
    engine.close()


def test_a_look_at_many_files_numbers_rows_over_all_of_them(
    engine: DuckDbEngine, root: Path
) -> None:
    files = []
    for part in (2, 0, 1):
        folder = root / "looked" / f"part={part}"
        folder.mkdir(parents=True)
        files.append(folder / "f.parquet")
        pq.write_table(pa.table({"v": [part * 10 + n for n in range(3)]}), files[-1])
    table = Table(tuple(files), "looked", 9, partitions=root / "looked")
    names = tuple(column.name for column in engine.inspect(table).columns)
    sort = (SortKey(column="part"), SortKey(column="v", descending=True))
    look = Look(table, names, Compare(column="v", op="!=", value="11"), sort)
    parquet = root / "first.parquet"
    assert engine.first_rows(look, 100, parquet) == (8, True)
    assert pq.read_table(parquet).to_pydict() == {
        "v": [2, 1, 0, 12, 10, 22, 21, 20],
        "part": [0, 0, 0, 1, 1, 2, 2, 2],
        "__row": [5, 4, 3, 8, 6, 2, 1, 0],
    }
    assert engine.count(look) == 8
    assert engine.find(look, "12", [0], 0, None, backwards=False, case=True) == (8, 0)
    assert engine.find(look, "2", [0], 2, 0, backwards=True, case=True) == (1, 0)


def test_a_look_at_a_wide_table_is_put_together_of_blocks(engine: DuckDbEngine, root: Path) -> None:
    rows = 5_000
    columns = {f"c{n}": pa.array([(r * 37 + n) % rows for r in range(rows)]) for n in range(600)}
    table = _write(root / "broad.parquet", pa.table(columns))
    look = Look(table, tuple(columns), None, (SortKey(column="c599", descending=True),))
    count, whole = engine.first_rows(look, 2_048, root / "broad_first.parquet")
    assert (count, whole) == (2_048, False)
    first = pq.read_table(root / "broad_first.parquet")
    assert first.column_names == [*columns, "__row"]
    assert first["c599"].to_pylist() == list(range(rows - 1, rows - 1 - count, -1))
    numbers = first["__row"].to_pylist()
    assert first["c300"].to_pylist() == [(r * 37 + 300) % rows for r in numbers]
    last = rows - 1
    expected = (last * 37 + 598) % rows
    found = engine.find(
        look, str(expected), list(range(600)), last, 597, backwards=False, case=True
    )
    assert found == (last, 598)
