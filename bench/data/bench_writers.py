"""Two processes that commit to one dataset at the same time: 20 commits each, none lost.

    python bench/data/bench_writers.py [--commits 20] [--rows 100000] [--json]

Each commit is ``Curation.commit`` of a table that says who made it and which one it is. Afterwards
every version is read back: it must be whole, and each of the tables must be there once
(limit: 0 lost, 0 failed).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from perijove.adapters.workbench import Workbench, open_workbench
from perijove.core.context import ProjectContext
from perijove.core.errors import PerijoveError

WRITERS = 2


def write(root: Path, writer: int, commits: int, rows: int) -> None:
    data = open_workbench(root).data
    failed = 0
    for number in range(commits):
        table = pa.table({"writer": [writer] * rows, "number": [number] * rows})
        try:
            data.curation.commit("shared", table, inputs=[], source=f"{writer}", by="bench")
        except PerijoveError as error:
            print(error, file=sys.stderr)
            failed += 1
    data.close()
    print(failed)


def measure(commits: int, rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "perijove.toml").write_text("[project]\n")
        project = ProjectContext.open(root)
        start = time.perf_counter()
        writers = [
            subprocess.Popen(
                [sys.executable, __file__, "--writer", str(writer), "--root", folder,
                 "--commits", str(commits), "--rows", str(rows)],
                stdout=subprocess.PIPE,
            )
            for writer in range(WRITERS)
        ]  # fmt: skip
        failed = sum(int(process.communicate()[0] or commits) for process in writers)
        seconds = time.perf_counter() - start
        data = Workbench(project).data
        found = set()
        for node in project.chain.versions("data", "shared"):
            table = data.registry.read(node)
            (pair,) = {tuple(row.values()) for row in table.slice(0, 1).to_pylist()}
            if table.num_rows == rows and data.registry.state(node) == "current":
                found.add(pair)
        data.close()
        wanted = {(writer, number) for writer in range(WRITERS) for number in range(commits)}
        return {
            "commits": len(wanted),
            "lost": len(wanted - found),
            "failed": failed,
            "seconds": seconds,
        }


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--commits", type=int, default=20)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--writer", type=int, default=-1, help=argparse.SUPPRESS)
    arguments.add_argument("--root", type=Path, default=Path(), help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.writer >= 0:
        write(options.root, options.writer, options.commits, options.rows)
        return
    result = measure(options.commits, options.rows)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(
        f"{result['commits']} commits by {WRITERS} processes in {result['seconds']:.1f} s: "
        f"{result['lost']} lost, {result['failed']} failed (limit 0, 0)"
    )


if __name__ == "__main__":
    main()
