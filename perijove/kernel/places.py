"""URLs of data that a cell's text names: readers of object stores and databases are seen nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

STORES: Final = frozenset(["s3", "s3a", "s3n", "gs", "gcs", "abfs", "abfss", "az", "hdfs"])
WEB: Final = frozenset(["http", "https", "ftp"])
DATABASES: Final = frozenset(
    ["postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle", "snowflake", "bigquery",
     "redshift", "clickhouse", "duckdb", "sqlite"]
)  # fmt: skip
_PACKED: Final = re.compile(r"\.(gz|bz2|zip|xz|zst)$", re.IGNORECASE)
_URL: Final = re.compile(r"[a-z][a-z0-9+]*://[^\s\"'\\]+", re.IGNORECASE)
_NOT_READING: Final = re.compile(
    r"(to_|write|save|set_|log|print|upload|put|register$|dataset$|sink|dump|deploy|display|Markdown)"
)
"""Calls that a URL may be given to without anything being read from it."""
_CONNECTING: Final = re.compile(r"(read|scan|create_(async_)?engine|connect|load|open|query|from_)")
_TRACKING: Final = re.compile(r"track|mlflow|registry|artifact", re.IGNORECASE)


def named_urls(source: str, endings: frozenset[str]) -> list[str]:
    """Return the URLs that a cell seems to read, without passwords.

    Parameters
    ----------
    endings
        Of files that are data, for URLs of the web, most of which are none.
    """
    lines = ["" if line.lstrip()[:1] in {"%", "!"} else line for line in source.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        found = [(url, "") for url in _URL.findall(source)]
    else:
        found = list(_texts(tree, ""))
    return list(
        dict.fromkeys(without_password(url) for url, by in found if _reads(url, by, endings))
    )


def is_data_url(url: str, endings: frozenset[str]) -> bool:
    """Whether a URL that was opened is one of data, and not of a service."""
    return _reads(url, "read", endings)


def without_password(url: str) -> str:
    """Leave out a password, and the values of a query, where keys may be."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return f"{parts.scheme.lower()}://{user.partition(':')[0]}{at}{host}{parts.path}"


def _reads(url: str, by: str, endings: frozenset[str]) -> bool:
    if _URL.fullmatch(url) is None:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    scheme = parts.scheme.lower().partition("+")[0]
    if scheme in STORES:
        return len(parts.path) > 1
    if scheme in WEB:
        return _PACKED.sub("", parts.path).rpartition(".")[2].lower() in endings
    if scheme not in DATABASES:
        return False
    # Other things have a database too: trackers, studies, caches.
    return bool(_CONNECTING.match(by)) or (
        scheme != "sqlite" and by.startswith("=") and not _TRACKING.search(by)
    )


def _texts(node: ast.AST, by: str) -> Iterator[tuple[str, str]]:
    """Walk through the literals with what they are given to: a call's name, or ``=NAME``."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value, by
        return
    if isinstance(node, ast.JoinedStr):
        yield (
            "".join(
                str(part.value) if isinstance(part, ast.Constant) else _braces(part)
                for part in node.values
            ),
            by,
        )
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a text that nothing is done with
    if isinstance(node, ast.Call):
        by = _name(node.func)
        yield from _texts(node.func, by)
        if _NOT_READING.match(by):
            return
        for given in [*node.args, *(keyword.value for keyword in node.keywords)]:
            yield from _texts(given, by)
        return
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from _texts(node.value, "=" + " ".join(map(ast.unparse, targets)))
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child, by)


def _braces(part: ast.AST) -> str:
    value = part.value if isinstance(part, ast.FormattedValue) else part
    return "{" + re.sub(r"\s", "", ast.unparse(value)) + "}"


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
