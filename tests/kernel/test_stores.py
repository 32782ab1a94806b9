"""Where a kernel's runs go: the project's own store, the user's, or a server that may be away."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from perijove.adapters.mlflow.plugin import plugin_uri
from perijove.kernel.session import Session, using
from tests.develop.test_outbox import Server, until
from tests.kernel.conftest import Notebook


@pytest.fixture
def opened(root: Path, shell: InteractiveShell) -> Iterator[Callable[[str], Notebook]]:
    """A notebook in a kernel whose user keeps runs somewhere."""
    with using(Session(shell)) as session:

        def start(uri: str) -> Notebook:
            os.environ["MLFLOW_TRACKING_URI"] = uri
            notebook = Notebook(shell, session)
            notebook.ok("%load_ext perijove\nimport perijove as pj")
            return notebook

        yield start
    for name in ("PERIJOVE_OUTBOX", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)


def test_without_a_wish_mlflow_goes_through_the_project(
    notebook: Notebook, shown: Callable[[], str]
) -> None:
    assert os.environ["MLFLOW_TRACKING_URI"] == plugin_uri(notebook.session.paths)
    notebook.ok(
        "import mlflow\n"
        "with mlflow.start_run() as opened:\n"
        "    for step in range(5):\n"
        "        mlflow.log_metric('loss', step, step=step)"
    )
    run_id = notebook["opened"].info.run_id
    assert list((notebook.session.paths.journals / run_id).glob("*.pj"))
    assert notebook.last_run().summary.metrics == {"loss": 4.0}


def test_the_users_own_database_is_opened_as_it_is_and_named(
    opened: Callable[[str], Notebook], tmp_path: Path, shown: Callable[[], str]
) -> None:
    notebook = opened(f"sqlite:///{tmp_path}/own.db")
    assert "runs in sqlite:///" in shown()
    assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/own.db"
    notebook.ok("%%train --name mine\npj.log(loss=0.5)")
    assert notebook.last_run().summary.metrics == {"loss": 0.5}
    assert (tmp_path / "own.db").stat().st_size
    assert not notebook.session.paths.mlflow_db.exists()


def test_a_cell_trains_on_while_its_server_is_killed_and_comes_back(
    opened: Callable[[str], Notebook], tmp_path: Path, shown: Callable[[], str]
) -> None:
    server = Server(tmp_path / "server")
    server.start()
    try:
        notebook = opened(server.uri)
        assert f"runs in {server.uri}" in shown()
        notebook.shell.user_ns["server"] = server
        with pytest.warns(RuntimeWarning):
            notebook.ok(
                "%%train --name far\n"
                "import mlflow\n"
                "pj.log(loss=1.0, step=0)\n"
                "server.kill()\n"
                "for step in range(1, 30):\n"
                "    pj.log(loss=1 / (1 + step), step=step)\n"
                "    mlflow.log_metric('theirs', step, step=step)\n"
                "mlflow.log_param('lr', 0.5)\n"
                'rows = pj.dataset("builds").read(split="train")\n'
            )
        server.start()
        notebook.bench.outbox.hurry()

        def ended() -> bool:
            runs = server.stock.search_runs(["1"])
            return [run.info.status for run in runs] == ["FINISHED"]

        until(ended, "the run has ended on the server")
        (run,) = server.stock.search_runs(["1"])
        assert run.data.params == {"lr": "0.5"}
        assert run.data.tags["perijove.inputs"] == '["data:builds@1", "split:builds@1"]'
        for key, count in (("loss", 30), ("theirs", 29)):
            assert len(server.stock.get_metric_history(run.info.run_id, key)) == count
    finally:
        server.kill()
