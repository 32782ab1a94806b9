"""One SELECT and nothing else, as far as its text can show.

Not every database has transactions that can only read, and not every driver takes a single
statement. So a text is sent only when there is one way to read it: without its comments, without a
semicolon, and without a word that could write. What a login may do is for the database to say.
"""

from __future__ import annotations

import re
from typing import Final

from perijove.adapters.sources.worker.failures import SourceError

_MYSQL: Final = frozenset(["mysql", "mariadb"])
_KNOWN: Final = _MYSQL | {"mssql", "oracle"}
_ODD: Final = r"\\['\"`]|\$\w*\$|\bn?q'|/\*M?!"
"""What begins or ends a text in some databases, or in some of their settings, and not in others."""
_ODD_ELSEWHERE: Final = r"|'''|\"\"\"|\#|//"
_PART: Final = r"""(?P<comment> {comment} | /\* .*? \*/ )
      | (?P<text> '(?:[^']|'')*' )
      | (?P<name> "(?:[^"]|"")*" | `(?:[^`]|``)*` {name} )
      | (?P<open> ['"`] | /\* {open} )
      | (?P<word> \w+ )
      | (?P<other> . )"""
_WRITES: Final = frozenset(
    ["into", "insert", "update", "delete", "merge", "upsert", "drop", "alter", "create",
     "truncate", "grant", "revoke", "exec", "execute", "call", "begin", "commit", "rollback",
     "declare", "shutdown", "kill", "backup", "restore", "load", "attach", "copy", "export",
     "handler", "openrowset", "opendatasource", "openquery", "xp_cmdshell"]
)  # fmt: skip
"""``SELECT ... INTO`` writes files and tables; T-SQL begins statements without a semicolon."""


def one_select(text: str, dialect: str) -> str:
    """Return a query without its comments.

    Raises
    ------
    SourceError
        For what is no single SELECT, or could be read in two ways.
    """
    odd = re.search(_ODD + ("" if dialect in _KNOWN else _ODD_ELSEWHERE), text, re.IGNORECASE)
    if odd:
        raise SourceError(
            "invalid",
            f"{odd.group()} can be read in two ways\n"
            "Write a quote within a text twice, as in 'it''s', and comments as -- or /* */.",
        )
    kept: list[str] = []
    words: list[str] = []
    for part in _parts(dialect).finditer(text):
        found = part.group()
        match part.lastgroup:
            case "open":
                raise SourceError("invalid", f"{found} has no end")
            case "comment":
                found = " "
            case "word":
                words.append(found.lower())
        if found == ";":
            raise SourceError(
                "invalid", "only one statement is done here\nLeave away what is behind the ';'."
            )
        kept.append(found)
    if not words or words[0] not in {"select", "with"}:
        raise SourceError("invalid", "only a SELECT is done here: nothing may change")
    writing = next((word for word in words if word in _WRITES), "")
    if writing:
        raise SourceError(
            "invalid",
            f"only a SELECT is done here, and {writing.upper()} could change something\n"
            "Where it is the name of a column, quote it.",
        )
    return "".join(kept).strip()


def _parts(dialect: str) -> re.Pattern[str]:
    mssql = dialect == "mssql"
    return re.compile(
        _PART.format(
            # In MySQL, two minus signs need a space behind them to be a comment.
            comment=r"--(?=[\s\x00-\x1f]|$)[^\n]* | \#[^\n]*" if dialect in _MYSQL else r"--[^\n]*",
            name=r"| \[(?:[^]]|]])*]" if mssql else "",
            open=r"| \[" if mssql else "",
        ),
        re.VERBOSE | re.DOTALL,
    )
