"""Tables among a kernel's variables: in this process, and over a comm while a cell runs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from perijove.contracts.variables import TARGET, VariablesRequest
from perijove.kernel.variables import Variables

SECONDS = 30.0


def rows_of(arrow: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.ipc.open_stream(io.BytesIO(arrow)).read_all().to_pylist()
    return rows


FRAME = pd.DataFrame(
    {
        "id": [2**62, 2**62 + 1, 2**62 + 2],
        "mixed": [1, "two", None],
        "at": pd.to_datetime(["2024-02-29"] * 3),
    }
)


@pytest.mark.parametrize(
    ("value", "size", "row"),
    [
        (FRAME, (3, 3), {"id": 2**62 + 1, "mixed": "two", "at": pd.Timestamp("2024-02-29")}),
        (FRAME["id"], (3, 1), {"id": 2**62 + 1}),
        (pa.table({"d": [Decimal("1.10"), Decimal("2.20")]}), (2, 1), {"d": Decimal("2.20")}),
        (pa.RecordBatch.from_pydict({"t": ["<b>", "&"]}), (2, 1), {"t": "&"}),
        (np.arange(6).reshape(3, 2), (3, 2), {"x0": 2, "x1": 3}),
        (np.array([1.5, np.inf]), (2, 1), {"x0": np.inf}),
        (np.array([(1, "a"), (2, "b")], dtype="i4,U1"), (2, 2), {"f0": 2, "f1": "b"}),
    ],
)
def test_a_table_of_any_library_is_listed_described_and_paged(
    value: Any, size: tuple[int, int], row: dict[str, Any]
) -> None:
    variables = Variables({"table": value, "_hidden": value, "number": 3, "f": print})
    (listed,) = variables.tables()
    assert (listed.name, listed.rows, listed.columns) == ("table", *size)
    assert listed.bytes
    count, columns = variables.describe("table")
    assert (count, [c.name for c in columns]) == (size[0], list(row))
    assert rows_of(variables.rows("table", 1, 1, None)) == [row]
    last = list(row)[-1]
    assert rows_of(variables.rows("table", 1, 1, [size[1] - 1])) == [{last: row[last]}]


def test_what_is_gone_or_odd_is_told_and_breaks_nothing() -> None:
    class Sly(pd.DataFrame):
        @property
        def iloc(self) -> Any:
            raise RuntimeError("not today")

    variables = Variables({"sly": Sly({"a": [1]}), "cube": np.zeros((2, 2, 2))})
    gone, _ = variables.answer(VariablesRequest(id=1, do="rows", name="gone"))
    assert gone.error is not None
    assert gone.error.code == "variable_not_found"
    sly, _ = variables.answer(VariablesRequest(id=2, do="rows", name="sly"))
    assert sly.error is not None
    assert "not today" in sly.error.message
    assert [v.name for v in variables.tables()] == ["sly"]
    many, _ = variables.answer(VariablesRequest(id=3, do="rows", name="sly", limit=10**9))
    assert many.error is not None
    assert many.error.code == "invalid_input"


@pytest.fixture
def kernel(folder: Path) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_busy_kernel_shows_its_tables_through_a_subshell(
    kernel: tuple[KernelManager, BlockingKernelClient], folder: Path
) -> None:
    _, client = kernel
    busy = folder / "busy"
    done = client.execute_interactive(
        "%load_ext perijove\nimport pandas as pd\nframe = pd.DataFrame({'a': range(1000)})",
        timeout=SECONDS,
    )
    assert done["content"]["status"] == "ok"
    subshell = _ask(client, client.session.msg("create_subshell_request", {}), channel="control")[
        "content"
    ]["subshell_id"]
    running = client.execute(
        f"import os, time\nwhile not os.path.exists({str(busy)!r}): time.sleep(0.01)"
    )
    header = {"subshell_id": subshell}
    opening = client.session.msg("comm_open", {"comm_id": "c", "target_name": TARGET, "data": {}})
    opening["header"].update(header)
    client.shell_channel.send(opening)
    asking = client.session.msg(
        "comm_msg",
        {
            "comm_id": "c",
            "data": {"id": 7, "do": "rows", "name": "frame", "offset": 998, "limit": 5},
        },
    )
    asking["header"].update(header)
    client.shell_channel.send(asking)
    reply = _published(client, "comm_msg")
    assert reply["content"]["data"]["id"] == 7
    assert rows_of(bytes(reply["buffers"][0])) == [{"a": 998}, {"a": 999}]
    busy.touch()
    while client.get_shell_msg(timeout=SECONDS)["parent_header"]["msg_id"] != running:
        pass


def _ask(client: BlockingKernelClient, message: dict[str, Any], channel: str) -> dict[str, Any]:
    client.control_channel.send(message)
    while True:
        reply: dict[str, Any] = client.get_control_msg(timeout=SECONDS)
        if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
            return reply


def _published(client: BlockingKernelClient, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = client.get_iopub_msg(timeout=SECONDS)
        if message["msg_type"] == kind:
            return message
