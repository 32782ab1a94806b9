"""Versions made again: from their recorded program, in a process of its own."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perijove.contracts.data import DataFacts, Proof
from perijove.contracts.jobs import Job
from perijove.core.chain import facts_of
from perijove.core.errors import ConflictError
from tests.kernel.conftest import Notebook, write_builds

MODULE = """\
import pyarrow.compute as pc

from cleaning.bounds import LOWEST


def calm(table, share=1.0):
    return table.filter(pc.field("load") > LOWEST * share)
"""
PANDAS = """\
import numpy as np
import pandas as pd
import xml.etree.ElementTree
from dataclasses import dataclass

SCALE = {"load": 2.0, "limits": (1, None)}
PATTERN = __import__("re").compile("^re")

@dataclass
class Bounds:
    low: float
    high: float = float("inf")

def scaled(frame):
    return frame.assign(load=frame["load"] * SCALE["load"])

clip = lambda values: np.clip(values, 0, None)

@pj.curate("calm", inputs=["builds"])
def calm(frame: pd.DataFrame, top=1.5):
    bounds = Bounds(-1.0)
    kept = scaled(frame)
    kept["noise"] = clip(kept["noise"])
    kept["release"] = kept["branch"].map(lambda b: bool(PATTERN.match(b)))
    kept["tag"] = xml.etree.ElementTree.Element("x").tag
    return kept[(kept["load"] > bounds.low) & (kept["load"] < top)]
