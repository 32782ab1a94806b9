"""What a database of SQLAlchemy said, in the words of the other sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import exc

from perijove.adapters.sources.worker.failures import SourceError

_NUMBERS: Final = {
    "mysql": {
        "refused": {1044, 1045, 1130, 1142, 1143, 1227, 1251, 1370, 1698, 1820, 1862, 2059, 3118},
        "missing": {1049, 1051, 1146},
        "invalid": {1052, 1054, 1060, 1064, 1149, 1290, 1305, 1327, 1365, 1792, 3057},
        "late": {1969, 3024},
        "unreachable": {1040, 1053, 2002, 2003, 2005, 2006, 2013, 2055},
    },
    "mssql": {"refused": {229, 18452, 18456}, "missing": {208, 4060}, "invalid": {102, 156, 207}},
    "oracle": {
        "refused": {1017, 1031, 1045, 28000, 28001},
        "missing": {942, 12505, 12514},
        "invalid": {900, 904, 918, 923, 933, 936, 1456},
    },
}
"""Codes of errors, by what they mean here."""
_WORDS: Final = {
    "refused": r"access denied|authentication|login failed|not authorized|permission|password",
    "missing": r"no such table|unknown database|(does not|doesn't) exist|invalid object name",
}


@contextmanager
def told(dialect: str, host: str) -> Iterator[None]:
    try:
        yield
    except exc.NoSuchTableError as error:
        raise SourceError("missing", f"there is no table {error}") from error
    except exc.DBAPIError as error:
        said = _said(error.orig)
        raise SourceError(*_meant(dialect, error, said)) from error
    except exc.SQLAlchemyError as error:
        raise SourceError("unreadable", str(error).splitlines()[0][:300]) from error


def _meant(dialect: str, error: exc.DBAPIError, said: str) -> tuple[str, str]:
    family = "mysql" if dialect == "mariadb" else dialect
    number = _number(error.orig)
    kind = next((k for k, known in _NUMBERS.get(family, {}).items() if number in known), "")
    if kind == "late":
        return "unreachable", f"{said}\nAsk for fewer rows, or index what the query looks for."
    if family == "mysql" and number == 1792:
        return "invalid", "only a SELECT is done here: nothing may change"
    if not kind:
        kind = next((k for k, words in _WORDS.items() if re.search(words, said, re.I)), "")
    if not kind:
        match error:
            case exc.NotSupportedError():
                kind = "unsupported"
            case exc.ProgrammingError() | exc.IntegrityError() | exc.DataError():
                kind = "invalid"
            case exc.OperationalError() | exc.InterfaceError():
                kind = "unreachable"
            case _:
                kind = "unreadable"
    return kind, said


def _number(error: Any) -> int:
    """Return the database's own code; drivers put it first, or into the text."""
    first = error.args[0] if getattr(error, "args", ()) else None
    if isinstance(first, int):
        return first
    code = getattr(first, "code", None)
    if isinstance(code, int):
        return code
    found = re.search(r"ORA-(\d{5})|\((\d{2,5})\)", str(error))
    return int(found.group(1) or found.group(2)) if found else 0


def _said(error: Any) -> str:
    """Return the sentence; drivers wrap it in tuples and repeat the statement behind it."""
    args = [arg for arg in getattr(error, "args", ()) if isinstance(arg, str) and arg.strip()]
    text = (args[-1] if args else str(error)).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
