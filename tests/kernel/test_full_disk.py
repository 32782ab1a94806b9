"""A disk that is really full: a small file system under the project's journals."""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.conftest import Notebook


@pytest.fixture
def small_disk(notebook: Notebook) -> Iterator[Path]:
    """Four megabytes where the journals lie."""
    folder = notebook.session.paths.journals
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", folder], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_training_goes_on_and_what_was_acknowledged_is_there(
    notebook: Notebook, small_disk: Path
) -> None:
    filler = small_disk / "filler"
    notebook.shell.user_ns["filler"] = filler
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        notebook.ok(
            "%%train --name full\n"
            "for step in range(100):\n"
            "    pj.log({f'm{i}': step for i in range(50)}, step=step)\n"
            "with open(filler, 'wb', buffering=0) as file:\n"
            "    try:\n"
            "        while file.write(bytes(4096)):\n"
            "            pass\n"
            "    except OSError:\n"
            "        pass\n"
            "for step in range(100, 200):\n"
            "    pj.log({f'm{i}': step for i in range(50)}, step=step)\n"
            "finished = step\n"
        )
    assert notebook["finished"] == 199
    texts = [str(one.message) for one in told if "Training goes on" in str(one.message)]
    assert len(texts) == 1
    assert "free some disk space" in texts[0]
    os.unlink(filler)
    run = notebook.bench.develop.list_runs().items[0]
    points = [p.step for p in notebook.bench.store.points(run.run_id, "m0")]
    # What the last block of the disk took, and nothing else, is there beyond the first hundred.
    assert points[:100] == list(range(100))
    assert points == list(range(len(points)))


def test_what_waited_arrives_when_there_is_room_again(notebook: Notebook, small_disk: Path) -> None:
    filler = small_disk / "filler"
    notebook.shell.user_ns["filler"] = filler
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        notebook.ok(
            "%%train --name mended\n"
            "pj.log(loss=0)\n"
            "import os\n"
            "with open(filler, 'wb', buffering=0) as file:\n"
            "    try:\n"
            "        while file.write(bytes(4096)):\n"
            "            pass\n"
            "    except OSError:\n"
            "        pass\n"
            "for step in range(1, 2000):\n"
            "    pj.log(loss=step)\n"
            "os.unlink(filler)\n"
            "pj.log(loss=2000)\n"
        )
    run = notebook.bench.develop.list_runs().items[0]
    points = [p.step for p in notebook.bench.store.points(run.run_id, "loss")]
    assert points == list(range(2001))
    assert run.state == "finished"
