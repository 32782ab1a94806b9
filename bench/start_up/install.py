"""What an installation weighs: the wheel, and everything that it brings.

    python bench/start_up/install.py [--wheel dist/perijove-0.1.0-py3-none-any.whl]

Makes a virtual environment in a temporary folder, installs the wheel into it as a user would, and
counts. The floor is JupyterLab alone, installed the same way. Without --wheel one is built from
this tree; that needs the build tools that `make install` brings.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORBIDDEN = ("ray", "torch", "mlflow", "tensorflow")


def build(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )  # fmt: skip
    (wheel,) = folder.glob("perijove-*.whl")
    return wheel


def install(requirement: str, folder: Path) -> dict[str, float | int | list[str]]:
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    before = _names(python)
    size_before = _bytes(folder)
    started = time.perf_counter()
    subprocess.run([python, "-m", "pip", "install", "--quiet", requirement], check=True)
    names = _names(python) - before
    return {
        "packages": len(names),
        "megabytes": round((_bytes(folder) - size_before) / 1e6, 1),
        "seconds": round(time.perf_counter() - started, 1),
        "forbidden": sorted(names & set(FORBIDDEN)),
    }


def _names(python: str) -> set[str]:
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"], capture_output=True, check=True
    )
    return {package["name"].lower() for package in json.loads(listed.stdout)}


def _bytes(folder: Path) -> int:
    return sum(
        path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = options.wheel or build(folder)
        print(f"wheel                 {wheel.stat().st_size / 1e3:8.1f} kB")
        floor = install("jupyterlab", folder / "floor")
        whole = install(str(wheel), folder / "whole")
        for title, found in (("jupyterlab (floor)", floor), ("perijove", whole)):
            print(
                f"{title:20}  {found['packages']:4} packages  {found['megabytes']:8} MB  "
                f"{found['seconds']:6} s"
            )
        print(f"not wanted, and there: {', '.join(whole['forbidden']) or 'none'}")
        sys.exit(1 if whole["forbidden"] else 0)


if __name__ == "__main__":
    main()
