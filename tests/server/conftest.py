"""A real Jupyter server with our extension, and a project below its root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import Authorizer

from tests.conftest import DEFINITION


class Recorder(Authorizer):
    """Allows everything but what is in ``denied``, and remembers what it was asked."""

    asked: list[tuple[str, str]] = []
    denied: set[tuple[str, str]] = set()

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        type(self).asked.append((action, resource))
        return (action, resource) not in self.denied


@pytest.fixture
def recorder() -> type[Recorder]:
    Recorder.asked, Recorder.denied = [], set()
    return Recorder


@pytest.fixture
def jp_server_config(recorder: type[Recorder]) -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"perijove": True},
            "authorizer_class": recorder,
        }
    }


@pytest.fixture
def served(jp_root_dir: Path) -> Path:
    """A project in the folder ``p`` of the server's root."""
    folder = jp_root_dir / "p"
    folder.mkdir()
    (folder / "perijove.toml").write_text(DEFINITION)
    return folder
