"""``%%train --background``: a training cell and the cells that it needs, run by a job.

What is sent is text: the cells as they ran, in a recipe. Nothing of the kernel's memory goes
along, so that nothing can fail to be pickled, and what trains is what the notebook says.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove.contracts.background import TARGET, BackgroundReply, BackgroundRequest
from perijove.contracts.base import ErrorBody
from perijove.contracts.develop import BackgroundReview, Cell, ReviewedCell
from perijove.contracts.jobs import Job, JobResources
from perijove.core.chain import make_ref, parse_version
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PerijoveError,
)
from perijove.core.jobs import JobSpec
from perijove.core.recipes import RECIPE_FILE, RECORDED, Recipe, encode_recipe
from perijove.core.secrets import MASK, mask_values
from perijove.develop.tags import DISORDER_TAG
from perijove.kernel.files import unwatched
from perijove.kernel.history import Executed
from perijove.kernel.withheld import environment_of, secrets_of, without_secrets

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.kernel.selection import Candidate, Missing, Selection
    from perijove.kernel.session import Session

SCRIPT_FILE: Final = "script.py"
PARAMS_FILE: Final = "params.json"
LOCK_FILE: Final = "lock.txt"
MAX_SHOWN: Final = 8


@dataclass(slots=True)
class Wish:
    """What somebody wants to be trained in the background."""

    name: str
    training: Executed
    numbers: list[int] | None = None
    """The executed cells that go along; the wanted ones when None."""
    every: bool = False
    force: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    deterministic: bool = False
    executor: str = ""
    cpus: float | None = None
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of it."""

    run_id: str
    job: Job
    recipe: Recipe
    left_out: list[Candidate]
    missing: list[Missing]
    """Names that were missing, where it was sent by force."""


def select(session: Session, training: Executed, params: Mapping[str, Any] = {}) -> Selection:
    """Look at the cells that ran before a training cell."""
    from perijove.kernel.saved import saved_cells
    from perijove.kernel.selection import Selection

    shell, history = session.shell, session.history
    executed = history.executed if history is not None else []
    saved = saved_cells(session.notebook_path) or []
    skipped = {cell.id for cell in saved if cell.skipped}
    namespace = shell.user_ns if shell is not None else {}
    return Selection(executed, training, namespace, skipped, params)


def submit(session: Session, wish: Wish) -> Sent:
    """Send a training cell: a queued run, and the job that will run it.

    Raises
    ------
    ConflictError
        When the sent cells do not define all names that they use.
    InvalidInputError
        When it asks for what there is not: a cell, an executor, so many GPUs.
    """
    selection = select(session, wish.training, wish.params)
    chosen = selection.chosen(wish.numbers, every=wish.every)
    missing = selection.missing(chosen)
    if missing and not wish.force:
        raise _incomplete(missing)
    left_out = [c for c in selection.candidates if c.number not in set(chosen)]
    cells = [c.executed.cell for c in selection.candidates if c.number in set(chosen)]
    recipe = _recipe(session, wish, [*cells, wish.training.cell], left_out)
    return Sent(*_start(session, wish, recipe), left_out, missing)


def _recipe(session: Session, wish: Wish, cells: list[Cell], left_out: list[Candidate]) -> Recipe:
    from perijove.kernel.disordered import disorder_text
    from perijove.kernel.run import commit_tags

    params = {key: repr(value) for key, value in wish.params.items()}
    secret = secrets_of(params)
    cells, _ = without_secrets(cells)
    fixed = wish.seed if wish.seed is not None else 0 if wish.deterministic else None
    return Recipe(
        name=wish.name,
        cells=cells,
        notebook=session.notebook,
        folder=session.started_in,
        seed=wish.seed,
        deterministic=wish.deterministic,
        hash_seed="" if fixed is None else str(fixed % 2**32),
        pins=_pins(session.reads),
        params={key: repr(MASK) if key in secret else text for key, text in params.items()},
        withheld=secret,
        tags={**commit_tags(session), DISORDER_TAG: disorder_text(session, wish.training)},
        chosen=True,
        left_out=without_secrets(one.executed.cell for one in left_out)[0],
    )


