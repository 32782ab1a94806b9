"""``%%train``: what a cell leaves behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from perijove.core.errors import UnavailableError
from perijove.kernel.training import CARD
from tests.kernel.conftest import Notebook


def test_a_run_knows_what_made_it(notebook: Notebook) -> None:
    notebook.ok("scale = 2")
    notebook.ok(
        "%%train --name first --seed 7 --param rate=0.5 --param kind=plain\n"
        'rows = pj.dataset("builds").read(split="train")\n'
        "for step in range(3):\n"
        "    pj.log(loss=rate / (step + 1))\n"
        "len(rows)"
    )

    run = notebook.last_run()
    assert run.summary.name == "first"
    assert run.summary.state == "finished"
    assert run.summary.notebook == "notebooks/train.ipynb"
    assert run.summary.params == {"rate": "0.5", "kind": "plain"}
    assert run.summary.metrics == {"loss": pytest.approx(0.5 / 3)}
    assert run.inputs == ["data:builds@1", "split:builds@1"]
    assert run.seed == 7
    assert [cell.number for cell in run.cells] == [1, 2, 3]
    assert run.cells[1].source == "scale = 2"
    assert run.cells[-1].source.startswith("%%train --name first")
    assert {"python", "platform", "pandas"} <= run.environment.keys()
    assert not any("JPY" in key or "=" in key for key in run.environment)
    chain = notebook.bench.project.chain
    sources = chain.sources(f"run:{run.summary.run_id}@1")
    assert {node.ref for node in sources} == {"data:builds@1", "split:builds@1"}


def test_parameters_are_variables_with_their_values(notebook: Notebook) -> None:
    notebook.ok("%%train --param n=3 --param x=1e-3 --param on=true --param word=hgb\n0")
    assert (notebook["n"], notebook["x"], notebook["on"], notebook["word"]) == (
        3, 0.001, True, "hgb",
    )  # fmt: skip


def test_the_seed_makes_numbers_come_again(notebook: Notebook) -> None:
    cell = "%%train --seed 11\nimport random, numpy as np\n(random.random(), np.random.rand())"
    assert notebook.ok(cell) == notebook.ok(cell)


def test_the_card_is_shown_at_once_and_tells_the_end(notebook: Notebook) -> None:
    notebook.ok("%%train --name quick\npj.log(loss=1)")
    first, last = (one for one in notebook.outputs if CARD in one["data"])
    run_id = notebook.last_run().summary.run_id
    project = str(notebook.session.paths.root)
    assert first["data"][CARD] == {"project": project, "run_id": run_id, "name": "quick"}
    assert "running" in first["data"]["text/plain"]
    assert last["update"]
    assert last["transient"] == first["transient"] == {"display_id": run_id}
    assert last["data"]["text/plain"].startswith("quick finished in ")
    assert "loss 1" in last["data"]["text/plain"]


def test_magics_work_in_the_cell_and_its_last_value_is_shown(notebook: Notebook) -> None:
    notebook.ok("%%train\n%precision 3\nnames = !echo one two\n6 * 7")
    assert notebook["names"] == ["one two"]
    assert notebook["_"] == 42


def test_an_error_fails_the_run_and_points_into_the_cell(
    notebook: Notebook, shown: Callable[[], str]
) -> None:
    result = notebook.run("%%train\npj.log(loss=1)\ndef half(x):\n    return x / 0\nhalf(1)")

    assert isinstance(result.error_in_exec, ZeroDivisionError)
    run = notebook.last_run()
    assert run.summary.state == "failed"
    assert run.error == "ZeroDivisionError: division by zero"
    assert run.summary.metrics == {"loss": 1.0}
    text = shown()
    assert "return x / 0" in text
    assert "magics.py" not in text
    assert "run_cell_magic" not in text


def test_an_interrupt_stops_the_run(notebook: Notebook) -> None:
    # A kernel hears interrupts while a cell runs, however the process was started.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    result = notebook.run(
        "%%train\nimport signal\npj.log(loss=1)\nsignal.raise_signal(signal.SIGINT)"
    )
    signal.signal(signal.SIGINT, before)
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    assert notebook.last_run().summary.state == "stopped"


def test_a_cell_that_heeds_the_stop_file_is_stopped_without_an_error(notebook: Notebook) -> None:
    notebook.ok(
        "%%train\n"
        "from perijove.kernel import tracking\n"
        "run = tracking.current()\n"
        "pj.log(loss=1)\n"
        "from pathlib import Path\n"
        'Path(".perijove", "journals", run.run_id, "stop").touch()\n'
        "asked = pj.should_stop()"
    )
    assert notebook["asked"]
    assert notebook.last_run().summary.state == "stopped"


def test_a_cell_that_does_not_parse_makes_no_run(
    notebook: Notebook, shown: Callable[[], str]
) -> None:
    result = notebook.run("%%train\nx = (")
    assert not result.success
    assert notebook.bench.develop.list_runs().total == 0
    text = shown()
    assert "x = (" in text
    assert "magics.py" not in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--wings 2", "unrecognized arguments"),
        ("--gpus 99", "no GPU"),
        ("--cells 1-2", "add --background"),
        ("--background --cells 1 --all", "not allowed with"),
        ("--background --cells one", "such as 1-4,7"),
        ("--seed x", "invalid int value"),
        ("--param rate", "KEY=VALUE"),
        ('--name "open', "No closing quotation"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(notebook: Notebook, line: str, said: str) -> None:
    result = notebook.run(f"%%train {line}\n0")
    assert isinstance(result.error_in_exec, UsageError)
    assert said in str(result.error_in_exec)
    assert notebook.bench.develop.list_runs().total == 0


def test_cells_that_failed_are_no_part_of_it(notebook: Notebook) -> None:
    notebook.run("1 / 0")
    notebook.ok("%%train\n0")
    assert "1 / 0" not in [cell.source for cell in notebook.last_run().cells]


def test_the_commit_and_its_changes_are_known(notebook: Notebook, root: Path) -> None:
    def git(*arguments: str) -> str:
        settings = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.check_output(["git", *settings, *arguments], cwd=root, text=True).strip()

    git("init", "-q")
    git("add", "perijove.toml")
    git("commit", "-q", "-m", "start")
    notebook.ok("%%train\n0")
    run = notebook.last_run()
    assert run.git_commit == git("rev-parse", "HEAD")
    assert not run.git_dirty

    with (root / "perijove.toml").open("a") as file:
        file.write("# changed\n")
    notebook.ok("%%train\n0")
    assert notebook.last_run().git_dirty


def test_files_that_no_dataset_names_are_noted(notebook: Notebook, root: Path) -> None:
    # Another process makes them: what the kernel wrote itself is no input.
    for name in ("extra.csv", "names.parquet"):
        subprocess.run(["cp", "data/builds.csv", name], cwd=root, check=True)
    notebook.ok('import pandas as pd\nextra = pd.read_csv("extra.csv")')
    notebook.ok('path = "names.parquet"  # read by an engine in C++')
    notebook.ok('extra.to_csv("made.csv")\nagain = pd.read_csv("made.csv")')
    notebook.ok("%%train\n0")
    assert notebook.last_run().unregistered == ["extra.csv", "names.parquet"]


def test_a_registered_file_read_directly_is_an_input(notebook: Notebook) -> None:
    notebook.ok('pj.dataset("builds")\nimport pandas as pd\nrows = pd.read_csv("data/builds.csv")')
    notebook.ok("%%train\n0")
    run = notebook.last_run()
    assert run.inputs == ["data:builds@1"]
    assert run.unregistered == []


def test_mlflow_calls_in_the_cell_join_the_run(notebook: Notebook) -> None:
    notebook.ok(
        "%%train --name joined\n"
        "import mlflow\n"
        "with mlflow.start_run():\n"
        '    mlflow.log_metric("theirs", 1)\n'
        "pj.log(ours=2)"
    )
    assert "MLFLOW_RUN_ID" not in os.environ
    run = notebook.last_run()
    assert notebook.bench.develop.list_runs().total == 1
    assert run.summary.name == "joined"
    assert run.summary.state == "finished"
    assert run.summary.metrics == {"theirs": 1.0, "ours": 2.0}


def test_autologged_fits_join_the_run_and_leave_it_open(notebook: Notebook) -> None:
    notebook.ok(
        "%%train --name auto\n"
        "import mlflow\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "mlflow.sklearn.autolog(silent=True, log_models=False)\n"
        'rows = pj.dataset("builds").read(split="train")\n'
        "for _ in range(2):\n"
        '    LogisticRegression().fit(rows[["load"]], rows["failed"])\n'
        "mlflow.sklearn.autolog(disable=True)\n"
        "state = mlflow.active_run().info.status"
    )
    assert notebook.bench.develop.list_runs().total == 1
    run = notebook.last_run()
    assert "training_roc_auc" in run.summary.metrics
    assert notebook["state"] == "RUNNING"
    assert run.summary.state == "finished"


def test_a_run_that_user_code_opens_takes_our_numbers(notebook: Notebook) -> None:
    notebook.ok("import mlflow\nwith mlflow.start_run(run_name='theirs'):\n    pj.log(loss=3)")
    run = notebook.last_run()
    assert run.summary.name == "theirs"
    assert run.summary.metrics == {"loss": 3.0}
    assert run.summary.tracked_by == "mlflow"


def test_without_a_project_the_extension_says_what_to_do(
    tmp_path: Path,
    shell: object,
    monkeypatch: pytest.MonkeyPatch,
    shown: Callable[[], str],
) -> None:
    from perijove.kernel.session import Session, using

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    with using(Session(shell)) as session:  # type: ignore[arg-type]
        lone = Notebook(shell, session)  # type: ignore[arg-type]
        lone.ok("%load_ext perijove")
        assert "perijove init" in shown()
        assert isinstance(lone.run("%%train\n0").error_in_exec, UsageError)
        (tmp_path / "perijove.toml").write_text("[project]\n")
        lone.ok("%%train --name later\n0")  # made in the meantime: no restart is needed
        assert lone.last_run().summary.name == "later"


def test_a_run_that_ends_while_the_store_is_away_ends_there_later(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*arguments: object, **options: object) -> None:
        raise UnavailableError("The store is away.")

    store = notebook.bench.store
    with monkeypatch.context() as outage:
        for call in ("write", "finish", "get_run"):
            outage.setattr(store, call, away)
        with pytest.warns(RuntimeWarning, match="will hear later"):
            notebook.run("%%train --name away\npj.log(loss=1)\n1 / 0")
    assert "perijove.error" not in store.list_runs(limit=1)[0][0].tags
    run = notebook.last_run()
    assert run.summary.state == "failed"
    assert run.error == "ZeroDivisionError: division by zero"
    assert run.summary.metrics == {"loss": 1.0}


def test_what_fails_before_the_cell_runs_leaves_no_run_running(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("perijove.kernel.run.joined", broken)
    monkeypatch.setattr(notebook.bench.store, "artifact_folder", broken)
    with pytest.warns(RuntimeWarning, match="not kept whole"):
        notebook.run("%%train --name early\npj.log(loss=1)")
    assert notebook.last_run().summary.state == "failed"


def test_a_run_tells_what_it_took_of_the_machine(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perijove.kernel.system_metrics.SECONDS", 0.05)
    file = notebook.bench.project.file
    cell = (
        "import time\n"
        "pj.log(loss=1)\n"
        "end = time.monotonic() + 20\n"
        "journal = pj_folder\n"
        "while b'process_memory' not in b''.join(f.read_bytes() for f in journal.glob('*/*.pj')):\n"
        "    assert time.monotonic() < end\n"
    )
    notebook.shell.user_ns["pj_folder"] = notebook.session.paths.journals
    file.change(lambda text: text["jobs"].update(system_metrics=True))
    file.change(lambda text: text.update(costs={"cpu_hour": 3600.0, "currency": "EUR"}))
    notebook.ok("%%train --name watched\n" + cell)
    run = notebook.last_run()
    assert run.summary.metrics["system/process_memory_megabytes"] > 1
    assert run.usage is not None
    assert run.usage.peak_memory > 1_000_000
    assert run.usage.cost == pytest.approx(run.usage.cpu_seconds)
    assert run.usage.currency == "EUR"

    notebook.ok("%%train --name unwatched --no-system-metrics\nfor i in range(3): pj.log(loss=i)")
    run = notebook.last_run()
    assert run.summary.metrics == {"loss": 2.0}
    assert run.usage.seconds > 0


def test_what_looks_like_a_secret_is_not_kept_and_the_user_is_told_once(notebook: Notebook) -> None:
    with pytest.warns(UserWarning, match="looks like a secret") as told:
        notebook.ok(
            "%%train --name hidden --param api_key=hunter2 --param max_tokens=5\n"
            "pj.log_params(password='x', url='postgresql://me:pw@host/db', depth=3)\n"
            "pj.log_params(password='x')\n"
            "assert api_key == 'hunter2'"
        )
    assert [str(one.message).partition(" looks")[0] for one in told] == ["api_key", "password, url"]
    run = notebook.last_run()
    assert run.summary.params == {
        "api_key": "***", "max_tokens": "5", "password": "***",
        "url": "postgresql://***@host/db", "depth": "3",
    }  # fmt: skip
    assert run.masked == ["params.api_key", "params.password", "params.url"]
    kept = [
        file for file in notebook.session.paths.state.rglob("*")
        if file.is_file() and b"me:pw@host" in file.read_bytes()
    ]  # fmt: skip
    # The cell itself says it: what ran is kept as it ran.
    assert all("cells" in file.name or "recipe" in file.name for file in kept)
    files = [file for file in notebook.session.paths.state.rglob("*") if file.is_file()]
    # But for its line of parameters, whose values the user was told are not kept.
    assert [
        file
        for file in files
        if b"hunter2'" not in file.read_bytes() and b"hunter2" in file.read_bytes()
    ] == []
    assert "--param api_key=*** --param max_tokens=5" in run.cells[-1].source
    obstacle = notebook.bench.develop.reruns.obstacle(
        notebook.bench.store.get_run(run.summary.run_id)
    )
    assert "The value of api_key was not kept" in obstacle
