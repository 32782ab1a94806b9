"""``%%train``, ``%deploy`` and ``%lifecycle``."""

from __future__ import annotations

import argparse
import ast
import contextlib
import re
import shlex
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec
from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from perijove.contracts.deploy import EndpointFacts, Gate
from perijove.contracts.develop import RunCard
from perijove.core.chain import facts_of, make_ref
from perijove.core.errors import GateBlockedError, PerijoveError
from perijove.core.project_file import NAME
from perijove.kernel import words
from perijove.kernel.deployment import READY_SECONDS, named_model, request_deployment
from perijove.kernel.environment import set_seed
from perijove.kernel.run import TrackedRun, tracked
from perijove.kernel.session import Session, current

if TYPE_CHECKING:
    from types import CodeType

    from IPython.core.interactiveshell import InteractiveShell

    from perijove.contracts.develop import RunSummary

CARD: Final = "application/vnd.perijove.run+json"


class _Parser(argparse.ArgumentParser):
    """A magic's line: what is wrong becomes a UsageError, and nothing exits the kernel."""

    def __init__(self, magic: str) -> None:
        super().__init__(prog=magic, add_help=False, allow_abbrev=False, exit_on_error=False)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}. {self.format_usage().strip()}")

    def parse(self, line: str) -> argparse.Namespace:
        try:
            return self.parse_args(shlex.split(line))
        except (ValueError, argparse.ArgumentError) as error:
            self.error(str(error).rstrip("."))


_TRAIN = _Parser("%%train")
_TRAIN.add_argument("--name", default="")
_TRAIN.add_argument("--seed", type=int)
_TRAIN.add_argument("--param", action="append", default=[], metavar="KEY=VALUE")
_DEPLOY = _Parser("%deploy")
_DEPLOY.add_argument("model", metavar="MODEL")
_DEPLOY.add_argument("--endpoint", default="", metavar="NAME")
_DEPLOY.add_argument("--target", default="local")
_DEPLOY.add_argument("--override", metavar="REASON")


@magics_class
class PerijoveMagics(Magics):
    """The magics of a kernel with a project."""

    shell: InteractiveShell

    @no_var_expand
    @cell_magic
    def train(self, line: str, cell: str) -> None:
        """Run the cell as a tracked run: its code, data, packages, commit, numbers as they come.

        %%train [--name NAME] [--seed N] [--param KEY=VALUE ...]

        --name   what the run is called; after the notebook when left out
        --seed   seeds random, NumPy, and torch where it is imported, before the cell runs
        --param  is logged with the run and is a variable of the cell
        """
        with _usage_errors():
            options = _TRAIN.parse(line)
            params = dict(_parameter(text) for text in options.param)
            session = current()
            name = options.name or _default_name(session)
            number = session.history.number if session.history is not None else 1
            code = _compile(self.shell, cell, number)
        self.shell.user_ns.update(params)
        if options.seed is not None:
            set_seed(options.seed)
        _train(self.shell, session, name, params, options.seed, code)

    @no_var_expand
    @line_magic
    def deploy(self, line: str) -> None:
        """Ask the gate, deploy the model, and wait until it answers.

        %deploy MODEL [--endpoint NAME] [--target local] [--override "REASON"]

        MODEL       NAME, NAME@VERSION, models:/NAME/VERSION, or a variable that holds a model
        --endpoint  the endpoint's name; the model's when left out
        --override  signs past a closed gate with your name; the reason goes into the audit
        """
        with _usage_errors():
            options = _DEPLOY.parse(line)
            session = current()
            node = named_model(session, options.model)
            endpoint = options.endpoint or node.name
            try:
                request_deployment(session, node, endpoint, options.target, options.override)
            except GateBlockedError as error:
                raise UsageError(
                    f"\n{words.gate(error.gate)}\n\nNot deployed. Mend what fails, or sign for it: "
                    f'%deploy {options.model} --override "REASON"'
                ) from None
            _await(self.shell, session, endpoint)

    @line_magic
    def lifecycle(self, line: str) -> None:
        """Print the five steps of the project, and what fails each."""
        from perijove.adapters import text

        with _usage_errors():
            if line.strip():
                raise UsageError("%lifecycle takes nothing.")
            bench = current().workbench
            print(text.lifecycle(bench.lifecycle()))  # noqa: T201 - the output of the magic


@contextlib.contextmanager
def _usage_errors() -> Iterator[None]:
    """Say what is wrong in a line or two: a magic's own frames help nobody."""
    try:
        yield
    except PerijoveError as error:
        raise UsageError(words.usage(error)) from None


