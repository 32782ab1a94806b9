"""Checkpoints: a state of the training from which a job goes on after it was killed.

A checkpoint is a file of the state, the states of all generators of random numbers, and the step;
an index beside it, replaced atomically, holds its sha256 and how much of the run's journals counts
at that moment. The last two are kept, so that one that was damaged leaves another.

A state that holds tensors is written by ``torch.save`` and read with ``weights_only=True``. Any
other is pickled; it is read from the run's own folder only, where the index vouches for its bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import random
import secrets
import sys
import time
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal

import msgspec

from perijove.contracts.base import Facts, Millis
from perijove.core import jobs
from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.core.files import locked, write_atomically
from perijove.core.journal import JournalFolder
from perijove.kernel import tracking
from perijove.kernel.files import unwatched
from perijove.kernel.imports import when_imported

if TYPE_CHECKING:
    from perijove.kernel.tracking import ActiveRun

INDEX_FILE: Final = "index.json"
LOCK_FILE: Final = "lock"
KEPT: Final = 2
NEW: Final = ".new"
"""Of a file that is being written."""
NEW_SECONDS: Final = 900.0
"""Nobody writes any more to a new file that has not grown for so long."""
_PLAIN: Final = (str, int, float, bool, complex, bytes, type(None))


class Kept(Facts):
    """A checkpoint, as the index has it."""

    file: str
    sha256: str
    format: Literal["torch", "pickle"]
    at: Millis
    step: int
    ends: dict[str, int] = {}
    """The run's journals, and how much of each counts."""


class _Content(Facts):
    """What a file holds, but for the state."""

    next_step: int
    python: Any = None
    numpy: Any = None
    torch: Any = None
    cuda: Any = None


def checkpoint(state: Any, step: int | None = None) -> Path | None:
    """Keep a state of the training, with the generators of random numbers and the run's step.

    It replaces the last but one, whole or not at all. On a full disk the training goes on with the
    checkpoints that there are, and a warning says so.

    Parameters
    ----------
    state
        What :func:`resume` returns: dictionaries of tensors, arrays, numbers and the like, such as
        ``{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}``.
    step
        A number for people; the run's step when left out.

    Returns
    -------
    Path or None
        The file; None where none could be written, or where the cell runs for its names only.

    Raises
    ------
    InvalidInputError
        For a state that cannot be written.
    """
    run = tracking.active()
    folder = run.checkpoints
    if folder is None:
        return None
    if isinstance(run, tracking.ResumedRun):
        run.start_anew()
    with unwatched():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _keep(run, folder, state, run.next_step - 1 if step is None else int(step))
        except OSError as error:
            warnings.warn(
                f"This checkpoint is not kept: {error.strerror or error}. Training goes on; the "
                "ones before it are still there.",
                RuntimeWarning,
                stacklevel=2,
            )
            return None


def resume() -> Any:
    """Return the state of the last checkpoint where the run goes on from one, else None.

    The generators of random numbers are set back to what they were then, and what the run logged
    after it no longer counts: it is logged again. A run that was not told to resume starts anew.

    Raises
    ------
    NotFoundError
        When the run shall go on, and each checkpoint is damaged.
    """
    run = tracking.active()
    if not isinstance(run, tracking.ResumedRun) or run.checkpoints is None:
        return None
    index = read_index(run.checkpoints)
    with unwatched():
        for kept in reversed(index):
            path = run.checkpoints / kept.file
            try:
                with _opened(path, kept) as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() == kept.sha256:
                        file.seek(0)
                        return _restore(run, file, kept)
                why = "its bytes are not those that were written"
            except OSError as error:
                why = error.strerror or str(error)
            warnings.warn(
                f"The checkpoint of step {kept.step} cannot be used: {why}.",
                RuntimeWarning,
                stacklevel=2,
            )
    if index:
        raise NotFoundError(
            "No checkpoint of this run can be read any more.",
            "Start the job again without resuming.",
            code="checkpoint_damaged",
        )
    run.start_anew()
    return None


def read_index(folder: Path) -> list[Kept]:
    """Return the checkpoints of a run, the newest last."""
    try:
        return msgspec.json.decode((folder / INDEX_FILE).read_bytes(), type=list[Kept])
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return []


