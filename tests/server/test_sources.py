"""Sources over REST: what the browser may list and register."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

Fetch = Callable[..., Any]


async def _get(fetch: Fetch, path: str, **params: str) -> Any:
    reply = await fetch("perijove", "api", *path.split("/"), params={"project": "p", **params})
    return json.loads(reply.body)


async def _send(fetch: Fetch, method: str, path: str, body: Any) -> Any:
    reply = await fetch(
        "perijove", "api", path, method=method, params={"project": "p"}, body=json.dumps(body)
    )
    return json.loads(reply.body)


async def _refused(call: Any) -> tuple[int, str]:
    with pytest.raises(HTTPClientError) as caught:
        await call
    return caught.value.code, json.loads(caught.value.response.body)["code"]


async def test_a_project_is_browsed_and_a_folder_registered(jp_fetch: Fetch, served: Path) -> None:
    for year in (2025, 2026):
        part = served / "raw" / f"year={year}"
        part.mkdir(parents=True)
        (part / "a.csv").write_text("n\n1\n")
    sources = await _get(jp_fetch, "sources")
    assert (sources["restricted"], sources["items"][0]["location"]) == (False, "")
    assert {"file", "s3", "postgresql"} <= {kind["kind"] for kind in sources["types"]}
    (entry,) = (await _get(jp_fetch, "sources/entries"))["items"]
    assert (entry["location"], entry["kind"]) == ("raw", "folder")
    made = await _send(jp_fetch, "POST", "datasets", {"path": "raw", "name": "builds"})
    assert (made["facts"]["rows"], made["facts"]["kind"]) == (2, "folder")
    assert (await _get(jp_fetch, "sources/entries"))["items"][0]["dataset"] == "builds"


async def test_only_what_is_declared_lies_open(
    jp_fetch: Fetch, served: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.csv").write_text("n\n1\n")
    (served / "way").symlink_to(outside)
    for place in (str(outside), "../", "way", "https://example.org/", "/etc"):
        assert await _refused(_get(jp_fetch, "sources/entries", location=place)) == (
            403, "forbidden_path"
        )  # fmt: skip
    for place in (str(outside / "b.csv"), "way/b.csv", "s3://bucket/b.csv"):
        assert await _refused(_send(jp_fetch, "POST", "datasets", {"path": place})) == (
            403, "forbidden_path"
        )  # fmt: skip
    changed = await _send(jp_fetch, "PUT", "sources", {"allow": [str(outside)]})
    assert changed["items"][1] == {
        "location": str(outside), "label": str(outside), "kind": "folder", "declared": True
    }  # fmt: skip
    found = await _get(jp_fetch, "sources/entries", location=str(outside))
    assert [entry["name"] for entry in found["items"]] == ["b.csv"]
    made = await _send(jp_fetch, "POST", "datasets", {"path": str(outside / "b.csv")})
    assert made["facts"]["path"] == str(outside / "b.csv")
    refused = await _refused(_send(jp_fetch, "PUT", "sources", {"allow": ["s3://k:pw12@b/x"]}))
    assert refused == (400, "secret_in_location")
    assert "pw12" not in (served / "perijove.toml").read_text()
