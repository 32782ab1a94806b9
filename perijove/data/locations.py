"""Locations: how a place is written, what may stand in it, and whether the project allows it.

A location is a path or a URL. It never holds a secret: credentials come from the environment or
from the standard configuration of the library that reads the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from perijove.core.errors import ForbiddenPathError, InvalidInputError
from perijove.core.project_file import SourcesTable

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
FILE_DATABASES: Final = ("duckdb", "sqlite")
_FILE_DATABASE: Final = re.compile(rf"({'|'.join(FILE_DATABASES)}):///([^#?]*)(.*)", re.I | re.S)
_SAME: Final = {
    "s3a": "s3",
    "s3n": "s3",
    "gcs": "gs",
    "az": "abfs",
    "abfss": "abfs",
    "postgres": "postgresql",
    "postgresql+psycopg": "postgresql",
    "postgresql+psycopg2": "postgresql",
}
"""Other names of a scheme."""
_SECRETS: Final = re.compile(
    r"pass(word|wd|file)?|pwd|secret|token|sig|signature|credential|(access|api|account|aws)_?key.*"
    r"|x-(amz|goog)-(signature|credential|security-token)|awsaccesskeyid|key",
    re.IGNORECASE,
)
LONGEST: Final = 2000


def is_url(location: str) -> bool:
    """Tell a URL from a path; ``file:`` URLs are paths."""
    return _URL.match(location) is not None and not location.lower().startswith("file:/")


def canonical(location: str) -> str:
    """Write a URL in the one way that it is stored and compared.

    Raises
    ------
    InvalidInputError
        For one that holds a secret, or that leads elsewhere than it seems to.
    """
    if len(location) > LONGEST or any(ord(letter) < 32 for letter in location):
        raise InvalidInputError("This is no location: it is too long or has control characters.")
    if "::" in location:
        raise InvalidInputError(
            "A URL behind another one is no location.", "Name the place itself, as one URL."
        )
    try:
        parts = urlsplit(location)
        password, _ = parts.password, parts.port
    except ValueError as error:
        raise InvalidInputError(f"This is no URL: {error}.") from error
    scheme = _SAME.get(parts.scheme.lower(), parts.scheme.lower())
    secret = next((key for key, _ in parse_qsl(parts.query) if _SECRETS.fullmatch(key)), "")
    if password is not None or secret:
        raise InvalidInputError(
            f"The URL holds a secret ({'a password' if password is not None else secret}); it "
            "would be kept in perijove.toml and shown to everybody.",
            _without_secret(scheme),
            code="secret_in_location",
        )
    if not parts.netloc and scheme not in {"postgresql", *FILE_DATABASES}:
        raise InvalidInputError(
            f"{location!r} names no host or bucket.",
            "Write it as a text (no Path) with two slashes, such as s3://bucket/file.parquet.",
        )
    if any(segment in {".", ".."} for segment in re.split(r"[/\\\\]", unquote(parts.path))):
        raise InvalidInputError("A URL with '.' or '..' in its path is no location.")
    user, at, host = parts.netloc.rpartition("@")
    # Put together here: the standard library drops the two slashes before an empty host.
    return (
        f"{scheme}://{user}{at}{host.lower()}{parts.path}"
        + (f"?{parts.query}" if parts.query else "")
        + (f"#{parts.fragment}" if parts.fragment else "")
    )


def _without_secret(scheme: str) -> str:
    ways = {
        "postgresql": "Leave it away and set PGPASSWORD, or write it into ~/.pgpass.",
        "mysql": "Leave it away and set MYSQL_PWD, or write it into ~/.my.cnf or ~/.netrc.",
        "s3": "Leave it away and set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        "gs": "Leave it away and set GOOGLE_APPLICATION_CREDENTIALS.",
        "abfs": "Leave it away and set AZURE_STORAGE_CONNECTION_STRING, or log in with `az login`.",
        "https": "Leave it away and write it into ~/.netrc.",
    }
    dialect = scheme.partition("+")[0]
    return ways.get(
        {"http": "https", "mariadb": "mysql"}.get(dialect, dialect),
        "Leave it away: credentials come from the environment of the Jupyter server or the kernel.",
    )


def path_of(location: str, root: Path) -> Path:
    """Return the file or folder that a path, absolute or relative to ``root``, leads to.

    Links are followed and ``..`` is resolved: what comes back is where the bytes are.
    """
    if "\0" in location or len(location) > LONGEST:
        raise InvalidInputError("This is no path: it is too long or has a zero byte.")
    if location.lower().startswith("file:/"):
        location = unquote(urlsplit(location).path)
    try:
        return (root / Path(location).expanduser()).resolve()
    except (OSError, RuntimeError) as error:
        raise InvalidInputError(f"{location[:80]!r} leads nowhere: {error}.") from error


@dataclass(frozen=True, slots=True)
class AllowList:
    """Where data may come from.

    Parameters
    ----------
    root
        The project's root: what lies in it is always allowed.
    table
        ``[sources]`` of ``perijove.toml``; None where there is none, and everything is allowed.
    """

    root: Path
    table: SourcesTable | None

    @property
    def restricted(self) -> bool:
        return self.table is not None

    def declares(self, location: str) -> bool:
        """Whether a place lies in the project or in one of the declared sources."""
        entries = self.table.allow if self.table is not None else []
        database = file_database(location)
        if database is not None or not is_url(location):
            path = path_of(database[1] if database is not None else location, self.root)
            folders = [path_of(entry, self.root) for entry in entries if not is_url(entry)]
            return any(path.is_relative_to(folder) for folder in [self.root, *folders])
        place = canonical(location)
        return any(_covers(canonical(entry), place) for entry in entries if is_url(entry))

    def check(self, location: str, *, declared: bool = False) -> None:
        """Refuse a place that the project does not allow.

        Parameters
        ----------
        declared
            Whether it must stand in the list even where there is none: from the browser.

        Raises
        ------
        ForbiddenPathError
            Naming the list.
        """
        if not (self.restricted or declared) or self.declares(location):
            return
        hint = (
            'Add it to the list in perijove.toml: [sources] allow = ["..."], or copy the data into '
            "the project."
        )
        if self.table is None:
            raise ForbiddenPathError(
                f"{location[:200]} lies outside the project, which declares no sources.", hint
            )
        listed = ", ".join(self.table.allow)[:500]
        raise ForbiddenPathError(
            f"{location[:200]} is not among the sources of this project"
            + (f" (it has {listed})." if listed else "."),
            hint,
            code="source_not_allowed",
        )


def file_database(location: str) -> tuple[str, str, str] | None:
    """Take a database that is a file apart: scheme, file, and what is behind the file.

    The file lies where a path may lie. None for all other locations.
    """
    found = _FILE_DATABASE.fullmatch(location)
    return (found[1].lower(), found[2], found[3]) if found else None


def _covers(entry: str, place: str) -> bool:
    """Whether a place is an entry or lies below it.

    A query can lead to another server, so that both must have the same one, except on the web
    where it belongs to the server that is named already.
    """
    ours, theirs = urlsplit(entry), urlsplit(place)
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        return False
    if ours.query != theirs.query and (ours.query or theirs.scheme not in {"http", "https"}):
        return False
    if ours.fragment and ours.fragment != theirs.fragment:
        return False
    above, below = unquote(ours.path).rstrip("/"), unquote(theirs.path)
    return below.rstrip("/") == above or below.startswith(above + "/")
