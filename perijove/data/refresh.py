"""Words that say when: ``refresh`` of a dataset, understood.

    when the source changes
    every 6 hours            from when it last ran; also minutes and days
    hourly                   at the full hour
    daily at 06:00
    weekdays at 7:30
    mondays at 7:30          any day of the week
    30 6 * * 1-5             five cron fields

Times are those of the server's clock on the wall. Where a night has an hour twice or not at all,
a daily time comes once all the same.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final

from perijove.core.errors import InvalidInputError

_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_UNITS: Final = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_EVERY = re.compile(r"every (?:(\d{1,4}) )?(minute|hour|day)s?")
_AT = re.compile(r"(daily|weekdays|weekends|\w+days) at (\d{1,2}):(\d{2})")
_WATCH: Final = "when the source changes"
_SHORTEST: Final = 60_000
HINT: Final = (
    'Write "when the source changes", "every 6 hours", "daily at 06:00", "mondays at 7:30" or five '
    "cron fields."
)


@dataclass(frozen=True, slots=True)
class When:
    """When something is due; at most one of the three is set."""

    watch: bool = False
    """When an input has changed."""
    every: int = 0
    """Milliseconds from one start to the next."""
    cron: str = ""

    def next(self, after: int, zone: tzinfo) -> int | None:
        """Return the first time after a time, both in milliseconds since the epoch.

        None where no clock tells it.
        """
        if self.every:
            return after + self.every
        if not self.cron:
            return None
        from cronsim import CronSim

        start = datetime.fromtimestamp(after / 1000, zone)
        return int(next(CronSim(self.cron, start)).timestamp() * 1000)


def parse_refresh(words: str) -> When:
    """Understand the words; empty ones mean never.

    Raises
    ------
    InvalidInputError
        Saying what cannot be understood, and what can.
    """
    said = " ".join(words.lower().split())
    if not said:
        return When()
    if said == _WATCH:
        return When(watch=True)
    if found := _EVERY.fullmatch(said):
        every = int(found[1] or 1) * _UNITS[found[2]]
        if every < _SHORTEST:
            raise _invalid(words, "that is no time")
        return When(every=every)
    if said == "hourly":
        return When(cron="0 * * * *")
    if found := _AT.fullmatch(said):
        return When(cron=_clock(words, found[1], int(found[2]), int(found[3])))
    if len(said.split()) == 5:
        return When(cron=_checked(words, said.upper()))
    raise _invalid(words, "these words are not known")


def _clock(words: str, days: str, hour: int, minute: int) -> str:
    if hour > 23 or minute > 59:
        raise _invalid(words, f"{hour}:{minute:02} is no time of the day")
    groups = {"daily": "*", "weekdays": "1-5", "weekends": "0,6"}
    if days in groups:
        return f"{minute} {hour} * * {groups[days]}"
    if days.removesuffix("s") not in _DAYS:
        raise _invalid(words, f"{days!r} is no day of the week")
    return f"{minute} {hour} * * {_DAYS.index(days.removesuffix('s'))}"


def _checked(words: str, cron: str) -> str:
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise _invalid(words, f"as cron fields: {str(error).lower()}") from None
    except StopIteration:
        raise _invalid(words, "such a day never comes") from None
    return cron


def _invalid(words: str, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"{words[:80]!r} says no time to refresh: {reason}.", HINT, code="invalid_refresh"
    )


def local_zone() -> tzinfo:
    """Return this machine's time zone with its changes through the year where it has a name."""
    from zoneinfo import ZoneInfo

    _, _, linked = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")
    for name in (os.environ.get("TZ", "").lstrip(":"), linked):
        try:
            if name:
                return ZoneInfo(name)
        except (ValueError, OSError, KeyError):  # no such zone, or a rule such as CET-1CEST
            continue
    return datetime.now().astimezone().tzinfo or UTC
