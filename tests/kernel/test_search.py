"""``%%search`` and ``pj.search``: trials as runs below a run, however they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from perijove.contracts.tracker import ImportanceRequest
from perijove.core.errors import InvalidInputError
from perijove.develop.ports import Batch
from perijove.kernel.training import CARD
from tests.kernel.conftest import Notebook

pytest.importorskip("optuna")

SEARCH = """\
%%search --trials {trials} --metric score --direction maximize --name s --seed 1 {more} \
--param x=0..1.0 --param kind=a|b
"""
PLAIN = SEARCH.format(trials=6, more="") + "pj.log(score=-(x - 0.3) ** 2 - (kind == 'b'))"


def head_of(notebook: Notebook):
    develop = notebook.bench.develop
    head = develop.searches.find("s")
    return develop.get_run(head.run_id)


def test_each_trial_is_a_run_of_the_search(notebook: Notebook) -> None:
    notebook.ok(PLAIN)
    head = head_of(notebook)
    report = head.search
    assert head.summary.state == "finished"
    assert (report.metric, report.direction, report.wanted) == ("score", "maximize", 6)
    assert [trial.number for trial in report.trials] == list(range(6))
    assert {trial.state for trial in report.trials} == {"finished"}
    assert set(report.trials[0].params) == {"x", "kind"}
    best = max(report.trials, key=lambda trial: trial.value)
    assert report.best == best.run_id
    assert report.history[-1] == best.value
    assert report.history == sorted(report.history)
    assert head.summary.metrics["best/score"] == best.value
    assert report.storage == ".perijove/optuna.db"
    trial = notebook.bench.develop.get_run(best.run_id)
    assert trial.parent == head.summary.run_id
    assert trial.summary.name == f"s-{best.number}"
    last = trial.cells[-1].source
    assert last.startswith(f"%%train --name s-{best.number} --seed 1 --param x=")
    assert last.endswith("pj.log(score=-(x - 0.3) ** 2 - (kind == 'b'))")
    # What was best is what the next cell goes on with.
    assert str(notebook["x"]) == best.params["x"]


def test_the_card_tells_how_far_it_is(notebook: Notebook) -> None:
    notebook.ok(PLAIN)
    cards = [one for one in notebook.outputs if CARD in one["data"]]
    head = head_of(notebook).summary.run_id
    own = [one["data"]["text/plain"] for one in cards if one["data"][CARD]["run_id"] == head]
    assert own[0].startswith("s · 0 of 6 trials")
    assert own[-1].startswith("s · 6 of 6 trials · best score")


def test_failed_trials_end_no_search(notebook: Notebook, shown: Callable[[], str]) -> None:
    notebook.ok(
        SEARCH.format(trials=5, more="--sampler random")
        + "n = globals().get('n', 0) + 1\nif n == 2: raise ValueError('no')\n"
        "if n == 3: pj.log(other=1)\nelif n == 4: pj.log(score=float('nan'))\n"
        "else: pj.log(score=x)"
    )
    said = shown()
    assert "trial 1 failed: ValueError: no" in said
    assert "trial 2 logged no score" in said
    states = [trial.state for trial in head_of(notebook).search.trials]
    assert states == ["finished", "failed", "failed", "finished", "finished"]
    assert head_of(notebook).summary.state == "finished"


def test_hopeless_trials_are_pruned(notebook: Notebook) -> None:
    notebook.ok(
        SEARCH.format(trials=12, more="--sampler random") + "done = 0\nfor step in range(20):\n"
        "    pj.log(score=(x if kind == 'a' else x - 5) * step, step=step)\n"
        "    done = step\n    if pj.should_stop(): break"
    )
    trials = head_of(notebook).search.trials
    pruned = [trial for trial in trials if trial.state == "pruned"]
    assert pruned
    assert not any(trial.state == "failed" for trial in trials)
    run = notebook.bench.develop.get_run(pruned[0].run_id)
    assert run.summary.state == "finished"
    (series,) = notebook.bench.develop.series(pruned[0].run_id).series
    assert series.total < 20


def test_an_interrupted_search_goes_on(notebook: Notebook) -> None:
    cell = SEARCH.format(trials=4, more="") + (
        "n = globals().get('n', 0) + 1\nif n == 2: raise KeyboardInterrupt\npj.log(score=x)"
    )
    result = notebook.run(cell)
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    head = head_of(notebook)
    assert head.summary.state == "stopped"
    assert [trial.state for trial in head.search.trials] == ["finished", "failed"]
    first = head.search.trials[0].params
    notebook.ok("%%search --resume s --trials 5\npj.log(score=x)")
    again = head_of(notebook)
    assert again.summary.run_id == head.summary.run_id
    assert again.summary.state == "finished"
    assert again.search.wanted == 5
    assert [trial.number for trial in again.search.trials] == list(range(5))
    assert first not in [trial.params for trial in again.search.trials[2:]]


def test_a_killed_search_goes_on(root: Path, notebook: Notebook) -> None:
    code = (
        "import os, signal, perijove as pj\n"
        "def train(x):\n"
        "    train.n = getattr(train, 'n', 0) + 1\n"
        "    if train.n == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return x\n"
        "pj.search(train, {'x': (0.0, 1.0)}, trials=5, metric='score', direction='maximize',"
        " name='s')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    head = head_of(notebook)
    assert head.summary.state == "lost"
    notebook.ok("%%search --resume s\npj.log(score=x)")
    trials = head_of(notebook).search.trials
    assert [trial.state for trial in trials] == [
        "finished", "finished", "failed", "finished", "finished",
    ]  # fmt: skip


def test_stopping_one_trial_goes_on_with_the_next(notebook: Notebook) -> None:
    notebook.shell.user_ns["develop"] = notebook.bench.develop
    notebook.ok(
        SEARCH.format(trials=3, more="") + "import time\nn = globals().get('n', 0) + 1\n"
        "if n == 2:\n"
        "    run = develop.store.list_runs(limit=1)[0][0]\n"
        "    develop.stop_run(run.run_id, by='ada')\n"
        "    time.sleep(30)\n"
        "pj.log(score=x)"
    )
    states = [trial.state for trial in head_of(notebook).search.trials]
    assert states == ["finished", "failed", "finished"]


def test_a_function_is_searched(notebook: Notebook) -> None:
    outcome = notebook.ok(
        "def train(lr, depth, kind, on):\n"
        "    assert isinstance(depth, int) and isinstance(on, bool)\n"
        "    return lr + depth\n"
        "found = pj.search(train, {'lr': '1e-4..1e-1:log', 'depth': (2, 8), 'kind': ['a', 'b'],"
        " 'on': [True, False]}, trials=8, metric='my_loss', seed=3)\nfound"
    )
    assert outcome.report.direction == "minimize"
    assert len(outcome.report.trials) == 8
    assert outcome.best_value == min(float(trial.value) for trial in outcome.report.trials)
    assert isinstance(outcome.best_params["depth"], int)
    assert isinstance(outcome.best_params["on"], bool)
    assert "8 of 8 trials · best my_loss" in repr(outcome)


def test_the_same_seed_tries_the_same(notebook: Notebook) -> None:
    def tried() -> list[dict[str, str]]:
        notebook.ok(PLAIN)
        return [trial.params for trial in head_of(notebook).search.trials]

    assert tried() == tried()


def test_importance_is_the_studys_own(notebook: Notebook) -> None:
    notebook.ok(PLAIN.replace("--trials 6", "--trials 12"))
    report = head_of(notebook).search
    ids = [trial.run_id for trial in report.trials]
    found = notebook.bench.develop.tracker.importance.of(
        ImportanceRequest(metric="score", run_ids=ids)
    )
    assert found.method.startswith("fANOVA")
    assert {item.param for item in found.items} == {"x", "kind"}
    assert found.items[0].param == "kind"
    assert sum(item.importance for item in found.items) == pytest.approx(1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--trials 3 --metric thing --param x=0..1", "better is not known"),
        ("--trials 3 --metric auc --param x=1..0", "no range"),
        ("--trials 3 --metric auc --param x=0..1:log", "begins above 0"),
        ("--trials 3 --metric auc --param x=a", "no space"),
        ("--trials 3 --metric auc --param x=0..1 --param x=0..2", "two spaces"),
        ("--trials 3 --metric auc", "nothing to search"),
        ("--trials 0 --metric auc --param x=0..1", "1 or more"),
        ("--metric auc --param x=0..1", "how many"),
        ("--trials 3 --param x=0..1", "which --metric"),
        ("--resume nobody", "no search"),
        ("--trials 3 --metric auc --param 1x=0..1", "Python name"),
        ("--trials x", "invalid"),
    ],
)
def test_what_cannot_be_searched(notebook: Notebook, line: str, words: str) -> None:
    result = notebook.run(f"%%search {line}\n1")
    assert isinstance(result.error_in_exec, UsageError)
    assert words in str(result.error_in_exec)
    assert notebook.bench.develop.list_runs().items == []
    with pytest.raises(InvalidInputError):
        notebook.ok("pj.search(print, {'x': 3}, metric='auc')")


def test_a_search_survives_runs_that_are_deleted(notebook: Notebook) -> None:
    notebook.ok(PLAIN)
    report = head_of(notebook).search
    notebook.bench.develop.tracker.annotations.delete([report.best], by="ada")
    again = head_of(notebook).search
    assert len(again.trials) == 5
    assert again.best != report.best


def test_a_tag_that_is_no_search_is_none(notebook: Notebook) -> None:
    run_id = notebook.bench.develop.start_run("r")
    for text in ("", "[]", json.dumps({"metric": 1})):
        notebook.bench.store.write(run_id, Batch(tags={"perijove.search": text}))
        assert notebook.bench.develop.get_run(run_id).search is None
    notebook.bench.develop.finish_run(run_id, "finished")
    assert os.path.exists(notebook.bench.project.paths.mlflow_db)


def test_jobs_share_the_trials(notebook: Notebook) -> None:
    notebook.ok("offset = 1")
    notebook.ok(SEARCH.format(trials=5, more="--jobs 2 --cpus 0") + "pj.log(score=x + offset)")
    head = head_of(notebook)
    text = notebook.outputs[-1]["data"]["text/plain"]
    assert text.startswith("s · 0 of 5 trials")
    jobs = notebook.bench.jobs.list()
    assert len(jobs) == 2
    for job in jobs:
        assert notebook.bench.jobs.wait(job.id, 110).state == "finished"
    head = head_of(notebook)
    assert head.summary.state == "finished"
    assert sorted(trial.number for trial in head.search.trials) == list(range(5))
    assert {trial.state for trial in head.search.trials} == {"finished"}
    assert head.summary.metrics["best/score"] == float(head.search.history[-1])
    best = notebook.bench.develop.get_run(head.search.best)
    assert "offset = 1" in [cell.source for cell in best.cells]
    assert best.cells[-1].source.startswith("%%train --name s-")
    workers = [run for run in head.children if run not in {t.run_id for t in head.search.trials}]
    assert len(workers) == 2


def test_names_that_a_job_would_lack_are_told(notebook: Notebook) -> None:
    result = notebook.run(SEARCH.format(trials=5, more="--jobs 1") + "pj.log(score=x + nobody)")
    assert isinstance(result.error_in_exec, UsageError)
    assert "nobody" in str(result.error_in_exec)
    assert notebook.bench.develop.list_runs().items == []
    assert notebook.bench.jobs.list() == []
