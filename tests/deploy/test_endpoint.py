"""Endpoints through the service, with real processes on real sockets."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perijove.adapters.serving.layout import public_socket, read_state
from perijove.contracts.deploy import DeployRequest, Endpoint
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from perijove.core.journal import JournalFolder
from perijove.deploy.service import DeployService
from tests.deploy import shop
from tests.deploy.conftest import make_service

ROW = {"size": -2.0, "files": 4, "team": "web", "night": False}


def deploy(service: DeployService, model: str, **settings: Any) -> Endpoint:
    request = DeployRequest(model=model, endpoint="builds", settings=settings)
    service.deploy(request, by="ada")
    return service.wait("builds", timeout=60)


def until(true: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (result := true()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return result


def predicted(service: DeployService, row: dict[str, Any] = ROW) -> int:
    reply = service.invoke("builds", [row])
    assert reply.status == 200, reply.body
    tensors = {t["name"]: t["data"] for t in json.loads(reply.body)["outputs"]}
    return int(tensors["prediction"][0])


def test_a_deployed_model_answers_and_is_on_the_chain(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    model = shop.log(project, saved)
    first = service.deploy(DeployRequest(model="builds", endpoint="builds"), by="ada")
    assert (first.state, first.revision, first.wanted) == ("starting", 0, 1)
    endpoint = service.wait("builds", timeout=60)
    assert (endpoint.state, endpoint.revision, endpoint.model) == ("serving", 1, model)
    assert endpoint.memory
    assert endpoint.memory > 50e6
    assert Path(endpoint.socket).stat().st_mode & 0o077 == 0
    assert Path(endpoint.socket).parent.stat().st_mode & 0o077 == 0
    reply = service.invoke("builds", [ROW, {**ROW, "size": 2.0}])
    body = json.loads(reply.body)
    assert reply.status == 200
    assert body["id"] == reply.prediction_id != ""
    outputs = {t["name"]: t for t in body["outputs"]}
    assert outputs["prediction"] == {
        "name": "prediction", "datatype": "INT64", "shape": [2], "data": [0, 1],
    }  # fmt: skip
    shares = [
        sum(pair) for pair in zip(*(outputs[f"probability_{c}"]["data"] for c in "01"), strict=True)
    ]
    assert shares == pytest.approx([1, 1])
    lineage = project.chain.lineage(model)
    assert ("endpoint:builds@1", "serves") in [(e.dst, e.role) for e in lineage.edges]
    assert service.status().state == "ok"
    assert [a.name for a in service.activities()] == ["builds"]


def test_every_prediction_is_in_the_journal(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    deploy(service, shop.log(project, saved))
    good = service.invoke("builds", [ROW])
    bad = service.invoke("builds", [{**ROW, "files": "many"}])
    records = JournalFolder(project.paths.endpoint("builds") / "predictions").read()
    assert [(r[0], r[1], r[3], r[4]) for r in records] == [
        ("q", good.prediction_id, 1, 200),
        ("q", bad.prediction_id, 1, 400),
    ]
    assert records[0][7] == {name: [value] for name, value in ROW.items()}
    assert records[0][8]["prediction"] == [0]
    assert "files" in records[1][9]


def test_a_new_revision_takes_over_and_a_rollback_brings_the_old_one_back(
    service: DeployService, project: ProjectContext, saved: Path, flipped: Path
) -> None:
    deploy(service, shop.log(project, saved))
    assert predicted(service) == 0
    second = deploy(service, shop.log(project, flipped))
    assert (second.revision, predicted(service)) == (2, 1)
    assert [(r.number, r.live) for r in second.revisions] == [(2, True), (1, False)]
    service.rollback("builds", 1, by="ada")
    assert service.wait("builds").revision == 1
    assert predicted(service) == 0
    with pytest.raises(ConflictError):
        service.rollback("builds", 1, by="ada")
    with pytest.raises(NotFoundError):
        service.rollback("builds", 9, by="ada")
    actions = [e.action for e in project.chain.ledger.read_audit().entries]
    assert actions[0] == "rollback"


def test_no_request_is_dropped_while_revisions_change(
    service: DeployService, project: ProjectContext, saved: Path, flipped: Path
) -> None:
    path = deploy(service, shop.log(project, saved)).socket
    other = shop.log(project, flipped)
    body = json.dumps({"dataframe_records": [ROW]})
    over = threading.Event()
    seen: list[int] = []
    failed: list[str] = []

    def client() -> None:
        connection = UnixConnection(path)
        while not over.is_set():
            try:
                connection.request("POST", "/invocations", body)
                reply = connection.getresponse()
                seen.append(json.loads(reply.read())["predictions"][0])
            except (OSError, http.client.HTTPException) as error:
                failed.append(repr(error))
                return

    clients = [threading.Thread(target=client) for _ in range(4)]
    for thread in clients:
        thread.start()
    deploy(service, other)
    service.rollback("builds", 1, by="ada")
    service.wait("builds")
    state = until(
        lambda: (s := read_state(project.paths.endpoint("builds"))) and not s.others and s
    )
    assert state.revision == 1
    over.set()
    for thread in clients:
        thread.join()
    assert failed == []
    assert set(seen) == {0, 1}


class UnixConnection(http.client.HTTPConnection):
    """A keep-alive client that connects again only after a reply said so."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def test_a_killed_worker_comes_back(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    pid = deploy(service, shop.log(project, saved)).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    again = until(
        lambda: (e := service.endpoint("builds")).state == "serving" and e.pid != pid and e
    )
    assert again.revision == 1
    assert predicted(service) == 0


