"""Views: filtered and sorted looks, their first rows at once and their copies in the background."""

from __future__ import annotations

import datetime as dt
import io
import math
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perijove.adapters.workbench import Workbench
from perijove.contracts.data import DataFacts, SplitFacts
from perijove.contracts.table import (
    AllOf,
    AnyOf,
    CodeRequest,
    Compare,
    ExportRequest,
    Filter,
    FindRequest,
    Missing,
    Not,
    OneOf,
    RowsQuery,
    SortKey,
    View,
    ViewSpec,
)
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    CancelledError,
    ConflictError,
    ForbiddenPathError,
    InvalidInputError,
    NotFoundError,
    PerijoveError,
    UnavailableError,
)
from perijove.data import view_copies
from perijove.data.service import DataService
from perijove.kernel.session import Session

BIG = 2**53 + 1
TABLE = pa.table(
    {
        "n": pa.array([BIG, BIG + 1, None, -5, 7, 7], pa.int64()),
        "x": pa.array([1.5, math.nan, None, -math.inf, math.inf, 0.1], pa.float64()),
        "price": pa.array([Decimal("1.00"), Decimal("1.01"), None, Decimal("-2.50"), None,
                           Decimal("99.99")], pa.decimal128(10, 2)),
        "ok": pa.array([True, False, None, True, False, True]),
        "day": pa.array([dt.date(2024, 1, d) for d in range(1, 6)] + [None], pa.date32()),
        "at": pa.array([dt.datetime(2024, 1, d, 12, tzinfo=dt.UTC) for d in range(1, 7)],
                       pa.timestamp("us", "UTC")),
        "it's a \"col\"; --": pa.array(["a.b", "B", "", None, "héé <b>x</b>", "it's \\ \"q\""]),
    }
)  # fmt: skip
WORDS = TABLE.column_names[-1]

FILTERS: list[tuple[Filter, list[int]]] = [
    (Compare(column="n", op="=", value=str(BIG)), [0]),
    (Compare(column="n", op="!=", value="7"), [0, 1, 3]),
    (Not(of=Compare(column="n", op="=", value="7")), [0, 1, 2, 3]),
    (Compare(column="x", op=">", value="1"), [0, 4]),
    (Compare(column="x", op="!=", value="1.5"), [3, 4, 5]),
    (Compare(column="x", op="=", value="inf"), [4]),
    (Missing(column="x"), [1, 2]),
    (Not(of=Missing(column="x")), [0, 3, 4, 5]),
    (Compare(column="price", op="=", value="1.005"), []),
    (Compare(column="price", op=">=", value="1.005"), [1, 5]),
    (Compare(column="ok", op="=", value="true"), [0, 3, 5]),
    (Compare(column="day", op="<", value="2024-01-03"), [0, 1]),
    (Compare(column="at", op=">=", value="2024-01-05T13:00:00+01:00"), [4, 5]),
    (Compare(column="at", op=">", value="2024-01-05 12:00"), [5]),
    (OneOf(column="n", values=["7", "-5"]), [3, 4, 5]),
    (OneOf(column="n", values=[]), []),
    (Compare(column=WORDS, op="contains", value="<b>"), [4]),
    (Compare(column=WORDS, op="contains", value="."), [0]),
    (Compare(column=WORDS, op="starts_with", value="it's \\"), [5]),
    (Compare(column=WORDS, op="ends_with", value="b"), [0]),
    (Compare(column=WORDS, op="matches", value="^[A-Z]$"), [1]),
    (Compare(column=WORDS, op="=", value=""), [2]),
    (AllOf(of=[]), [0, 1, 2, 3, 4, 5]),
    (AnyOf(of=[]), []),
    (
        AnyOf(
            of=[
                Missing(column=WORDS),
                AllOf(
                    of=[
                        Compare(column="n", op="=", value="7"),
                        Not(of=Compare(column="ok", op="=", value="yes")),
                    ]
                ),
            ]
        ),
        [3, 4],
    ),
]
SORTS: list[tuple[list[SortKey], list[int]]] = [
    ([SortKey(column="n")], [3, 4, 5, 0, 1, 2]),
    ([SortKey(column="n", descending=True)], [1, 0, 4, 5, 3, 2]),
    ([SortKey(column="x")], [3, 5, 0, 4, 1, 2]),
    ([SortKey(column="x", descending=True)], [4, 0, 5, 3, 1, 2]),
    ([SortKey(column="ok"), SortKey(column="n", descending=True)], [1, 4, 0, 5, 3, 2]),
    ([SortKey(column="day", descending=True)], [4, 3, 2, 1, 0, 5]),
    ([SortKey(column=WORDS)], [2, 1, 0, 4, 5, 3]),
]