def _keep(run: ActiveRun, folder: Path, state: Any, step: int) -> Path:
    ends = JournalFolder(run.folder).sizes()
    torch = sys.modules.get("torch")
    tensors = torch is not None and _only_weights(torch, state, found := [False]) and found[0]
    content = _content(run.next_step, torch if tensors else None)
    suffix = "pt" if tensors else "pkl"
    path = folder / f"step-{step}-{secrets.token_hex(4)}.{suffix}"
    new = path.with_suffix(NEW)
    try:
        with new.open("wb") as file:
            hashing = _Hashing(file)
            _write(hashing, {"state": state, **content}, torch if tensors else None)
            file.flush()
            os.fsync(file.fileno())
        kept = Kept(
            path.name, hashing.sha256, "torch" if tensors else "pickle",
            time.time_ns() // 1_000_000, step, ends,
        )  # fmt: skip
        # The ranks of a training may all keep theirs: no file is there that the index lacks.
        with locked(folder / LOCK_FILE):
            os.replace(new, path)
            index = [*read_index(folder), kept][-KEPT:]
            write_atomically(folder / INDEX_FILE, msgspec.json.encode(index))
            _sweep(folder, {one.file for one in index})
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    jobs.checkpoint({"run": run.run_id, "step": step, "file": str(path)})
    return path


def _write(file: _Hashing, content: dict[str, Any], torch: Any) -> None:
    try:
        if torch is not None:
            torch.save(content, file)
        else:
            pickle.dump(content, file, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InvalidInputError(
            f"The state cannot be kept: {error}.",
            "Give dictionaries, numbers, arrays and tensors: model.state_dict(), not the model.",
            code="state_not_kept",
        ) from error


def _sweep(folder: Path, names: set[str]) -> None:
    for entry in folder.iterdir():
        if not entry.name.startswith("step-") or entry.name in names:
            continue
        if entry.suffix == NEW and _young(entry):
            continue  # another rank writes it
        entry.unlink(missing_ok=True)


def _young(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < NEW_SECONDS
    except FileNotFoundError:
        return True


class _Hashing:
    """A file that knows the hash of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, data: Any) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _only_weights(torch: Any, value: Any, found: list[bool]) -> bool:
    """Whether a state holds nothing that ``weights_only`` refuses; notes whether it has tensors."""
    if type(value) in (torch.Tensor, torch.nn.Parameter):
        found[0] = True
        return True
    if type(value) in (dict, OrderedDict):
        return all(
            _only_weights(torch, k, found) and _only_weights(torch, v, found)
            for k, v in value.items()
        )
    if type(value) in (list, tuple, set, torch.Size):
        return all(_only_weights(torch, one, found) for one in value)
    return type(value) in (*_PLAIN, torch.dtype, torch.device)


# Generators of random numbers


def _content(next_step: int, torch: Any) -> dict[str, Any]:
    """Return the generators' states, as what both formats can hold."""
    found: dict[str, Any] = {"next_step": next_step, "python": random.getstate()}
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        name, keys, *rest = numpy.random.get_state()
        found["numpy"] = (str(name), [int(key) for key in keys], *rest)
    loaded = torch or sys.modules.get("torch")
    if loaded is not None:
        # Within torch's own format as tensors; elsewhere as bytes, for which torch is not needed.
        pack = (lambda state: state) if torch is not None else (lambda state: bytes(state.tolist()))
        found["torch"] = pack(loaded.get_rng_state())
        if loaded.cuda.is_initialized():
            found["cuda"] = [pack(state) for state in loaded.cuda.get_rng_state_all()]
    return found


def _opened(path: Path, kept: Kept) -> io.BytesIO | io.BufferedReader:
    """Open a checkpoint, so that what is hashed is what is loaded, whatever becomes of its file.

    A pickle could do anything, and is held in memory between the two. Tensors may be as large as
    the memory and can do nothing; for them it is enough that the same file stays open.
    """
    return io.BytesIO(path.read_bytes()) if kept.format == "pickle" else path.open("rb")


def _restore(run: tracking.ResumedRun, file: IO[bytes], kept: Kept) -> Any:
    if kept.format == "torch":
        import torch

        where = None if torch.cuda.is_available() else "cpu"
        content = torch.load(file, map_location=where, weights_only=True)
    else:
        content = pickle.load(file)
    state = content.pop("state")
    found = msgspec.convert(content, _Content, strict=False)
    name, words, last = found.python
    random.setstate((name, tuple(words), last))
    if found.numpy is not None:
        when_imported("numpy", "resume", lambda numpy: numpy.random.set_state(tuple(found.numpy)))
    if found.torch is not None:
        when_imported("torch", "resume", lambda torch: _set_torch(torch, found))
    run.go_on(kept.ends)
    run.next_step = found.next_step
    return state


def _set_torch(torch: Any, found: _Content) -> None:
    torch.set_rng_state(_as_tensor(torch, found.torch))
    if found.cuda is not None and torch.cuda.is_available():
        states = [_as_tensor(torch, state) for state in found.cuda]
        torch.cuda.set_rng_state_all(states[: torch.cuda.device_count()])


def _as_tensor(torch: Any, state: Any) -> Any:
    if isinstance(state, bytes):
        return torch.frombuffer(bytearray(state), dtype=torch.uint8)
    return state.cpu()
