"""Processes: those of this machine can be seen, others cannot."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from perijove.core.files import ProcessId


def test_a_process_of_this_machine_is_seen() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = ProcessId.of(child.pid)
    assert process is not None
    assert process.alive() is True
    older = msgspec.json.decode(
        msgspec.json.encode({"pid": process.pid, "born": process.born}), type=ProcessId
    )
    assert older.alive() is True
    child.communicate(b"\n", 30)
    assert process.alive() is False
    assert older.alive() is False


@pytest.mark.parametrize(
    ("elsewhere", "alive"),
    [
        ({"host": "another-machine"}, None),
        ({"space": "pid:[1]"}, None),
        ({"boot": "an earlier one"}, False),
    ],
)
def test_what_runs_elsewhere_is_unknown(elsewhere: dict[str, str], alive: bool | None) -> None:
    me = ProcessId.here()
    assert me.alive() is True
    assert msgspec.structs.replace(me, **elsewhere).alive() is alive