def _start(session: Session, wish: Wish, recipe: Recipe) -> tuple[str, Job, Recipe]:
    bench = session.workbench
    develop = bench.develop
    with unwatched():
        bench.project.trust.give()
        run_id = develop.queue_run(
            wish.name,
            notebook=recipe.notebook,
            params=mask_values({key: str(value) for key, value in wish.params.items()})[0],
            tags=recipe.tags,
            seed=wish.seed,
            by=session.actor,
        )
        recipe = msgspec.structs.replace(recipe, run_id=run_id)
        spec = JobSpec(
            kind="train",
            title=wish.name,
            subject=make_ref("run", run_id, 1),
            argv=_program(recipe),
            by=session.actor,
            env=environment_of({key: repr(value) for key, value in wish.params.items()}),
            executor=wish.executor or bench.project.definition.jobs.executor,
            resources=JobResources(cpus=1 if wish.cpus is None else wish.cpus, gpus=wish.gpus),
            notebook=recipe.notebook,
            files=_files(recipe),
        )
        try:
            job = bench.jobs.submit(spec)
        except PerijoveError as error:
            develop.finish_run(run_id, "failed", error.message)
            raise
        develop.assign_job(run_id, job.id)
    return run_id, job, recipe


def _program(recipe: Recipe) -> list[str]:
    # -P: a module of the project's root does not stand in the way of one of ours.
    python = [sys.executable, "-P", "-m", RECORDED]
    # By the program itself, and not by the job's environment, which a retry would not have.
    return (
        ["/usr/bin/env", f"PYTHONHASHSEED={recipe.hash_seed}", *python]
        if recipe.hash_seed
        else python
    )


def _files(recipe: Recipe) -> dict[str, bytes]:
    settings = {
        "name": recipe.name,
        "params": mask_values(recipe.params)[0],
        "seed": recipe.seed,
        "deterministic": recipe.deterministic,
        "data": recipe.pins,
    }
    files = {
        RECIPE_FILE: encode_recipe(recipe),
        SCRIPT_FILE: script(recipe.cells).encode(),
        PARAMS_FILE: json.dumps(settings, indent=1).encode(),
    }
    if (lock := _lock()) is not None:
        files[LOCK_FILE] = lock.encode()
    return files


def _lock() -> str | None:
    """Write down what is installed; None where that cannot be told."""
    from perijove.adapters.environments import lock

    try:
        return lock()
    except (PerijoveError, OSError):
        return None


def script(cells: list[Cell]) -> str:
    """Write cells as a script that people read: a section each, magics as comments."""
    sections = []
    for cell in cells:
        lines = [
            f"# {line}" if line.lstrip().startswith(("%", "!")) else line
            for line in cell.source.rstrip().splitlines()
        ]
        sections.append("\n".join([f"# %% [{cell.number}]", *lines]))
    return "\n\n".join(sections) + "\n"


def _pins(reads: list[str]) -> dict[str, int]:
    """Bind the datasets that this kernel has read to the newest versions that it read."""
    pins: dict[str, int] = {}
    for ref in reads:
        if ref.startswith("data:"):
            name, version = parse_version(ref.partition(":")[2])
            pins[name] = max(version, pins.get(name, 0))
    return pins


def _incomplete(missing: list[Missing]) -> ConflictError:
    shown = [f"  {one}" for one in missing[:MAX_SHOWN]]
    more = len(missing) - len(shown)
    shown += [f"  and {more} more"] if more > 0 else []
    definers = sorted({one.definer for one in missing if one.definer is not None})
    choose = (
        f"Choose the cells yourself, with {', '.join(map(str, definers))} among them: --cells; or "
        "move what they do outside into cells of their own."
        if definers
        else "Run the cells that define them."
    )
    return ConflictError(
        "The cells that would be sent lack names:\n" + "\n".join(shown),
        f"{choose} --force sends them all the same.",
        code="names_missing",
    )


