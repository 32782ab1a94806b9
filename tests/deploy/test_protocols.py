"""What an endpoint answers: three protocols, and every way to get a row wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perijove.contracts.deploy import DeployRequest
from perijove.core.context import ProjectContext
from perijove.deploy.ports import Answer
from perijove.deploy.rows import tensors
from tests.conftest import DEFINITION
from tests.deploy import shop
from tests.deploy.conftest import end, make_service

ROW = {"size": -2.0, "files": 4, "team": "web", "night": False}
INFER = "/v2/models/builds/infer"


class Endpoint:
    def __init__(self, project: ProjectContext) -> None:
        self.service = make_service(project)
        self.target = self.service._targets["local"]  # the port's own door

    def get(self, path: str) -> Answer:
        return self.target.request("builds", "GET", path)

    def post(self, path: str, body: Any) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.target.request("builds", "POST", path, raw)

    def infer(self, *rows: dict[str, Any], **fields: Any) -> Answer:
        return self.post(INFER, {"inputs": tensors(list(rows), shop.SIGNATURE), **fields})


@pytest.fixture(scope="module")
def endpoint(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    root = tmp_path_factory.mktemp("protocols")
    (root / "perijove.toml").write_text(DEFINITION)
    with pytest.MonkeyPatch.context() as patch:
        runtime = root / "rt"
        runtime.mkdir(mode=0o700)
        patch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
        made = Endpoint(ProjectContext.open(root))
        model = shop.log(made.service.project, saved)
        made.service.deploy(DeployRequest(model=model, endpoint="builds"), by="ada")
        made.service.wait("builds")
    yield made
    end(made.service)


def error(answer: Answer) -> str:
    message = json.loads(answer.body)["error"]
    assert isinstance(message, str)
    return message


def test_metadata_and_health(endpoint: Endpoint) -> None:
    assert json.loads(endpoint.get("/v2").body)["name"] == "perijove"
    assert json.loads(endpoint.get("/v2/health/live").body) == {"live": True}
    assert json.loads(endpoint.get("/v2/health/ready").body) == {"ready": True}
    assert endpoint.get("/v2/models/builds/ready").status == 200
    assert endpoint.get("/v2/models/builds/versions/1/ready").status == 200
    assert endpoint.get("/ping").status == 200
    model = json.loads(endpoint.get("/v2/models/builds").body)
    assert model["versions"] == ["1"]
    assert model["inputs"][1] == {"name": "files", "datatype": "INT64", "shape": [-1]}
    assert [t["name"] for t in model["outputs"]] == [
        "prediction", "probability_0", "probability_1",
    ]  # fmt: skip
    assert endpoint.get("/v2/models/other").status == 404
    assert endpoint.get("/v2/models/builds/versions/7").status == 404
    assert endpoint.get("/nothing").status == 404
    assert endpoint.get(INFER).status == 405
    assert endpoint.post("/v2", {}).status == 405
    paths = json.loads(endpoint.get("/openapi.json").body)["paths"]
    assert INFER in paths


def test_inference_echoes_the_id_and_ignores_what_it_does_not_know(endpoint: Endpoint) -> None:
    answer = endpoint.infer(ROW, id="mine", parameters={"x": 1}, novelty=[1])
    body = json.loads(answer.body)
    assert (answer.status, body["id"]) == (200, "mine")
    assert (
        body["parameters"]["perijove_prediction_id"] == (answer.headers["x-perijove-prediction-id"])
    )
    only = json.loads(endpoint.infer(ROW, outputs=[{"name": "probability_1"}]).body)
    assert [t["name"] for t in only["outputs"]] == ["probability_1"]
    assert endpoint.infer(ROW, outputs=[{"name": "colour"}]).status == 404
    assert endpoint.post("/v2/models/builds/versions/1/infer", {"inputs": []}).status == 400
    column = tensors([ROW], shop.SIGNATURE)
    for tensor in column:
        tensor["shape"], tensor["data"] = [1, 1], [tensor["data"]]
    assert endpoint.post(INFER, {"inputs": column}).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}},
        {"dataframe_records": [ROW]},
        {"inputs": {name: [value] for name, value in ROW.items()}},
        {"inputs": [list(ROW.values())]},
        {"instances": [ROW]},
        {"instances": [list(ROW.values())]},
    ],
)
def test_invocations_in_every_form(endpoint: Endpoint, body: dict[str, Any]) -> None:
    answer = endpoint.post("/invocations", body)
    assert json.loads(answer.body) == {"predictions": [0]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": "large"}, "Column 'size', row 1.*a number.*text"),
        ({"files": 2.5}, "Column 'files', row 1.*a whole number"),
        ({"files": True}, "Column 'files', row 1.*true or false"),
        ({"files": None}, "Column 'files', row 1.*nothing"),
        ({"files": 2**70}, "Column 'files', row 1.*INT64"),
        ({"team": 7}, "Column 'team', row 1.*text"),
        ({"team": None}, "Column 'team', row 1.*nothing"),
        ({"team": ["web"]}, "Column 'team', row 1.*a list"),
        ({"night": 1}, "Column 'night', row 1"),
        ({"colour": "red"}, "no column 'colour'"),
        ({"team": "marketing"}, "Column 'team', row 1.*'marketing'.*unknown categories"),
        ({"size": None}, "Column 'size', row 1.*NaN"),
    ],
)
def test_a_row_that_cannot_be_names_column_and_row(
    endpoint: Endpoint, change: dict[str, Any], words: str
) -> None:
    answer = endpoint.infer(ROW, {**ROW, **change}, ROW)
    assert answer.status == 400
    assert re.search(words, error(answer)), error(answer)
    assert endpoint.infer(ROW).status == 200


def test_a_missing_column_is_named_and_an_optional_one_may_be(endpoint: Endpoint) -> None:
    answer = endpoint.infer({k: v for k, v in ROW.items() if k != "team"})
    assert answer.status == 400
    assert "'team' is missing" in error(answer)
    records = [ROW, {k: v for k, v in ROW.items() if k != "files"}]
    assert "'files', row 1" in error(endpoint.post("/invocations", {"dataframe_records": records}))
    # The signature lets it be missing; that this model cannot do without is the model's own word.
    answer = endpoint.infer({k: v for k, v in ROW.items() if k != "night"})
    assert "Column 'night', row 0: the model cannot take None" in error(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00garbage",
        b"",
        b"null",
        b"[]",
        b'{"inputs": 3}',
        b'{"inputs": [{"name": "size"}]}',
        b'{"inputs": [{"name": "size", "shape": [1], "datatype": "FP64", "data": [NaN]}]}',
        b'{"inputs": [{"name": "size", "shape": [2], "datatype": "FP64", "data": [1.0]}]}',
        b'{"inputs": [{"name": "size", "shape": [-1], "datatype": "FP64", "data": []}]}',
        b'{"inputs": [{"name": "size", "shape": [0], "datatype": "FP64", "data": []}]}',
        b'{"inputs": [{"name": "size", "shape": [1], "datatype": "FP99", "data": [1.0]}]}',
        b'{"dataframe_split": 1}',
        b'{"dataframe_split": {"columns": ["size"], "data": [[1, 2]]}}',
        b'{"dataframe_split": {"columns": ["size"], "data": [3]}}',
        b'{"dataframe_records": {"a": 1}}',
        b'{"instances": []}',
        b'{"instances": [1], "inputs": [2]}',
    ],
)
def test_garbage_is_a_400_and_the_worker_goes_on(endpoint: Endpoint, body: bytes) -> None:
    for path in (INFER, "/invocations"):
        answer = endpoint.post(path, body)
        assert answer.status == 400, (path, answer)
        assert error(answer)
    assert endpoint.infer(ROW).status == 200


def test_a_body_that_is_too_large_is_refused(endpoint: Endpoint) -> None:
    answer = endpoint.post("/invocations", b" " * (32 * 1024 * 1024 + 1))
    assert answer.status == 413
    assert endpoint.infer(ROW).status == 200


def test_metrics_are_prometheus_text(endpoint: Endpoint) -> None:
    def count(status: int) -> int:
        text = endpoint.get("/metrics").body.decode()
        labels = f'endpoint="builds",revision="1",status="{status}"'
        found = re.search(rf"perijove_requests_total{{{labels}}} (\d+)", text)
        return int(found[1]) if found else 0

    good, bad = count(200), count(400)
    endpoint.infer(ROW)
    endpoint.infer({**ROW, "team": 3})
    assert (count(200), count(400)) == (good + 1, bad + 1)
    text = endpoint.get("/metrics").body.decode()
    assert re.search(r'perijove_request_seconds_bucket{.*le="\+Inf"} \d+', text)


def test_ten_thousand_rows_at_once(endpoint: Endpoint) -> None:
    rows = shop.frame(10_000, seed=3).to_dict("records")
    answer = endpoint.infer(*rows)
    assert json.loads(answer.body)["outputs"][0]["shape"] == [10_000]


def test_the_snippets_are_the_endpoint_s_own(endpoint: Endpoint) -> None:
    import subprocess

    snippets = endpoint.service.endpoint("builds").snippets
    assert set(snippets) == {"curl", "python", "http"}
    reply = subprocess.run(snippets["curl"], shell=True, capture_output=True, check=True)
    assert json.loads(reply.stdout)["model_name"] == "builds"
    compile(snippets["python"], "python", "exec")
    exec(compile(snippets["http"], "http", "exec"), {})
