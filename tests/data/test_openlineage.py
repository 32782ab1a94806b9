"""OpenLineage: events that a catalogue understands, delivered in order, or later in order."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from perijove.adapters import openlineage
from perijove.adapters.openlineage import OpenLineage
from perijove.contracts.chain import Node
from perijove.contracts.data import Column, DataFacts
from perijove.contracts.deploy import EndpointFacts, Gate, ModelFacts
from perijove.contracts.quality import QualityFacts, Rule, RuleResult
from perijove.core.chain import RunFacts
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, UnavailableError

FACET_URL = re.compile(r"https://openlineage\.io/spec/facets/\d+-\d+-\d+/(\w+)\.json#/\$defs/\1")


def check_event(event: dict[str, Any]) -> None:
    """What the specification's RunEvent asks for: required fields, types, formats, no more."""
    assert set(event) == {
        "eventType", "eventTime", "run", "job", "inputs", "outputs", "producer", "schemaURL",
    }  # fmt: skip
    assert event["eventType"] in ("START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER")
    assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    assert (
        event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
    )
    assert event["producer"].startswith("https://")
    uuid.UUID(event["run"]["runId"])
    job = event["job"]
    assert job["namespace"]
    assert job["name"]
    _check_facets(job["facets"])
    for dataset in event["inputs"] + event["outputs"]:
        assert isinstance(dataset["namespace"], str)
        assert isinstance(dataset["name"], str)
        for kind in ("facets", "inputFacets", "outputFacets"):
            _check_facets(dataset.get(kind, {}))
    assert not [d for d in event["inputs"] if "outputFacets" in d]
    assert not [d for d in event["outputs"] if "inputFacets" in d]


def _check_facets(facets: dict[str, Any]) -> None:
    for name, facet in facets.items():
        assert facet["_producer"].startswith("https://")
        found = FACET_URL.fullmatch(facet["_schemaURL"])
        assert found is not None
        assert name.lower() in found[1].lower()
        if name == "schema":
            assert all(set(field) == {"name", "type"} for field in facet["fields"])
        if name == "dataQualityAssertions":
            assert all(isinstance(a["success"], bool) for a in facet["assertions"])
        if name == "columnLineage":
            for field in facet["fields"].values():
                assert all(set(i) == {"namespace", "name", "field"} for i in field["inputFields"])


def _data(path: str, kind: str, inputs: list[str], *columns: str) -> DataFacts:
    return DataFacts(
        path=path, kind=kind, sha256="", bytes=10, rows=3, table=path, inputs=inputs,  # type: ignore[arg-type]
        columns=[Column(name, "BIGINT") for name in columns],
    )  # fmt: skip


class Walk:
    """A chain from a file to an endpoint, made step by step."""

    def __init__(self, project: ProjectContext) -> None:
        self.project = project
        self.chain = project.chain
        self.ended: dict[str, tuple[str, int]] = {}
        self.exporter = OpenLineage(project, self.ended.get)

    def configure(self, text: str) -> None:
        path = self.project.paths.definition
        path.write_text(path.read_text().partition("[openlineage]")[0] + f"[openlineage]\n{text}\n")

    def data(self) -> None:
        raw = self.chain.add("data", "raw", _data("raw.csv", "file", [], "a", "b"), by="ada")
        self.chain.add(
            "data", "clean", _data(".perijove/lake/clean", "curated", [raw.ref], "a"), by="ada"
        )
        self.chain.add(
            "data", "bad", _data(".perijove/lake/bad", "quarantine", [raw.ref], "a", "_failed"),
            by="ada",
        )  # fmt: skip
        rule = Rule("a", "not_null", ["a"])
        result = RuleResult(rule=rule, failed=2, fixed=0, state="quarantined")
        self.chain.add(
            "quality", "raw",
            QualityFacts(
                dataset=raw.ref, rows=3, kept=1, quarantined=2, fixed=0, dropped=0, blocked=False,
                results=[result], rules_sha256="",
            ),
            by="ada",
        )  # fmt: skip

    def run(self) -> Node:
        return self.chain.add(
            "run", "r1", RunFacts("r1", "train.ipynb"), by="ada",
            sources={"data:clean@1": "read"}, version=1,
        )  # fmt: skip

    def model(self) -> None:
        facts = ModelFacts(
            run_id="r1", uri="models:/m/1", folder="f", flavor="sklearn", format="skops",
            manifest={},
        )  # fmt: skip
        self.chain.add("model", "m", facts, by="ada", sources={"run:r1@1": "made"})

    def endpoint(self) -> None:
        facts = EndpointFacts(
            model="model:m@1", target="local", settings={},
            gate=Gate(model="model:m@1", passed=True, checks=[]),
        )  # fmt: skip
        self.chain.add("endpoint", "e", facts, by="ada", sources={"model:m@1": "serves"})


@pytest.fixture
def walk(project: ProjectContext) -> Walk:
    return Walk(project)


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _short(event: dict[str, Any]) -> tuple[str, str]:
    return event["eventType"], event["job"]["name"]


def test_it_is_off(walk: Walk, folder: Path) -> None:
    walk.data()
    before = set(folder.iterdir())
    assert walk.exporter.export() == 0
    assert set(folder.iterdir()) == before


