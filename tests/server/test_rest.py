"""REST as a client sees it: strict in what it takes, clear in what it refuses."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tornado.httpclient import HTTPClientError

from perijove.contracts.openapi import document

Fetch = Callable[..., Any]


async def _get(fetch: Fetch, path: str, **params: str) -> Any:
    reply = await fetch("perijove", "api", *path.split("/"), params={"project": "p", **params})
    return json.loads(reply.body)


async def _send(fetch: Fetch, method: str, path: str, body: Any, project: str = "p") -> Any:
    reply = await fetch(
        "perijove",
        "api",
        *path.split("/"),
        method=method,
        params={"project": project},
        body=body if isinstance(body, str) else json.dumps(body),
    )
    return json.loads(reply.body)


async def _refused(call: Any) -> tuple[int, dict[str, str]]:
    with pytest.raises(HTTPClientError) as caught:
        await call
    return caught.value.code, json.loads(caught.value.response.body)


async def test_the_document_is_served(jp_fetch: Fetch) -> None:
    assert await _get(jp_fetch, "openapi.json") == json.loads(json.dumps(document()))


async def test_a_project_is_found_made_and_changed(jp_fetch: Fetch, served: Path) -> None:
    assert (await _get(jp_fetch, "projects"))["items"] == [{"path": "p", "name": "builds"}]
    project = await _get(jp_fetch, "project")
    assert (project["owner"], project["kpis"][0]["target"]) == ("Ada", 0.75)
    project["kpis"][0]["target"] = 0.8
    changed = await _send(
        jp_fetch,
        "PUT",
        "project",
        {"revision": project["revision"], "owner": "Grace", "kpis": project["kpis"]},
    )
    assert (changed["owner"], changed["kpis"][0]["target"]) == ("Grace", 0.8)
    text = (served / "perijove.toml").read_text()
    assert "# why this one" in text
    code, error = await _refused(
        _send(jp_fetch, "PUT", "project", {"revision": project["revision"], "owner": "Bob"})
    )
    assert (code, error["code"]) == (409, "project_file_changed")


async def test_a_sign_off_holds_until_the_targets_change(jp_fetch: Fetch, served: Path) -> None:
    signed = await _send(jp_fetch, "POST", "project/signoff", {"note": "agreed"})
    assert [s["note"] for s in signed["sign_offs"]] == ["agreed"]
    signed["kpis"][0]["target"] = 0.9
    changed = await _send(
        jp_fetch, "PUT", "project", {"revision": signed["revision"], "kpis": signed["kpis"]}
    )
    assert changed["sign_offs"] == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"metric": "auc"}, "unknown_metric"),
        ({"direction": "minimize"}, "invalid_input"),
        ({"data": "../up"}, "invalid_input"),
        ({"target": "high"}, "invalid_body"),
        ({"colour": 1}, "invalid_body"),
    ],
)
async def test_a_target_that_cannot_be_is_refused(
    jp_fetch: Fetch, served: Path, change: dict[str, Any], code: str
) -> None:
    before = (served / "perijove.toml").read_text()
    project = await _get(jp_fetch, "project")
    body = {"revision": project["revision"], "kpis": [{**project["kpis"][0], **change}]}
    status, error = await _refused(_send(jp_fetch, "PUT", "project", body))
    assert (status, error["code"]) == (400, code)
    assert (served / "perijove.toml").read_text() == before


async def test_a_broken_definition_names_its_line(jp_fetch: Fetch, served: Path) -> None:
    (served / "perijove.toml").write_text('[project]\nname = "x"\nowner = 3\n')
    status, error = await _refused(_get(jp_fetch, "project"))
    assert (status, error["code"]) == (422, "project_file_broken")
    assert "line 3" in error["message"]


@pytest.mark.parametrize("project", ["../elsewhere", "/etc", "nowhere"])
async def test_no_project_outside_the_root(jp_fetch: Fetch, project: str) -> None:
    status, error = await _refused(_get(jp_fetch, "project", project=project))
    assert status in (403, 404)
    assert error["hint"]


async def test_a_file_is_registered_and_paged_by_a_click(jp_fetch: Fetch, served: Path) -> None:
    big = 1368338379971760128
    (served / "b.csv").write_text(f"id,x\n{big},1\n{big + 1},2\n")
    dataset = await _send(jp_fetch, "POST", "datasets", _register("b.csv"))
    assert (dataset["name"], dataset["facts"]["rows"]) == ("b", 2)
    reply = await jp_fetch(
        "perijove", "api", "datasets", "b", "rows", params={"project": "p", "offset": "1"}
    )
    assert reply.headers["Content-Type"] == "application/vnd.apache.arrow.stream"
    rows = pa.ipc.open_stream(io.BytesIO(reply.body)).read_all().to_pylist()
    assert rows == [{"id": big + 1, "x": 2}]
    assert 'pj.dataset("b")' in (await _get(jp_fetch, "datasets/b/snippet"))["code"]
    status, error = await _refused(_get(jp_fetch, "datasets/b/rows", offset="-1"))
    assert (status, error["code"]) == (400, "invalid_input")
    status, error = await _refused(_get(jp_fetch, "datasets/b/rows", offset="many"))
    assert (status, error["code"]) == (400, "invalid_query")


@pytest.mark.parametrize("path", ["../x.csv", "/etc/passwd", "link.csv"])
async def test_no_file_outside_the_project_is_registered(
    jp_fetch: Fetch, served: Path, path: str
) -> None:
    (served / "link.csv").symlink_to("/etc/passwd")
    status, error = await _refused(_send(jp_fetch, "POST", "datasets", _register(path)))
    assert (status, error["code"]) == (403, "forbidden_path")


async def test_a_csv_that_is_none_says_why(jp_fetch: Fetch, served: Path) -> None:
    (served / "b.csv").write_bytes(b"\x89PNG\r\n\0\0")
    status, error = await _refused(_send(jp_fetch, "POST", "datasets", _register("b.csv")))
    assert (status, error["code"]) == (422, "unreadable_data")
    assert "binary" in error["message"]


async def test_the_lifecycle_names_the_next_thing_to_do(jp_fetch: Fetch, served: Path) -> None:
    life = await _get(jp_fetch, "lifecycle")
    steps = {step["step"]: step for step in life["steps"]}
    assert list(steps) == ["problem", "data", "develop", "deploy", "monitor", "operate"]
    assert "0.75" in steps["problem"]["fact"]
    assert (steps["data"]["state"], steps["data"]["next"]) == ("not_started", "Add data")
    assert "CPU" in steps["operate"]["fact"]


def _register(path: str) -> dict[str, str]:
    return {"path": path, "name": "", "target": "", "time": ""}
