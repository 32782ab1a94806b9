"""Passwords of databases: from the environment, from ``~/.my.cnf`` and from ``~/.netrc``."""

from __future__ import annotations

import configparser
import netrc
import os
from pathlib import Path
from typing import Final

VARIABLES: Final = {
    "mysql": "MYSQL_PWD",
    "mariadb": "MYSQL_PWD",
    "mssql": "SQLCMDPASSWORD",
    "snowflake": "SNOWFLAKE_PASSWORD",
}
"""What each database's own programs read."""


def login(dialect: str, host: str, user: str) -> tuple[str, str]:
    """Return the user and the password for a server; empty where nobody knows.

    Parameters
    ----------
    user
        As the URL names it; a password of somebody else is not taken.
    """
    for known_user, password in (
        (user, os.environ.get(VARIABLES.get(dialect, ""), "")),
        _options() if VARIABLES.get(dialect) == "MYSQL_PWD" else ("", ""),
        _netrc(host),
    ):
        if password and (not user or not known_user or known_user == user):
            return user or known_user, password
    return user, ""


def _options() -> tuple[str, str]:
    """Return what MySQL's option file says in its group ``client``."""
    parser = configparser.ConfigParser(
        allow_no_value=True, strict=False, interpolation=None, comment_prefixes=("#", ";", "!")
    )
    try:
        parser.read(Path("~/.my.cnf").expanduser(), encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return "", ""
    said = {key: parser.get("client", key, fallback="") or "" for key in ("user", "password")}
    user, password = (value.strip("'\"") for value in said.values())
    return user, password


def _netrc(host: str) -> tuple[str, str]:
    try:
        known = netrc.netrc(os.environ.get("NETRC")).authenticators(host) if host else None
    except (netrc.NetrcParseError, OSError):
        return "", ""
    return (known[0], known[2] or "") if known else ("", "")
