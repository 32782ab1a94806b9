"""One open project: what every service is given."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field
from pathlib import Path

from perijove.core.chain import Chain
from perijove.core.ledger import Ledger
from perijove.core.paths import ProjectPaths, find_project
from perijove.core.project_file import Definition, ProjectFile


@dataclass(frozen=True, slots=True)
class ProjectContext:
    """A project's paths, definition and chain.

    Services hold one; it opens the ledger and nothing else, and is safe to share by threads.
    """

    paths: ProjectPaths
    file: ProjectFile
    chain: Chain
    actor: str = field(default_factory=getpass.getuser)
    """Who acts, when a call does not say: the kernel's or the shell's user."""

    @staticmethod
    def open(root: Path, actor: str = "") -> ProjectContext:
        """Open the project whose root is ``root``."""
        paths = ProjectPaths(root.resolve())
        file = ProjectFile(paths)
        file.text()  # a folder without a definition is no project: say so before making files
        return ProjectContext(paths, file, Chain(Ledger(paths)), actor or getpass.getuser())

    @staticmethod
    def find(start: Path) -> ProjectContext:
        """Open the project that ``start`` lies in."""
        return ProjectContext.open(find_project(start).root)

    @property
    def definition(self) -> Definition:
        return self.file.definition

    @property
    def name(self) -> str:
        return self.definition.project.name or self.paths.root.name
