"""The tracker over REST: a page of the table, and files that a browser runs nothing of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from perijove.adapters.workbench import open_workbench

Fetch = Callable[..., Any]


@pytest.fixture
def run_id(served: Path) -> str:
    bench = open_workbench(served)
    run_id = bench.develop.start_run("a/ß", params={"lr": "0.1"})
    folder = bench.store.artifact_folder(run_id)
    (folder / "evil ü.svg").write_text("<svg><script>alert(1)</script></svg>")
    bench.develop.finish_run(run_id, "finished")
    bench.close()
    return run_id


async def _post(fetch: Fetch, path: str, body: Any) -> Any:
    return await fetch(
        "perijove", "api", *path.split("/"), method="POST", params={"project": "p"},
        body=json.dumps(body),
    )  # fmt: skip


async def test_the_table_is_changed_and_exported(jp_fetch: Fetch, run_id: str) -> None:
    request = {"search": "params.lr < 1", "columns": ["params.lr"]}
    page = json.loads((await _post(jp_fetch, "runs/table", request)).body)
    assert [(row["run_id"], row["values"]) for row in page["rows"]] == [(run_id, ["0.1"])]
    assert page["understood"]["type"] == "compare"
    await _post(jp_fetch, "runs/change", {"run_ids": [run_id], "star": True})
    page = json.loads((await _post(jp_fetch, "runs/table", request)).body)
    assert page["rows"][0]["starred"]
    table = await _post(jp_fetch, "runs/export", {"request": request})
    assert table.headers["Content-Type"].startswith("text/csv")
    assert table.body.decode("utf-8-sig").startswith("run_id,name")
    with pytest.raises(HTTPClientError) as refused:
        await _post(jp_fetch, "runs/table", {"columns": ["x"]})
    assert refused.value.code == 400


async def test_an_artifact_is_never_run(jp_fetch: Fetch, run_id: str) -> None:
    reply = await jp_fetch(
        "perijove", "api", "runs", run_id, "artifacts", "content",
        params={"project": "p", "path": "evil ü.svg"},
    )  # fmt: skip
    assert b"<script>" in reply.body
    assert reply.headers["Content-Type"] == "image/svg+xml"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers.get_list("Content-Security-Policy") == ["sandbox; default-src 'none'"]
    assert reply.headers["Content-Disposition"] == (
        "attachment; filename*=UTF-8''evil%20%C3%BC.svg"
    )


async def test_the_cells_come_as_a_notebook(jp_fetch: Fetch, run_id: str) -> None:
    reply = await jp_fetch("perijove", "api", "runs", run_id, "notebook", params={"project": "p"})
    assert json.loads(reply.body)["nbformat"] == 4
    assert reply.headers["Content-Type"].startswith("application/x-ipynb+json")
    assert "a-%C3%9F.ipynb" in reply.headers["Content-Disposition"]