"""


def _job(notebook: Notebook, job: Job) -> Job:
    done = notebook.bench.jobs.wait(job.id, 60)
    assert done.state == "finished", (done.error, notebook.bench.jobs.log(job.id).text)
    return done


def _made_again(notebook: Notebook, name: str, version: int = 0) -> Proof:
    _job(notebook, notebook.bench.data.making.make_again(name, version, by="ada"))
    proof = notebook.bench.data.history.versions(name).items[0].proof
    assert proof is not None
    return proof


def test_a_pandas_curation_of_a_notebook_with_all_that_it_uses(notebook: Notebook) -> None:
    made = notebook.ok(PANDAS + "calm(top=0.5)")
    facts = facts_of(notebook.bench.project.chain.get(made.ref), DataFacts)
    assert facts.unrecorded == []
    assert facts.parameters == {"top": 0.5}
    assert {"python", "pandas", "numpy", "pyarrow", "perijove"} <= set(facts.environment)
    assert "def scaled" in facts.script
    proof = _made_again(notebook, "calm")
    assert proof.same
    assert (proof.rows, proof.by, proof.differences) == (facts.rows, "ada", [])
    assert proof.fingerprint == facts.fingerprint
    (version,) = notebook.bench.data.history.versions("calm").items
    assert version.obstacle == ""


def test_a_polars_curation(notebook: Notebook) -> None:
    pytest.importorskip("polars")
    made = notebook.ok(
        "import polars as pl\n"
        '@pj.curate("sums", inputs=["builds"], as_="polars")\n'
        "def sums(frame):\n"
        '    return frame.group_by("branch").agg(pl.col("load").round(6).sum(), pl.len())\n'
        "sums()"
    )
    facts = facts_of(notebook.bench.project.chain.get(made.ref), DataFacts)
    assert "polars" in facts.environment
    assert _made_again(notebook, "sums").same


def test_a_function_of_a_module_goes_with_the_modules_that_it_imports(
    notebook: Notebook, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = root / "cleaning"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "bounds.py").write_text("LOWEST = -0.25\n")
    (package / "builds.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(root))
    try:
        notebook.ok(
            "from cleaning.builds import calm\n"
            'made = pj.curate("calm", inputs=["builds"], as_="arrow")(calm)(share=2.0)'
        )
    finally:
        for name in [n for n in sys.modules if n.partition(".")[0] == "cleaning"]:
            del sys.modules[name]
    facts = facts_of(notebook.bench.project.chain.get("data:calm@1"), DataFacts)
    assert "# %% package cleaning\n" in facts.script
    assert "LOWEST = -0.25" in facts.script
    # What lies in the project now is another program.
    (package / "bounds.py").write_text("LOWEST = 1.0\n")
    proof = _made_again(notebook, "calm")
    assert proof.same
    assert proof.rows == facts.rows


def test_an_older_version_is_made_again_from_its_own_inputs(notebook: Notebook, root: Path) -> None:
    cell = '@pj.curate("calm", inputs=["builds"])\ndef calm(frame):\n    return frame[:50]\ncalm()'
    notebook.ok(cell)
    write_builds(root / "data" / "builds.csv", rows=700)
    notebook.ok(cell.replace("50", "60"))
    _job(notebook, notebook.bench.data.making.make_again("calm", 1, by="ada"))
    newest, first = notebook.bench.data.history.versions("calm").items
    assert newest.proof is None
    assert first.proof is not None
    assert first.proof.same
    assert [v.version for v in (newest, first)] == [2, 1]


def test_what_no_program_can_carry_is_told_by_name(notebook: Notebook) -> None:
    notebook.ok(
        'other = pj.dataset("builds").read()\nmodel = object()\n'
        '@pj.curate("calm", inputs=["builds"])\n'
        "def calm(frame):\n    model\n    return frame[:len(other)]\n"
        "calm()"
    )
    (version,) = notebook.bench.data.history.versions("calm").items
    assert version.obstacle.endswith("no program can carry: model, other.")
    with pytest.raises(ConflictError, match="model, other"):
        notebook.bench.data.making.make_again("calm", by="ada")


def test_randomness_is_found_out(notebook: Notebook) -> None:
    notebook.ok(
        '@pj.curate("some", inputs=["builds"])\n'
        "def some(frame):\n    return frame.sample(100)\n"
        "some()"
    )
    assert not _made_again(notebook, "some").same


def test_tampering_with_an_input_or_the_program_is_said(notebook: Notebook, root: Path) -> None:
    pq.write_table(pa.table({"x": list(range(100))}), root / "data" / "plain.parquet")
    notebook.ok(
        'pj.register("data/plain.parquet")\n'
        '@pj.curate("half", inputs=["plain"])\ndef half(frame):\n    return frame[:50]\nhalf()\n'
        '@pj.curate("quarter", inputs=["half"])\n'
        "def quarter(frame):\n    return frame[:25]\nquarter()"
    )
    bench = notebook.bench
    pq.write_table(pa.table({"x": list(range(1, 101))}), root / "data" / "plain.parquet")
    (version,) = bench.data.history.versions("half").items
    assert version.obstacle == "The bytes of its input data:plain@1 are changed."
    (root / "data" / "plain.parquet").unlink()
    (version,) = bench.data.history.versions("half").items
    assert version.obstacle == "The bytes of its input data:plain@1 are gone."

    (file,) = (bench.project.paths.lake / "half").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-20] + b"x" * 20)
    with pytest.raises(ConflictError, match="data:half@1 are changed"):
        bench.data.making.make_again("quarter", by="ada")
    with pytest.raises(ConflictError, match="data:half@1 cannot be read as an input"):
        notebook.run("quarter()").raise_error()


def test_a_program_that_was_changed_in_the_ledger_is_not_run(notebook: Notebook) -> None:
    notebook.ok('@pj.curate("a", inputs=["builds"])\ndef a(frame):\n    return frame[:5]\na()')
    with sqlite3.connect(notebook.bench.project.paths.ledger) as db:
        db.execute("DROP TRIGGER node_is_fixed")
        (facts,) = db.execute("SELECT facts FROM node WHERE ref='data:a@1'").fetchone()
        changed = msgspec.json.decode(facts)
        changed["script"] = changed["script"].replace("[:5]", "[:6]")
        db.execute("UPDATE node SET facts=? WHERE ref='data:a@1'", (msgspec.json.encode(changed),))
    with pytest.raises(ConflictError, match="its hash differs"):
        notebook.bench.data.making.make_again("a", by="ada")


def test_curating_anew_reads_the_newest_inputs(notebook: Notebook, root: Path) -> None:
    notebook.ok('@pj.curate("a", inputs=["builds"])\ndef a(frame):\n    return frame\na()')
    making = notebook.bench.data.making
    assert _job(notebook, making.curate("a", "ada")).result == {"ref": "data:a@1"}
    write_builds(root / "data" / "builds.csv", rows=700)
    job = _job(notebook, making.curate("a", "ada"))
    assert (job.kind, job.subject, job.result) == ("curate", "data:a", {"ref": "data:a@2"})
    node = notebook.bench.project.chain.get("data:a@2")
    assert (node.by, facts_of(node, DataFacts).inputs) == ("ada", ["data:builds@2"])
    assert _made_again(notebook, "a").same


def test_a_program_that_fails_ends_its_job_with_the_line(notebook: Notebook) -> None:
    notebook.ok(
        '@pj.curate("a", inputs=["builds"])\ndef a(frame):\n'
        '    import os\n    return frame[: 5 // len(os.environ.get("PJ_TEST_ONE", ""))]\n'
    )
    notebook.ok('import os; os.environ["PJ_TEST_ONE"] = "1"; a(); del os.environ["PJ_TEST_ONE"]')
    bench = notebook.bench
    job = bench.jobs.wait(bench.data.making.make_again("a", by="ada").id, 60)
    assert job.state == "failed"
    assert job.error is not None
    assert "ZeroDivisionError" in job.error.message
    assert "PJ_TEST_ONE" in job.error.hint
    assert [n.ref for n in bench.project.chain.versions("data", "a")] == ["data:a@1"]


def test_a_file_that_is_read_past_the_inputs_is_told(notebook: Notebook, root: Path) -> None:
    write_builds(root / "data" / "extra.csv", rows=9)
    made = notebook.ok(
        '@pj.curate("a", inputs=["builds"])\ndef a(frame):\n'
        '    import pandas\n    return pandas.read_csv("data/extra.csv")\n'
        "a()"
    )
    facts = facts_of(notebook.bench.project.chain.get(made.ref), DataFacts)
    assert facts.unregistered == facts.unrecorded == ["data/extra.csv"]
    with pytest.raises(ConflictError, match=r"data/extra\.csv"):
        notebook.bench.data.making.make_again("a", by="ada")
