"""``python -m perijove.kernel.recorded [FOLDER]``: execute a recipe's cells as a kernel would.

The folder is the job's own when none is named. The cells run in IPython's shell without a front
end: magics work, and what a cell shows goes as text to the log. The run becomes this process's at
once, so that a cell that fails before the training cell fails the run; but only the training cell
logs to it.

A stop (SIGTERM) makes ``pj.should_stop()`` true. Code that asks has a few seconds to end by
itself; code that does not is interrupted after one.
"""

from __future__ import annotations

import ast
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from perijove.core import jobs
from perijove.core.errors import PerijoveError, UnsupportedError
from perijove.core.paths import ProjectPaths, find_project
from perijove.core.recipes import Recipe, read_recipe
from perijove.core.secrets import mask_values
from perijove.develop.ports import STOP_FILE
from perijove.kernel.withheld import literals

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.contracts.develop import Cell
    from perijove.kernel.run import TrackedRun
    from perijove.kernel.session import Session

UNASKED_SECONDS: Final = 1.0
"""Code that has not asked whether it should stop is interrupted so long after the signal."""
ASKED_SECONDS: Final = 3.5
"""Code that has asked may go on for so long: a supervisor kills after five."""
SYSTEM: Final = "system/"
"""Metrics of the machine, and of no interest to whoever waits for the job."""
FAILED: Final = 1
INTERRUPTED: Final = 130
TERMINATED: Final = 143


