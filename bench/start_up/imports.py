"""What it costs to have Perijove: CPU of the server extension, and of the import in a kernel.

    python bench/start_up/imports.py [--repeat 15] [--json]

Every figure is the median over fresh processes, of CPU time (user and system, in milliseconds),
with the files in the page cache. The floors say what a bare interpreter and a bare Jupyter server
take on the same machine: compare ratios, not milliseconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES: dict[str, tuple[str, str]] = {
    # Name: (what is there before, what is measured), both Python.
    "interpreter (floor)": ("", "pass"),
    "jupyter_server.serverapp (floor)": ("", "import jupyter_server.serverapp"),
    "import perijove, bare interpreter": ("", "import perijove"),
    "import perijove, in a kernel": (
        "import ipykernel.ipkernel, ipykernel.kernelapp",
        "import perijove",
    ),
    "first use of the kernel library": (
        "import ipykernel.ipkernel, ipykernel.kernelapp; import perijove as pj",
        "pj.log",
    ),
    "server extension, import and load": (
        """
import asyncio, os
from jupyter_server.serverapp import ServerApp
asyncio.set_event_loop(asyncio.new_event_loop())
app = ServerApp(allow_root=True, open_browser=False, port=0, log_level=40)
app.initialize(argv=[], find_extensions=False)
""",
        "import perijove.server; perijove.server._load_jupyter_server_extension(app)",
    ),
}

HEAVY = ("mlflow", "duckdb", "pandas", "ray", "sklearn", "pyarrow", "deltalake", "sqlalchemy")

PROBE = """
import json, sys, time
{before}
wall, cpu = time.perf_counter(), time.process_time()
{measured}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
heavy = [name for name in {heavy!r} if name in sys.modules]
print(json.dumps([1000 * cpu, 1000 * wall, heavy]))
sys.stdout.flush()
import os
os._exit(0)
"""


def measure(before: str, measured: str, folder: str) -> tuple[float, float, list[str]]:
    code = PROBE.format(before=before, measured=measured, heavy=HEAVY)
    if measured == "pass":
        return (*_whole_process(folder), [])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=True
    )
    cpu, wall, heavy = json.loads(done.stdout.splitlines()[-1])
    return cpu, wall, heavy


def _whole_process(folder: str) -> tuple[float, float]:
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], cwd=folder, check=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - wall
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * cpu, 1000 * wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "data").mkdir()
        for name, (before, measured) in CASES.items():
            samples = [measure(before, measured, folder) for _ in range(options.repeat + 1)][1:]
            results[name] = {
                "cpu_ms": round(statistics.median(s[0] for s in samples), 2),
                "wall_ms": round(statistics.median(s[1] for s in samples), 2),
                "heavy": sorted({name for s in samples for name in s[2]}),
            }
    floor = results["jupyter_server.serverapp (floor)"]["cpu_ms"]
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print(f"{'':38}{'CPU ms':>9}{'wall ms':>9}{'of a server import':>20}  heavy modules")
    for name, r in results.items():
        share = f"{r['cpu_ms'] / floor:.2f}"
        print(
            f"{name:38}{r['cpu_ms']:9.1f}{r['wall_ms']:9.1f}{share:>20}  "
            f"{', '.join(r['heavy']) or 'none'}"
        )


if __name__ == "__main__":
    main()
