"""The data worker: ``python -m perijove.adapters.duckdb.worker [--scratch FOLDER] FOLDER...``.

Reads and writes only below the named folders, has a memory limit, and ends when its standard input
does. One request at a time: {"do": ACTION, ...its arguments}. While it works it may tell
{"progress": SHARE}; the last message is the reply, or {"error": TEXT, "kind": "unreadable" |
"invalid" | "memory" | "disk"}.

An action is a function of a module beside this one. A module is imported with the first of its
actions that is asked for, so that a worker that only reads pages holds no DuckDB.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import resource
import sys
from typing import BinaryIO

from perijove.adapters.duckdb.worker.database import (
    MEMORY_LIMIT,
    Action,
    Database,
    InvalidError,
    UnreadableError,
)
from perijove.adapters.duckdb.worker.messages import read_message, write_message

ADDRESS_SPACE = 16 * 2**30
MODULES: dict[str, str] = {
    "twin": "files",
    "inspect": "files",
    "combine": "folders",
    "inspect_all": "folders",
    "partition_values": "folders",
    "twin_sheet": "workbooks",
    "page": "pages",
    "cell": "pages",
    "first_rows": "views",
    "count_view": "views",
    "copy_view": "views",
    "find": "find",
    "export": "export",
    "fingerprint": "fingerprint",
    "compare": "diff",
    "check_rules": "rules",
    "newest": "rules",
    "profile_footer": "profile",
    "profile_sample": "profile",
    "profile_full": "profile",
    "leaks": "leaks",
}
"""Action to the module that has it in its ACTIONS."""


def serve(database: Database, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer until there are no more requests."""

    def report(progress: float) -> None:
        write_message(replies, {"progress": progress})

    while (request := read_message(requests)) is not None:
        action = _action(request.pop("do"))
        try:
            reply = action(database, report, **request)
        except Exception as error:  # the process's boundary: what is a fault of ours ends it
            failure = _failure(error)
            if failure is None:
                raise
            reply = failure
        write_message(replies, reply)


def _action(name: str) -> Action:
    module = importlib.import_module(f"perijove.adapters.duckdb.worker.{MODULES[name]}")
    action: Action = module.ACTIONS[name]
    return action


def _failure(error: Exception) -> dict[str, str] | None:
    """Tell what a file, a disk or the memory did; None for what is a fault of ours."""
    if isinstance(error, UnreadableError):
        return {"error": str(error), "kind": "unreadable"}
    if isinstance(error, InvalidError):
        return {"error": str(error), "kind": "invalid"}
    # Asked by name: neither library is imported for the sake of an error that it cannot raise.
    library = type(error).__module__.partition(".")[0].lstrip("_")
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        own = str(error) if type(error) is MemoryError else ""
        return {"error": own or f"it needs more than {MEMORY_LIMIT} of memory", "kind": "memory"}
    if library in {"duckdb", "pyarrow"} or isinstance(error, OSError):
        return {"error": _first_line(error), "kind": _kind(error)}
    return None


def _kind(error: Exception) -> str:
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
    return "disk" if full else "unreadable"


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:300].rstrip(".") if lines else type(error).__name__


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--scratch")
    arguments.add_argument("--memory", type=int, default=0, help="bytes of data, at most")
    arguments.add_argument("folders", nargs="+")
    given = arguments.parse_args()
    # The pipe is ours alone: a library that prints must not write into the replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if given.memory:
        resource.setrlimit(resource.RLIMIT_DATA, (given.memory, given.memory))
    serve(Database(given.folders, given.scratch), sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