def _train(
    shell: InteractiveShell,
    session: Session,
    name: str,
    params: dict[str, Any],
    seed: int | None,
    code: list[CodeType],
) -> None:
    texts = {key: str(value) for key, value in params.items()}
    started: TrackedRun | None = None
    try:
        with tracked(session, name, params=texts, seed=seed, cells=session.cells()) as run:
            started = run
            _show(shell, _card(session, run, words.run_started(run)), run.run_id)
            for block in code:
                exec(block, shell.user_ns)
    except PerijoveError as error:
        if started is None:
            raise UsageError(words.usage(error)) from None
        raise
    except BaseException as error:
        if started is not None and not isinstance(error, SystemExit):
            _show_own_frames(shell, error, {block.co_filename for block in code})
        raise
    finally:
        if started is not None and started.state is not None:
            text = words.run_ended(started, _summary(session, started.run_id))
            _show(shell, _card(session, started, text), started.run_id, update=True)


def _summary(session: Session, run_id: str) -> RunSummary | None:
    try:
        return session.workbench.develop.get_run(run_id).summary
    except PerijoveError:
        return None  # the run's own end has said why already


def _card(session: Session, run: TrackedRun, text: str) -> dict[str, Any]:
    card = RunCard(project=str(session.paths.root), run_id=run.run_id, name=run.name)
    return {CARD: msgspec.to_builtins(card), "text/plain": text}


class CellSyntaxError(Exception):
    """A cell that does not parse, shown with its own line and no frame of ours.

    It is no SyntaxError: of those IPython shows the whole stack, whatever they say themselves.
    """

    def __init__(self, shell: InteractiveShell, error: SyntaxError) -> None:
        super().__init__(str(error))
        self._lines = shell.SyntaxTB.structured_traceback(type(error), error, None)

    def _render_traceback_(self) -> list[str]:
        return list(self._lines)


def _compile(shell: InteractiveShell, cell: str, number: int) -> list[CodeType]:
    """Compile a cell as the shell would: magics in it, one block a statement, the last one shown."""
    try:
        return _blocks(shell, cell, number)
    except SyntaxError as error:
        raise CellSyntaxError(shell, error) from None


def _blocks(shell: InteractiveShell, cell: str, number: int) -> list[CodeType]:
    source: str = shell.transform_cell(cell)  # type: ignore[no-untyped-call]
    name = shell.compile.cache(source, number, raw_code=cell)
    tree = shell.transform_ast(shell.compile.ast_parse(source, filename=name))  # type: ignore[no-untyped-call]
    body = tree.body
    shown = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    flags = shell.compile.flags
    blocks = [compile(ast.Module([node], []), name, "exec", flags) for node in body]
    if shown is not None:
        blocks.append(compile(ast.Interactive([shown]), name, "single", flags))
    return blocks


def _show_own_frames(shell: InteractiveShell, error: BaseException, files: set[str]) -> None:
    """Let the traceback begin in the user's cell: the frames above are this magic's and IPython's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename not in files:
        trace = trace.tb_next
    if trace is None:
        return
    lines = shell.InteractiveTB.structured_traceback(type(error), error, trace, tb_offset=0)
    with contextlib.suppress(AttributeError):  # an exception with slots shows all its frames
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]


def _parameter(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        raise UsageError(f"--param {text}: write KEY=VALUE, the key a Python name.")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        words_of = {"true": True, "false": False}
        return key, words_of.get(value.lower(), value)


def _default_name(session: Session) -> str:
    notebook = session.notebook
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", notebook.rpartition("/")[2].removesuffix(".ipynb"))
    stem = stem if NAME.fullmatch(stem) else "run"
    return f"{stem}-{time.strftime('%H%M%S')}"


def _await(shell: InteractiveShell, session: Session, name: str) -> None:
    """Show how the endpoint comes up, in one output that changes."""
    deploy = session.workbench.deploy
    gate = words.gate(_passed(session, name))
    output, shown = f"deploy-{name}-{time.time_ns()}", ""

    def show(text: str) -> None:
        nonlocal shown
        if text != shown:
            _show(shell, {"text/plain": f"{gate}\n{text}"}, output, update=bool(shown))
            shown = text

    ready = deploy.wait(
        name, READY_SECONDS, lambda status: show(f"{name} {status.state} {status.detail}".rstrip())
    )
    show(words.endpoint(ready))


def _passed(session: Session, name: str) -> Gate:
    """The gate as it stood when the wanted revision went out."""
    chain = session.workbench.project.chain
    revision = chain.wanted_endpoints()[name].revision
    return facts_of(chain.get(make_ref("endpoint", name, revision)), EndpointFacts).gate


def _show(
    shell: InteractiveShell, data: dict[str, Any], output: str, *, update: bool = False
) -> None:
    """Write an output, or write it anew in the place where it is."""
    shell.display_pub.publish(data, transient={"display_id": output}, update=update)
