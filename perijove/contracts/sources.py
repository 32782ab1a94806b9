"""Where data may come from."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Millis, Struct


class SourceType(Struct):
    """A kind of source that is built in or installed."""

    kind: str
    label: str
    example: str
    """A location of this kind."""
    available: bool
    needs: str = ""
    """What to install where it is not."""


class Source(Struct):
    location: str
    label: str
    kind: str
    declared: bool
    """Whether it stands in ``perijove.toml``; the project's own folder need not."""


class Sources(Struct):
    items: list[Source]
    restricted: bool
    """Whether only declared sources may be registered."""
    types: list[SourceType]


class SourcesChange(Struct):
    """The allow-list of ``perijove.toml``; None lifts the restriction."""

    allow: list[str] | None


class EntriesQuery(Struct):
    location: str = ""


class SourceEntry(Struct):
    name: str
    location: str
    kind: Literal["folder", "table"]
    bytes: int | None = None
    modified: Millis | None = None
    dataset: str = ""
    """The dataset that is registered from it; empty when there is none."""


class SourceEntries(Struct):
    location: str
    items: list[SourceEntry]
    truncated: bool = False
