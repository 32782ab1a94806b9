"""The alert book: one matter is one alert, and the audit tells its story."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from perijove.contracts.alerts import Alert
from perijove.core.alerts import AlertBook
from perijove.core.context import ProjectContext
from perijove.core.errors import NotFoundError

LATE = Alert(
    id="freshness:builds", step="data", level="attention", subject="data:builds@1",
    title="builds is 3 days old", detail="", fix="Register it again.", since=5,
)  # fmt: skip


@pytest.fixture
def book(project: ProjectContext) -> AlertBook:
    return AlertBook(project.chain.ledger)


def _story(project: ProjectContext) -> list[tuple[str, str]]:
    entries = project.chain.ledger.read_audit().entries
    return [(entry.actor, entry.action) for entry in reversed(entries)]


def test_raised_twice_it_is_one(book: AlertBook, project: ProjectContext) -> None:
    book.raise_(LATE)
    book.raise_(msgspec.structs.replace(LATE, since=99))
    assert book.standing() == [LATE]
    older = book.raise_(msgspec.structs.replace(LATE, title="builds is 4 days old", since=99))
    assert (older.title, older.since) == ("builds is 4 days old", 5)
    assert _story(project) == [("perijove", "raise alert")]


def test_who_looks_after_it_stays_until_it_becomes_worse(
    book: AlertBook, project: ProjectContext
) -> None:
    book.raise_(LATE)
    seen = book.acknowledge(LATE.id, "I asked them", by="ada")
    assert (seen.acknowledged_by, seen.note) == ("ada", "I asked them")
    assert book.raise_(LATE).acknowledged_by == "ada"
    worse = book.raise_(msgspec.structs.replace(LATE, level="failed"))
    assert (worse.acknowledged_by, worse.since) == ("", 5)
    book.clear(LATE.id)
    book.clear(LATE.id)
    assert book.standing() == []
    assert _story(project) == [
        ("perijove", "raise alert"),
        ("ada", "acknowledge alert"),
        ("perijove", "raise alert"),
        ("perijove", "clear alert"),
    ]
    with pytest.raises(NotFoundError):
        book.acknowledge(LATE.id, by="ada")


def test_what_should_stand_stands_and_others_are_left(book: AlertBook) -> None:
    other = msgspec.structs.replace(LATE, id="schema:orders", since=7)
    curation = msgspec.structs.replace(LATE, id="curation:clean", since=6)
    monitor = msgspec.structs.replace(LATE, id="drift:builds", step="monitor", since=4)
    for alert in (LATE, curation, monitor):
        book.raise_(alert)
    book.sync("data", [other], apart=("curation",))
    assert book.standing() == [other, curation, monitor]
    assert book.standing("monitor") == [monitor]


def test_the_worst_is_one_that_nobody_looks_after(book: AlertBook) -> None:
    assert book.worst("data") is None
    failed = msgspec.structs.replace(LATE, id="a", level="failed", since=1)
    for alert in (LATE, failed, msgspec.structs.replace(LATE, id="b", since=9)):
        book.raise_(alert)
    assert book.worst("data") == failed
    book.acknowledge("a", by="ada")
    worst = book.worst("data")
    assert worst is not None
    assert worst.id == "b"


def test_threads_raise_one(book: AlertBook, project: ProjectContext) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: book.raise_(LATE), range(8)))
    assert book.standing() == [LATE]
    assert _story(project) == [("perijove", "raise alert")]
