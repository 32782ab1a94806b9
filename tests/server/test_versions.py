"""Versions as the browser sees them: listed, compared, split, made again and made anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from perijove.adapters.workbench import Workbench
from perijove.core.context import ProjectContext
from perijove.data.curation import Program

Fetch = Callable[..., Any]
SCRIPT = """\
# %% main
import perijove as pj


@pj.curate("clean", inputs=["raw"], as_="arrow")
def clean(table, rows=3):
    return table.slice(0, rows)
"""


@pytest.fixture
def call(jp_fetch: Fetch, served: Path) -> Fetch:
    async def call(path: str, body: Any = None, **params: str) -> Any:
        options = {} if body is None else {"method": "POST", "body": json.dumps(body)}
        reply = await jp_fetch(
            "perijove", "api", *path.split("/"), params={"project": "p", **params}, **options
        )
        return json.loads(reply.body)

    return call


@pytest.fixture
def bench(served: Path) -> Iterator[Workbench]:
    """A project with two versions of ``clean``; the second has no program."""
    (served / "raw.csv").write_text("user,x\n" + "".join(f"{n % 40},{n}\n" for n in range(100)))
    bench = Workbench(ProjectContext.open(served, actor="ada"))
    raw = bench.data.registry.resolve(bench.data.registry.register("raw.csv", by="ada").name)
    table = bench.data.registry.read(raw)
    for rows, script in ((3, SCRIPT), (50, "")):
        program = Program(script=script, entry="clean", parameters={"rows": rows})
        bench.data.curation.commit(
            "clean", table.slice(0, rows), inputs=[raw.ref], program=program, by="ada"
        )
    yield bench
    bench.close()


async def test_versions_are_listed_compared_and_made_again(call: Fetch, bench: Workbench) -> None:
    job = await call("datasets/clean/make-again", {"version": 1})
    assert (job["kind"], job["subject"]) == ("make_again", "data:clean@1")
    done = await asyncio.to_thread(bench.jobs.wait, job["id"], 60)
    assert (done.state, done.result["same"]) == ("finished", True)
    second, first = (await call("datasets/clean/versions"))["items"]
    assert (first["version"], first["proof"]["same"], first["obstacle"]) == (1, True, "")
    assert (second["proof"], second["obstacle"]) == (None, "Its program was not recorded.")
    diff = await call("datasets/clean/diff", base="1", version="2")
    assert (diff["added"], diff["removed"], diff["rows_after"]) == (47, 0, 50)
    for path, body in (("make-again", {"version": 2}), ("curate", {})):
        with pytest.raises(HTTPClientError) as caught:
            await call(f"datasets/clean/{path}", body)
        assert caught.value.code == 409
        assert b"not recorded" in caught.value.response.body


async def test_a_split_is_made_by_group(call: Fetch, bench: Workbench) -> None:
    asked = {
        "version": 2,
        "method": "group",
        "column": "user",
        "parts": {"train": 0.5, "test": 0.5},
    }
    dataset = await call("datasets/clean/split", asked)
    (split,) = dataset["splits"]
    assert (split["method"], split["column"]) == ("group", "user")
    assert sum(part["rows"] for part in split["parts"]) == 50