# For the dialog


def serve(shell: InteractiveShell) -> None:
    """Answer the browser's comms; nothing happens where there is no kernel."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return

    def opened(comm: Any, _message: dict[str, Any]) -> None:
        def asked(message: dict[str, Any]) -> None:
            comm.send(msgspec.to_builtins(answer(message["content"]["data"])))

        comm.on_msg(asked)

    kernel.comm_manager.register_target(TARGET, opened)


def answer(content: Any) -> BackgroundReply:
    """Answer a request of the dialog; whatever goes wrong is an answer too."""
    from IPython.core.error import UsageError

    from perijove.kernel.session import current

    try:
        request = msgspec.convert(content, BackgroundRequest)
    except msgspec.ValidationError as error:
        return BackgroundReply(-1, error=ErrorBody("invalid_input", f"{error}.", ""))
    try:
        return _answer(current(), request)
    except PerijoveError as error:
        return BackgroundReply(request.id, error=error.body())
    except UsageError as error:
        return BackgroundReply(request.id, error=ErrorBody("invalid_input", str(error), ""))


def _answer(session: Session, request: BackgroundRequest) -> BackgroundReply:
    wish = _wish(session, request)
    if request.op == "submit":
        sent = submit(session, wish)
        root = str(session.paths.root)
        return BackgroundReply(request.id, job=sent.job, run_id=sent.run_id, project=root)
    selection = select(session, wish.training, wish.params)
    return BackgroundReply(
        request.id,
        review=_review(session, selection),
        problems=[str(one) for one in selection.missing(selection.chosen())],
    )


def _review(session: Session, selection: Selection) -> BackgroundReview:
    from perijove.adapters.nvml import sample_gpus
    from perijove.kernel.disordered import disorder

    places = session.workbench.jobs.executors()
    return BackgroundReview(
        cells=[
            ReviewedCell(c.number, c.executed.source, c.wanted, c.reason)
            for c in selection.candidates
        ],
        disorder=disorder(session, selection.training.executed),
        executors=[place.name for place in places if place.available],
        cpus=os.cpu_count() or 1,
        gpus=len(sample_gpus()),
    )


def _wish(session: Session, request: BackgroundRequest) -> Wish:
    from perijove.kernel.options import parameter, parse_train
    from perijove.kernel.training import default_name

    source = request.source or _source(session, request.cell_id)
    first, _, _ = source.partition("\n")
    if not first.startswith("%%train"):
        first, source = "%%train", f"%%train\n{source}"
    options = parse_train(first.removeprefix("%%train"))
    history = session.history
    number = history.number + 1 if history is not None else 1
    return Wish(
        name=request.name or options.name or default_name(session),
        training=Executed(number, source, cell_id=request.cell_id),
        numbers=request.numbers,
        force=request.force,
        params=dict(parameter(text) for text in options.param),
        seed=options.seed if request.seed is None else request.seed,
        deterministic=(
            options.deterministic if request.deterministic is None else request.deterministic
        ),
        executor=request.executor or options.executor,
        cpus=options.cpus if request.cpus is None else request.cpus,
        gpus=(options.gpus or 0) if request.gpus is None else request.gpus,
    )


def _source(session: Session, cell_id: str) -> str:
    from perijove.kernel.saved import saved_cells

    if not cell_id:
        raise InvalidInputError("Which cell shall train is not said.", "Select a cell.")
    executed = session.history.executed if session.history is not None else []
    ran = [one.source for one in executed if one.cell_id == cell_id]
    saved = [c.source for c in saved_cells(session.notebook_path) or [] if c.id == cell_id]
    if not (saved or ran):
        raise NotFoundError("The cell is not known here.", "Save the notebook and try again.")
    return [*ran, *saved][-1]
