"""A recorded program: a text with a section for each module, the main one last."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_HEAD: Final = re.compile(r"^# %% (?:main|(module|package) ([\w.]+))$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """The source of one module."""

    name: str
    """Empty for the main part."""
    text: str
    package: bool = False


def join_sections(sections: Sequence[Section]) -> str:
    """Write sections as one text. A head's line in a source gets a blank in front of it."""
    return "".join(
        f"{_head(section)}\n{_HEAD.sub(lambda found: ' ' + found[0], section.text).rstrip()}\n"
        for section in sections
    )


def split_sections(script: str) -> list[Section]:
    """Take a text apart."""
    heads = list(_HEAD.finditer(script))
    ends = [head.start() for head in heads[1:]] + [len(script)]
    return [
        Section(head[2] or "", script[head.end() + 1 : end], head[1] == "package")
        for head, end in zip(heads, ends, strict=True)
    ]


def _head(section: Section) -> str:
    if not section.name:
        return "# %% main"
    return f"# %% {'package' if section.package else 'module'} {section.name}"
