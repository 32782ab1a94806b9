"""A package that does not load, or a step that breaks, hides none of the others."""

from __future__ import annotations

import sqlite3
from importlib.metadata import EntryPoint

import pytest

from perijove.adapters import plugins
from perijove.adapters.workbench import Workbench
from perijove.core.context import ProjectContext
from perijove.core.errors import NotFoundError, UnavailableError


@pytest.fixture
def bench(project: ProjectContext, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    real = plugins.entry_points

    def with_broken(*, group: str) -> list[EntryPoint]:
        return [EntryPoint("broken", "no_such_package:Thing", group), *real(group=group)]

    monkeypatch.setattr(plugins, "entry_points", with_broken)
    return Workbench(project)


def test_a_target_that_does_not_load_is_listed_with_its_reason(bench: Workbench) -> None:
    titles = {target.name: target.title for target in bench.deploy.targets()}
    assert set(titles) >= {"local", "broken"}
    assert "not available: ModuleNotFoundError" in titles["broken"]
    broken = bench.targets["broken"]
    assert broken.status("builds").state == "failed"
    with pytest.raises(UnavailableError, match="no_such_package"):
        broken.ensure("builds")
    with pytest.raises(NotFoundError, match="no endpoint"):
        bench.deploy.endpoint("builds")


def test_a_source_that_does_not_load_is_listed_and_takes_nothing(bench: Workbench) -> None:
    kinds = {kind.kind: kind for kind in bench.data.sources.overview().types}
    assert not kinds["broken"].available
    assert "no_such_package" in kinds["broken"].label
    assert kinds["file"].available
    bench.close()


def test_a_step_that_breaks_shows_why_and_hides_no_other(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(bench.monitor, "status", broken)
    with sqlite3.connect(bench.project.paths.ledger) as db:
        db.execute("ALTER TABLE edge RENAME TO gone")
        db.execute("ALTER TABLE wanted RENAME TO away")
    life = bench.lifecycle()
    facts = {step.step: (step.state, step.fact) for step in life.steps}
    assert list(facts) == ["problem", "data", "develop", "deploy", "monitor", "operate"]
    assert facts["monitor"] == ("failed", "ZeroDivisionError: a bug")
    assert "no such table: wanted" in facts["deploy"][1]
    assert facts["problem"][0] != "failed"
    bench.close()
