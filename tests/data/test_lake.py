"""The lake: what is committed is whole, hashed and readable by others; what is not, is gone."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import struct
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perijove.adapters.delta import DeltaLake
from perijove.adapters.doctor import examine
from perijove.adapters.workbench import Workbench, open_workbench
from perijove.contracts.data import DataFacts
from perijove.contracts.quality import QualityFacts
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    ReadOnlyError,
    UnreadableDataError,
    UnsupportedError,
)
from perijove.core.files import locked
from perijove.data.ports import Table
from perijove.data.service import DataService


def _commit(data: DataService, table: pa.Table, name: str = "t", source: str = "") -> Any:
    return data.curation.commit(name, table, inputs=[], source=source, by="ada")


def _every_type() -> pa.Table:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return pa.table(
        {
            "größe, µ": pa.array([1, None, 3], pa.int8()),
            "whole": pa.array([2**62, -(2**62), None]),
            "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
            "small": pa.array([1, 2, 3], pa.uint16()),
            "float": pa.array([0.5, float("nan"), None], pa.float32()),
            "double": [math.inf, -0.0, None],
            "text": ["a", "", None],
            "coded": pa.array(["x", "y", "x"]).dictionary_encode(),
            "large": pa.array(["p", None, "q"], pa.large_string()),
            "bytes": [b"\0", b"", None],
            "truth": [True, False, None],
            "day": [date(2026, 1, 1), date(1, 1, 1), None],
            "at": pa.array([now, now + timedelta(microseconds=1), None], pa.timestamp("us", "UTC")),
            "berlin": pa.array([now, now, None], pa.timestamp("ms", "Europe/Berlin")),
            "naive": pa.array([datetime(2026, 1, 1), None, None], pa.timestamp("ns")),
            "money": [Decimal("1.10"), Decimal("-2.20"), None],
            "list": [[1, None], [], None],
            "struct": [{"a": 1, "b": ["x"]}, {"a": None, "b": None}, None],
            "nothing": pa.nulls(3),
        }
    )


def test_others_read_every_type_in_every_version(data: DataService, folder: Path) -> None:
    first = _commit(data, _every_type())
    second = _commit(data, pa.table({"text": [1.5], "new": ["n"]}))
    place = str(folder / ".perijove" / "lake" / "t")

    table = deltalake.DeltaTable(place, version=0)
    stock = table.to_pyarrow_table()
    assert stock.num_rows == 3
    assert stock["unsigned"].to_pylist() == [Decimal(2**64 - 1), Decimal(0), None]
    assert stock["at"].to_pylist()[1].microsecond == 1
    assert stock["naive"].to_pylist()[0] == datetime(2026, 1, 1)
    assert deltalake.DeltaTable(place).to_pyarrow_table().to_pylist() == [{"text": 1.5, "new": "n"}]
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    assert [a["num_records"] for a in actions] == [3]
    assert actions[0]["null_count.text"] == 1
    assert (actions[0]["min.whole"], actions[0]["max.whole"]) == (-(2**62), 2**62)
    assert "max.float" not in actions[0] or actions[0]["max.float"] is None

    files = [str(file) for file in data.registry.table(first).files]
    counts = duckdb.sql(f'SELECT count(*), count("größe, µ") FROM read_parquet({files})')
    assert counts.fetchall() == [(3, 2)]
    polars = pytest.importorskip("polars")
    assert polars.read_delta(place).to_dicts() == [{"text": 1.5, "new": "n"}]
    old = polars.read_delta(place, version=0)
    assert old["größe, µ"].to_list() == [1, None, 3]

    names = [column.name for column in facts_of(first, DataFacts).columns]
    assert names == _every_type().column_names
    assert data.registry.read(second).column_names == ["text", "new"]


def test_a_table_in_many_files_keeps_its_rows_in_order(
    data: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perijove.adapters.delta.FILE_ROWS", 100)
    node = _commit(data, pa.table({"x": list(range(1234))}))
    assert len(data.registry.table(node).files) == 13
    assert data.registry.read(node)["x"].to_pylist() == list(range(1234))
    assert data.registry.state(node) == "current"
    empty = _commit(data, pa.table({"x": pa.array([], pa.int64())}))
    assert data.registry.read(empty).num_rows == 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pa.table({"t": pa.array([1], pa.time64("us"))}), "'t' is of type time64"),
        (pa.table([[1], [2]], names=["a", "a"]), "Two columns are called 'a'"),
        (pa.table({"t": pa.array([1], pa.timestamp("ns"))}), "'t' cannot be kept"),
        (pa.table({}), "without columns"),
    ],
)
def test_what_cannot_be_kept_whole_is_refused(
    data: DataService, table: pa.Table, said: str
) -> None:
    with pytest.raises(UnsupportedError, match=said):
        _commit(data, table)
    assert data.registry.datasets() == []


def test_a_flipped_byte_is_found_on_reading(data: DataService) -> None:
    chance = random.Random(1)
    node = _commit(data, pa.table({"x": [chance.random() for _ in range(5000)]}))
    (file,) = data.registry.table(node).files
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert data.registry.state(node) == "changed"
    with pytest.raises(UnreadableDataError, match="cannot be read"):
        data.registry.read(node)


def test_the_rows_of_two_orders_are_one_version(data: DataService) -> None:
    rows = pa.table({"x": [3, 1, 2], "y": ["c", "a", "b"]})
    first = _commit(data, rows)
    assert _commit(data, rows.sort_by("x")).ref == first.ref
    assert _commit(data, rows.append_column("z", [[1, 2, 3]])).ref == "data:t@2"
    assert not list((data.project.paths.lake / "t" / "_staged").glob("[0-9a-f]*"))
    assert len(list((data.project.paths.lake / "t").glob("*.parquet"))) == 2


# Fingerprints

VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(),
    pa.string(): st.text(max_size=4),
    pa.bool_(): st.booleans(),
    pa.timestamp("us"): st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
    pa.binary(): st.binary(max_size=3),
    pa.list_(pa.string()): st.lists(
        st.none() | st.sampled_from(["", "a", "a, b", "NULL"]), max_size=3
    ),
    pa.struct([("a", pa.int32())]): st.fixed_dictionaries({"a": st.none() | st.integers(0, 3)}),
}


@st.composite
def _columns(draw: Callable[..., Any]) -> dict[str, pa.Array]:
    kinds = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4))
    rows = draw(st.integers(1, 12))
    return {
        f"c{at}": pa.array(
            draw(st.lists(st.none() | VALUES[kind], min_size=rows, max_size=rows)), kind
        )
        for at, kind in enumerate(kinds)
    }


class _Sums:
    """Fingerprints of tables, written to a few files."""

    def __init__(self, data: DataService, folder: Path) -> None:
        self._engine = data._engine
        self._folder = folder

    def of(self, table: pa.Table, files: int = 1, row_group: int = 100) -> str:
        step = -(-table.num_rows // files)
        paths = []
        for start in range(0, table.num_rows, step):
            path = self._folder / f"{uuid.uuid4().hex}.parquet"
            pq.write_table(table.slice(start, step), path, row_group_size=row_group)
            paths.append(path)
        sums = [self._engine.row_sums(Table((path,), "k", 0)) for path in paths]
        total = sums[0]
        for other in sums[1:]:
            total = total + other
        assert total == self._engine.row_sums(Table(tuple(paths), "k", 0))
        return total.fingerprint


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(columns=_columns(), chance=st.randoms(use_true_random=False), files=st.integers(1, 3))
def test_order_and_layout_leave_a_fingerprint_and_any_change_of_a_value_does_not(
    data: DataService, folder: Path, columns: dict[str, pa.Array], chance: Any, files: int
) -> None:
    sums = _Sums(data, folder)
    table = pa.table(columns)
    whole = sums.of(table)
    assert whole.startswith(f"duckdb-{'.'.join(duckdb.__version__.split('.')[:2])}:")
    order = list(range(table.num_rows))
    chance.shuffle(order)
    assert sums.of(table.take(order), files, row_group=2) == whole

    column, row = chance.randrange(len(columns)), chance.randrange(table.num_rows)
    values = table.column(column).to_pylist()
    other = _another(values[row], table.schema.field(column).type)
    changed = table.set_column(
        column, table.schema.field(column),
        pa.array([*values[:row], other, *values[row + 1 :]], table.schema.field(column).type),
    )  # fmt: skip
    assert sums.of(changed) != whole
    assert sums.of(pa.concat_tables([table, table.slice(0, 1)])) != whole
    assert sums.of(table.rename_columns([f"d{i}" for i in range(len(columns))])) != whole


def _another(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return {
            pa.int64(): 0, pa.float64(): 0.0, pa.string(): "", pa.bool_(): False,
            pa.timestamp("us"): datetime(2000, 1, 1), pa.binary(): b"", pa.list_(pa.string()): [],
            pa.struct([("a", pa.int32())]): {"a": None},
        }[kind]  # fmt: skip
    if isinstance(value, float):
        return 1.0 if math.isnan(value) or math.isinf(value) else math.nextafter(value, math.inf)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, list):
        return [*value, None]
    if isinstance(value, dict):
        return {"a": 7}
    return value + value[:1] + (b"\0" if isinstance(value, bytes) else "\0")


def test_all_nan_are_one_and_so_are_the_zeros(data: DataService, folder: Path) -> None:
    sums = _Sums(data, folder)
    nan = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000001))[0]
    for kind in (pa.float64(), pa.float32()):
        first = pa.table({"x": pa.array([float("nan"), 0.0, 1.0], kind)})
        second = pa.table({"x": pa.array([-0.0, 1.0, nan], kind)})
        assert sums.of(first) == sums.of(second)


# What goes wrong

WRITER = """
import sys, pyarrow as pa
from pathlib import Path
from perijove.adapters.workbench import open_workbench
data = open_workbench(Path(sys.argv[1])).data
for number in range(int(sys.argv[3])):
    table = pa.table({"writer": [sys.argv[2]] * 10, "number": [number] * 10})
    data.curation.commit("shared", table, inputs=[], source=sys.argv[2], by="ada")
