"""Other people's clients, unmodified: Triton's, with JSON and with binary tensors, and KServe's."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.adapters.serving.worker import inference
from perijove.adapters.serving.worker.binary import decode, encode
from perijove.contracts.deploy import DeployRequest
from perijove.core.context import ProjectContext
from perijove.core.errors import PerijoveError
from tests.conftest import DEFINITION
from tests.deploy import shop
from tests.deploy.conftest import end, make_service

ROWS = [
    {"size": -2.0, "files": 4, "team": "web", "night": False},
    {"size": 2.5, "files": 5, "team": "core", "night": True},
]
DTYPES = {"size": np.float64, "files": np.int64, "team": np.object_, "night": np.bool_}
KINDS = {"size": "FP64", "files": "INT64", "team": "BYTES", "night": "BOOL"}


class Forwarder:
    """A loopback port that leads to a Unix socket: these clients know no other address."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._path)
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer), return_exceptions=True)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture(scope="module")
def port(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    root = tmp_path_factory.mktemp("clients")
    (root / "perijove.toml").write_text(DEFINITION)
    with pytest.MonkeyPatch.context() as patch:
        runtime = root / "rt"
        runtime.mkdir(mode=0o700)
        patch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
        service = make_service(ProjectContext.open(root))
        model = shop.log(service.project, saved)
        service.deploy(DeployRequest(model=model, endpoint="builds"), by="ada")
        forwarder = Forwarder(service.wait("builds").socket)
    yield forwarder.port
    forwarder.close()
    end(service)


@pytest.mark.parametrize("binary_in", [False, True])
@pytest.mark.parametrize("binary_out", [False, True])
def test_tritons_client(port: int, binary_in: bool, binary_out: bool) -> None:
    client_of = pytest.importorskip("tritonclient.http")
    with client_of.InferenceServerClient(f"127.0.0.1:{port}") as client:
        assert client.is_server_ready()
        assert client.is_model_ready("builds")
        names = [one["name"] for one in client.get_model_metadata("builds")["outputs"]]
        assert names == ["prediction", "probability_0", "probability_1"]
        inputs = []
        for name, dtype in DTYPES.items():
            values = np.array([row[name] for row in ROWS], dtype=dtype)
            one = client_of.InferInput(name, [len(ROWS)], KINDS[name])
            one.set_data_from_numpy(values, binary_data=binary_in)
            inputs.append(one)
        outputs = [client_of.InferRequestedOutput(n, binary_data=binary_out) for n in names]
        answer = client.infer("builds", inputs, outputs=outputs)
        assert answer.as_numpy("prediction").tolist() == [0, 1]
        assert answer.as_numpy("prediction").dtype == np.int64
        shares = answer.as_numpy("probability_0") + answer.as_numpy("probability_1")
        assert np.allclose(shares, 1.0)


def test_bytes_behind_the_json_belong_to_an_input() -> None:
    tensor = {"name": "x", "shape": [1], "datatype": "FP64", "data": [1.0]}
    head = json.dumps({"inputs": [tensor]}).encode()
    with pytest.raises(PerijoveError, match="belong to no input"):
        inference.read(head + b"\0" * 8, str(len(head)))


def test_tritons_client_is_told_what_is_wrong(port: int) -> None:
    client_of = pytest.importorskip("tritonclient.http")
    with client_of.InferenceServerClient(f"127.0.0.1:{port}") as client:
        one = client_of.InferInput("size", [1], "FP64")
        one.set_data_from_numpy(np.array([1.0]))
        with pytest.raises(client_of.InferenceServerException, match="files"):
            client.infer("builds", [one])


def test_kserves_client(port: int) -> None:
    kserve = pytest.importorskip("kserve")

    async def go() -> Any:
        config = kserve.RESTConfig(protocol="v2")
        client = kserve.InferenceRESTClient(config)
        inputs = []
        for name in KINDS:
            one = kserve.InferInput(name, [len(ROWS)], KINDS[name])
            one._data = [row[name] for row in ROWS]
            inputs.append(one)
        request = kserve.InferRequest("builds", inputs)
        return await client.infer(f"http://127.0.0.1:{port}", request, model_name="builds")

    answer = asyncio.run(go())
    assert answer.outputs[0].name == "prediction"
    assert answer.outputs[0].data == [0, 1]


NUMBERS = {
    "BOOL": st.booleans(),
    "INT8": st.integers(-128, 127),
    "INT64": st.integers(-(2**63), 2**63 - 1),
    "UINT64": st.integers(0, 2**64 - 1),
    "FP32": st.floats(width=32, allow_nan=False),
    "FP64": st.floats(allow_nan=False),
    "BYTES": st.text(),
}


@given(st.data())
def test_bytes_are_read_as_they_were_written(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(NUMBERS)))
    values = data.draw(st.lists(NUMBERS[kind], max_size=20))
    written = encode(kind, values)
    assert decode("x", kind, len(values), memoryview(written)) == values


@given(st.sampled_from(sorted(NUMBERS)), st.integers(0, 6), st.binary(max_size=40))
def test_garbage_is_refused_and_nothing_else_happens(kind: str, rows: int, content: bytes) -> None:
    try:
        found = decode("x", kind, rows, memoryview(content))
    except PerijoveError:
        return
    assert len(found) == rows


@pytest.mark.parametrize(
    ("size", "length", "word"),
    [(8, "-1", "header"), (8, "9999", "header"), (80, None, "80 bytes"), (-1, None, "-1 bytes"),
     ("8", None, "'8' bytes"), (0, None, "has 0 bytes")],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused(size: Any, length: str | None, word: str) -> None:
    tensor = {"name": "x", "shape": [1], "datatype": "FP64"}
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": size}}]}).encode()
    with pytest.raises(PerijoveError, match=word):
        inference.read(head + b"\0" * 8, str(len(head)) if length is None else length)