@dataclass(slots=True)
class Recording:
    """What a process that executes a recipe goes by."""

    recipe: Recipe
    proving: bool = False
    """It runs once more to prove a run: what it does outside would be done twice."""
    run: TrackedRun | None = None
    training: bool = False
    """Whether the training cell runs now; the cells before it log nothing."""

    @property
    def params(self) -> dict[str, Any]:
        """The variables that the recipe sets for the training cell."""
        return {key: _literal(text) for key, text in literals(self.recipe).items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Execute a recipe; return the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    own = jobs.job_folder()
    folder = Path(arguments[0]) if arguments else own
    if folder is None:
        print("usage: python -m perijove.kernel.recorded FOLDER", file=sys.stderr)  # noqa: T201
        return 2
    # A rerun executes a recipe within its own job, of which it tells itself what came out.
    tells = own is not None and folder.resolve() == own.resolve()
    try:
        recipe = read_recipe(folder)
        literals(recipe)  # before anything is begun
        _fix_hashes(recipe)
        return _Recorded(recipe, find_project(folder if tells else Path.cwd()), tells=tells).run()
    except PerijoveError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the job's log
        if tells:
            jobs.fail(error)
        return FAILED


def _fix_hashes(recipe: Recipe) -> None:
    """Start this program once more where sets have to keep their order: only then can it be set."""
    if recipe.hash_seed and os.environ.get("PYTHONHASHSEED") != recipe.hash_seed:
        os.environ["PYTHONHASHSEED"] = recipe.hash_seed
        os.execv(sys.executable, [sys.executable, "-m", __spec__.name, *sys.argv[1:]])


class _Recorded:
    """One recipe, executed once.

    Parameters
    ----------
    tells
        Whether the job of this process is about the recipe, and is told what came of it.
    """

    def __init__(self, recipe: Recipe, paths: ProjectPaths, *, tells: bool) -> None:
        self.recipe = recipe
        self.paths = paths
        self._tells = tells

    def run(self) -> int:
        self._settle()
        shell = _make_shell()
        from perijove.kernel import extension
        from perijove.kernel.run import lived
        from perijove.kernel.session import Session, using

        with using(Session(shell)) as session:
            extension.connect(session, shell)
            recording = session.recording = Recording(self.recipe, proving=not self._tells)
            run_id = self._adopt(session)
            cells = self.recipe.cells
            error: BaseException | None = None
            try:
                resumed = self.recipe.resume
                with lived(session, run_id, self.recipe.name, cells, resumed=resumed) as run:
                    recording.run = run
                    run.writer.tell_masked(mask_values(self._params)[1])
                    with _stoppable(run, self.paths.journals / run_id / STOP_FILE):
                        self._execute(shell, session, recording)
            except BaseException as raised:  # noqa: BLE001 - the boundary to the user's code
                error = raised
            return self._told(shell, session, run, error)

    def _settle(self) -> None:
        """Stand where the kernel stood, with its name for the notebook and no windows."""
        folder = self.paths.absolute(self.recipe.folder)
        os.chdir(folder if folder.is_dir() else self.paths.root)
        # As in a kernel: modules beside the notebook are found, those of the project's root too
        # only where that is the folder.
        sys.path[0] = ""
        os.environ.setdefault("MPLBACKEND", "Agg")
        if self.recipe.notebook:
            os.environ["JPY_SESSION_NAME"] = str(self.paths.absolute(self.recipe.notebook))

    @property
    def _params(self) -> dict[str, str]:
        """The parameters as a run shows them."""
        return {key: str(_literal(text)) for key, text in literals(self.recipe).items()}

    def _adopt(self, session: Session) -> str:
        from perijove.kernel.run import commit_tags

        develop, recipe = session.workbench.develop, self.recipe
        if recipe.run_id:
            develop.adopt_run(recipe.run_id)
            return recipe.run_id
        return develop.start_run(
            recipe.name, notebook=recipe.notebook, seed=recipe.seed,
            params=mask_values(self._params)[0],
            tags={**commit_tags(session), **recipe.tags}, by=session.actor,
        )  # fmt: skip

    def _execute(self, shell: InteractiveShell, session: Session, recording: Recording) -> None:
        from perijove.kernel import tracking
        from perijove.kernel.environment import prepare
        from perijove.kernel.run import joined

        assert recording.run is not None
        prepare(self.recipe.seed, deterministic=self.recipe.deterministic)
        tracking.activate(tracking.SILENT)
        training = self.recipe.cells[-1]
        for cell in self._before():
            _run_cell(shell, cell)
        recording.training = True
        tracking.activate(recording.run.writer)
        shell.user_ns.update(recording.params)
        prepare(self.recipe.seed, deterministic=self.recipe.deterministic)
        with joined(session, recording.run.run_id, training.source):
            _run_cell(shell, training)

    def _before(self) -> list[Cell]:
        """Return the cells to run before the training cell; where nobody chose, tell the others."""
        from perijove.kernel.history import Executed
        from perijove.kernel.selection import Selection

        *before, training = self.recipe.cells
        if self.recipe.chosen or not before:
            return before
        selection = Selection(
            [Executed(cell.number, cell.source) for cell in before],
            Executed(training.number, training.source),
            namespace={},
            params=self.recipe.params,
        )
        wanted = selection.sufficient()
        for one in selection.candidates:
            if one.number not in wanted:
                print(f"Perijove: cell {one.number} is left out: {one.reason}.")  # noqa: T201 - the job's log
        return [cell for cell in before if cell.number in wanted]

    def _told(
        self,
        shell: InteractiveShell,
        session: Session,
        run: TrackedRun,
        error: BaseException | None,
    ) -> int:
        if run.state == "failed" and error is not None:
            if self._tells:
                jobs.fail(_explained(shell, error))
            return FAILED
        summary = session.workbench.develop.get_run(run.run_id).summary
        if self._tells:
            own = {k: v for k, v in summary.metrics.items() if not k.startswith(SYSTEM)}
            jobs.finish({"run": run.run_id, "metrics": own})
        if run.state == "stopped":
            return TERMINATED if run.stopping else INTERRUPTED
        return 0


def _make_shell() -> InteractiveShell:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class RecordedShell(InteractiveShell):
        """IPython's shell without a front end, a history file or a window."""

        def enable_gui(self, gui: str | None = None) -> None:
            """Let ``%matplotlib widget`` and its like pass: figures are drawn to files."""

        def enable_matplotlib(self, gui: str | None = None) -> tuple[str | None, str]:
            inline = gui in (None, "inline", "agg")
            return super().enable_matplotlib(gui if inline else "agg")  # type: ignore[no-any-return, no-untyped-call]

        def ask_exit(self) -> None:
            raise SystemExit("exit() was called")

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell: InteractiveShell = RecordedShell.instance(config=config)
    return shell


def _run_cell(shell: InteractiveShell, cell: Cell) -> None:
    """Run a cell under the number that it had; what it raises, it shows and is raised here."""
    shell.execution_count = max(cell.number, 1)
    result = shell.run_cell(cell.source, store_history=True)  # type: ignore[no-untyped-call]
    sys.stdout.flush()
    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        raise error


@contextlib.contextmanager
def _stoppable(run: TrackedRun, file: Path) -> Iterator[None]:
    """Let SIGTERM ask the block to stop, then interrupt it."""
    owner, ended = os.getpid(), threading.Event()

    def press() -> None:
        """Interrupt the block, and once more should it swallow that."""
        if ended.wait(UNASKED_SECONDS):
            return
        if not run.writer.stopped:
            os.kill(owner, signal.SIGINT)
        if not ended.wait(ASKED_SECONDS - UNASKED_SECONDS):
            os.kill(owner, signal.SIGINT)

    def told(number: int, frame: object) -> None:
        if os.getpid() != owner:  # a forked worker: it has nothing to end
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if run.stopping:
            return
        run.stopping = True
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        threading.Thread(target=press, name="perijove-stop", daemon=True).start()

    # Whoever started this process may have ignored interrupts for its children.
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, told),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
    }
    try:
        yield
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _explained(shell: InteractiveShell, error: BaseException) -> PerijoveError:
    """Say why the code failed, and where in which cell."""
    if isinstance(error, PerijoveError):
        return error
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    where = _where(shell, error)
    if isinstance(error, EOFError):
        where = f"{where}. In the background there is nobody to ask: set a variable instead."
    return UnsupportedError(f"{said}.", where, code="code_failed")


def _where(shell: InteractiveShell, error: BaseException) -> str:
    import linecache

    known: dict[str, Any] = getattr(shell.compile, "_filename_map", {})
    found = ""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file in known:
            line = linecache.getline(file, trace.tb_lineno).strip()
            found = f"Cell {known[file]}, line {trace.tb_lineno}: {line}"
        trace = trace.tb_next
    return found or "Its log has the details."


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


if __name__ == "__main__":
    sys.exit(main())
