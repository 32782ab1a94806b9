"""A notebook without a kernel process: IPython's shell in this process, on a project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets.config import Config

from perijove.adapters.workbench import Workbench
from perijove.kernel.session import Session, using

DEFINITION = """\
[project]
name = "builds"

[[kpi]]
metric = "roc_auc"
data = "builds"
split = "test"
target = 0.75

[data.builds]
path = "data/builds.csv"
target = "failed"
time = "start"

[data.builds.columns.size]
known = "after"

[jobs]
system_metrics = false  # a slow machine would add some to a short run
"""


def write_builds(path: Path, rows: int = 600) -> None:
    """Builds whose outcome `load` tells half of, and whose log's `size` tells all."""
    random = np.random.default_rng(3)
    load = random.normal(size=rows)
    failed = (load + random.normal(scale=0.7, size=rows) > 0).astype(int)
    frame = pd.DataFrame(
        {
            "start": np.arange(rows) * 60,
            "load": load,
            "noise": random.normal(size=rows),
            "branch": random.choice(["main", "release"], size=rows),
            "size": np.where(failed, 1e7, 1e4) + random.normal(scale=100, size=rows),
            "failed": failed,
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)


class Notebook:
    """Runs cells one after the other and keeps what they showed."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self.shell = shell
        self.session = session
        self.outputs: list[dict[str, Any]] = []
        """Display data of the last cell, updates included."""

    @property
    def bench(self) -> Workbench:
        return self.session.workbench

    def run(self, source: str) -> ExecutionResult:
        publisher = CapturingDisplayPublisher()
        self.shell.display_pub = publisher
        result = self.shell.run_cell(source, store_history=True)
        self.outputs = publisher.outputs
        return result

    def ok(self, source: str) -> Any:
        """Run a cell that must succeed; return the value of its last expression."""
        result = self.run(source)
        result.raise_error()
        return result.result

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]

    def last_run(self) -> Any:
        develop = self.bench.develop
        return develop.get_run(develop.list_runs().items[0].run_id)


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with builds to read; the current folder."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "perijove.toml").write_text(DEFINITION)
    write_builds(root / "data" / "builds.csv")
    monkeypatch.chdir(root)
    monkeypatch.setenv("JPY_SESSION_NAME", str(root / "notebooks" / "train.ipynb"))
    return root


@pytest.fixture
def notebook(root: Path, shell: InteractiveShell) -> Iterator[Notebook]:
    with using(Session(shell)) as session:
        opened = Notebook(shell, session)
        opened.ok("%load_ext perijove\nimport perijove as pj")
        yield opened


@pytest.fixture
def trained(notebook: Notebook) -> Notebook:
    """A model `honest` on what is known before, and `leaky` on the answer; not logged yet."""
    notebook.ok(
        "from sklearn.linear_model import LogisticRegression\n"
        'train = pj.dataset("builds").read(split="train")\n'
        'honest = LogisticRegression().fit(train[["load", "noise"]], train["failed"])\n'
        'leaky = LogisticRegression().fit(train[["load", "size"]], train["failed"])\n'
    )
    return notebook


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What the cells printed since the last call, on both streams."""

    def read() -> str:
        captured = capsys.readouterr()
        return captured.out + captured.err

    return read