def _make(root: Path) -> DataService:
    """A project with a small table, and one of which a view is more than its first rows."""
    (root / "perijove.toml").write_text("[project]\n")
    pq.write_table(TABLE, root / "small.parquet")
    rows = range(30_000)
    table = pa.table(
        {"id": pa.array(rows), "g": pa.array([r * 7919 % 13 for r in rows]),
         "s": pa.array([f"w{r * 31 % 1000}" for r in rows])}
    )  # fmt: skip
    pq.write_table(table, root / "big.parquet", row_group_size=5_000)
    data = Workbench(ProjectContext.open(root, actor="ada")).data
    for name in ("small", "big"):
        data.registry.register(f"{name}.parquet", by="ada")
    return data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataService]:
    service = _make(tmp_path_factory.mktemp("views"))
    yield service
    service.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[DataService]:
    """A project in which no view was opened."""
    root = tmp_path / "own"
    root.mkdir()
    service = _make(root)
    yield service
    service.close()


@pytest.fixture
def folder(data: DataService) -> Path:
    return data.project.paths.root


def _read(arrow: bytes) -> pa.Table:
    return pa.ipc.open_stream(io.BytesIO(arrow)).read_all()


def _page(data: DataService, name: str, view: View, offset: int = 0, limit: int = 512) -> pa.Table:
    return _read(data.views.page(name, RowsQuery(view=view.id, offset=offset, limit=limit)))


def _built(data: DataService, view: View) -> View:
    data.tasks.wait(view.task, 60)
    return data.views.view(view.id)


def _taken(rows: list[int]) -> list[dict[str, Any]]:
    """Rows of the table, in a form in which NaN equals itself."""
    return _plain(TABLE.take(pa.array(rows, pa.int64())))


def _plain(table: pa.Table) -> list[dict[str, Any]]:
    return [{k: str(v) for k, v in row.items()} for row in table.to_pylist()]


def test_a_filter_keeps_its_rows(data: DataService) -> None:
    for tree, rows in FILTERS:
        view = data.views.open("small", ViewSpec(filter=tree))
        assert (view.state, view.rows, view.reachable) == ("ready", len(rows), len(rows)), tree
        assert _plain(_page(data, "small", view)) == _taken(rows), tree


def test_a_sort_puts_missing_last_and_keeps_ties(data: DataService) -> None:
    for sort, rows in SORTS:
        view = data.views.open("small", ViewSpec(sort=sort))
        assert _plain(_page(data, "small", view)) == _taken(rows), sort


