"""Constants of a notebook, written as expressions that read back as they were."""

from __future__ import annotations

import datetime
import math
import re
from pathlib import Path
from typing import Any, Final

LONGEST: Final = 64 * 1024
"""Characters of a constant that is carried along."""
ATOMS: Final = (type(None), bool, int, str, bytes)


def literal_of(value: Any) -> tuple[list[str], str] | None:
    """Write a constant: the imports that it needs, and an expression; None for what is none."""
    if isinstance(value, re.Pattern):
        return ["import re as _re"], f"_re.compile({value.pattern!r}, {value.flags})"
    if type(value) in {datetime.date, datetime.datetime, datetime.time, datetime.timedelta}:
        zone = getattr(value, "tzinfo", None)
        if zone is not None and type(zone) is not datetime.timezone:
            return None
        return ["import datetime as _datetime"], repr(value).replace("datetime.", "_datetime.")
    if isinstance(value, Path):
        return ["from pathlib import Path as _Path"], f"_Path({str(value)!r})"
    text = _literal(value, 0)
    return None if text is None or len(text) > LONGEST else ([], text)


def _literal(value: Any, depth: int) -> str | None:
    if type(value) in ATOMS:
        return repr(value)
    if type(value) is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if depth > 8 or type(value) not in {list, tuple, set, frozenset, dict}:
        return None
    if isinstance(value, dict):
        pairs = [(_literal(k, depth + 1), _literal(v, depth + 1)) for k, v in value.items()]
        if any(k is None or v is None for k, v in pairs):
            return None
        return "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}"
    items = [_literal(item, depth + 1) for item in value]
    inner = [item for item in items if item is not None]
    if len(inner) < len(items):
        return None
    if isinstance(value, (set, frozenset)):
        # Sets have no order, and a program's text should not differ by chance.
        inner.sort()
    text = ", ".join(inner)
    if isinstance(value, tuple):
        return f"({text},)" if len(inner) == 1 else f"({text})"
    if isinstance(value, list):
        return f"[{text}]"
    kind = type(value).__name__
    return f"{kind}([{text}])"
