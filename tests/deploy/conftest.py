"""Saved models, made once, and a service whose endpoints end with the test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from perijove.adapters.mlflow.registry import MlflowRegistry
from perijove.adapters.serving.layout import read_state
from perijove.adapters.serving.target import LocalTarget
from perijove.core.context import ProjectContext
from perijove.core.gate import GateRegistry
from perijove.deploy.service import DeployService
from tests.deploy import shop


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good classifier in skops format."""
    folder = tmp_path_factory.mktemp("models") / "good"
    shop.save(shop.classifier(), folder)
    return folder


@pytest.fixture(scope="session")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another one, that answers the opposite."""
    folder = tmp_path_factory.mktemp("models") / "flipped"
    shop.save(shop.classifier(flip=True), folder)
    return folder


def make_service(project: ProjectContext) -> DeployService:
    targets = {"local": LocalTarget(project)}
    return DeployService(project, GateRegistry(), targets, MlflowRegistry(project))


@pytest.fixture
def service(project: ProjectContext) -> Iterator[DeployService]:
    made = make_service(project)
    yield made
    end(made)


def end(made: DeployService) -> None:
    """Stop every endpoint, and kill what does not go by itself."""
    project = made.project
    for name in project.chain.wanted_endpoints():
        made.stop(name, by="test")
        state = read_state(project.paths.endpoint(name))
        try:
            made.wait(name, timeout=20)
        finally:
            for process in [state.supervisor, state.worker, *state.others] if state else []:
                if process is not None and process.alive():
                    os.kill(process.pid, signal.SIGKILL)