def test_the_chain_is_told_in_order_and_once(walk: Walk, folder: Path) -> None:
    walk.configure('file = "lineage.jsonl"\nnamespace = "shop"')
    walk.data()
    walk.run()
    walk.exporter.export()
    walk.model()
    assert walk.exporter.export() == 0
    walk.ended["r1"] = ("FINISHED", 1_790_000_000_000)
    walk.exporter.export()
    walk.endpoint()
    walk.exporter.export()
    assert OpenLineage(walk.project, walk.ended.get).export() == 0
    events = _read(folder / "lineage.jsonl")
    for event in events:
        check_event(event)
    pairs = ["register.raw", "curate.clean", "curate.bad", "check.raw"]
    assert [_short(event) for event in events] == [
        *[(kind, job) for job in pairs for kind in ("START", "COMPLETE")],
        ("START", "train.train.ipynb"),
        ("COMPLETE", "train.train.ipynb"),
        ("START", "deploy.e"),
        ("COMPLETE", "deploy.e"),
    ]
    assert {event["job"]["namespace"] for event in events} == {"shop"}
    by_job = {event["job"]["name"]: event for event in events}
    raw, curated = by_job["register.raw"], by_job["curate.clean"]
    assert raw["outputs"][0]["name"] == str(folder / "raw.csv")
    assert [d["name"] for d in curated["inputs"]] == [raw["outputs"][0]["name"]]
    assert curated["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert "columnLineage" not in curated["outputs"][0]["facets"]
    copied = by_job["curate.bad"]["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert list(copied) == ["a"]
    checked = by_job["check.raw"]["inputs"][0]["inputFacets"]["dataQualityAssertions"]
    assert checked["assertions"] == [{"assertion": "not_null", "success": False, "column": "a"}]
    trained = by_job["train.train.ipynb"]
    assert trained["inputs"][0]["name"] == curated["outputs"][0]["name"]
    assert [d["name"] for d in trained["outputs"]] == ["model.m"]
    assert by_job["deploy.e"]["inputs"] == trained["outputs"]
    assert events[8]["run"] == events[9]["run"]


def test_a_failed_run_and_a_late_model(walk: Walk, folder: Path) -> None:
    walk.configure('file = "lineage.jsonl"')
    walk.data()
    walk.run()
    walk.ended["r1"] = ("FAILED", 1_790_000_000_000)
    walk.exporter.export()
    walk.model()
    walk.exporter.export()
    kinds = [e["eventType"] for e in _read(folder / "lineage.jsonl")[-3:]]
    assert kinds == ["START", "FAIL", "OTHER"]


def test_no_secret_of_a_place_is_told(walk: Walk, folder: Path) -> None:
    walk.configure('file = "lineage.jsonl"')
    url = "postgresql://ada:secret@db.example:5432/shop/public.orders"
    walk.chain.add("data", "orders", _data(url, "sql", [], "a"), by="ada")
    walk.exporter.export()
    text = (folder / "lineage.jsonl").read_text()
    assert "secret" not in text
    assert json.loads(text.splitlines()[0])["outputs"][0]["namespace"] == (
        "postgresql://db.example:5432"
    )


class Catalogue:
    """A server that takes events, or answers what it is told to."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answers: list[int] = []
        catalogue = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = catalogue.answers.pop(0) if catalogue.answers else 201
                if answer == 0:
                    catalogue.release.wait(30)
                if answer == 201:
                    catalogue.events.append(json.loads(body))
                    catalogue.keys.append(self.headers.get("Authorization"))
                with suppress(OSError):
                    self.send_response(answer or 201)
                    self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        self.release = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/api/v1/lineage"


@pytest.fixture
def catalogue() -> Iterator[Catalogue]:
    catalogue = Catalogue()
    yield catalogue
    catalogue.release.set()
    catalogue.server.shutdown()
    catalogue.server.server_close()


def test_events_are_posted(
    walk: Walk, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(openlineage.KEY_VARIABLE, "k1")
    walk.configure(f'url = "{catalogue.url}"')
    walk.data()
    assert walk.exporter.export() == 8
    for event in catalogue.events:
        check_event(event)
    assert set(catalogue.keys) == {"Bearer k1"}


@pytest.mark.parametrize("answer", [500, 503, 401, 404, 429, 0])
def test_what_is_not_taken_is_told_later_in_order(
    walk: Walk, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    monkeypatch.setattr(openlineage, "TIMEOUT", 0.2)
    walk.configure(f'url = "{catalogue.url}"')
    walk.data()
    catalogue.answers = [201, 201, answer]
    with pytest.raises(UnavailableError, match="cannot be delivered"):
        walk.exporter.export()
    catalogue.release.set()
    OpenLineage(walk.project, walk.ended.get).export()
    jobs = [_short(event) for event in catalogue.events]
    assert list(dict.fromkeys(jobs)) == [
        (kind, job)
        for job in ("register.raw", "curate.clean", "curate.bad", "check.raw")
        for kind in ("START", "COMPLETE")
    ]


def test_an_unreachable_receiver_is_left_alone_for_a_while(walk: Walk) -> None:
    walk.configure('url = "http://127.0.0.1:9/x"')
    walk.data()
    with pytest.raises(UnavailableError):
        walk.exporter.export()
    assert walk.exporter.export() == 0


def test_an_event_that_is_refused_stops_no_other(walk: Walk, catalogue: Catalogue) -> None:
    walk.configure(f'url = "{catalogue.url}"')
    walk.data()
    catalogue.answers = [422]
    walk.exporter.export()
    assert len(catalogue.events) == 7


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "nonsense", "http://"])
def test_only_the_web_is_a_receiver(walk: Walk, url: str) -> None:
    walk.configure(f'url = "{url}"')
    walk.data()
    with pytest.raises(InvalidInputError):
        walk.exporter.export()


def test_a_file_that_cannot_be_written_is_told(walk: Walk) -> None:
    walk.configure('file = "no/such/folder/x.jsonl"')
    walk.data()
    with pytest.raises(UnavailableError):
        walk.exporter.export()