@pytest.mark.parametrize("missing", [[], [None]])
def test_a_nan_that_the_footer_hides_is_missing(own: DataService, missing: list[Any]) -> None:
    # Arrow leaves NaN out of a column's least and greatest value, and DuckDB believes them.
    values = pa.array([1.0, math.nan, 2.0, math.nan, *missing], pa.float64(), from_pandas=False)
    root = own.project.paths.root
    pq.write_table(pa.table({"f": values, "at": range(len(values))}), root / "nan.parquet")
    own.registry.register("nan.parquet", name="nan", by="ada")
    there, gone = [0, 2], [1, 3, *range(4, len(values))]
    filters: list[tuple[Filter, list[int]]] = [
        (Missing(column="f"), gone),
        (Not(of=Missing(column="f")), there),
        (Compare(column="f", op="<=", value="5"), there),
        (Not(of=Compare(column="f", op="<=", value="5")), gone),
        (Compare(column="f", op=">", value="1.5"), [2]),
        (Compare(column="f", op="!=", value="1"), [2]),
    ]
    for tree, rows in filters:
        view = own.views.open("nan", ViewSpec(filter=tree))
        assert _page(own, "nan", view)["at"].to_pylist() == rows
    sort = SortKey(column="f", descending=True)
    view = own.views.open("nan", ViewSpec(sort=[sort]))
    assert _page(own, "nan", view)["at"].to_pylist() == [2, 0, *gone]


def test_a_value_that_the_column_cannot_hold_is_refused(data: DataService) -> None:
    leaves: list[tuple[Compare | Missing, str]] = [
        (Compare(column="n", op="=", value="1.5"), "whole number"),
        (Compare(column="n", op="=", value=str(2**63)), "from -9223372036854775808"),
        (Compare(column="x", op="<", value="NaN"), "missing"),
        (Compare(column="x", op="<", value="many"), "DOUBLE"),
        (Compare(column="price", op="<", value="1,5"), "DECIMAL(10,2)"),
        (Compare(column="ok", op="=", value="maybe"), "BOOLEAN"),
        (Compare(column="day", op="=", value="yesterday"), "2026-05-31"),
        (Compare(column="at", op="=", value="2024-13-01"), "TIMESTAMP"),
        (Compare(column="n", op="contains", value="7"), "is for text"),
        (Compare(column=WORDS, op="matches", value="("), "regular expression"),
        (Missing(column="nope"), "'nope'"),
    ]
    for leaf, word in leaves:
        with pytest.raises(InvalidInputError) as error:
            data.views.open("small", ViewSpec(filter=Not(of=leaf)))
        assert word in str(error.value)
        assert repr(leaf.column) in str(error.value)


def test_a_filter_without_end_is_refused(data: DataService) -> None:
    tree: Filter = Missing(column="n")
    for _ in range(60):
        tree = Not(of=tree)
    with pytest.raises(InvalidInputError, match="50 levels"):
        data.views.open("small", ViewSpec(filter=tree))


def test_a_view_without_filter_or_sort_is_the_table(data: DataService) -> None:
    view = data.views.open("small", ViewSpec(columns=["x"]))
    assert (view.id, view.state, view.rows) == ("", "ready", 6)


def test_columns_have_no_part_in_a_views_identity(data: DataService) -> None:
    sort = [SortKey(column="n")]
    one = data.views.open("small", ViewSpec(sort=sort, columns=["n"]))
    two = data.views.open("small", ViewSpec(sort=sort, columns=["x", "n"]))
    assert one.id == two.id
    assert data.views.open("small", ViewSpec(sort=[SortKey(column="x")])).id != one.id


def test_a_copy_has_every_row_in_order(data: DataService) -> None:
    view = data.views.open("big", ViewSpec(sort=[SortKey(column="g"), SortKey(column="s")]))
    assert view.rows == 30_000
    assert view.reachable >= 512
    first = _page(data, "big", view)
    done = _built(data, view)
    assert (done.state, done.reachable, done.error) == ("ready", 30_000, None)
    assert _page(data, "big", done).equals(first)
    parts = [_page(data, "big", done, offset, 10_000) for offset in (0, 10_000, 20_000)]
    table = pa.concat_tables(parts)
    rows = sorted(
        ((r * 7919 % 13, f"w{r * 31 % 1000}", r) for r in range(30_000)),
    )
    assert list(zip(*(table[c].to_pylist() for c in ("g", "s", "id")), strict=True)) == rows
    copy = data.project.paths.cache / "views" / view.id / "rows.parquet"
    assert pq.read_table(copy).column("__row").to_pylist() == [r for _, _, r in rows]


