"""The command line: exit code 0 only when it did what it says, and JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from perijove.adapters.workbench import Workbench
from perijove.cli import main
from perijove.core.chain import RunFacts
from perijove.core.context import ProjectContext
from perijove.data.curation import Program


def test_init_makes_a_project_and_status_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "churn"
    assert main(["init", str(root), "--name", "Churn"]) == 0
    assert "Made Churn" in capsys.readouterr().out
    assert main(["status", "--project", str(root)]) == 0
    shown = capsys.readouterr().out
    assert "Set a target" in shown
    assert "Add data" in shown
    assert main(["status", "--json", "--project", str(root)]) == 0
    life = json.loads(capsys.readouterr().out)
    assert next(step["step"] for step in life["steps"]) == "problem"


def test_init_leaves_a_project_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "perijove.toml").read_text()
    assert main(["init", str(folder)]) == 1
    assert "is a project already" in capsys.readouterr().err
    assert (folder / "perijove.toml").read_text() == before


def test_an_error_tells_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--project", str(tmp_path)]) == 1
    assert "perijove init" in capsys.readouterr().err
    assert main(["status", "--json", "--project", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "no_project"


def test_lineage_walks_both_ways(
    project: ProjectContext, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = project.chain
    a = chain.add("run", "a", RunFacts("a"), by="ada")
    b = chain.add("run", "b", RunFacts("b"), by="ada", sources={a.ref: "made"})
    chain.add("run", "c", RunFacts("c"), by="ada", sources={b.ref: "made"})
    root = str(project.paths.root)
    assert main(["lineage", b.ref, "--project", root]) == 0
    before, _, after = capsys.readouterr().out.partition("led to")
    assert "run:a@1" in before
    assert "run:c@1" in after
    assert main(["lineage", "run:nothing@1", "--project", root]) == 1
    assert "run:c@1" in capsys.readouterr().err


def test_an_edited_ledger_shows(
    project: ProjectContext, capsys: pytest.CaptureFixture[str]
) -> None:
    import sqlite3

    for place in ("here", "there"):
        project.chain.ledger.audit("ada", "look", place)
    root = str(project.paths.root)
    assert main(["audit", "--project", root]) == 0
    with sqlite3.connect(project.paths.ledger) as db:
        db.execute("DROP TRIGGER audit_is_kept")
        db.execute("DELETE FROM audit WHERE seq = 1")
    assert main(["audit", "--project", root]) == 1
    assert "broken" in capsys.readouterr().err
    assert main(["doctor", "--project", root]) == 1


def test_a_version_is_made_again_from_the_shell(
    project: ProjectContext, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Workbench(project)
    table = pa.table({"x": [1, 2, 3]})
    for name, rows in (("same", 3), ("other", 2)):
        script = (
            "# %% main\nimport perijove as pj\nimport pyarrow as pa\n"
            f"@pj.curate({name!r})\ndef make(): return pa.table({{'x': [3, 2, 1][-{rows}:]}})\n"
        )
        program = Program(script=script, entry="make")
        bench.data.curation.commit(name, table, inputs=[], program=program, by="ada")
    bench.close()
    place = ["--project", str(project.paths.root)]
    assert main(["data", "make-again", "data:same@1", *place]) == 0
    assert "the same rows  3 rows" in capsys.readouterr().out
    assert main(["data", "make-again", "other", *place, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["rows"] == 2
    assert main(["data", "curate", "other", *place, "--by", "bob"]) == 0
    assert "data:other@2  2 rows" in capsys.readouterr().out
    assert main(["data", "make-again", "nothing", *place]) == 1
    assert "no dataset 'nothing'" in capsys.readouterr().err
