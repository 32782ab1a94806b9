"""Processes that log, keep checkpoints, die and go on: what counts is there once, wherever it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.adapters.workbench import Workbench
from perijove.core.context import ProjectContext
from perijove.core.cuts import CUTS_FILE, read_cuts, write_cuts
from perijove.core.journal import JournalFolder, JournalWriter
from perijove.develop.ports import Batch
from perijove.kernel import tracking
from perijove.kernel.checkpoints import checkpoint, resume
from perijove.kernel.tracking import ActiveRun, ResumedRun


@pytest.fixture(scope="module")
def bench() -> Iterator[Workbench]:
    with TemporaryDirectory() as folder:
        Path(folder, "perijove.toml").write_text("[project]\n")
        opened = Workbench(ProjectContext.open(Path(folder), actor="ada"))
        yield opened
        opened.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["log", "log", "keep", "move", "forget", "die"]), max_size=30))
def test_each_point_that_counts_is_there_once(bench: Workbench, deeds: list[str]) -> None:
    paths = bench.project.paths
    run_id = bench.store.create_run("r", started=1, batch=Batch())
    run: ActiveRun = ActiveRun(paths, run_id)
    tracking.activate(run)
    expected: list[float] = []
    kept: int | None = None
    try:
        for number, deed in enumerate(deeds):
            if deed == "log":
                tracking.log(a=number)
                expected.append(float(number))
            elif deed == "keep":
                checkpoint(number)
                kept = len(expected)
            elif deed == "move":
                bench.ingester.ingest(run_id)
            elif deed == "forget":  # where it had got to
                (paths.journals / run_id / "ingested.json").unlink(missing_ok=True)
            else:
                run.close()
                run = ResumedRun(paths, run_id)
                tracking.activate(run)
                found = resume()
                assert (found is None) is (kept is None)
                expected = expected[: kept or 0]
        bench.ingester.ingest(run_id)
    finally:
        tracking.activate(None)
        run.close()
    records = JournalFolder(paths.journals / run_id).read()
    assert [r[3]["a"] for r in records if r[0] == "m"] == expected
    assert sorted(point.value for point in bench.store.points(run_id)) == expected
    last = bench.store.get_run(run_id).metrics
    assert last == ({"a": expected[-1]} if expected else {})


def test_a_cut_journal_is_read_to_its_cut(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "1-0.pj")
    writer.append(("m", 1, 0, {"a": 1.0}))
    end = (tmp_path / "1-0.pj").stat().st_size
    writer.append(("m", 2, 1, {"a": 2.0}))
    folder = JournalFolder(tmp_path)
    write_cuts(tmp_path, {"1-0.pj": end, "gone.pj": 5})
    assert folder.sizes() == {"1-0.pj": end}
    assert [record[1] for record in folder.read()] == [1]
    assert folder.read() == []
    write_cuts(tmp_path, {"2-0.pj": 0})
    assert read_cuts(tmp_path) == {"1-0.pj": end, "gone.pj": 5, "2-0.pj": 0}
    for broken in ("{", "[]", '{"a": "b"}'):
        (tmp_path / CUTS_FILE).write_text(broken)
        assert read_cuts(tmp_path) == {}
    writer.close()
