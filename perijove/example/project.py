"""Write the example project into a folder."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path

from perijove.core.errors import ConflictError, NotFoundError, ReadOnlyError
from perijove.core.files import write_atomically
from perijove.core.paths import PROJECT_FILE
from perijove.example.builds import generate_builds, to_csv

DATA_FILE = "data/ci_builds.csv"
NOTEBOOK = "notebooks/builds.ipynb"


def create_example(folder: Path, *, data: Path | None = None, seed: int = 7) -> list[Path]:
    """Write definition, data and notebook; all of them, or none.

    Parameters
    ----------
    folder
        Where to; made if it is missing. What lies in it already stays as it is.
    data
        A CSV of builds to use instead of generated ones. It is referred to where it lies and
        never copied.
    seed
        Of the generated builds.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ConflictError
        When one of the files is there already.
    NotFoundError
        When ``data`` is no file.
    ReadOnlyError
        When the folder cannot be written.
    """
    if data is not None and not data.is_file():
        raise NotFoundError(
            f"{data} is no file.", "Check the path of the builds.", code="file_not_found"
        )
    csv = DATA_FILE if data is None else str(data.resolve())
    contents = {
        folder / PROJECT_FILE: _template("perijove.toml").replace(DATA_FILE, _in_toml(csv)),
        folder / NOTEBOOK: _notebook(csv),
    }
    if data is None:
        contents[folder / DATA_FILE] = to_csv(generate_builds(seed=seed), seed=seed)
    for path in contents:
        if os.path.lexists(path):
            raise ConflictError(
                f"{path} is there already.",
                "Choose another folder, or move the file away.",
                code="file_exists",
            )
    for path, text in contents.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReadOnlyError(
                f"{path.parent} cannot be made: {error.strerror}.", "Choose another folder."
            ) from error
        write_atomically(path, text.encode())
        path.chmod(0o644)
    return list(contents)


def _template(name: str) -> str:
    return resources.files("perijove.example").joinpath("templates", name).read_text("utf-8")


def _in_toml(path: str) -> str:
    return json.dumps(path, ensure_ascii=False)[1:-1]


def _notebook(csv: str) -> str:
    """The notebook, with its one path set to ``csv``."""
    document = json.loads(_template("builds.ipynb"))
    for cell in document["cells"]:
        cell["source"] = [
            line.replace(f'"{DATA_FILE}"', json.dumps(csv, ensure_ascii=False))
            if line.startswith("CSV = ")
            else line
            for line in cell["source"]
        ]
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
