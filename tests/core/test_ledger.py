"""The ledger: immutable nodes, an audit that shows edits, and many writers at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from perijove.contracts.base import Facts
from perijove.core import ledger
from perijove.core.chain import (
    FACTS,
    Chain,
    EvaluationFacts,
    RunFacts,
    WantedEndpoint,
    facts_of,
)
from perijove.core.context import ProjectContext
from perijove.core.errors import ReadOnlyError, UnavailableError
from perijove.core.ledger import Ledger
from perijove.core.paths import ProjectPaths


def test_the_chain_is_walked_in_both_directions(project: ProjectContext) -> None:
    chain = project.chain
    a = chain.add("run", "a", RunFacts("a"), by="ada")
    b = chain.add("run", "b", RunFacts("b"), by="ada", sources={a.ref: "made"})
    c = chain.add("run", "c", RunFacts("c"), by="ada", sources={b.ref: "made"})
    other = chain.add("run", "d", RunFacts("d"), by="ada", sources={a.ref: "made"})
    seen = {node.ref for node in chain.lineage(b.ref).nodes}
    assert seen == {a.ref, b.ref, c.ref}
    assert other.ref in {node.ref for node in chain.lineage().nodes}
    assert [n.ref for n in chain.sources(c.ref)] == [b.ref]
    assert [n.ref for n in chain.results(a.ref)] == [b.ref, other.ref]


def test_an_edited_audit_row_shows(project: ProjectContext) -> None:
    ledger = project.chain.ledger
    for number in range(5):
        ledger.audit("ada", "count", str(number))
    assert ledger.read_audit().intact
    # Somebody with the file in hand, past our triggers.
    with sqlite3.connect(project.paths.ledger) as db:
        db.execute("DROP TRIGGER audit_is_fixed")
        db.execute("UPDATE audit SET actor = 'eve' WHERE seq = 3")
    assert not ledger.read_audit().intact


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE node SET by = 'eve'", "DELETE FROM node", "UPDATE edge SET role = 'x'",
        "DELETE FROM edge", "DELETE FROM audit",
    ],
)  # fmt: skip
def test_what_is_written_stays(project: ProjectContext, statement: str) -> None:
    project.chain.add("run", "a", RunFacts("a"), by="ada", sources={"data:x@1": "read"})
    with sqlite3.connect(project.paths.ledger) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute(statement)


TAMPERED = {
    "DROP TRIGGER node_is_fixed; UPDATE node SET facts = replace(facts, '0.5', '0.9') "
    "WHERE ref = 'evaluation:m@1'": "evaluation:m@1 was edited",
    "DROP TRIGGER node_is_kept; DELETE FROM node WHERE ref = 'run:b@1'": "run:b@1 is missing",
    "INSERT INTO node VALUES ('run:c@1', 'run', 'c', 1, 0, 'eve', '{}')": "run:c@1 was added past",
    "DROP TRIGGER edge_is_kept; DELETE FROM edge WHERE dst = 'run:b@1'": "run:b@1 was edited",
    "DROP TRIGGER edge_is_kept; DELETE FROM edge WHERE role = 'read'": "data:x@1 to run:a@1",
    "INSERT INTO edge VALUES ('run:b@1', 'run:a@1', 'made')": "run:a@1 was edited",
    "INSERT INTO edge VALUES ('run:b@1', 'run:z@1', 'made')": "run:z@1 was added past",
}


def _fill(chain: Chain) -> None:
    a = chain.add("run", "a", RunFacts("a"), by="ada")
    chain.add("run", "b", RunFacts("b"), by="ada", sources={a.ref: "made"})
    chain.link("data:x@1", a.ref, "read")
    chain.link("data:x@1", a.ref, "read")
    facts = EvaluationFacts("model:m@1", "a", "data:x@1", "test", "roc_auc", 0.5, 10, "maximize")
    chain.add("evaluation", "m", facts, by="ada", sources={a.ref: "made"})


@pytest.mark.parametrize(("statement", "fault"), TAMPERED.items())
@pytest.mark.parametrize("older", [False, True])
def test_the_audit_tells_which_fact_was_edited(
    project: ProjectContext, statement: str, fault: str, older: bool
) -> None:
    if older:
        _make_older(project)
        if "'read'" in statement:
            fault = "run:a@1 was edited"
        project = ProjectContext.open(project.paths.root)
    else:
        _fill(project.chain)
    ledger = project.chain.ledger
    found = ledger.read_audit()
    assert found.intact, found.fault
    with sqlite3.connect(project.paths.ledger) as db:
        db.executescript(statement)
    found = ledger.read_audit()
    assert not found.intact
    assert fault in found.fault


def _make_older(project: ProjectContext) -> None:
    """Turn a ledger into one of schema 1: no hashes of nodes, no identity, fewer triggers."""
    _fill(project.chain)
    project.chain.ledger.close()
    with sqlite3.connect(project.paths.ledger) as db:
        db.executescript(
            "DROP TRIGGER audit_is_kept; DELETE FROM audit; DELETE FROM wanted;"
            "DROP TRIGGER node_is_kept; DROP TRIGGER edge_is_fixed; DROP TRIGGER edge_is_kept;"
            "CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN "
            "SELECT RAISE(ABORT, 'kept'); END; PRAGMA user_version=1;"
        )


def test_an_older_ledger_goes_on(project: ProjectContext) -> None:
    _make_older(project)
    later = ProjectContext.open(project.paths.root)
    ProjectContext.open(project.paths.root)
    later.chain.add("run", "b", RunFacts("b"), by="ada")
    found = later.chain.ledger.read_audit()
    assert found.intact, found.fault
    assert [entry.action for entry in found.entries] == ["add run", "upgrade ledger"]
    assert len(later.chain.ledger.identity) == 32
    with sqlite3.connect(later.paths.ledger) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute("DELETE FROM node")


def test_facts_of_a_newer_version_are_read_as_far_as_they_go(project: ProjectContext) -> None:
    node = project.chain.add("run", "a", RunFacts("a"), by="ada")
    newer = msgspec.structs.replace(node, facts={**node.facts, "colour": "red"})
    assert facts_of(newer, RunFacts) == RunFacts("a")
    broken = msgspec.structs.replace(node, facts={"notebook": 3})
    with pytest.raises(UnavailableError, match="run:a@1") as caught:
        facts_of(broken, RunFacts)
    assert caught.value.code == "ledger_newer"
    with project.chain.ledger.write() as db:
        db.execute(
            "INSERT INTO wanted VALUES ('endpoint', 'e', "
            """'{"revision": 1, "running": true, "replicas": 3}', 0)"""
        )
    assert project.chain.wanted_endpoints() == {"e": WantedEndpoint(1, True)}
    assert {issubclass(kind, Facts) for kind in FACTS.values()} == {True}


def test_a_ledger_that_breaks_says_so(project: ProjectContext) -> None:
    with pytest.raises(UnavailableError, match="cannot be read"):
        project.chain.ledger.rows("SELECT * FROM nothing")
    project.chain.ledger.close()
    with pytest.raises(UnavailableError, match="cannot be read"):
        project.chain.newest("run")


def test_a_network_folder_gets_no_write_ahead_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "on_network", lambda folder: True)
    opened = ProjectContext.open(folder).chain.ledger
    opened.audit("ada", "look", "x")
    assert opened.rows("PRAGMA journal_mode") == [("delete",)]
    assert not opened.path.with_name("ledger.db-wal").exists()
    monkeypatch.undo()
    assert ProjectContext.open(folder).chain.ledger.rows("PRAGMA journal_mode") == [("wal",)]


WRITER = """
import sys
from pathlib import Path
from perijove.core.chain import RunFacts
from perijove.core.context import ProjectContext
project = ProjectContext.open(Path(sys.argv[1]))
for _ in range(20):
    project.chain.add("run", "shared", RunFacts("shared"), by=sys.argv[2])
"""


def test_two_processes_add_versions_and_lose_none(folder: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), name]) for name in ("a", "b")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    chain = Chain(Ledger(ProjectPaths(folder)))
    assert sorted(node.version for node in chain.versions("run", "shared")) == list(range(1, 41))
    assert chain.ledger.read_audit().intact


def test_a_file_that_is_no_ledger_is_left_alone(folder: Path) -> None:
    state = folder / ".perijove"
    state.mkdir()
    (state / "ledger.db").write_bytes(b"not a database, certainly" * 100)
    with pytest.raises(UnavailableError, match="not a ledger"):
        ProjectContext.open(folder)
    assert (state / "ledger.db").read_bytes().startswith(b"not a database")


def test_a_read_only_folder_says_so(tmp_path: Path) -> None:
    # Root may write anywhere, so the folder is replaced by what nobody can write in: a file.
    root = tmp_path / "p"
    root.mkdir()
    (root / "perijove.toml").write_text("")
    (root / ".perijove").write_text("")
    with pytest.raises(ReadOnlyError, match="cannot be written"):
        ProjectContext.open(root)