data.close()
"""


def test_two_processes_lose_nothing(folder: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), name, "20"])
        for name in ("first", "second")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    bench = open_workbench(folder)
    nodes = bench.project.chain.versions("data", "shared")
    assert sorted(node.version for node in nodes) == list(range(1, 41))
    found = {
        tuple(bench.data.registry.read(node).slice(0, 1).to_pylist()[0].values()) for node in nodes
    }
    assert found == {(name, n) for name in ("first", "second") for n in range(20)}
    bench.close()


KILLED = """
import os, signal, sys, pyarrow as pa
from pathlib import Path
from perijove.adapters import delta
from perijove.adapters.workbench import open_workbench
data = open_workbench(Path(sys.argv[1])).data
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "before":
    delta._commit = die
elif sys.argv[2] == "after":
    delta._version_with = die
else:
    data.curation._list = die
data.curation.commit("t", pa.table({"x": list(range(1000, 3000))}), inputs=[], source="f", by="ada")
"""


def _kill(folder: Path, moment: str) -> None:
    died = subprocess.run([sys.executable, "-c", KILLED, str(folder), moment], check=False)
    assert died.returncode == -signal.SIGKILL


@pytest.mark.parametrize("moment", ["before", "after", "between"])
def test_a_kill_in_the_middle_of_a_commit_leaves_no_half_version(
    data: DataService, folder: Path, moment: str
) -> None:
    first = _commit(data, pa.table({"x": [1, 2, 3]}))
    _kill(folder, moment)
    lake = data.project.paths.lake / "t"
    assert len(list(lake.glob("*.parquet"))) == 2
    assert data.registry.read(first)["x"].to_pylist() == [1, 2, 3]
    assert data.registry.resolve("t").ref == first.ref

    # The next commit lists what the lake has and the ledger has not.
    second = _commit(data, pa.table({"x": [4]}))
    assert second.ref == ("data:t@2" if moment == "before" else "data:t@3")
    assert data.registry.read(second)["x"].to_pylist() == [4]
    assert data.curation.unlisted() == {}
    if moment != "before":
        found = data.project.chain.get("data:t@2")
        assert (found.by, facts_of(found, DataFacts).source) == ("ada", "f")
        assert data.registry.state(found) == "current"
        assert data.registry.read(found)["x"].to_pylist() == list(range(1000, 3000))
    # What no version of Delta's log knows is gone; what one knows stays whole for its readers.
    assert len(list(lake.glob("*.parquet"))) == (2 if moment == "before" else 3)
    assert not [marker for marker in (lake / "_staged").iterdir() if marker.name != ".lock"]
    for version in range(deltalake.DeltaTable(str(lake)).version() + 1):
        assert deltalake.DeltaTable(str(lake), version=version).to_pyarrow_table().num_rows > 0


def test_the_keeper_lists_a_commit_that_was_cut_off(
    data: DataService, project: ProjectContext, folder: Path
) -> None:
    _commit(data, pa.table({"x": [1]}))
    (folder / "rules").mkdir()
    (folder / "rules" / "t.toml").write_text(
        '[[rule]]\nid = "low"\ncheck = "range"\ncolumns = ["x"]\nmaximum = 1009\n'
        'action = "quarantine"\n'
    )
    _kill(folder, "between")
    assert data.curation.unlisted() == {"t": [1], "t.quarantine": [0]}
    assert not next(f for f in examine(folder) if f.title == "Lake").ok
    with locked(data.project.paths.lake / ".t.lock"):
        assert data.curation.recover() == []  # somebody is at it
    bench = Workbench(project)
    bench.housekeeping.keep()
    assert data.curation.unlisted() == {}
    assert next(f for f in examine(folder) if f.title == "Lake").ok
    node = data.registry.resolve("t")
    assert node.ref == "data:t@2"
    assert data.registry.read(node)["x"].to_pylist() == list(range(1000, 1010))
    checked = facts_of(project.chain.get(facts_of(node, DataFacts).quality), QualityFacts)
    assert (checked.dataset, checked.quarantined) == (node.ref, 1990)
    assert data.registry.read(project.chain.get(checked.quarantine)).num_rows == 1990
    # The same cell once more: it is that version.
    again = data.curation.commit(
        "t", pa.table({"x": list(range(1000, 3000))}), inputs=[], source="f", by="ada"
    )
    assert again.ref == node.ref
    bench.close()


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """The state of the project, the lake and the ledger among it, on a disk of 4 MB."""
    state = folder / ".perijove"
    state.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(state)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("nothing can be mounted here")
    yield state / "lake"
    subprocess.run(["umount", "-l", str(state)], check=True)


def test_a_full_disk_in_the_middle_of_a_commit(
    small_disk: Path, data: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perijove.adapters.delta.FILE_ROWS", 100_000)
    first = _commit(data, pa.table({"x": [1, 2, 3]}))
    chance = random.Random(1)
    large = pa.table({"x": [chance.getrandbits(62) for _ in range(800_000)]})
    with pytest.raises(ReadOnlyError, match="disk is full: t was not committed") as caught:
        _commit(data, large)
    assert "Earlier versions are as they were" in caught.value.hint
    assert data.registry.read(first)["x"].to_pylist() == [1, 2, 3]
    assert len(list((small_disk / "t").glob("*.parquet"))) == 1
    assert deltalake.DeltaTable(str(small_disk / "t")).version() == 0
    assert _commit(data, pa.table({"x": [4]})).ref == "data:t@2"

    # Nearer and nearer to the end of the disk: the ledger's own file meets it too.
    for rows in (300_000, 150_000, *(1 << bit for bit in range(16, 3, -1)), *(9,) * 20):
        with contextlib.suppress(ReadOnlyError):
            _commit(data, pa.table({"x": [chance.getrandbits(62) for _ in range(rows)]}))
    nodes = data.project.chain.versions("data", "t")
    assert len(nodes) > 2
    for node in nodes:
        assert data.registry.state(node) == "current"
        assert data.registry.read(node).num_rows == facts_of(node, DataFacts).rows
    assert data.project.chain.ledger.read_audit().intact


def test_a_foreign_writer_in_between_is_no_harm(data: DataService, folder: Path) -> None:
    _commit(data, pa.table({"x": [1]}))
    place = folder / ".perijove" / "lake" / "t"
    lake = DeltaLake()
    with lake.stage(place, pa.table({"x": [2]})) as staged:
        deltalake.write_deltalake(str(place), pa.table({"x": [99]}), mode="overwrite")
        commit = lake.commit(staged)
    assert commit == 2
    assert deltalake.DeltaTable(str(place)).to_pyarrow_table()["x"].to_pylist() == [2]


def test_a_registered_name_is_not_taken(data: DataService, folder: Path) -> None:
    (folder / "raw.csv").write_text("a\n1\n")
    data.registry.register("raw.csv", by="ada")
    with pytest.raises(ConflictError, match="registered from a file"):
        _commit(data, pa.table({"a": [1]}), "raw")