def test_rows_of_a_filter_are_counted_and_copied(data: DataService) -> None:
    view = data.views.open("big", ViewSpec(filter=Compare(column="g", op="<", value="5")))
    done = _built(data, view)
    expected = [r for r in range(30_000) if r * 7919 % 13 < 5]
    assert (done.state, done.rows) == ("ready", len(expected))
    assert _page(data, "big", done, 9_000, 100)["id"].to_pylist() == expected[9_000:9_100]
    assert _page(data, "big", done, len(expected), 10).num_rows == 0


def test_another_server_still_knows_a_view(own: DataService) -> None:
    view = own.views.open("big", ViewSpec(sort=[SortKey(column="id", descending=True)]))
    own.close()
    shutil.rmtree(own.project.paths.cache / "scratch", ignore_errors=True)
    other = Workbench(own.project).data
    try:
        assert _page(other, "big", view)["id"].to_pylist()[:2] == [29_999, 29_998]
        done = _built(other, other.views.view(view.id))
        assert _page(other, "big", done, 29_000, 1)["id"].to_pylist() == [999]
    finally:
        other.close()


def test_a_cancelled_copy_leaves_the_first_rows(own: DataService) -> None:
    view = own.views.open("big", ViewSpec(sort=[SortKey(column="s")]))
    own.tasks.cancel(view.task)
    now = own.views.view(view.id)
    if now.state == "ready":
        pytest.skip("the copy was there before it could be cancelled")
    assert now.state == "failed"
    assert now.error is not None
    assert now.error.code == "view_cancelled", now.error
    assert _page(own, "big", view).num_rows == 512
    with pytest.raises(UnavailableError, match="cancelled"):
        _page(own, "big", view, 20_000)
    copies = own.project.paths.cache / "views" / view.id
    assert {f.name for f in copies.iterdir()} == {"view.json", "first.parquet"}
    assert not list((own.project.paths.cache / "scratch").glob("*"))
    # Asked for again, it is built.
    assert _built(own, own.views.open("big", ViewSpec(sort=[SortKey(column="s")]))).state == "ready"


