"""OpenLineage: tell other tools what happened in the chain, by its events (spec 2-0-2).

Off by default. With ``[openlineage]`` in perijove.toml, events go to a file of JSON lines, to a
URL, or to both. Nothing that a person does waits for it: a keeper exports what is new, in order,
and what a server does not take is tried again later, in order.
"""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from perijove.adapters.openlineage_events import Events
from perijove.contracts.base import Millis
from perijove.contracts.chain import Node
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, UnavailableError
from perijove.core.files import locked, sha256_text
from perijove.core.ledger import now

KEY_VARIABLE: Final = "PERIJOVE_OPENLINEAGE_API_KEY"
TIMEOUT: Final = 5.0
BATCH: Final = 200
FIRST_RETRY: Final = 15.0
LAST_RETRY: Final = 600.0
REFUSED: Final = (400, 413, 422)
"""What a server answers to an event that it will never take: it is left out, or all would stop."""

RunEnd = Callable[[str], tuple[str, Millis] | None]
"""How a run ended (``FINISHED``, ``FAILED``, ``KILLED``) and when; None while it runs."""
_NEW: Final = """
SELECT a.seq, n.ref FROM audit a JOIN node n ON n.ref = a.resource
WHERE a.seq > ?1 AND a.at >= n.at AND NOT EXISTS (
  SELECT 1 FROM audit b WHERE b.resource = a.resource AND b.seq < a.seq AND b.at >= n.at)
ORDER BY a.seq LIMIT ?2
"""


class _Cursor(msgspec.Struct):
    """How far one receiver has been told. Audit rows are numbered in the order of commits."""

    seq: int = 0
    running: list[str] = []
    """References of runs whose start was told, and whose end was not."""


class OpenLineage:
    """Exports one project's chain.

    Parameters
    ----------
    project
        The open project.
    run_end
        Tells how a run ended.
    """

    def __init__(self, project: ProjectContext, run_end: RunEnd) -> None:
        self.project = project
        self._run_end = run_end
        self._retry: dict[str, tuple[float, float]] = {}

    def export(self) -> int:
        """Tell what is new; return the number of events. Nothing where it is off.

        Raises
        ------
        UnavailableError
            When a receiver takes nothing now; it is tried again later.
        """
        table = self.project.definition.openlineage
        if not table.file and not table.url:
            return 0
        namespace = table.namespace or f"perijove.{self.project.name}"
        sent = 0
        with locked(self.project.paths.state / "openlineage.lock", wait=False) as mine:
            if mine and table.file:
                sent += self._export(f"file:{table.file}", namespace, self._append(table.file))
            if mine and table.url:
                sent += self._export(f"url:{table.url}", namespace, _post(table.url))
        return sent

    def _export(
        self, receiver: str, namespace: str, send: Callable[[list[dict[str, Any]]], None]
    ) -> int:
        name = f"openlineage:{sha256_text(receiver)[:12]}"
        at, pause = self._retry.get(name, (0.0, FIRST_RETRY))
        if time.monotonic() < at:
            return 0
        sent = 0
        try:
            for cursor, events in self._steps(self._read(name), Events(self.project, namespace)):
                send(events)
                sent += len(events)
                self._write(name, cursor)
        except (OSError, UnavailableError) as error:
            self._retry[name] = (time.monotonic() + pause, min(LAST_RETRY, pause * 2))
            raise UnavailableError(
                f"OpenLineage events cannot be delivered: {error}",
                "They are kept in the chain and tried again later.",
                code="openlineage_unavailable",
            ) from error
        self._retry.pop(name, None)
        return sent

    def _steps(self, cursor: _Cursor, events: Events) -> Any:
        """Yield events, with where the cursor is once they have been taken."""
        for seq, ref in self.project.chain.ledger.rows(_NEW, (cursor.seq, BATCH)):
            node = self.project.chain.get(ref)
            running = list(cursor.running)
            made = self._made(node, events, running)
            cursor = _Cursor(seq, running)
            yield cursor, made
        for ref in list(cursor.running):
            node = self.project.chain.get(ref)
            ended = self._run_end(node.name)
            if ended is not None:
                running = [other for other in cursor.running if other != ref]
                cursor = _Cursor(cursor.seq, running)
                yield cursor, [events.run_ended(node, *ended)]

    def _made(self, node: Node, events: Events, running: list[str]) -> list[dict[str, Any]]:
        if node.kind == "run":
            running.append(node.ref)
            return [events.run_started(node)]
        if node.kind == "model":
            runs = self.project.chain.sources(node.ref, "run")
            # What a run makes while it lasts is told when it ends.
            return [events.model_made(node, run) for run in runs if run.ref not in running]
        return events.of(node)

    def _append(self, file: str) -> Callable[[list[dict[str, Any]]], None]:
        path = self.project.paths.root / Path(file).expanduser()

        def append(events: list[dict[str, Any]]) -> None:
            if not events:
                return
            lines = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
            with path.open("ab") as output:
                output.write(lines)
                output.flush()
                os.fsync(output.fileno())

        return append

    def _read(self, name: str) -> _Cursor:
        rows = self.project.chain.ledger.rows(
            "SELECT value FROM wanted WHERE kind='cursor' AND name=?", (name,)
        )
        return msgspec.json.decode(rows[0][0], type=_Cursor) if rows else _Cursor()

    def _write(self, name: str, cursor: _Cursor) -> None:
        with self.project.chain.ledger.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO wanted VALUES ('cursor',?,?,?)",
                (name, msgspec.json.encode(cursor), now()),
            )


def _post(url: str) -> Callable[[list[dict[str, Any]]], None]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInputError(
            "[openlineage] url is not an http or https URL.",
            "Write one, such as https://lineage.example.org/api/v1/lineage.",
        )
    place = f"{parts.scheme}://{parts.hostname}"

    def post(events: list[dict[str, Any]]) -> None:
        for event in events:
            headers = {"Content-Type": "application/json"}
            if key := os.environ.get(KEY_VARIABLE):
                headers["Authorization"] = f"Bearer {key}"
            request = urllib.request.Request(
                url, data=msgspec.json.encode(event), headers=headers, method="POST"
            )
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT):
                    continue
            except urllib.error.HTTPError as error:
                if error.code not in REFUSED:
                    raise UnavailableError(f"{place} answers {error.code}.") from None
            except (OSError, ValueError) as error:
                raise UnavailableError(f"{place} does not answer: {error}.") from None

    return post
