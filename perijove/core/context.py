"""One open project: what every service is given."""

from __future__ import annotations

import getpass
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from perijove.core.chain import Chain
from perijove.core.errors import ReadOnlyError
from perijove.core.ledger import Ledger
from perijove.core.paths import ProjectPaths, find_project
from perijove.core.project_file import Definition, ProjectFile
from perijove.core.trust import Trust


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
        project = ProjectContext(paths, file, Chain(Ledger(paths)), actor or getpass.getuser())
        if project.chain.ledger.made:
            # Nothing in it is anybody else's. Where that cannot be kept, it is asked for later.
            with suppress(ReadOnlyError):
                project.trust.give()
        return project

    @staticmethod
    def find(start: Path) -> ProjectContext:
        """Open the project that ``start`` lies in."""
        return ProjectContext.open(find_project(start).root)

    @property
    def trust(self) -> Trust:
        """Whether the project may start programs by itself."""
        return Trust(self.paths, self.chain.ledger)

    @property
    def definition(self) -> Definition:
        return self.file.definition

    @property
    def name(self) -> str:
        return self.definition.project.name or self.paths.root.name
