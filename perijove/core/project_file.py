"""``perijove.toml``: the definition that people edit and commit.

Read with the standard library, written with tomlkit, so that comments and order stay. A file
that cannot be understood is never written to.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from perijove.contracts.base import Struct
from perijove.contracts.data import Known
from perijove.contracts.problem import Kpi
from perijove.core.errors import ConflictError, NotFoundError, ProjectFileError, ReadOnlyError
from perijove.core.files import locked, sha256_text, write_atomically
from perijove.core.paths import ProjectPaths

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
"""What a dataset, a model or an endpoint may be called: safe in a path and in a URL."""


class ProjectTable(Struct):
    name: str = ""
    question: str = ""
    owner: str = ""


class ColumnTable(Struct):
    known: Known = "before"


class DataTable(Struct):
    """``[data.NAME]``: where it lies and what its columns mean."""

    path: str = ""
    """Relative to the project; empty for a curated dataset."""
    query: str = ""
    """For a database a SELECT, where the path names no table; for a workbook a sheet."""
    target: str = ""
    time: str = ""
    description: str = ""
    tags: list[str] = []
    refresh: str = ""
    """When a curated dataset is made anew: ``"when the source changes"``, ``"daily at 06:00"``,
    ``"every 6 hours"`` or five cron fields."""
    fresh: str = ""
    """How old a registered source may become before it raises an alert, such as ``"2 days"``."""
    columns: dict[str, ColumnTable] = {}


class SourcesTable(Struct):
    """``[sources]``: where data may come from. Without the table, from anywhere."""

    allow: list[str] = []
    """Folders of the project or absolute ones, and URLs; what lies below each is allowed."""


class OpenLineageTable(Struct):
    """``[openlineage]``: tell others what happens here; off while both are empty."""

    file: str = ""
    url: str = ""
    namespace: str = ""


class CostsTable(Struct):
    """``[costs]``: what an hour costs; a run's cost is shown where one is given."""

    cpu_hour: float = 0
    """Of one core that is busy."""
    gpu_hour: float = 0
    """Of one GPU that is held."""
    currency: str = ""


class JobsTable(Struct):
    """``[jobs]``: what jobs may take of this machine, and where they run unless somebody says."""

    executor: str = "local"
    cpus: float = 0
    """At once; all cores when 0."""
    gpus: list[int] | None = None
    """By NVML's numbers; all when left out."""
    ray: str = ""
    """The dashboard of a Ray cluster: ``http://127.0.0.1:8265``. ``RAY_ADDRESS`` when empty."""
    system_metrics: bool = True
    """Log what runs take of the machine, once a second."""


class RerunTable(Struct):
    """``[rerun]``: how a rerun is compared with its run."""

    ignore: list[str] = []
    """Patterns of metrics that no two runs have alike, such as ``*_seconds``."""


class Definition(Struct):
    """The whole file."""

    project: ProjectTable = ProjectTable()
    kpi: list[Kpi] = []
    data: dict[str, DataTable] = {}
    sources: SourcesTable | None = None
    openlineage: OpenLineageTable = OpenLineageTable()
    costs: CostsTable = CostsTable()
    jobs: JobsTable = JobsTable()
    rerun: RerunTable = RerunTable()


class ProjectFile:
    """The file of one project: read, and changed under a lock.

    Parameters
    ----------
    paths
        The project's paths.
    """

    def __init__(self, paths: ProjectPaths) -> None:
        self.paths = paths
        self._cached: tuple[str, Definition] | None = None

    def text(self) -> str:
        try:
            return self.paths.definition.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise NotFoundError(
                f"{self.paths.definition} is gone.",
                "Restore it, or run `perijove init`.",
                code="no_project",
            ) from error
        except UnicodeDecodeError as error:
            raise ProjectFileError(f"not UTF-8 text ({error.reason}).") from error

    def read(self) -> tuple[Definition, str]:
        """Return the definition and its revision, the hash of the file's text.

        Raises
        ------
        ProjectFileError
            Naming line and reason.
        """
        text = self.text()
        revision = sha256_text(text)[:16]
        if self._cached is not None and self._cached[0] == revision:
            return self._cached[1], revision
        definition = parse(text)
        self._cached = (revision, definition)
        return definition, revision

    @property
    def definition(self) -> Definition:
        return self.read()[0]

    def change(self, edit: Callable[[Any], None], *, revision: str = "") -> Definition:
        """Edit the tomlkit document; keep what a person wrote beside it.

        Parameters
        ----------
        edit
            Gets the document and changes it in place.
        revision
            What the caller saw. A file that has changed since raises ConflictError.
        """
        import tomlkit

        with self._write_lock():
            text = self.text()
            parse(text)  # never write over a file that we do not understand
            if revision and sha256_text(text)[:16] != revision:
                raise ConflictError(
                    "perijove.toml was changed by somebody else in the meantime.",
                    "Look at the new values and save again.",
                    code="project_file_changed",
                )
            document = tomlkit.parse(text)
            edit(document)
            changed = tomlkit.dumps(document)
            definition = parse(changed)
            if changed != text:
                write_atomically(self.paths.definition, changed.encode())
        return definition

    @contextmanager
    def _write_lock(self) -> Iterator[None]:
        self.paths.make_state()
        try:
            with locked(self.paths.state / "project.lock"):
                yield
        except PermissionError as error:
            raise ReadOnlyError(
                f"{self.paths.root} cannot be written.", "Check the folder's permissions."
            ) from error


def parse(text: str) -> Definition:
    """Understand the file's text, or say which line is wrong and why."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise ProjectFileError(
            f"{reason}.", line=int(found[1]) if found else text.count("\n") + 1
        ) from error
    try:
        definition = msgspec.convert(raw, Definition)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`")
        raise ProjectFileError(
            f"{reason} ({path.lstrip('.') or 'top level'}).", line=line_of(text, reason, path)
        ) from error
    for name in definition.data:
        if not NAME.fullmatch(name):
            raise ProjectFileError(
                f"{name!r} cannot be a dataset's name: letters, digits, '.', '_' and '-' can.",
                line=line_of(text, "", f".data.{name}"),
            )
    return definition


def line_of(text: str, reason: str, path: str) -> int | None:
    """Find the line that a validation error is about.

    msgspec tells the path, such as ``.kpi[1].target``, and TOML's parser keeps no lines, so the
    path's headers and keys are looked for one after the other.
    """
    lines = text.splitlines()
    unknown = re.search(r"unknown field `([^`]+)`", reason)
    parts = re.findall(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", path)
    keys = [(key, index) for key, index in parts] + ([(unknown[1], "")] if unknown else [])
    position = 0
    found: int | None = None
    table = ""
    for key, index in keys:
        if index:
            count = int(index) if index.isdigit() else 0
            heads = [i for i, s in enumerate(lines) if re.match(rf"\s*\[\[\s*{table}\s*\]\]", s)]
            if count < len(heads):
                position = found = heads[count]
            continue
        table = f"{table}.{key}" if table else key
        pattern = (
            rf"""\s*(\[\[?\s*["']?{re.escape(table)}["']?\s*[\].]|["']?{re.escape(key)}["']?\s*=)"""
        )
        for number in range(position, len(lines)):
            if re.match(pattern, lines[number]):
                position = found = number
                break
    return None if found is None else found + 1
