"""A look costs little where nothing changed, and tells only those who show what did."""

from __future__ import annotations

import pytest

from perijove.adapters.workbench import Workbench
from perijove.contracts.alerts import Alert
from perijove.core.chain import RunFacts
from perijove.core.context import ProjectContext
from perijove.server.watch import CHAIN, ProjectWatch


@pytest.fixture
def bench(project: ProjectContext) -> Workbench:
    return Workbench(project)


def test_what_no_page_shows_tells_nobody(bench: Workbench) -> None:
    ledger = bench.project.chain.ledger
    watch = ProjectWatch(bench)
    assert watch.look() == set()
    ledger.audit("ada", "read dataset", "data:builds@1")
    assert watch.look() == set()
    for kind, topics in (("cursor", set()), ("schedule", {"data"})):
        with ledger.write() as db:
            db.execute("INSERT INTO wanted VALUES (?, 'x', '{}', 1)", (kind,))
        assert watch.look() == topics
        with ledger.write() as db:
            db.execute("UPDATE wanted SET at = 2 WHERE kind = ?", (kind,))
        assert watch.look() == topics
        assert watch.look() == set()
    bench.close()


def test_what_another_process_writes_is_told_once(bench: Workbench) -> None:
    watch = ProjectWatch(bench)
    watch.look()
    other = ProjectContext.open(bench.project.paths.root)
    other.chain.add("run", "a", RunFacts("a"), by="ada")
    assert watch.look() == set(CHAIN)
    assert watch.look() == set()
    alert = Alert(
        id="x:y", step="data", level="failed", subject="data:a@1", title="t", detail="d",
        fix="f", since=1,
    )  # fmt: skip
    Workbench(other).alerts.raise_(alert)
    assert watch.look() == set(CHAIN)
    bench.close()


def test_a_quiet_look_reads_no_fact(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.project.chain.add("run", "a", RunFacts("a"), by="ada")
    watch = ProjectWatch(bench)
    watch.look()
    asked: list[str] = []
    rows = bench.project.chain.ledger.rows

    def counted(sql: str, parameters: tuple[object, ...] = ()) -> object:
        asked.append(sql)
        return rows(sql, parameters)

    monkeypatch.setattr(bench.project.chain.ledger, "rows", counted)
    assert watch.look() == set()
    assert [sql for sql in asked if not sql.startswith("PRAGMA")] == []
    bench.close()
