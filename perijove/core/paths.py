"""Where a project keeps what, and the walls around it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from perijove.core.errors import ForbiddenPathError, NotFoundError, ReadOnlyError

PROJECT_FILE = "perijove.toml"
STATE_FOLDER = ".perijove"


@dataclass(frozen=True, slots=True)
class ProjectPaths:
    """The files of one project. ``root`` is absolute and resolved."""

    root: Path

    @property
    def definition(self) -> Path:
        return self.root / PROJECT_FILE

    @property
    def state(self) -> Path:
        return self.root / STATE_FOLDER

    @property
    def ledger(self) -> Path:
        return self.state / "ledger.db"

    @property
    def mlflow_db(self) -> Path:
        return self.state / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        return self.state / "artifacts"

    @property
    def journals(self) -> Path:
        """One folder a run, one journal a writing process."""
        return self.state / "journals"

    @property
    def checkpoints(self) -> Path:
        """One folder a run, with the last two states that it kept."""
        return self.state / "checkpoints"

    @property
    def lake(self) -> Path:
        """Curated tables, a Delta folder each."""
        return self.state / "lake"

    @property
    def cache(self) -> Path:
        """Parquet twins by content hash; may be deleted at any time."""
        return self.state / "cache"

    @property
    def fetched(self) -> Path:
        """What remote sources and databases held when they were registered: the only copies."""
        return self.state / "fetched"

    def endpoint(self, name: str) -> Path:
        """What an endpoint leaves: its state, its log and its prediction journal."""
        return self.state / "endpoints" / name

    def relative(self, path: Path) -> str:
        """Name a path relative to the root where it lies inside, else absolute."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def absolute(self, stored: str) -> Path:
        """Find a path again that :meth:`relative` named."""
        return self.root / stored

    def inside(self, relative: str) -> Path:
        """Resolve a path from outside and refuse one that leaves the project."""
        return resolve_inside(self.root, relative)

    def make_state(self) -> Path:
        """Make the state folder, private to the user and ignored by git."""
        try:
            self.state.mkdir(mode=0o700, exist_ok=True)
            ignore = self.state / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except OSError as error:
            raise ReadOnlyError(
                f"{self.root} cannot be written: {error.strerror}.",
                "Perijove keeps runs and lineage in its .perijove folder: "
                "give yourself write access, or copy the project to a folder of yours.",
            ) from error
        return self.state

    def sockets(self) -> Path:
        """Folder of this project's Unix sockets, mode 0700.

        It lies in Jupyter's runtime folder under a short hash, since a socket path above
        104 bytes fails, and since a project may lie on a file system without sockets.
        """
        from jupyter_core.paths import jupyter_runtime_dir

        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        for base in (Path(jupyter_runtime_dir()), Path(f"/tmp/perijove-{os.getuid()}")):
            folder = base / "pj" / digest
            if len(str(folder)) + 24 <= 100:
                # The base too: who owns it could swap what lies in it.
                base.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                for place, shut in ((base, 0o022), (base / "pj", 0o022), (folder, 0o077)):
                    owner = place.stat()
                    if owner.st_uid != os.getuid() or owner.st_mode & shut:
                        raise ForbiddenPathError(
                            f"{place} is open to others.", "Remove it and try again."
                        )
                return folder
        raise ForbiddenPathError("No folder is short enough for a Unix socket.")


def resolve_inside(root: Path, relative: str) -> Path:
    """Resolve ``relative`` below ``root``, links followed, and refuse what lies outside.

    Raises
    ------
    ForbiddenPathError
        For an absolute path elsewhere, ``..`` or a link that leads out.
    """
    path = (root / relative).resolve()
    if "\0" in relative or not path.is_relative_to(root):
        raise ForbiddenPathError(
            f"{relative!r} lies outside {root.name or root}.",
            "Move or copy the file into the project.",
        )
    return path


def find_project(start: Path) -> ProjectPaths:
    """Find the project that ``start`` lies in, walking up.

    Raises
    ------
    NotFoundError
        When no folder up to the file system's root holds a ``perijove.toml``.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return ProjectPaths(folder)
    raise NotFoundError(
        f"No project here: neither {start} nor a folder above it holds a {PROJECT_FILE}.",
        "Run `perijove init .`, or make a project in the Perijove sidebar.",
        code="no_project",
    )
