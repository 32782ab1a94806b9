"""Free expressions: what is read, what is refused, and that they mean what they say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perijove.adapters.duckdb.expressions import Known, RuleFaultError, condition
from perijove.core.errors import InvalidInputError
from perijove.data.expression import Name, columns, parse
from tests.data import rule_oracle as oracle

KNOWN = {
    "a": Known("c0", "BIGINT"), "b": Known("c1", "DOUBLE"), "s": Known("c2", "VARCHAR"),
    "t": Known("c3", "TIMESTAMP"), "d": Known("c4", "DATE"), "ok": Known("c5", "BOOLEAN"),
    "f": Known("c6", "FLOAT"), "m": Known("c7", "DECIMAL(10,2)"), "x y": Known("c8", "BIGINT"),
}  # fmt: skip
ROW = (
    "SELECT 3::BIGINT c0, 2.5::DOUBLE c1, 'Ab '::VARCHAR c2, TIMESTAMP '2026-05-04 12:30' c3, "
    "DATE '2026-05-04' c4, true c5, 0.1::FLOAT c6, 1.10::DECIMAL(10,2) c7, NULL::BIGINT c8"
)


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE t AS {ROW}")
        yield connection


def _ask(db: duckdb.DuckDBPyConnection, text: str) -> Any:
    ((found,),) = db.execute(f"SELECT {condition(parse(text), KNOWN)} FROM t").fetchall()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a == 3 and not b > 2.5", True),
        ("1 < a <= 3", True),
        ("1 < a < 3", False),
        ("a in (1, 2, 3)", True),
        ("a not in [3]", False),
        ("s in ('Ab ', 'x')", True),
        ("`x y` is null", True),
        ("`x y` is not null", False),
        ("`x y` > 1", None),
        ("`x y` > 1 or a == 3", True),
        ("`x y` > 1 and a == 4", False),
        ("a / 2 == 1.5", True),
        ("a % 2 == 1", True),
        ("-a % 2 == -1", True),
        ("a / 0 > 1", None),
        ("a % 0 > 1", None),
        ("b - b / 0 > 1", None),
        ("a * 9223372036854775807 > 0", True),
        ("f <= 0.1", True),
        ("m == 1.1", True),
        ("lower(trim(s)) == 'ab'", True),
        ("length(s) == 3 and upper(s) == 'AB '", True),
        ("starts_with(s, 'A') and ends_with(s, ' ') and contains(s, 'b')", True),
        ("matches(s, '[A-Z].*')", True),
        ("matches(s, 'b')", False),
        ("t > '2026-05-04' and t < '2026-05-04 12:31'", True),
        ("d == '2026-05-04'", True),
        ("t - d == 45000", True),
        ("year(t) == 2026 and month(d) == 5 and day(d) == 4 and hour(t) == 12", True),
        ("ok", True),
        ("ok == false", False),
        ("abs(-b) == 2.5 and floor(b) == 2 and ceil(b) == 3 and round(1.26, 1) == 1.3", True),
        ("coalesce(`x y`, a) == 3", True),
        ("s == 'it''s' or s == \"it's\"", False),
        ("s == 'x`y`z'", False),
    ],
)
def test_an_expression_means_what_it_says(
    db: duckdb.DuckDBPyConnection, text: str, expected: bool | None
) -> None:
    assert _ask(db, text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "", "a =", "a = 1", "a == 1 AND b == 2", "a <> 1", "a && b", "a | b", "a ** 2", "a // 2",
        "x.y > 1", "x[0] > 1", "(lambda: 1)() > 0", "[a for a in b]", "a if b else c",
        "__import__('os').system('id')", "print(a)", "length()", "abs(1, 2)", "abs(x=1)",
        "f'{a}'", "a is b", "a in b", "a in ()", "a == null", "b'x' == a", "1j > a", "a := 1",
        "a; b", "a\nb", "read_csv('/etc/passwd')", "(" * 300 + "a" + ")" * 300, "-" * 100 + "a",
        "a == 1 and " * 400 + "a", "'open", "`open",
    ],
)  # fmt: skip
def test_what_has_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(text)
    assert caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "nowhere > 1", "s > 1", "t > 1", "t > 'yesterday'", "s + 1 > 2", "a and ok", "a + 1",
        "not a", "lower(a) == 'x'", "year(s) == 1", "round(a, b) > 1", "matches(s, s)", "ok > 1",
        "coalesce(a, s) == 1", "a in ('x',)", "length(t) > 1", "t + 1 > 2",
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(text: str) -> None:
    with pytest.raises(RuleFaultError):
        condition(parse(text), KNOWN)


def test_no_text_of_an_expression_reaches_sql_as_more_than_a_value(
    db: duckdb.DuckDBPyConnection,
) -> None:
    sly = "'; DROP TABLE t; --"
    assert _ask(db, f's == "{sly}"') is False
    assert parse('`a"; DROP TABLE t` > 1').left == Name('a"; DROP TABLE t')  # type: ignore[union-attr]
    with pytest.raises(RuleFaultError, match="no column"):
        _ask(db, '`a"; DROP TABLE t` > 1')


def test_columns_are_named_once() -> None:
    assert columns(parse("`x y` > a and lower(s) in ('q',) and a is null")) == ["x y", "a", "s"]


_NUMBERS = st.recursive(
    st.sampled_from(["a", "b"]) | st.integers(0, 9).map(str),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner),
    max_leaves=5,
)
_TRUTHS = st.recursive(
    st.builds("({} {} {})".format, _NUMBERS, st.sampled_from(["<", "<=", "==", "!="]), _NUMBERS)
    | st.builds("({} is null)".format, _NUMBERS)
    | st.builds("({} not in (1, 2.5))".format, _NUMBERS),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=6,
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=_TRUTHS,
    a=st.none() | st.integers(-9, 9),
    b=st.none() | st.sampled_from([0.0, 1.0, 2.5, -4.0, float("nan"), float("inf")]),
)
def test_sql_and_python_agree(
    db: duckdb.DuckDBPyConnection, text: str, a: int | None, b: float | None
) -> None:
    tree = parse(text)
    sql = condition(tree, KNOWN)
    ((found,),) = db.execute(
        f"SELECT {sql} FROM (SELECT CAST(? AS BIGINT) c0, CAST(? AS DOUBLE) c1)", [a, b]
    ).fetchall()
    assert found is oracle.evaluate(tree, {"a": a, "b": b})
