"""The audit's anchor: what a chain of hashes alone cannot show."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from perijove.contracts.chain import AuditQuery
from perijove.core import anchor as anchors
from perijove.core.anchor import ANCHOR_FILE, Anchor
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError


@pytest.fixture
def anchor(project: ProjectContext) -> Anchor:
    for number in range(5):
        project.chain.ledger.audit("ada", "count", f"data:{number}")
    return Anchor(project.paths, project.chain.ledger)


def _sql(project: ProjectContext, *statements: str) -> None:
    """Somebody with the file in hand, past our triggers."""
    with sqlite3.connect(project.paths.ledger) as db:
        db.execute("DROP TRIGGER IF EXISTS audit_is_fixed")
        db.execute("DROP TRIGGER IF EXISTS audit_is_kept")
        for statement in statements:
            db.execute(statement)


def test_without_an_anchor_the_chain_alone_speaks(anchor: Anchor) -> None:
    found = anchor.audit()
    assert (found.intact, found.total, found.anchor, found.fault) == (True, 5, None, "")


def test_an_anchor_holds_and_goes_on_holding(anchor: Anchor, project: ProjectContext) -> None:
    found = anchor.write(by="ada")
    assert found.intact
    assert found.anchor is not None
    assert (found.anchor.seq, found.entries[0].action) == (6, "anchor audit")
    project.chain.ledger.audit("ada", "count", "more")
    assert anchor.audit().intact
    assert "Commit this file" in (project.paths.root / ANCHOR_FILE).read_text()


def test_rows_lost_off_the_end_show(anchor: Anchor, project: ProjectContext) -> None:
    anchor.write(by="ada")
    _sql(project, "DELETE FROM audit WHERE seq > 3")
    assert project.chain.ledger.read_audit().intact
    found = anchor.audit()
    assert not found.intact
    assert "missing at the end" in found.fault
    with pytest.raises(ConflictError, match="hide"):
        anchor.write(by="eve")


def test_another_ledger_shows(anchor: Anchor, project: ProjectContext, tmp_path: Path) -> None:
    anchor.write(by="ada")
    other = tmp_path / "other"
    other.mkdir()
    (other / "perijove.toml").write_text("")
    (other / ANCHOR_FILE).write_bytes(anchor.path.read_bytes())
    found = ProjectContext.open(other, actor="eve")
    for number in range(9):
        found.chain.ledger.audit("eve", "count", str(number))
    assert found.chain.ledger.read_audit().intact
    assert "another one" in Anchor(found.paths, found.chain.ledger).audit().fault


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit SET actor='eve' WHERE seq=3", "Entry 3 was edited"),
        ("UPDATE audit SET detail='{' WHERE seq=2", "Entry 2 was edited"),
        ("DELETE FROM audit WHERE seq=3", "Entry 3 is missing"),
        ("DELETE FROM audit WHERE seq=1", "Entry 1 is missing"),
    ],
)
def test_a_fault_names_its_entry(
    anchor: Anchor, project: ProjectContext, statement: str, fault: str
) -> None:
    _sql(project, statement)
    found = anchor.audit()
    assert not found.intact
    assert fault in found.fault


@pytest.mark.parametrize("content", [b"seq = ", b"seq = 'x'\n", b"\xff\xfe", b"hash = 'a'\n"])
def test_an_anchor_that_cannot_be_read_is_a_fault(anchor: Anchor, content: bytes) -> None:
    anchor.path.write_bytes(content)
    found = anchor.audit()
    assert not found.intact
    assert "cannot be understood" in found.fault
    anchor.refresh()
    assert anchor.path.read_bytes() == content


def test_it_is_refreshed_once_a_day_where_it_is_there(
    anchor: Anchor, project: ProjectContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor.refresh()
    assert not anchor.path.exists()
    anchor.write(by="ada")
    project.chain.ledger.audit("ada", "count", "more")
    before = anchor.path.read_text()
    anchor.refresh()
    assert anchor.path.read_text() == before
    later = anchors.now() + anchors.DAY_MS + 1
    monkeypatch.setattr(anchors, "now", lambda: later)
    anchor.refresh()
    found = anchor.audit()
    assert found.intact
    assert found.anchor is not None
    assert found.anchor.seq == 7
    _sql(project, "UPDATE audit SET actor='eve' WHERE seq=2")
    project.chain.ledger.audit("ada", "count", "more")
    broken = anchor.path.read_text()
    monkeypatch.setattr(anchors, "now", lambda: later + anchors.DAY_MS)
    anchor.refresh()
    assert anchor.path.read_text() == broken


def test_rows_are_filtered_and_the_whole_is_verified(
    anchor: Anchor, project: ProjectContext
) -> None:
    project.chain.ledger.audit("bob", "read dataset", "data:1")
    assert [e.actor for e in anchor.audit(AuditQuery(actor="bob")).entries] == ["bob"]
    assert [e.seq for e in anchor.audit(AuditQuery(resource="data:1")).entries] == [6, 2]
    assert [e.seq for e in anchor.audit(AuditQuery(action="count", limit=2)).entries] == [5, 4]
    assert anchor.audit(AuditQuery(limit=-1)).entries == []
    _sql(project, "UPDATE audit SET actor='eve' WHERE seq=3")
    assert not anchor.audit(AuditQuery(actor="bob")).intact
