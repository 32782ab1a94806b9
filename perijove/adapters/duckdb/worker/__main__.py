"""The data worker: ``python -m perijove.adapters.duckdb.worker [--scratch FOLDER] FOLDER...``.

Reads and writes only below the named folders, has a memory limit, and ends when its standard input
does. One request at a time: {"do": ACTION, ...its arguments}. While it works it may tell
{"progress": SHARE}; the last message is the reply, or {"error": TEXT, "kind": "unreadable" |
"memory" | "disk"}. An action is a function of a module beside this one, named in its ACTIONS.
"""

from __future__ import annotations

import argparse
import errno
import os
import resource
import sys
from typing import BinaryIO

import duckdb

from perijove.adapters.duckdb.worker import files, pages
from perijove.adapters.duckdb.worker.database import MEMORY_LIMIT, Action, Database, UnreadableError
from perijove.adapters.duckdb.worker.messages import read_message, write_message

ADDRESS_SPACE = 16 * 2**30
ACTIONS: dict[str, Action] = files.ACTIONS | pages.ACTIONS


def serve(database: Database, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer until there are no more requests."""

    def report(progress: float) -> None:
        write_message(replies, {"progress": progress})

    while (request := read_message(requests)) is not None:
        action = ACTIONS[request.pop("do")]
        try:
            reply = action(database, report, **request)
        except UnreadableError as error:
            reply = {"error": str(error), "kind": "unreadable"}
        except (duckdb.OutOfMemoryException, MemoryError):
            reply = {"error": f"it needs more than {MEMORY_LIMIT} of memory", "kind": "memory"}
        except (duckdb.Error, OSError) as error:
            reply = {"error": _first_line(error), "kind": _kind(error)}
        write_message(replies, reply)


def _kind(error: Exception) -> str:
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
    return "disk" if full else "unreadable"


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--scratch")
    arguments.add_argument("folders", nargs="+")
    given = arguments.parse_args()
    # The pipe is ours alone: a library that prints must not write into the replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(Database(given.folders, given.scratch), sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