def test_copies_stay_under_a_cap_and_the_oldest_goes(
    own: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [ViewSpec(sort=[SortKey(column=c, descending=d)]) for c in "gs" for d in (True, False)]
    first = _built(own, own.views.open("big", specs[0]))
    folder = own.project.paths.cache / "views"
    one = sum(f.stat().st_size for f in (folder / first.id).iterdir())
    monkeypatch.setattr(view_copies, "MOST_BYTES", int(one * 2.5))
    last = [_built(own, own.views.open("big", spec)) for spec in specs[1:]]
    assert [view.state for view in last] == ["ready"] * 3
    assert not (folder / first.id).exists()
    assert sum(f.stat().st_size for f in folder.rglob("*.parquet")) < one * 3.5
    with pytest.raises(NotFoundError, match="not known any more"):
        _page(own, "big", first)


def test_a_copy_without_room_says_so(own: DataService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_copies, "MOST_BYTES", 10_000)
    view = _built(own, own.views.open("big", ViewSpec(sort=[SortKey(column="s")])))
    assert view.state == "failed"
    assert view.error is not None
    assert "on this disk" in view.error.message
    assert _page(own, "big", view).num_rows == 512
    assert view.reachable == 2_048


def test_a_copy_that_grows_too_big_is_given_up(
    own: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One value in a dictionary is small in the file, and not in a copy.
    table = pa.table({"i": pa.array(range(20_000)), "s": pa.array(["y" * 400] * 20_000)})
    pq.write_table(table, own.project.paths.root / "d.parquet", compression="zstd")
    name = own.registry.register("d.parquet", by="ada").name
    monkeypatch.setattr(view_copies, "MOST_BYTES", 60_000)
    view = _built(own, own.views.open(name, ViewSpec(sort=[SortKey(column="i")])))
    assert view.error is not None
    assert view.state == "failed"


def test_a_view_that_nobody_opened_is_not_found(data: DataService) -> None:
    for view in ("../../etc", "0" * 32, "x"):
        with pytest.raises(NotFoundError):
            data.views.page("small", RowsQuery(view=view))


# Find


def test_find_goes_on_and_wraps(data: DataService) -> None:
    def find(text: str, **more: Any) -> tuple[int | None, str]:
        found = data.views.find("small", FindRequest(text=text, **more))
        return found.row, found.column

    assert find("<B>") == (4, WORDS)
    assert find("<B>", case=True) == (None, "")
    assert find("99.99") == (5, "price")
    assert find("2024") == (0, "day")
    assert find("2024", row=0, column="day") == (0, "at")
    assert find("2024", row=0, column="at") == (1, "day")
    assert find("2024", row=0, column="day", backwards=True) == (5, "at")
    assert find("2024", row=5, column="at") == (0, "day")
    assert find("2024", row=5, column="at", backwards=True) == (4, "at")
    assert find("2024", row=5, column="day", columns=["n", "day"]) == (0, "day")
    assert find("2024-01-02", columns=["at"]) == (1, "at")
    assert find("nowhere") == (None, "")


def test_find_follows_a_views_order(data: DataService) -> None:
    view = _built(data, data.views.open("big", ViewSpec(sort=[SortKey("id", descending=True)])))
    found = data.views.find("big", FindRequest(text="w31", view=view.id, columns=["s"], case=True))
    row = found.row
    assert row is not None
    assert "w31" in _page(data, "big", view, row, 1)["s"].to_pylist()[0]
    before = _page(data, "big", view, 0, row)["s"].to_pylist()
    assert not [s for s in before if "w31" in s]


# Code


@pytest.mark.parametrize("library", ["pandas", "polars", "sql"])
def test_code_of_a_view_makes_the_same_rows(
    data: DataService, folder: Path, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "polars":
        pytest.importorskip("polars")
    monkeypatch.chdir(folder)
    import perijove.kernel.datasets as datasets

    session = Session()
    monkeypatch.setattr(datasets, "current", lambda: session)
    for tree, sort in [
        *((tree, []) for tree, _ in FILTERS),
        *((None, sort) for _, sort in enumerate(s for s, _ in SORTS)),
        (Not(of=Missing(column="n")), [SortKey(column="x"), SortKey(column="n")]),
    ]:
        spec = ViewSpec(filter=tree, sort=sort, columns=["n", WORDS])
        code = data.views.code("small", CodeRequest(view=spec, library=library))
        view = data.views.open("small", spec)
        expected = _plain(_page(data, "small", view).select(["n", WORDS]))
        scope: dict[str, Any] = {}
        exec(code.removesuffix("\nview"), scope)
        made = scope["view"]
        if library == "pandas":
            made = pa.Table.from_pandas(made, preserve_index=False)
        elif library == "polars":
            made = made.to_arrow()
        assert _plain(made) == expected, code
    session.workbench.data.close()


# Export


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "arrow", "jsonl"])
def test_an_export_holds_the_view(data: DataService, folder: Path, ending: str) -> None:
    spec = ViewSpec(
        filter=Not(of=Missing(column="n")), sort=[SortKey(column="n")], columns=[WORDS, "n"]
    )
    task = data.views.export("small", ExportRequest(view=spec, path=f"out.{ending}"))
    task = data.tasks.wait(task.id, 30)
    assert (task.state, task.error) == ("finished", None)
    path = folder / f"out.{ending}"
    if ending == "parquet":
        table = pq.read_table(path)
    elif ending == "arrow":
        table = pa.ipc.open_file(path).read_all()
    elif ending == "jsonl":
        from pyarrow import json

        table = json.read_json(path)
    else:
        from pyarrow import csv

        table = csv.read_csv(
            path,
            parse_options=csv.ParseOptions(delimiter="\t" if ending == "tsv" else ","),
            convert_options=csv.ConvertOptions(strings_can_be_null=True,
                                               quoted_strings_can_be_null=False),
        )  # fmt: skip
    assert table.column_names == [WORDS, "n"]
    assert table["n"].to_pylist() == [-5, 7, 7, BIG, BIG + 1]
    assert table[WORDS].to_pylist() == [None, "héé <b>x</b>", 'it\'s \\ "q"', "a.b", "B"]
    assert not list(folder.glob("*.part"))


def test_an_export_keeps_what_is_there(data: DataService, folder: Path) -> None:
    (folder / "kept.csv").write_text("mine")
    (folder / "out").symlink_to("/tmp")
    spec = ViewSpec()
    cases: list[tuple[str, bool, type[PerijoveError]]] = [
        ("kept.csv", False, ConflictError),
        ("small.parquet", True, ConflictError),
        ("../x.csv", False, ForbiddenPathError),
        ("out/x.csv", False, ForbiddenPathError),
        ("x.xlsx", False, InvalidInputError),
        ("kept.csv/x.csv", False, InvalidInputError),
        (".perijove/x.csv", False, InvalidInputError),
    ]
    for path, replace, error in cases:
        with pytest.raises(error):
            data.views.export("small", ExportRequest(view=spec, path=path, replace=replace))
    assert (folder / "kept.csv").read_text() == "mine"
    for path in ("kept.csv", "new/folder/x.csv"):
        task = data.views.export("small", ExportRequest(view=spec, path=path, replace=True))
        assert data.tasks.wait(task.id, 30).state == "finished"
    assert (folder / "new/folder/x.csv").read_bytes() == (folder / "kept.csv").read_bytes()
    assert (folder / "kept.csv").read_text().startswith("n,x,price")


def test_work_that_is_cancelled_before_it_begins_does_nothing(
    data: DataService, folder: Path
) -> None:
    task = data.views.export("small", ExportRequest(view=ViewSpec(), path="x.csv"))
    ended = data.tasks.cancel(task.id)
    if ended.state == "cancelled":
        assert not (folder / "x.csv").exists()
    assert issubclass(CancelledError, PerijoveError)


def test_columns_of_one_name_are_told_apart_everywhere(data: DataService, folder: Path) -> None:
    """Names of files are kept but for those that are there before, whatever their case."""
    twice = pa.Table.from_arrays(
        [pa.array([3, 1, 2]), pa.array(["x", "y", "z"]), pa.array([0.5, 1.5, 2.5])],
        names=["a", "A", "a"],
    )
    pq.write_table(twice, folder / "twice.parquet")
    made = data.registry.register("twice.parquet", name="twice", by="ada")
    names = [column.name for column in made.facts.columns]
    assert names == ["a", "A_1", "a_2"]
    node = data.registry.resolve("twice")
    assert data.registry.read(node).column_names == names
    assert data.registry.read(node, ["a_2", "a"]).to_pydict() == {
        "a_2": [0.5, 1.5, 2.5], "a": [3, 1, 2]
    }  # fmt: skip
    with pytest.raises(InvalidInputError, match="no column 'A'"):
        data.registry.read(node, ["A"])
    spec = ViewSpec(
        filter=Compare(column="a_2", op=">", value="1"),
        sort=[SortKey(column="A_1", descending=True)],
    )
    view = data.views.open("twice", spec)
    page = pa.ipc.open_stream(data.views.page("twice", RowsQuery(view=view.id))).read_all()
    assert page.to_pydict() == {"a": [2, 1], "A_1": ["z", "y"], "a_2": [2.5, 1.5]}
    split = data.splits.ensure(node, {"train": 0.7, "test": 0.3}, "a_2", method="group")
    assert facts_of(split, SplitFacts).column == "a_2"
    clean = data.curation.commit("clean", data.registry.read(node), inputs=[node.ref], by="ada")
    assert [column.name for column in facts_of(clean, DataFacts).columns] == names
