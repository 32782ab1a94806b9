"""The source worker: ``python -m perijove.adapters.sources.worker MEMORY``.

Takes one request, {"do": ACTION, ...its arguments}, and ends with its reply, which is {"error":
TEXT, "kind": WORD} when it failed. Until then it tells {"progress": SHARE, "detail": TEXT}. It ends
when its standard input does: whoever asked is gone.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import threading
from typing import Any, Final

from perijove.adapters.duckdb.worker.messages import read_message, write_message
from perijove.adapters.sources.worker.failures import failure

MODULES: Final = {
    "list": "stores",
    "fetch": "stores",
    "delta": "delta",
    "tables": "databases",
    "query": "databases",
}
"""Action to the module that has it in its ACTIONS."""


def main() -> None:
    memory = int(sys.argv[1])
    # The pipe is ours alone: a library that prints must not write into the replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    request = read_message(sys.stdin.buffer)
    if request is None:
        return
    threading.Thread(target=_end_with_asker, daemon=True).start()

    def report(progress: float, detail: str = "") -> None:
        write_message(replies, {"progress": progress, "detail": detail})

    name = request.pop("do")
    module = importlib.import_module(f"perijove.adapters.sources.worker.{MODULES[name]}")
    reply: dict[str, Any]
    try:
        reply = module.ACTIONS[name](report, **request)
    except Exception as error:  # noqa: BLE001 - the process's boundary: any library may raise here
        reply = failure(error)
    write_message(replies, reply)
    # Not by the interpreter's own end: libraries leave threads and loops that would hold it.
    os._exit(0)


def _end_with_asker() -> None:
    while os.read(0, 65536):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
