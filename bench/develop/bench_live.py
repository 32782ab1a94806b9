"""How long from ``pj.log`` in one process to the event on a browser's WebSocket?

    python bench/develop/bench_live.py [--rows 100] [--gap 0.13]

A real Jupyter server with the extension, a client on its event stream that watches a run, and this
process, which logs a point, waits for its event, and logs the next one after a pause that drifts
against the server's looks. The floor is a Jupyter server's own answer to ``/api``. What the browser
makes of an event is measured by the front end's own benchmark.

Limit: p95 1 second, to the pixel.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
from perijove.core.context import ProjectContext
from perijove.develop.ports import Batch
from perijove.kernel import tracking

LIMIT_MS = 1000.0


async def measure(root: Path, port: int, token: str, points: int, gap: float) -> list[float]:
    project = ProjectContext.open(root / "p")
    store = SqliteRunStore(project)
    run_id = store.create_run("r", started=1, batch=Batch())
    tracking.activate(tracking.ActiveRun(project.paths, run_id))
    stream = await websocket_connect(
        HTTPRequest(
            f"ws://127.0.0.1:{port}/perijove/api/events",
            headers={"Authorization": f"token {token}", "Origin": f"http://127.0.0.1:{port}"},
        )
    )
    watch = {"type": "watch", "project": "p", "runs": [run_id], "resources": True}
    await stream.write_message(json.dumps(watch))
    times = []
    for step in range(points):
        began = time.perf_counter()
        tracking.log(loss=1 / (1 + step), step=step)
        while True:
            message = await stream.read_message()
            if message is None:
                raise SystemExit("the server closed the stream")
            event = json.loads(message)
            if event["type"] == "points" and any(step in s["steps"] for s in event["series"]):
                break
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(gap)
    stream.close()
    return times[1:]  # the first one opens the project


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100, help="points")
    parser.add_argument("--gap", type=float, default=0.13)
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "p").mkdir()
        (root / "p" / "perijove.toml").write_text("[project]\n")
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root",
             f"--ServerApp.port={port}", f"--ServerApp.root_dir={root}", "--ServerApp.port_retries=0",
             "--ServerApp.jpserver_extensions={'perijove': True}"],
            env={**os.environ, "JUPYTER_TOKEN": token}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            floor = _wait(port)
            times = asyncio.run(measure(root, port, token, options.rows, options.gap))
        finally:
            server.terminate()
            server.wait(30)
    cuts = statistics.quantiles(times, n=20)
    print(
        f"{len(times)} points: p50 {cuts[9]:.0f} ms, p95 {cuts[18]:.0f} ms, worst {max(times):.0f}"
    )
    print(f"floor, the server's /api: {floor:.1f} ms")
    print(f"limit {LIMIT_MS:.0f} ms: {'kept' if cuts[18] <= LIMIT_MS else 'BROKEN'}")


def _wait(port: int) -> float:
    end = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).read()
            break
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).read()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
