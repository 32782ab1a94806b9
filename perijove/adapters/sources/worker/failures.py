"""What went wrong at a source, in one word and one sentence, and without secrets."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from typing import Final

_REFUSED: Final = frozenset(
    ["NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "HttpError401",
     "ClientAuthenticationError", "DefaultCredentialsError", "RefreshError",
     "UnauthorizedSSOTokenError", "ProfileNotFound"]
)  # fmt: skip
_UNREACHABLE: Final = frozenset(
    ["ClientConnectorError", "ClientConnectorDNSError", "ServerDisconnectedError", "gaierror",
     "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionTimeoutError",
     "ServiceRequestError", "ClientPayloadError", "ServerTimeoutError", "FSTimeoutError"]
)  # fmt: skip
_SECRET_NAMES: Final = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|CONNECTION_STRING", re.I)


class SourceError(Exception):
    """What a worker found out itself.

    Parameters
    ----------
    kind
        A word that ``process.py`` knows.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def failure(error: BaseException) -> dict[str, str]:
    """Return the reply of a request that failed."""
    if isinstance(error, SourceError):
        return {"kind": error.kind, "error": without_secrets(str(error))}
    for cause in _causes(error):
        kind = _kind(cause)
        if kind:
            said = _WORDS.get(kind, "") or _sentence(cause)
            return {"kind": kind, "error": without_secrets(said)}
    return {"kind": "unreadable", "error": without_secrets(_sentence(error))}


_WORDS: Final = {
    "missing": "there is nothing of that name",
    "changed": "it was changed while it was being read",
    "memory": "it needs more memory than its process may have",
    "disk": "the disk is full",
}


def _kind(error: BaseException) -> str:
    name = type(error).__name__
    status = next(
        (found for at in ("status", "status_code", "code") if (found := getattr(error, at, 0))), 0
    )
    if str(error).startswith("Forbidden: "):
        status = 403  # all that gcsfs says
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "disk"
    if isinstance(error, PermissionError) or name in _REFUSED or status in {401, 403, "401", "403"}:
        return "refused"
    if isinstance(error, (ConnectionError, TimeoutError)) or name in _UNREACHABLE:
        return "unreachable"
    if name == "FileExpired" or status == 412:
        return "changed"
    if isinstance(error, FileNotFoundError) or status == 404:
        return "missing"
    if isinstance(error, (ImportError, NotImplementedError)):
        return "unsupported"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from the first cause to the error: a library says "not found" of what it cannot reach."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    return reversed(chain)


def _sentence(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0][:300] if lines else "") or type(error).__name__


def without_secrets(text: str) -> str:
    """Strike out every value of the environment that is a secret by its name."""
    for name, value in os.environ.items():
        if len(value) >= 4 and _SECRET_NAMES.search(name):
            text = text.replace(value, "…")
    return re.sub(r"(://[^/@:\s]*):[^/@\s]+@", r"\1:…@", text)
