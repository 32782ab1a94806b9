"""Predictions a second and their latency, side by side with other Python model servers.

    python bench/deploy/bench_throughput.py [--seconds 4] [--rounds 3] [--peers PYTHON]

One HistGradientBoosting classifier of 20 columns, one row a request. Each server is asked in turn
by 16 keep-alive clients, then by one, from one other process; the order is turned round by round
and the median of the rounds is told. ``--peers`` names the Python of an environment with
``mlflow==3.17.2 bentoml litserve ray[serve] scikit-learn pandas``; what it lacks is left out and
named. Peers run as their documentation starts them, and once more with their own batching on.
They listen on loopback, Perijove on its Unix socket; the ASGI floor listens on both.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_first_answer import make_model

from perijove.adapters.mlflow.registry import MlflowRegistry
from perijove.adapters.serving.target import LocalTarget
from perijove.contracts.deploy import DeployRequest, Field, ModelFacts, Signature
from perijove.core.context import ProjectContext
from perijove.core.files import sha256_file
from perijove.core.gate import GateRegistry
from perijove.deploy.service import DeployService

PATIENCE = 120.0
COLUMNS = [f"c{i}" for i in range(20)]
ROW = {name: 0.1 * i for i, name in enumerate(COLUMNS)}
V2 = json.dumps(
    {"inputs": [
        {"name": n, "shape": [1], "datatype": "FP64", "data": [v]} for n, v in ROW.items()
    ]}
).encode()  # fmt: skip
SPLIT = json.dumps({"dataframe_split": {"columns": COLUMNS, "data": [list(ROW.values())]}}).encode()
BENTO = json.dumps({"rows": [list(ROW.values())]}).encode()
PLAIN = json.dumps({"row": list(ROW.values())}).encode()

FLOOR = """\
import sys, msgspec, uvicorn, uvloop
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = (await receive())["body"]
    out = msgspec.json.encode(msgspec.json.decode(body))
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", str(len(out)).encode())]})
    await send({"type": "http.response.body", "body": out})
where = {"uds": sys.argv[1]} if "/" in sys.argv[1] else {"port": int(sys.argv[1])}
uvicorn.run(app, http="httptools", loop="uvloop", log_level="warning", access_log=False, **where)
"""
BENTO_SERVICE = """\
import bentoml, numpy as np, pandas as pd, skops.io, json
FOLDER, TRUSTED, BATCH = json.load(open("model.json"))
@bentoml.service(workers=1)
class Bench:
    def __init__(self):
        self.model = skops.io.load(FOLDER + "/model.skops", trusted=TRUSTED)
    @bentoml.api(batchable=BATCH, max_batch_size=64, max_latency_ms=60000)
    def predict(self, rows: np.ndarray) -> np.ndarray:
        frame = pd.DataFrame(rows, columns=[f"c{i}" for i in range(20)])
        return self.model.predict_proba(frame)
"""
LITSERVE = """\
import json, sys
import litserve, numpy as np, pandas as pd, skops.io
FOLDER, TRUSTED, BATCH = json.load(open("model.json"))
class Bench(litserve.LitAPI):
    def setup(self, device):
        self.model = skops.io.load(FOLDER + "/model.skops", trusted=TRUSTED)
    def decode_request(self, request):
        return request["row"]
    def predict(self, rows):
        rows = rows if BATCH else [rows]
        frame = pd.DataFrame(np.array(rows), columns=[f"c{i}" for i in range(20)])
        found = self.model.predict_proba(frame)
        return found if BATCH else found[0]
    def encode_response(self, found):
        return {"p": found.tolist()}
if __name__ == "__main__":
    api = Bench(max_batch_size=16, batch_timeout=0.002) if BATCH else Bench()
    litserve.LitServer(api, accelerator="cpu").run(
        port=int(sys.argv[1]), host="127.0.0.1", generate_client_file=False)
