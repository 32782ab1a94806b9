"""Rules that a version's profile suggests, each with its reason in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Final

from perijove.contracts.quality import Rule, Suggestion, Suggestions
from perijove.contracts.table import ColumnProfile, Profile
from perijove.data.filters import FLOATS, INTEGERS

ENOUGH: Final = 100
"""Rows below which nothing is said of a column."""
FEW: Final = 20
"""Different values that make a set."""
MARGIN: Final = Decimal("0.1")
"""Of the span, beyond the least and the greatest value."""
_KEY = re.compile(r"(^|_)(id|key|uuid|guid)$", re.IGNORECASE)
_PATTERNS: Final = (
    ("UUIDs", "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    ("e-mail addresses", r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    ("dates", r"\d{4}-\d{2}-\d{2}"),
    ("times", r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?"),
    ("URLs", r"https?://\S+"),
)
_TYPES: Final = (
    ("whole numbers", r"-?(0|[1-9]\d{0,17})", "BIGINT"),
    ("numbers", r"-?\d+\.\d+([eE][+-]?\d+)?", "DOUBLE"),
)


def suggest(profile: Profile, rules: Sequence[Rule] = (), *, time: str = "") -> Suggestions:
    """Return rules that hold for what was profiled, but for those that are there.

    Parameters
    ----------
    time
        The declared time column: its range grows, and is not suggested.
    """
    taken = {rule.id for rule in rules}
    known = {(rule.check, tuple(rule.columns)) for rule in rules}
    items: list[Suggestion] = []
    if profile.rows >= ENOUGH:
        for column in profile.columns:
            items += _of_column(profile, column, time)
        items.append(_row_count(profile))
    new = [one for one in items if (one.rule.check, tuple(one.rule.columns)) not in known]
    return Suggestions(items=[_named(one, taken) for one in new])


def _of_column(profile: Profile, column: ColumnProfile, time: str) -> Iterator[Suggestion]:
    whole = profile.seen >= profile.rows
    among = "" if whole else f" in a sample of {profile.seen:,} rows"
    counted = column.nulls is not None and (whole or profile.stage != "sample")
    if column.nulls == 0 and not column.nan and (column.nan == 0 or column.type not in FLOATS):
        reason = f"No value of {profile.rows if counted else profile.seen:,} is missing"
        yield _rule("not_null", column, f"{reason}{'' if counted else among}.")
    if _is_key(profile, column, whole):
        exact = whole and not column.distinct_error
        reason = "No value is there twice" if exact else "It is named like a key, and about as "\
            f"many values as rows are different{among}"  # fmt: skip
        yield _rule("unique", column, f"{reason}.")
    values = _set(profile, column)
    if values:
        yield Suggestion(
            rule=Rule(id="set", check="set", columns=[column.name], values=values),
            reason=f"It has only {len(values)} different values{among}.",
        )
    elif column.kind == "number" and column.name != time:
        yield from _range(column, among)
    elif column.kind == "text":
        yield from _texts(column)


def _is_key(profile: Profile, column: ColumnProfile, whole: bool) -> bool:
    if column.distinct is None or column.nulls is None or column.kind in {"truth", "other"}:
        return False
    there = profile.seen - column.nulls if column.nulls <= profile.seen else 0
    if there < ENOUGH:
        return False
    if whole and not column.distinct_error:
        return column.distinct == there and column.type not in FLOATS
    near = abs(column.distinct - there) <= max(3 * column.distinct_error, 0.001) * there
    return near and _KEY.search(column.name) is not None


def _set(profile: Profile, column: ColumnProfile) -> list[str]:
    """Return the column's values where they are few, and repeated often."""
    if column.kind not in {"text", "number"} or column.type in FLOATS or column.distinct is None:
        return []
    there = sum(top.count for top in column.top)
    if not 2 <= len(column.top) <= FEW or column.distinct != len(column.top):
        return []
    complete = there + (column.nulls or 0) >= profile.seen
    if not complete or there < 20 * len(column.top):
        return []
    return sorted(top.value for top in column.top)


def _range(column: ColumnProfile, among: str) -> Iterator[Suggestion]:
    try:
        low, high = Decimal(column.minimum or ""), Decimal(column.maximum or "")
    except InvalidOperation:
        return
    if not (low.is_finite() and high.is_finite()) or low == high:
        return
    room = (high - low) * MARGIN
    bottom, top = low - room, high + room
    bottom = max(bottom, Decimal(0)) if low >= 0 else bottom
    if column.type in INTEGERS:
        least, most = INTEGERS[column.type]
        bottom = max(bottom.to_integral_value(ROUND_FLOOR), Decimal(least))
        top = min(top.to_integral_value(ROUND_CEILING), Decimal(most))
    else:
        bottom, top = _rounded(bottom, ROUND_FLOOR), _rounded(top, ROUND_CEILING)
    yield Suggestion(
        rule=Rule(
            id="range", check="range", columns=[column.name],
            minimum=f"{bottom:f}", maximum=f"{top:f}",
        ),
        reason=f"Its values go from {column.minimum} to {column.maximum}{among}; "
        "a tenth of that span is left as room.",
    )  # fmt: skip


def _rounded(value: Decimal, how: str) -> Decimal:
    """Round to three digits, away from the values."""
    if not value:
        return Decimal(0)
    return value.quantize(Decimal(1).scaleb(value.adjusted() - 2), rounding=how)


def _texts(column: ColumnProfile) -> Iterator[Suggestion]:
    values = [top.value for top in column.top if top.value]
    if len(values) < 3:
        return
    for words, pattern, kind in _TYPES:
        if all(re.fullmatch(pattern, value) for value in values):
            yield Suggestion(
                rule=Rule(
                    id="type", check="type", columns=[column.name], type=kind, action="fix",
                    fix="cast",
                ),
                reason=f"Its most frequent texts are {words}.",
            )  # fmt: skip
            return
    for words, pattern in _PATTERNS:
        if all(re.fullmatch(pattern, value) for value in values):
            yield Suggestion(
                rule=Rule(id="regex", check="regex", columns=[column.name], pattern=pattern),
                reason=f"Its most frequent texts are {words}.",
            )
            return


def _row_count(profile: Profile) -> Suggestion:
    least = max(1, profile.rows // 2)
    return Suggestion(
        rule=Rule(id="row_count", check="row_count", minimum=str(least)),
        reason=f"It has {profile.rows:,} rows; with fewer than half, something is missing.",
    )


def _rule(check: str, column: ColumnProfile, reason: str) -> Suggestion:
    rule = Rule(id=check, check=check, columns=[column.name])  # type: ignore[arg-type]
    return Suggestion(rule=rule, reason=reason)


def _named(suggestion: Suggestion, taken: set[str]) -> Suggestion:
    import msgspec

    rule = msgspec.structs.replace(suggestion.rule, id=rule_id(suggestion.rule, taken))
    return msgspec.structs.replace(suggestion, rule=rule)


def rule_id(rule: Rule, taken: set[str]) -> str:
    """Make an id of columns and check that nobody has yet, and take it."""
    words = "_".join([*rule.columns[:3], rule.check])
    base = re.sub(r"[^A-Za-z0-9_.-]+", "_", words).strip("_.-")[:70] or rule.check
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name
