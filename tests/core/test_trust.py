"""Trust: a folder that came from somebody else starts nothing by itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from perijove.adapters.workbench import Workbench
from perijove.cli import main
from perijove.core.chain import WantedEndpoint
from perijove.core.context import ProjectContext


@pytest.fixture(autouse=True)
def own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    return tmp_path / "jupyter"


@pytest.fixture
def foreign(folder: Path, tmp_path: Path) -> Path:
    """A project with an endpoint and a schedule, as it comes out of an archive."""
    (folder / "perijove.toml").write_text('[data.clean]\npath = "a.csv"\nrefresh = "daily 07:00"\n')
    made = ProjectContext.open(folder)
    made.chain.want_endpoint("builds", WantedEndpoint(1, True), by="eve", action="deploy")
    made.chain.ledger.close()
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_what_the_user_makes_is_trusted(project: ProjectContext) -> None:
    assert project.trust.given()
    assert ProjectContext.open(project.paths.root).trust.given()


def test_a_copied_project_starts_nothing_and_says_so(
    foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Workbench(ProjectContext.open(foreign, actor="ada"))
    asked: list[str] = []
    monkeypatch.setattr(bench.deploy, "resume", lambda: asked.append("resume") or ["builds"])
    monkeypatch.setattr(bench.deploy, "activities", list)  # there is no such revision
    monkeypatch.setattr(bench.data.schedules, "look", lambda: asked.append("look"))
    assert bench.resume() == []
    bench.housekeeping.keep()
    assert asked == []
    status = bench.operate.status()
    assert status.state == "attention"
    assert "not trusted, so 1 endpoint, 1 schedule must wait: run `perijove trust`" in status.fact
    bench.project.trust.give()
    assert bench.resume() == ["builds"]
    bench.housekeeping.keep()
    assert asked == ["resume", "look"]
    assert "trust" not in bench.operate.status().fact
    bench.close()


def test_the_command_trusts(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", "--json", "--project", str(foreign)]) == 0
    assert "What waited: 1 endpoint, 1 schedule" in json.loads(capsys.readouterr().out)["detail"]
    assert ProjectContext.open(foreign).trust.given()
    assert main(["trust", "--project", str(foreign)]) == 0
    assert capsys.readouterr().out.strip().endswith("is trusted.")


def test_a_record_counts_for_one_folder_one_ledger_and_one_user(
    project: ProjectContext, foreign: Path, own_data: Path, tmp_path: Path
) -> None:
    trusted = own_data / "perijove" / "trusted"
    other = ProjectContext.open(foreign)
    (mine,) = trusted.iterdir()
    other.trust.give()
    (theirs,) = set(trusted.iterdir()) - {mine}
    theirs.write_bytes(mine.read_bytes())
    assert not other.trust.given()
    other.trust.give()
    assert other.trust.given()
    # Another ledger takes the place of the one that was trusted.
    other.chain.ledger.close()
    for file in (foreign / ".perijove").glob("ledger.db*"):
        file.unlink()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "perijove.toml").write_text("")
    elsewhere = ProjectContext.open(tmp_path / "other")
    elsewhere.chain.ledger.close()
    shutil.copy(elsewhere.paths.ledger, foreign / ".perijove" / "ledger.db")
    assert not ProjectContext.open(foreign).trust.given()
    # Another user's key.
    (own_data / "perijove" / "trust.key").write_bytes(b"x" * 32)
    assert not project.trust.given()
