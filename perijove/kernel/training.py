"""How ``%%train`` runs a cell: here and now, as the last cell of a recipe, or in the background."""

from __future__ import annotations

import argparse
import ast
import contextlib
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
from IPython.core.error import UsageError

from perijove.contracts.develop import RunCard
from perijove.core.errors import PerijoveError
from perijove.core.project_file import NAME
from perijove.kernel import devices, words
from perijove.kernel.background import Wish, submit
from perijove.kernel.environment import deterministic, hashes_are_fixed, set_seed
from perijove.kernel.options import cell_numbers, parameter
from perijove.kernel.run import TrackedRun, tracked
from perijove.kernel.session import Session

if TYPE_CHECKING:
    from types import CodeType

    from IPython.core.interactiveshell import InteractiveShell

    from perijove.contracts.develop import RunSummary

CARD: Final = "application/vnd.perijove.run+json"
_UNORDERED: Final = (
    "Perijove: sets of strings have another order in each kernel. --background fixes it, as does "
    "PYTHONHASHSEED where a kernel is started with it."
)


@contextlib.contextmanager
def usage_errors() -> Iterator[None]:
    """Say what is wrong in a line or two: a magic's own frames help nobody."""
    try:
        yield
    except PerijoveError as error:
        raise UsageError(words.usage(error)) from None


def train(
    shell: InteractiveShell, session: Session, options: argparse.Namespace, cell: str
) -> None:
    """Do what the line of ``%%train`` says."""
    params = dict(parameter(text) for text in options.param)
    history = session.history
    code = compile_cell(shell, cell, history.number if history is not None else 1)
    recording = session.recording
    if recording is not None:
        shell.user_ns.update(params if not recording.training else {**params, **recording.params})
        run = recording.run if recording.training else None
        if run is not None and options.no_system_metrics:
            run.system.quiet = True
        _execute(shell, session, code, run)
        return
    with usage_errors():
        name = options.name or default_name(session)
    if options.background:
        _send(shell, session, options, name, params)
        return
    with contextlib.ExitStack() as stack:
        with usage_errors():
            stack.enter_context(devices.held(options.gpus))
        stack.enter_context(deterministic(options.deterministic))
        if options.deterministic and not hashes_are_fixed():
            print(_UNORDERED)  # noqa: T201 - one line, where it matters
        shell.user_ns.update(params)
        if options.seed is not None:
            set_seed(options.seed)
        _train(shell, session, options, name, params, code)


def _train(
    shell: InteractiveShell,
    session: Session,
    options: argparse.Namespace,
    name: str,
    params: dict[str, Any],
    code: list[CodeType],
) -> None:
    texts = {key: str(value) for key, value in params.items()}
    started: TrackedRun | None = None
    try:
        cells, seed = session.cells(), options.seed
        with tracked(session, name, params=texts, seed=seed, cells=cells) as run:
            started = run
            run.system.quiet |= options.no_system_metrics
            run.deterministic = options.deterministic
            _execute(shell, session, code, run)
    except PerijoveError as error:
        if started is None:
            raise UsageError(words.usage(error)) from None
        raise
    finally:
        if started is not None and started.state is not None:
            text = words.run_ended(started, _summary(session, started.run_id))
            show(shell, card(session, started.run_id, name, text), started.run_id, update=True)


def _execute(
    shell: InteractiveShell, session: Session, code: list[CodeType], run: TrackedRun | None
) -> None:
    """Run a training cell's blocks; without a run they are there for their names only."""
    if run is not None:
        show(shell, card(session, run.run_id, run.name, words.run_started(run)), run.run_id)
    failure: PerijoveError | None = None
    try:
        with devices.watched(run):
            for block in code:
                exec(block, shell.user_ns)
    except BaseException as error:
        if not isinstance(error, SystemExit):
            own_frames(shell, error, {block.co_filename for block in code})
        failure = devices.exhausted(error)
        if failure is None:
            raise
        devices.let_go(shell, error)
    if failure is not None:
        # Not within the handler: as its context, the error would keep what it was about alive.
        said = f"{type(failure).__name__}: {words.usage(failure)}"
        failure._render_traceback_ = lambda: [said]  # type: ignore[attr-defined]
        raise failure


