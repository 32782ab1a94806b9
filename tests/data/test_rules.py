"""Rules over tables: the engine against plain Python, in memory and over files."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perijove.adapters.duckdb.rules import DuckDbRules
from perijove.adapters.duckdb.workers import Workers
from perijove.contracts.quality import Rule
from perijove.core.errors import PerijoveError
from perijove.data.ports import Applied, Table
from perijove.data.rules import fault_of
from tests.data import rule_oracle as oracle

NAN = math.nan
TYPES = {"i": pa.int64(), "j": pa.int8(), "f": pa.float64(), "s": pa.string(), "u": pa.string()}
TEXTS = ["", "a", "b", " a", "b\t", "ab", "\u00a0a", "12", "x'y", "ü"]
HELD = {"other.k": {1, 2, 3}, "other.s": {"a", "b", ""}}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDbRules]:
    workers = Workers(tmp_path_factory.mktemp("rules"))
    yield DuckDbRules(workers)
    workers.close()


def _rule(check: Any, *columns: str, **fields: Any) -> Rule:
    fields.setdefault("action", "fix" if "fix" in fields else "quarantine")
    rule = Rule(id=fields.pop("id", check), check=check, columns=list(columns), **fields)
    assert fault_of(rule) is None, fault_of(rule)
    return rule


def _table(**columns: Sequence[Any]) -> pa.Table:
    return pa.table({k: pa.array(v, TYPES[k], from_pandas=False) for k, v in columns.items()})


def _apply(engine: DuckDbRules, table: pa.Table, *rules: Rule, **held: pa.Table) -> Applied:
    return engine.apply(table, rules, held)


def _same(value: Any) -> Any:
    """Make a NaN equal to itself."""
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return [{k: _same(v) for k, v in row.items()} for row in table.to_pylist()]


_ROW_RULES = [
    lambda **f: _rule("not_null", "i", **f),
    lambda **f: _rule("not_null", "f", "s", **f),
    lambda **f: _rule("range", "i", minimum="-2", maximum="2", **f),
    lambda **f: _rule("range", "f", "i", maximum="3", **f),
    lambda **f: _rule("set", "s", values=["a", "b", "x'y", "ü"], **f),
    lambda **f: _rule("set", "j", values=["1", "2"], **f),
    lambda **f: _rule("regex", "s", pattern="[ab]*", **f),
    lambda **f: _rule("type", "u", type="BIGINT", **f),
    lambda **f: _rule("unique", "i", **f),
    lambda **f: _rule("unique", "s", **f),
    lambda **f: _rule("unique", "i", "f", **f),
    lambda **f: _rule("unique", "f", **f),
    lambda **f: _rule("foreign_key", "j", references="other.k", **f),
    lambda **f: _rule("foreign_key", "s", references="other.s", **f),
    lambda **f: _rule("expression", expression="i + j * 2 <= f or s is null", **f),
    lambda **f: _rule("expression", expression="not (length(s) > 1 and i in (1, -2))", **f),
    lambda **f: _rule("expression", expression="0 < i % 3 <= 2 or f / j != 1.5", **f),
]
_FIXES = [
    lambda: _rule("not_null", "i", fix="fill", fill="7"),
    lambda: _rule("not_null", "f", fix="fill", fill="0.5"),
    lambda: _rule("set", "s", values=["a", "b"], fix="trim"),
    lambda: _rule("set", "s", "u", values=["a", "12"], fix="fill", fill="a"),
    lambda: _rule("regex", "s", pattern="[ab]+", fix="trim"),
    lambda: _rule("range", "i", "f", minimum="-1", maximum="1", fix="clip"),
    lambda: _rule("foreign_key", "s", references="other.s", fix="trim"),
    lambda: _rule("unique", "i", fix="deduplicate"),
    lambda: _rule("range", "j", maximum="3", fix="drop"),
]
_CELLS = {
    "i": st.none() | st.integers(-4, 4),
    "j": st.none() | st.integers(-5, 5),
    "f": st.none() | st.sampled_from([NAN, math.inf, -math.inf, 0.0, -0.0, 1.0, 2.5, -3.0]),
    "s": st.none() | st.sampled_from(TEXTS),
    "u": st.none() | st.sampled_from(TEXTS),
}
_RULES = st.lists(
    st.tuples(st.sampled_from(_ROW_RULES), st.sampled_from(["warn", "quarantine", "drop"])).map(
        lambda p: p[0](fix="drop") if p[1] == "drop" else p[0](action=p[1])
    )
    | st.sampled_from(_FIXES).map(lambda make: make()),
    min_size=1,
    max_size=7,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.fixed_dictionaries(_CELLS), max_size=12), rules=_RULES)
def test_the_engine_means_what_plain_python_says(
    engine: DuckDbRules, rows: list[dict[str, Any]], rules: list[Rule]
) -> None:
    import msgspec

    rules = [msgspec.structs.replace(rule, id=f"r{at}") for at, rule in enumerate(rules)]
    table = _table(**{name: [row[name] for row in rows] for name in TYPES})
    held = {
        "other.k": pa.table({"k": pa.array([1, 2, 3, None, 2], pa.int64())}),
        "other.s": pa.table({"s": ["a", "b", "", None]}),
    }
    applied = engine.apply(table, rules, held)
    kept, quarantined, failing, dropped = oracle.apply(rules, rows, HELD)
    assert [r.rule.id for r in applied.results if r.state == "error"] == []
    assert [r.failed for r in applied.results] == failing
    assert _rows(applied.kept) == [{k: _same(v) for k, v in row.items()} for row in kept]
    assert _rows(applied.quarantined) == [
        {**{k: _same(v) for k, v in row.items()}, "_failed": ids} for row, ids in quarantined
    ]
    assert applied.dropped == dropped
    # By an independent count: nothing that a rule keeps out is left.
    for rule, bits in zip(rules, oracle.masks(rules, kept, HELD), strict=True):
        if rule.action != "warn" and rule.check != "unique":
            assert not any(bits)


def test_more_rules_than_one_number_has_bits_for(engine: DuckDbRules) -> None:
    rules = [_rule("range", "i", id=f"r{at}", maximum=str(at)) for at in range(150)]
    applied = _apply(engine, _table(i=[0, 100, None, 149, 1000]), *rules)
    assert applied.kept["i"].to_pylist() == [0, None]
    failed = applied.quarantined["_failed"].to_pylist()
    assert [len(ids) for ids in failed] == [100, 149, 150]
    assert failed[0] == [f"r{at}" for at in range(100)]


def test_files_tell_the_same_as_memory(
    engine: DuckDbRules, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("files")
    rows = 3000
    table = _table(
        i=[at % 700 if at % 11 else None for at in range(rows)],
        j=[at % 7 for at in range(rows)],
        f=[NAN if at % 13 == 0 else at / 7 for at in range(rows)],
        s=[TEXTS[at % len(TEXTS)] for at in range(rows)],
        u=[None if at % 3 else "12" for at in range(rows)],
    )
    files = (folder / "b.parquet", folder / "a.parquet")
    pq.write_table(table.slice(0, 1000), files[0])
    pq.write_table(table.slice(1000), files[1], row_group_size=300)
    pq.write_table(pa.table({"k": [1, 2, 3]}), folder / "k.parquet")
    pq.write_table(pa.table({"s": ["a", "b", ""]}), folder / "s.parquet")
    rules = [make(id=f"r{at}", action="warn") for at, make in enumerate(_ROW_RULES * 4)]
    rules.append(_rule("row_count", id="rows", minimum="3001", action="block"))
    held = {key: pa.table({"v": list(values)}) for key, values in HELD.items()}
    applied = engine.apply(table, rules, held)
    checked = engine.check(
        Table(files, "", rows),
        rules,
        {
            "other.k": (Table((folder / "k.parquet",), "", 3), "k"),
            "other.s": (Table((folder / "s.parquet",), "", 3), "s"),
        },
        scratch=folder / "scratch",
    )
    assert checked.rows == rows
    assert checked.blocked
    assert [(r.rule.id, r.failed, r.state) for r in checked.results] == [
        (r.rule.id, r.failed, r.state) for r in applied.results
    ]
    assert sum(r.failed for r in checked.results) > 1000
    assert not list((folder / "scratch").iterdir())


def test_a_nan_that_the_footer_hides_is_found(engine: DuckDbRules, tmp_path: Path) -> None:
    # Arrow leaves NaN out of a column's least and greatest value, and DuckDB believes them.
    for table, counts in (
        (_table(f=[1.0, NAN, None, 2.0]), [2, 2, 2, 0, 0, 1, 1]),
        (_table(f=[1.0, NAN, 2.0]), [1, 2, 1, 0, 0, 1, 1]),
        (_table(f=[NAN, NAN]), [2, 0, 2, 0, 0, 0, 0]),
    ):
        _check_nan(engine, table, tmp_path / "t.parquet", counts)


def _check_nan(engine: DuckDbRules, table: pa.Table, path: Path, counts: list[int]) -> None:
    pq.write_table(table, path)
    held = path.with_name("held.parquet")
    pq.write_table(_table(f=[1.0, NAN, 3.0]), held)
    rules = [
        _rule("not_null", "f"),
        _rule("expression", id="null", expression="f is null"),
        _rule("expression", id="sum", expression="f + 1 is not null"),
        _rule("expression", id="computed", expression="f * 0 == 0"),
        _rule("unique", "f"),
        _rule("range", "f", minimum="0", maximum="1.5"),
        _rule("foreign_key", "f", references="held.f"),
    ]
    for alone in (rules, rules[:1], rules[2:3]):  # a condition on one column is pushed down
        other = {"held.f": (Table((held,), "", 3), "f")}
        checked = engine.check(Table((path,), "", table.num_rows), alone, other)
        wanted = [counts[rules.index(rule)] for rule in alone]
        assert [r.failed for r in checked.results] == wanted
        for result in checked.results:
            assert bool(result.examples) == bool(result.failed)
        applied = engine.apply(table, alone, {"held.f": pq.read_table(held)})
        assert [r.failed for r in applied.results] == wanted


def test_a_cast_keeps_what_it_cannot_read_in_the_quarantine(engine: DuckDbRules) -> None:
    texts = ["1", " 2 ", "3.0", "4.5", "", "x", None, "9223372036854775807", "9223372036854775808"]
    applied = _apply(engine, _table(u=texts), _rule("type", "u", type="int64", fix="cast"))
    assert applied.kept.schema.field("u").type == pa.int64()
    assert applied.kept["u"].to_pylist() == [1, 2, 3, None, 2**63 - 1]
    assert applied.quarantined["u"].to_pylist() == ["4.5", "", "x", "9223372036854775808"]
    (result,) = applied.results
    assert (result.failed, result.fixed, result.state) == (4, 4, "quarantined")
    assert set(result.examples) == {"4.5", "", "x", "9223372036854775808"}
    assert applied.fixed == 4


def test_a_cast_comes_before_rules_about_its_result(engine: DuckDbRules) -> None:
    applied = _apply(
        engine,
        _table(u=["9", "10", "11"]),
        _rule("range", "u", minimum="10"),
        _rule("type", "u", type="BIGINT", fix="cast"),
    )
    assert applied.kept["u"].to_pylist() == [10, 11]
    assert applied.quarantined.to_pylist() == [{"u": "9", "_failed": ["range"]}]


@pytest.mark.parametrize(
    ("values", "kind", "wanted", "readable"),
    [
        ([1.0, 1.5, NAN, 1e300], pa.float64(), "BIGINT", [1.0, NAN]),
        ([1, 300, -1], pa.int64(), "UTINYINT", [1]),
        ([2**53, 2**53 + 1], pa.int64(), "DOUBLE", [2**53]),
        (["2026-01-31", "2026-02-30", "2026-01-31 12:00"], pa.string(), "DATE", ["2026-01-31"]),
        (["true", "0", "maybe"], pa.string(), "BOOLEAN", ["true", "0"]),
        (["1.25", "1.255"], pa.string(), "DECIMAL(10,2)", ["1.25"]),
        ([1, 2], pa.int64(), "VARCHAR", [1, 2]),
    ],
)
def test_a_value_has_a_type_where_nothing_of_it_is_lost(
    engine: DuckDbRules, values: list[Any], kind: pa.DataType, wanted: str, readable: list[Any]
) -> None:
    table = pa.table({"x": pa.array(values, kind, from_pandas=False)})
    applied = _apply(engine, table, _rule("type", "x", type=wanted))
    assert [_same(v) for v in applied.kept["x"].to_pylist()] == [_same(v) for v in readable]


def test_fixes_change_only_what_fails_and_tell_how_much(engine: DuckDbRules) -> None:
    applied = _apply(
        engine,
        _table(i=[1, 50, -50, None], s=["a", " a", " q ", None], f=[1.0, NAN, None, 2.0]),
        _rule("range", "i", minimum="-10", maximum="10", fix="clip"),
        _rule("set", "s", values=["a"], fix="trim"),
        _rule("not_null", "f", fix="fill", fill="-1"),
    )
    assert applied.kept.to_pylist() == [
        {"i": 1, "s": "a", "f": 1.0},
        {"i": 10, "s": "a", "f": -1.0},
        {"i": None, "s": None, "f": 2.0},
    ]
    # As it came in, though two of its values could be mended.
    assert applied.quarantined.to_pylist() == [
        {"i": -50, "s": " q ", "f": None, "_failed": ["set"]}
    ]
    found = [(r.failed, r.fixed, r.state) for r in applied.results]
    assert found == [(2, 2, "fixed"), (2, 1, "quarantined"), (2, 2, "fixed")]
    assert (applied.fixed, applied.dropped, applied.blocked) == (1, 0, False)


def test_a_fix_that_makes_a_key_twice_is_seen(engine: DuckDbRules) -> None:
    applied = _apply(
        engine,
        _table(s=["a", " a", "b"]),
        _rule("set", "s", values=["a", "b"], fix="trim"),
        _rule("unique", "s"),
    )
    assert applied.kept["s"].to_pylist() == ["a", "b"]
    assert applied.quarantined.to_pylist() == [{"s": " a", "_failed": ["unique"]}]


def test_a_block_moves_nothing_and_says_so(engine: DuckDbRules) -> None:
    applied = _apply(engine, _table(i=[1, None]), _rule("not_null", "i", action="block"))
    assert applied.blocked
    assert (applied.kept.num_rows, applied.quarantined.num_rows) == (2, 0)
    assert applied.results[0].state == "blocked"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (_rule("range", "nowhere", minimum="1"), "no column 'nowhere'"),
        (_rule("range", "i", minimum="one"), "holds BIGINT"),
        (_rule("regex", "i", pattern="a"), "for text"),
        (_rule("regex", "s", pattern="(a"), r"missing \)"),
        (_rule("expression", expression="s > 1"), "cannot be compared"),
        (_rule("expression", expression="nowhere > 1"), "no column 'nowhere'"),
        (_rule("expression", expression="i + 1"), "condition"),
        (_rule("expression", expression="i * i * i * 1000000000000000000000 > 0"), "(?i)overflow"),
        (_rule("type", "s", type="COLOUR"), "no type"),
        (_rule("foreign_key", "i", references="gone.k"), r"gone\.k"),
        (_rule("freshness", "s", within="2 days", action="block"), "no time"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_blocks_and_spoils_no_other(
    engine: DuckDbRules, rule: Rule, reason: str
) -> None:
    import re

    table = _table(i=[1, 2**62, None], s=["a", "b", "c"])
    other = _rule("set", "s", id="other", values=["a", "b"])
    applied = _apply(engine, table, rule, other)
    broken, fine = applied.results
    assert broken.state == "error"
    assert re.search(reason, broken.detail), broken.detail
    assert (fine.state, fine.failed) == ("quarantined", 1)
    assert applied.blocked


def test_rules_about_the_table(engine: DuckDbRules) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    table = pa.table({"at": [now - dt.timedelta(hours=5), None], "i": [1, 2]})

    def state(**fields: Any) -> tuple[str, int, str]:
        check = "freshness" if "within" in fields else "row_count"
        columns = ["at"] if check == "freshness" else []
        rule = _rule(check, *columns, **{"action": "warn", **fields})
        (result,) = _apply(engine, table, rule).results
        return result.state, result.failed, result.detail

    assert state(minimum="2", maximum="2") == ("pass", 0, "2 rows")
    assert state(minimum="3", action="block") == ("blocked", 1, "2 rows")
    assert state(within="6 hours")[:2] == ("pass", 0)
    assert state(within="4 hours")[:2] == ("warn", 1)
    assert "newest" in state(within="4 hours")[2]
    empty = _apply(engine, table.slice(0, 0), _rule("freshness", "at", within="1 day",
                                                    action="warn"))  # fmt: skip
    assert empty.results[0].detail == "there is no value"


def test_columns_of_all_kinds_go_through_whole(engine: DuckDbRules) -> None:
    table = pa.table(
        {
            "k": pa.array(["x", "y", "x"]).dictionary_encode(),
            "n": pa.nulls(3),
            "z": pa.array([0, 1, 2], pa.timestamp("ns", "Europe/Berlin")),
            "big": pa.array([1, 2, 3], pa.decimal256(60, 2)),
            "nested": [[{"a": 1}], None, []],
            "A": [1, 2, 3],
            "a": ["p", "q", "r"],
        }
    )
    applied = _apply(
        engine,
        table,
        _rule("unique", "k"),
        _rule("range", "z", id="z", minimum="1970-01-01"),
        _rule("range", "A", id="A", maximum="2", action="warn"),
        _rule("set", "a", id="a", values=["p", "q", "r"]),
    )
    assert applied.kept.equals(table.slice(0, 2))
    assert applied.quarantined.drop_columns(["_failed"]).equals(table.slice(2))
    assert [r.failed for r in applied.results] == [1, 0, 1, 0]


def test_twice_is_found_in_large_keys_too(engine: DuckDbRules) -> None:
    apart = [2**62, -(2**62), 5, 2**62, None, None, 5]
    applied = _apply(engine, _table(i=apart), _rule("unique", "i"))
    assert applied.quarantined["i"].to_pylist() == [2**62, 5]
    small = pa.table({"j": pa.array([-128, 127, -128], pa.int8())})
    assert _apply(engine, small, _rule("unique", "j")).kept["j"].to_pylist() == [-128, 127]
    high = pa.table({"h": pa.array([2**64 - 1, 2**64 - 2, 2**64 - 1], pa.uint64())})
    assert _apply(engine, high, _rule("unique", "h")).kept.num_rows == 2


def test_no_rules_and_no_rows(engine: DuckDbRules) -> None:
    table = _table(i=[1, 2])
    assert _apply(engine, table).kept is table
    empty = _apply(engine, table.slice(0, 0), _rule("unique", "i"), _rule("not_null", "i"))
    assert (empty.kept.num_rows, empty.quarantined.num_rows) == (0, 0)
    assert empty.quarantined.schema.field("_failed").type == pa.list_(pa.string())


def test_a_damaged_file_is_an_error_not_a_pass(engine: DuckDbRules, tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"i": list(range(1000))}), file)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(PerijoveError):
        engine.check(Table((file,), "", 1000), [_rule("not_null", "i")], {})
