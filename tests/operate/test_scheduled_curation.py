"""A real curation, made anew by its schedule when its source changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from perijove.adapters.workbench import Workbench
from perijove.contracts.data import DatasetSettings
from perijove.core.context import ProjectContext

SCRIPT = """
import perijove as pj

pj.register("raw.csv", name="raw")

@pj.curate("clean", inputs=["raw"])
def clean(raw):
    return raw.assign(b=10 // raw["a"] if 0 not in set(raw["a"]) else fail())

def fail():
    raise ValueError("a zero in column a")

clean()
"""


@pytest.mark.slow
def test_it_is_made_anew_and_a_failure_raises_an_alert(folder: Path) -> None:
    raw = folder / "raw.csv"
    raw.write_text("a\n1\n2\n")
    (folder / "curate.py").write_text(SCRIPT)
    subprocess.run([sys.executable, "curate.py"], cwd=folder, check=True, timeout=60)
    bench = Workbench(ProjectContext.open(folder, actor="ada"))
    try:
        words = DatasetSettings(refresh="when the source changes")
        bench.data.registry.declare("clean", words, by="ada")
        assert _change(bench, raw, "5\n") == "finished"
        node = bench.project.chain.latest("data", "clean")
        assert node is not None
        assert (node.version, node.by, node.facts["inputs"]) == (2, "schedule", ["data:raw@2"])
        assert bench.alerts.standing("data") == []
        assert _change(bench, raw, "0\n") == "failed"
        (alert,) = [a for a in bench.alerts.standing("data") if a.id == "curation:clean"]
        assert "a zero in column a" in alert.detail
        status = bench.data.status()
        assert (status.state, status.fact) == ("failed", "clean could not be made anew")
        assert bench.data.registry.get("clean").version == 2
    finally:
        bench.close()


def _change(bench: Workbench, raw: Path, row: str) -> str:
    with raw.open("a") as file:
        file.write(row)
    assert bench.data.schedules.look() == []
    (job,) = bench.data.schedules.look()
    state = bench.jobs.wait(job.id, 60).state
    bench.data.schedules.look()
    return state