def test_the_endpoint_outlives_its_supervisor_and_a_new_one_adopts_it(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    pid = deploy(service, shop.log(project, saved)).pid
    before = read_state(project.paths.endpoint("builds"))
    assert before is not None
    os.kill(before.supervisor.pid, signal.SIGKILL)
    later = make_service(ProjectContext.open(project.paths.root))
    until(lambda: later.endpoint("builds").state == "degraded")
    assert predicted(later) == 0
    assert later.resume() == ["builds"]
    after = until(
        lambda: (
            (s := read_state(project.paths.endpoint("builds")))
            and s.supervisor != before.supervisor
            and s.worker is not None
            and s
        )
    )
    assert after.worker == before.worker
    endpoint = later.wait("builds")
    assert (endpoint.state, endpoint.pid) == ("serving", pid)
    until(lambda: service.endpoint("builds").state == "serving")


def test_stop_and_start(service: DeployService, project: ProjectContext, saved: Path) -> None:
    pid = deploy(service, shop.log(project, saved)).pid
    service.stop("builds", by="ada")
    stopped = service.wait("builds", timeout=20)
    assert (stopped.state, stopped.revision, stopped.pid) == ("stopped", 0, None)
    assert not Path(stopped.socket).exists()
    with pytest.raises(UnavailableError, match="stopped"):
        service.invoke("builds", [ROW])
    assert service.resume() == []
    service.start("builds", by="ada")
    assert service.wait("builds").pid not in (None, pid)
    assert predicted(service) == 0


def test_a_tampered_model_is_refused_and_the_earlier_revision_answers(
    service: DeployService, project: ProjectContext, saved: Path, flipped: Path
) -> None:
    deploy(service, shop.log(project, saved))
    model = shop.log(project, flipped)
    file = project.paths.absolute(service.resolve_model(model).facts["folder"]) / "model.skops"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(UnavailableError, match=r"model\.skops of model:builds@2 .*sha256"):
        deploy(service, model)
    endpoint = service.endpoint("builds")
    assert (endpoint.state, endpoint.revision, endpoint.wanted) == ("degraded", 1, 2)
    assert "sha256" in endpoint.detail
    assert predicted(service) == 0


def test_a_model_that_does_not_load_says_why(
    service: DeployService, project: ProjectContext, saved: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "MLmodel").write_text("flavors: {sklearn: {pickled_model: model.skops}}")
    (broken / "model.skops").write_bytes(b"no model at all")
    with pytest.raises(UnavailableError, match="BadZipFile"):
        deploy(service, shop.log(project, broken))
    endpoint = service.endpoint("builds")
    assert (endpoint.state, endpoint.revision) == ("failed", 0)


def test_a_stale_socket_is_no_obstacle(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    path = public_socket(project.paths, "builds")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert deploy(service, shop.log(project, saved)).state == "serving"
    assert predicted(service) == 0


def test_a_folder_in_the_socket_s_place_is_named(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    path = public_socket(project.paths, "builds")
    path.mkdir()
    with pytest.raises(UnavailableError, match="cannot be taken"):
        deploy(service, shop.log(project, saved))
    path.rmdir()
    until(lambda: service.endpoint("builds").state == "serving")


def test_a_removed_socket_is_made_again(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    endpoint = deploy(service, shop.log(project, saved))
    Path(endpoint.socket).unlink()
    until(lambda: Path(endpoint.socket).exists())
    until(lambda: service.endpoint("builds").state == "serving")
    assert predicted(service) == 0


def test_the_processes_end_with_the_project(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    deploy(service, shop.log(project, saved))
    state = read_state(project.paths.endpoint("builds"))
    assert state is not None
    assert state.worker is not None
    os.kill(state.supervisor.pid, signal.SIGKILL)
    hidden = project.paths.root.with_name("gone")
    project.paths.root.rename(hidden)
    try:
        worker = state.worker
        until(lambda: not worker.alive())
    finally:
        hidden.rename(project.paths.root)


def test_names_settings_and_models_are_checked(
    service: DeployService, project: ProjectContext, saved: Path
) -> None:
    model = shop.log(project, saved)
    for name in ("", "../up", "a b", "x" * 64):
        with pytest.raises(InvalidInputError, match="name"):
            service.deploy(DeployRequest(model=model, endpoint=name), by="ada")
    for settings in ({"timeout_seconds": 0}, {"timeout_seconds": "long"}, {"replicas": 3}):
        with pytest.raises(InvalidInputError, match="settings"):
            service.deploy(
                DeployRequest(model=model, endpoint="builds", settings=settings), by="ada"
            )
    with pytest.raises(NotFoundError, match="target"):
        service.deploy(DeployRequest(model=model, endpoint="builds", target="moon"), by="ada")
    with pytest.raises(NotFoundError, match="model:other@1"):
        service.deploy(DeployRequest(model="other", endpoint="builds"), by="ada")
    with pytest.raises(NotFoundError, match="no endpoint"):
        service.endpoint("builds")
    assert service.endpoints() == []
    (target,) = service.targets()
    assert target.schema["properties"]["timeout_seconds"]["default"] == 30.0
