"""The worker's HTTP surface: an ASGI application of three protocols and no framework."""

from __future__ import annotations

import os
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from perijove.adapters.serving.worker import inference, invocations
from perijove.adapters.serving.worker.binary import LENGTH_HEADER
from perijove.adapters.serving.worker.columns import Columns, check
from perijove.adapters.serving.worker.document import document
from perijove.adapters.serving.worker.engine import Engine, HungError
from perijove.adapters.serving.worker.metrics import CONTENT_TYPE, WorkerMetrics
from perijove.adapters.serving.worker.predictions import PredictionJournal
from perijove.core.errors import InvalidInputError, NotFoundError, PerijoveError

MAX_BODY: Final = 32 * 1024 * 1024
MAX_DISCARDED: Final = 8 * MAX_BODY
JSON: Final = b"application/json"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    kind: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the worker serves."""

    endpoint: str
    revision: int
    model: str
    version: str


class Application:
    """Answers requests about one model.

    Parameters
    ----------
    on_hang
        Called once when the model does not come back; the process should end soon after.
    """

    def __init__(
        self,
        identity: Identity,
        engine: Engine,
        journal: PredictionJournal,
        sample: dict[str, Any] | None,
        on_hang: Callable[[], None],
    ) -> None:
        self.identity = identity
        self.draining = False
        self._engine = engine
        self._journal = journal
        self._sample = sample
        self._on_hang = on_hang
        self._hung = False
        self._metrics = WorkerMetrics(identity.endpoint, identity.revision)
        signature = engine.signature
        self._inputs = signature.inputs if signature else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        reply = await self._answer(scope, receive)
        headers = [
            (b"content-type", reply.kind),
            (b"content-length", str(len(reply.body)).encode()),
            *reply.headers,
        ]
        if self.draining or reply.status == 413:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        parts = scope["path"].strip("/").split("/")
        try:
            predict = self._predictor(parts)
            wanted = "GET" if predict is None else "POST"
            if scope["method"] != wanted:
                allow = [(b"allow", wanted.encode())]
                return Reply(405, _error(f"{scope['path']} is asked by {wanted}."), headers=allow)
            if predict is None:
                return self._look_up(parts)
            body = await _body(scope, receive)
            if body is None:
                return Reply(413, _error(f"The body is larger than {MAX_BODY:,} bytes."))
            return await predict(body, _header(scope, LENGTH_HEADER))
        except PerijoveError as error:
            return Reply(error.status, _error(str(error)))

    def _predictor(
        self, parts: list[str]
    ) -> Callable[[bytes, str | None], Awaitable[Reply]] | None:
        if parts == ["invocations"]:
            return self._invoke
        if parts[:2] == ["v2", "models"] and parts[-1] == "infer" and len(parts) in (4, 6):
            self._check_model(parts)
            return self._infer
        return None

    def _check_model(self, parts: list[str]) -> None:
        identity = self.identity
        if parts[2] != identity.endpoint:
            raise NotFoundError(
                f"There is no model {parts[2]!r} here.", f"Ask for {identity.endpoint!r}."
            )
        if len(parts) > 4 and parts[3] == "versions" and parts[4] != identity.version:
            raise NotFoundError(
                f"Version {parts[4]!r} does not answer here.", f"Ask for {identity.version!r}."
            )

    def _look_up(self, parts: list[str]) -> Reply:
        identity = self.identity
        ready = 503 if self._hung else 200
        match parts:
            case ["v2"]:
                from perijove import __version__

                answer: Any = {
                    "name": "perijove",
                    "version": __version__,
                    "extensions": ["binary_tensor_data"],
                }
            case ["v2", "health", "live"]:
                answer = {"live": True}
            case ["v2", "health", "ready"]:
                return Reply(ready, msgspec.json.encode({"ready": not self._hung}))
            case ["ping" | "health"]:
                return Reply(200, b"\n", b"text/plain")
            case ["perijove"]:
                answer = {"pid": os.getpid(), "revision": identity.revision}
            case ["metrics"]:
                text = self._metrics.text(self._engine.batches)
                return Reply(200, text.encode(), CONTENT_TYPE.encode())
            case ["openapi.json"]:
                answer = document(identity.endpoint, identity.version, self._inputs, self._sample)
            case ["v2", "models", _] | ["v2", "models", _, "versions", _]:
                self._check_model(parts)
                answer = inference.metadata(
                    identity.endpoint, identity.version, self._inputs, self._engine.outputs
                )
            case ["v2", "models", _, "ready"] | ["v2", "models", _, "versions", _, "ready"]:
                self._check_model(parts)
                answer = {"name": identity.endpoint, "ready": not self._hung}
                return Reply(ready, msgspec.json.encode(answer))
            case _:
                raise NotFoundError(f"There is no /{'/'.join(parts)} here.", "See /openapi.json.")
        return Reply(200, msgspec.json.encode(answer))

    async def _infer(self, body: bytes, length: str | None) -> Reply:
        request: list[inference.InferRequest] = []

        def read() -> tuple[Columns, int]:
            request.append(inference.read(body, length))
            inference.check_asked(request[0], self._engine.outputs)
            return inference.columns_of(request[0])

        def write(outputs: Columns, identifier: str, rows: int) -> tuple[bytes, int | None]:
            return inference.reply(
                request[0],
                self._engine.outputs,
                outputs,
                name=self.identity.endpoint,
                version=self.identity.version,
                prediction_id=identifier,
                rows=rows,
            )

        return await self._predict(read, write)

    async def _invoke(self, body: bytes, _length: str | None) -> Reply:
        names = [column.name for column in self._inputs]
        return await self._predict(
            lambda: invocations.columns_of(body, names),
            lambda outputs, _identifier, _rows: (invocations.reply(outputs), None),
        )

    async def _predict(
        self,
        read: Callable[[], tuple[Columns, int]],
        write: Callable[[Columns, str, int], tuple[bytes, int | None]],
    ) -> Reply:
        """Read, check, predict, write, and write down what happened."""
        identifier = secrets.token_hex(8)
        at = time.time_ns() // 1_000_000
        start = time.perf_counter()
        columns: Columns = {}
        outputs: Columns = {}
        rows, status, error = 0, 200, ""
        head: int | None = None
        try:
            columns, rows = read()
            columns = check(self._engine.signature, columns, rows)
            outputs = await self._engine.predict(columns, rows)
            answer, head = write(outputs, identifier, rows)
        except PerijoveError as refused:
            status, error = refused.status, str(refused)
            answer = _error(error, refused.code)
            if isinstance(refused, HungError) and not self._hung:
                self._hung = True
                self._on_hang()
        except Exception as unforeseen:  # noqa: BLE001  one request's fault ends no other's
            traceback.print_exc()
            status, error = 500, f"{type(unforeseen).__name__}: {unforeseen}"
            answer = _error(error, "internal_error")
        seconds = time.perf_counter() - start
        self._metrics.count(status, rows, seconds)
        if not self._journal.append(
            identifier, at, status, rows, round(seconds * 1000, 3), columns, outputs, error
        ):
            self._metrics.unlogged += 1
        headers = [(b"x-perijove-prediction-id", identifier.encode())]
        if head is None:
            return Reply(status, answer, headers=headers)
        headers.append((LENGTH_HEADER.encode(), str(head).encode()))
        return Reply(status, answer, b"application/octet-stream", headers)


def _error(message: str, code: str = "") -> bytes:
    """Say what is wrong in both protocols' words: KServe reads ``error``, MLflow ``message``."""
    return msgspec.json.encode(
        {"error": message, "error_code": (code or "bad_request").upper(), "message": message}
    )


def _header(scope: Scope, wanted: str) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted.encode():
            return str(value.decode("latin-1"))
    return None


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """Read a request's body; None when it is larger than allowed.

    The rest of one that is too large is read and thrown away, within reason: a client that still
    writes would see a broken connection instead of the answer.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > MAX_DISCARDED:
            return None
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidInputError("The client went away.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        else:
            chunks.clear()
        if size > MAX_DISCARDED:
            return None
        if not message.get("more_body"):
            return None if size > MAX_BODY else b"".join(chunks)
