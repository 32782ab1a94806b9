"""The ledger: immutable nodes, an audit that shows edits, and many writers at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from perijove.core.chain import Chain, RunFacts
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


@pytest.mark.parametrize("statement", ["UPDATE node SET by = 'eve'", "DELETE FROM audit"])
def test_what_is_written_stays(project: ProjectContext, statement: str) -> None:
    project.chain.add("run", "a", RunFacts("a"), by="ada")
    with sqlite3.connect(project.paths.ledger) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute(statement)


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