"""
RAY = """\
import json, sys, signal
import numpy as np, pandas as pd, ray, skops.io
from ray import serve
FOLDER, TRUSTED, BATCH = json.load(open("model.json"))
@serve.deployment
class Bench:
    def __init__(self):
        self.model = skops.io.load(FOLDER + "/model.skops", trusted=TRUSTED)
    def _score(self, rows):
        frame = pd.DataFrame(np.array(rows), columns=[f"c{i}" for i in range(20)])
        return self.model.predict_proba(frame).tolist()
    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.002)
    async def many(self, rows):
        return self._score(rows)
    async def __call__(self, request):
        row = (await request.json())["row"]
        return {"p": await self.many(row) if BATCH else self._score([row])[0]}
ray.init(include_dashboard=False, num_cpus=2, logging_level="ERROR")
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
serve.run(Bench.bind(), blocking=False)
signal.pause()
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server answers, and what it is asked."""

    name: str
    address: str | int
    path: str
    body: bytes


def _connect(address: str | int) -> socket.socket:
    if isinstance(address, str):
        made = socket.socket(socket.AF_UNIX)
        made.connect(address)
    else:
        made = socket.create_connection(("127.0.0.1", address))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


async def _client(
    reader: Any, writer: Any, request: bytes, until: float, took: list[float]
) -> None:
    while (start := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        low = head.lower()
        if b" 200 " not in head[:16]:
            raise RuntimeError(head[:200])
        if b"content-length: " in low:
            await reader.readexactly(int(low.split(b"content-length: ")[1].split(b"\r\n")[0]))
        else:
            while (size := int((await reader.readline()).strip(), 16)) or await reader.readline():
                if not size:
                    break
                await reader.readexactly(size + 2)
        took.append(time.perf_counter() - start)


def measure(server: Server, clients: int, seconds: float, out: Any) -> None:
    """Ask for some seconds; put requests a second, and p50 and p99 in ms, into a queue."""
    import asyncio

    import uvloop

    request = (
        f"POST {server.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(server.body)}\r\n\r\n"
    ).encode() + server.body

    async def go() -> list[float]:
        took: list[float] = []
        pairs = [
            await asyncio.open_connection(sock=_connect(server.address)) for _ in range(clients)
        ]
        until = time.perf_counter() + seconds
        await asyncio.gather(*(_client(r, w, request, until, took) for r, w in pairs))
        return took

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        took = runner.run(go())
    ordered = sorted(took)
    out.put(
        (len(took) / seconds, ordered[len(took) // 2] * 1e3, ordered[int(len(took) * 0.99)] * 1e3)
    )


def ask(server: Server, clients: int, seconds: float) -> tuple[float, float, float]:
    queue: Any = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(
        target=measure, args=(server, clients, seconds, queue)
    )
    process.start()
    try:
        found: tuple[float, float, float] = queue.get(timeout=seconds + 60)
    finally:
        process.join(10)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(server: Server) -> bool:
    request = (
        f"POST {server.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(server.body)}\r\n\r\n"
    ).encode() + server.body
    try:
        with _connect(server.address) as sock:
            sock.settimeout(20)
            sock.sendall(request)
            return b" 200 " in sock.recv(4096)[:16]
    except OSError:
        return False


@contextmanager
def started(command: list[str], folder: Path, server: Server) -> Iterator[bool]:
    """Run a server until the block ends; False where it does not come to answer."""
    with (folder / f"{server.name.split()[0]}.log").open("wb") as log:
        child = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "True"},
        )  # fmt: skip
        try:
            end = time.monotonic() + PATIENCE
            while not (ready := answers(server)) and time.monotonic() < end:
                if child.poll() is not None:
                    break
                time.sleep(0.2)
            yield ready
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(child.pid, number)
                    child.wait(10)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue


@contextmanager
def perijove(root: Path, folder: Path, batching: str) -> Iterator[Server]:
    (root / "perijove.toml").write_text('[project]\nname = "bench"\n')
    project = ProjectContext.open(root)
    facts = ModelFacts(
        run_id="r", uri="models:/bench/1", folder=folder.name, flavor="sklearn", format="skops",
        manifest={
            str(p.relative_to(folder)): sha256_file(p) for p in folder.rglob("*") if p.is_file()
        },
        signature=Signature(
            inputs=[Field(name=name, type="FP64") for name in COLUMNS],
            outputs=[
                Field(name="prediction", type="INT64"),
                Field(name="probability_0", type="FP64"),
                Field(name="probability_1", type="FP64"),
            ],
        ),
        sample=ROW,
    )  # fmt: skip
    if project.chain.latest("model", "bench") is None:
        project.chain.add("model", "bench", facts, by="bench")
    targets = {"local": LocalTarget(project)}
    service = DeployService(project, GateRegistry(), targets, MlflowRegistry(project))
    service.deploy(
        DeployRequest(model="bench", endpoint="bench", settings={"batching": batching}), by="bench"
    )
    endpoint = service.wait("bench")
    try:
        yield Server("perijove", endpoint.socket, "/v2/models/bench/infer", V2)
    finally:
        service.stop("bench", by="bench")
        service.wait("bench")


def servers(root: Path, folder: Path, trusted: list[str], python: str) -> Iterator[Any]:
    """Yield (name, what starts it) of everything that is measured."""
    yield "perijove", lambda: perijove(root, folder, "auto")
    yield "perijove, batching off", lambda: perijove(root, folder, "off")

    def peer(name: str, batch: bool, command: list[str], path: str, body: bytes, port: int) -> Any:
        place = root / name.replace(" ", "-").replace(",", "")
        place.mkdir(exist_ok=True)
        (place / "model.json").write_text(json.dumps([str(folder), trusted, batch]))
        for file, text in (("service.py", BENTO_SERVICE), ("lit.py", LITSERVE),
                           ("rays.py", RAY), ("floor.py", FLOOR)):  # fmt: skip
            (place / file).write_text(text)
        server = Server(name, port, path, body)

        @contextmanager
        def run() -> Iterator[Server | None]:
            with started(command, place, server) as ready:
                yield server if ready else None

        return run

    port = free_port()
    yield (
        "floor: ASGI, no model",
        peer("floor", False, [sys.executable, "floor.py", str(port)], "/", V2, port),
    )
    if not python:
        return
    bin_folder = Path(python).parent
    port = free_port()
    yield "mlflow models serve", peer(
        "mlflow", False,
        [str(bin_folder / "mlflow"), "models", "serve", "-m", str(folder), "--env-manager",
         "local", "-p", str(port), "-h", "127.0.0.1"],
        "/invocations", SPLIT, port,
    )  # fmt: skip
    for batch in (False, True):
        word = ", batching on" if batch else ""
        port = free_port()
        yield f"BentoML{word}", peer(
            f"bentoml{word}", batch,
            [str(bin_folder / "bentoml"), "serve", "service:Bench", "--port", str(port),
             "--host", "127.0.0.1"],
            "/predict", BENTO, port,
        )  # fmt: skip
        port = free_port()
        yield (
            f"LitServe{word}",
            peer(f"litserve{word}", batch, [python, "lit.py", str(port)], "/predict", PLAIN, port),
        )
        port = free_port()
        yield (
            f"Ray Serve{word}",
            peer(f"ray{word}", batch, [python, "rays.py", str(port)], "/", PLAIN, port),
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="", help="the Python of the peers' environment")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.environ["JUPYTER_RUNTIME_DIR"] = str(root / "rt")
        folder, trusted = make_model(root)
        found: dict[str, list[tuple[float, float, float]]] = {}
        for number in range(given.rounds):
            listed = list(servers(root, folder, trusted, given.peers))
            for name, start in listed if number % 2 == 0 else reversed(listed):
                with start() as server:
                    if server is None:
                        print(f"{name}: does not start here, see {root}", flush=True)
                        continue
                    ask(server, 4, min(1.0, given.seconds))
                    many, _, _ = ask(server, 16, given.seconds)
                    _, p50, p99 = ask(server, 1, given.seconds)
                    found.setdefault(name, []).append((many, p50, p99))
        base = statistics.median(r[0] for r in found.get("mlflow models serve", [(0.0, 0.0, 0.0)]))
        print(f"{'':28}{'16 clients':>12}{'':8}{'1 client p50':>14}{'p99':>9}")
        for name, rows in found.items():
            many, p50, p99 = (statistics.median(column) for column in zip(*rows, strict=True))
            times = f"{many / base:5.1f} x" if base else ""
            print(f"{name:28}{many:10,.0f}/s{times:>8}{p50:11.2f} ms{p99:6.2f} ms")


if __name__ == "__main__":
    main()