def _send(
    shell: InteractiveShell,
    session: Session,
    options: argparse.Namespace,
    name: str,
    params: dict[str, Any],
) -> None:
    running = session.history.running if session.history is not None else None
    if running is None:
        raise UsageError("%%train --background sends cells of a notebook: here is none.")
    wish = Wish(
        name=name,
        training=running,
        numbers=cell_numbers(options.cells) if options.cells else None,
        every=options.all,
        force=options.force,
        params=params,
        seed=options.seed,
        deterministic=options.deterministic,
        executor=options.executor,
        cpus=options.cpus,
        gpus=options.gpus or 0,
    )
    with usage_errors():
        sent = submit(session, wish)
    show(shell, card(session, sent.run_id, name, words.sent(sent)), sent.run_id)


def _summary(session: Session, run_id: str) -> RunSummary | None:
    try:
        return session.workbench.develop.get_run(run_id).summary
    except PerijoveError:
        return None  # the run's own end has said why already


def card(session: Session, run_id: str, name: str, text: str) -> dict[str, Any]:
    """Make the live card of a run, with what it says where there is no front end."""
    content = RunCard(project=str(session.paths.root), run_id=run_id, name=name)
    return {CARD: msgspec.to_builtins(content), "text/plain": text}


class CellSyntaxError(Exception):
    """A cell that does not parse, shown with its own line and no frame of ours.

    It is no SyntaxError: of those IPython shows the whole stack, whatever they say themselves.
    """

    def __init__(self, shell: InteractiveShell, error: SyntaxError) -> None:
        super().__init__(str(error))
        self._lines = shell.SyntaxTB.structured_traceback(type(error), error, None)

    def _render_traceback_(self) -> list[str]:
        return list(self._lines)


def compile_cell(shell: InteractiveShell, cell: str, number: int) -> list[CodeType]:
    """Compile a cell as the shell would: magics in it, one block a statement, the last one shown."""
    try:
        return _blocks(shell, cell, number)
    except SyntaxError as error:
        for place in ("lineno", "end_lineno"):
            if (line := getattr(error, place)) is not None:
                setattr(error, place, line + 1)
        raise CellSyntaxError(shell, error) from None


def _blocks(shell: InteractiveShell, cell: str, number: int) -> list[CodeType]:
    source: str = shell.transform_cell(cell)  # type: ignore[no-untyped-call]
    # The magic's own line is the cell's first: errors name the lines that the notebook shows.
    name = shell.compile.cache(f"# %%train\n{source}", number, raw_code=cell)
    tree = shell.transform_ast(shell.compile.ast_parse(source, filename=name))  # type: ignore[no-untyped-call]
    body = ast.increment_lineno(tree).body
    shown = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    flags = shell.compile.flags
    blocks = [compile(ast.Module([node], []), name, "exec", flags) for node in body]
    if shown is not None:
        blocks.append(compile(ast.Interactive([shown]), name, "single", flags))
    return blocks


def own_frames(shell: InteractiveShell, error: BaseException, files: set[str]) -> None:
    """Let the traceback begin in the user's cell: the frames above are this magic's and IPython's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename not in files:
        trace = trace.tb_next
    if trace is None:
        return
    lines = shell.InteractiveTB.structured_traceback(type(error), error, trace, tb_offset=0)
    with contextlib.suppress(AttributeError):  # an exception with slots shows all its frames
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]


def default_name(session: Session) -> str:
    """Name a run after its notebook and the time."""
    notebook = session.notebook
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", notebook.rpartition("/")[2].removesuffix(".ipynb"))
    stem = stem if NAME.fullmatch(stem) else "run"
    return f"{stem}-{time.strftime('%H%M%S')}"


def show(
    shell: InteractiveShell, data: dict[str, Any], output: str, *, update: bool = False
) -> None:
    """Write an output, or write it anew in the place where it is."""
    shell.display_pub.publish(data, transient={"display_id": output}, update=update)
