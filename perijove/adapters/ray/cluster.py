"""A Ray cluster's Jobs API: what of its REST calls is needed.

Ray itself is not imported, so that a notebook server needs neither its memory nor its version.
See https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html.
"""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from perijove.contracts.base import Facts
from perijove.core.errors import InvalidInputError, UnavailableError

TOKEN_FILE: Final = Path(".ray", "auth_token")
"""In the user's home: where Ray keeps the token that it makes."""
SUBMIT_SECONDS: Final = 30.0
ASK_SECONDS: Final = 3.0
AWAY_SECONDS: Final = 5.0
"""For so long a cluster that did not answer is not asked again by those who only look."""
ANSWER_LIMIT: Final = 16 * 2**20
_UNKNOWN = "ray_unknown"


class Details(Facts):
    """A job as Ray sees it."""

    status: str
    message: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    driver_exit_code: int | None = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the address that the user named, and nowhere else."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


class Cluster:
    """One cluster.

    Parameters
    ----------
    address
        Of its dashboard: ``http://127.0.0.1:8265``.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInputError(
                f"{address[:100]!r} is not the address of a Ray dashboard.",
                "Give one such as http://127.0.0.1:8265.",
                code="invalid_ray_address",
            )
        self.address = address.rstrip("/")
        near = parts.hostname in ("localhost", "127.0.0.1", "::1")
        proxies = [urllib.request.ProxyHandler({})] if near else []
        self._opener = urllib.request.build_opener(_NoRedirect, *proxies)
        self._away_until = 0.0

    def version(self) -> str:
        """Return the version of Ray that answers."""
        answer = self._call("GET", "/api/version", seconds=ASK_SECONDS)
        return str(msgspec.json.decode(answer, type=dict[str, str])["ray_version"])

    def submit(self, request: Mapping[str, Any]) -> None:
        """Have a job run. A cluster that is just starting is given time."""
        body, end = msgspec.json.encode(request), time.monotonic() + SUBMIT_SECONDS
        while True:
            try:
                self._call("POST", "/api/jobs/", body, seconds=SUBMIT_SECONDS)
            except UnavailableError as error:
                if "No available agent" not in error.message or time.monotonic() > end:
                    raise
            else:
                return

    def details(self, job: str) -> Details | None:
        """Return how a job stands; None where the cluster does not know it.

        Raises
        ------
        UnavailableError
            When the cluster does not answer, or did not a moment ago.
        """
        if time.monotonic() < self._away_until:
            raise self._silent("it did not a moment ago")
        try:
            answer = self._call("GET", f"/api/jobs/{quote(job)}", seconds=ASK_SECONDS)
        except UnavailableError as error:
            if error.code == _UNKNOWN:
                return None
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise
        return msgspec.json.decode(answer, type=Details)

    def stop(self, job: str) -> None:
        self._call("POST", f"/api/jobs/{quote(job)}/stop", b"", seconds=SUBMIT_SECONDS)

    def log(self, job: str) -> bytes:
        """Return what Ray itself has of a job's output, setting it up included."""
        answer = self._call("GET", f"/api/jobs/{quote(job)}/logs", seconds=SUBMIT_SECONDS)
        return (msgspec.json.decode(answer, type=dict[str, str | None]).get("logs") or "").encode()

    def _call(self, method: str, path: str, body: bytes | None = None, *, seconds: float) -> bytes:
        request = urllib.request.Request(self.address + path, body, method=method)
        request.add_header("Content-Type", "application/json")
        if token := read_token():
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with self._opener.open(request, timeout=seconds) as answer:
                return bytes(answer.read(ANSWER_LIMIT))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        except OSError as error:
            raise self._silent(getattr(error, "reason", None) or error) from error

    def _refused(self, error: urllib.error.HTTPError) -> UnavailableError:
        if error.code in (401, 403):
            return UnavailableError(
                f"The Ray cluster at {self.address} refuses the token.",
                "Give Ray's own in RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token, where "
                "Perijove runs.",
                code="ray_refused",
            )
        said = error.read(4096).decode(errors="replace").strip().splitlines()
        reason = said[-1][:300] if said else error.reason
        if error.code == 404:
            return UnavailableError(
                f"The Ray cluster at {self.address} knows no such thing: {reason}", code=_UNKNOWN
            )
        return UnavailableError(
            f"The Ray cluster at {self.address} answered {error.code}: {reason}",
            "Its dashboard's log tells more.",
            code="ray_failed",
        )

    def _silent(self, why: object) -> UnavailableError:
        return UnavailableError(
            f"The Ray cluster at {self.address} does not answer: {why}.",
            "See whether it runs, and whether [jobs] ray or RAY_ADDRESS names its dashboard.",
            code="ray_unreachable",
        )


def read_token() -> str:
    """Return the token as Ray's own client would find it; empty where there is none."""
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token.strip()
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        return (Path(named) if named else Path.home() / TOKEN_FILE).read_text().strip()
    except (OSError, RuntimeError, UnicodeDecodeError):
        return ""
