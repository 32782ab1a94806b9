"""What one kernel knows of its project: found once, opened when it is needed."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perijove.core.errors import ConflictError, PerijoveError
from perijove.core.paths import PROJECT_FILE, ProjectPaths, find_project
from perijove.core.project_file import ProjectFile
from perijove.data.locations import AllowList, is_url
from perijove.kernel.files import FileWatch, unwatched
from perijove.kernel.history import CellHistory
from perijove.kernel.logged import LoggedModels

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.adapters.workbench import Workbench
    from perijove.contracts.develop import Cell
    from perijove.kernel.recorded import Recording


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was read so far."""

    refs: list[str]
    """Data versions and splits, in the order of their first reads."""
    unregistered: list[str]
    """Files that no dataset names, relative to the project where they lie in it, and URLs."""


class Session:
    """The link between a process and its project. One a process.

    Parameters
    ----------
    shell
        IPython's shell; None in a plain program.
    """

    def __init__(self, shell: InteractiveShell | None = None) -> None:
        self.files = FileWatch()
        self.files.start()
        self.history: CellHistory | None = None
        self._lock = threading.RLock()
        self._workbench: Workbench | None = None
        self._reads: dict[str, None] = {}
        self._audited: set[str] = set()
        self._looked_at: set[str] = set()
        self._looked = 0
        self.models = LoggedModels()
        self.recording: Recording | None = None
        """What a process that executes a recipe goes by; None in a kernel."""
        self.shell: InteractiveShell | None = None
        if shell is not None:
            self.attach(shell)

    def attach(self, shell: InteractiveShell) -> None:
        """Follow the cells of a shell."""
        if self.shell is shell:
            return
        self._detach()
        self.shell = shell
        self.history = CellHistory(shell, self.files)
        shell.events.register("post_run_cell", self._name_unlisted)

    def _detach(self) -> None:
        if self.history is not None and self.shell is not None:
            self.history.detach()
            self.shell.events.unregister("post_run_cell", self._name_unlisted)

    @property
    def paths(self) -> ProjectPaths:
        """The project's paths.

        Raises
        ------
        NotFoundError
            When neither the notebook nor the current folder lies in a project.
        """
        if self._workbench is not None:
            return self._workbench.project.paths
        notebook = self.notebook_path
        if notebook is not None:
            for folder in notebook.parents:
                if (folder / PROJECT_FILE).is_file():
                    return ProjectPaths(folder)
        return find_project(Path.cwd())

    @property
    def workbench(self) -> Workbench:
        """The open project."""
        with self._lock:
            if self._workbench is None:
                from perijove.adapters.workbench import open_workbench

                with unwatched():
                    self._workbench = open_workbench(self.paths.root)
            return self._workbench

    @property
    def actor(self) -> str:
        return self.workbench.project.actor

    @property
    def notebook(self) -> str:
        """The notebook's path relative to the project; empty when there is none."""
        path = self.notebook_path
        return self.paths.relative(path) if path is not None else ""

    @property
    def notebook_path(self) -> Path | None:
        """Where the notebook lies; None when nobody told. Jupyter names it in the environment, VS Code in the user's namespace."""
        named = os.environ.get("JPY_SESSION_NAME", "")
        if self.shell is not None:
            named = named or str(self.shell.user_ns.get("__vsc_ipynb_file__", ""))
        path = Path(named)
        return Path.cwd().joinpath(path).resolve() if path.suffix == ".ipynb" else None

    @property
    def started_in(self) -> str:
        """The folder that the kernel was started in, relative to the project where it lies in it."""
        folder = getattr(self.shell, "starting_dir", "") or os.getcwd()
        return self.paths.relative(Path(folder).resolve())

    def cells(self) -> list[Cell]:
        return self.history.cells() if self.history is not None else []

    @property
    def reads(self) -> list[str]:
        """References of the data versions and splits that were read by name, in order."""
        with self._lock:
            return list(self._reads)

    def pinned(self, name: str) -> int:
        """Return the version of a dataset that a recipe is bound to; 0 for the newest."""
        return self.recording.recipe.pins.get(name, 0) if self.recording is not None else 0

    def refuse_in_rerun(self, what: str) -> None:
        """Refuse what must not happen a second time where a run is only being proved.

        Raises
        ------
        ConflictError
            In a rerun.
        """
        if self.recording is not None and self.recording.proving:
            raise ConflictError(
                f"A rerun {what}.",
                "Keep that in a cell of its own, outside the training cell.",
                code="rerun_has_effects",
            )

    def record_read(self, *refs: str) -> None:
        """Remember that data versions or splits were read."""
        with self._lock:
            self._reads.update(dict.fromkeys(refs))
            self._audit(refs)

    def _audit(self, refs: Iterable[str]) -> None:
        """Write down who read which data version, once a kernel."""
        for ref in refs:
            if ref.startswith("data:") and ref not in self._audited:
                self._audited.add(ref)
                self.workbench.project.chain.ledger.audit(
                    self.actor, "read dataset", ref, notebook=self.notebook
                )

    def inputs(self) -> Inputs:
        """Tell what was read so far: by name, and past Perijove.

        A registered file that was opened directly counts as a read of the version that its
        bytes are.
        """
        with self._lock, unwatched():
            data = self.workbench.data
            declared = {
                self.paths.absolute(table.path).resolve(): name
                for name, table in self.workbench.project.definition.data.items()
                if table.path and not is_url(table.path)
            }
            registered = data.registry.registered_paths()
            places = data.sources.registered()
            refs: dict[str, None] = dict(self._reads)
            unknown: dict[str, None] = {}
            if self.history is not None:
                self.history.note_running()
            root = self.paths.root
            opened = self.files.opened(root)
            for path in opened:
                name = _name_of(path, declared)
                if name and _name_of(path, registered) and path.is_file():
                    refs[data.registry.resolve(name).ref] = None
            for path in [*opened, *self.files.named(root)]:
                if not _name_of(path, registered):
                    unknown[self.paths.relative(path)] = None
            for url in self.files.urls():
                if url not in places:
                    unknown[url] = None
            self._audit(refs)
            return Inputs(list(refs), list(unknown))

    def _name_unlisted(self, _result: object) -> None:
        """Say once of each place that a cell read and that the project's allow-list lacks."""
        if self._looked == self.files.count:
            return
        self._looked = self.files.count
        try:
            unlisted = self._unlisted()
        except PerijoveError:
            return  # no project, or one whose definition is broken: others say so
        for place in unlisted:
            print(  # noqa: T201 - the one line that a cell gets about it
                f"Perijove: this cell read {place}, which is neither registered nor among the "
                "sources that perijove.toml allows. A model made from it does not pass the gate. "
                f"Add it to [sources] allow, then pj.register({place!r}).",
                file=sys.stderr,
            )

    def _unlisted(self) -> list[str]:
        root = self.paths.root
        found = [str(path) for path in (*self.files.opened(root), *self.files.named(root))]
        fresh = [p for p in [*found, *self.files.urls()] if p not in self._looked_at]
        table = ProjectFile(self.paths).definition.sources
        if table is None:
            return []
        self._looked_at.update(fresh)
        allowed = AllowList(root, table)
        strange = [place for place in fresh if not _declared(allowed, place)]
        if not strange:
            return []
        with self._lock, unwatched():
            data = self.workbench.data
            registered, places = data.registry.registered_paths(), data.sources.registered()
        return [
            place
            for place in strange
            if place not in places and not _name_of(Path(place), registered)
        ]

    def close(self) -> None:
        """Let go of the project: another session may start."""
        self.files.stop()
        self._detach()
        if self._workbench is not None:
            self._workbench.close()


def _name_of(path: Path, registered: Mapping[Path, str]) -> str:
    """Return the dataset that a file belongs to: itself, or a folder above it."""
    return next((registered[p] for p in (path, *path.parents) if p in registered), "")


def _declared(allowed: AllowList, place: str) -> bool:
    try:
        return allowed.declares(place)
    except PerijoveError:  # a URL that no source would take
        return False


_session: Session | None = None
_session_lock = threading.Lock()


def current() -> Session:
    """Return this process's session; the first call makes it."""
    global _session
    with _session_lock:
        if _session is None:
            _session = Session()
        if _session.shell is None and "IPython" in sys.modules:
            from IPython.core.getipython import get_ipython

            shell = get_ipython()
            if shell is not None:
                _session.attach(shell)
        return _session


@contextmanager
def using(session: Session) -> Iterator[Session]:
    """Let the block use a session of its own; for tests and embedding."""
    global _session
    before, _session = _session, session
    session.files.start()
    try:
        yield session
    finally:
        session.close()
        _session = before
        if before is not None:
            before.files.start()
