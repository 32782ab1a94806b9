"""Runs the model in one thread, so that the event loop stays live, and many requests at once.

While the model works on one batch, the requests that arrive wait, and go together as the next one:
a request that comes alone waits for nobody, and the busier the endpoint is, the larger its batches
are. A model whose answer to a row depends on the rows beside it gets each request by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from perijove.adapters.serving.worker.columns import Columns, blame, check
from perijove.adapters.serving.worker.model import Model, fields_of
from perijove.contracts.deploy import Field, Signature
from perijove.core.errors import PerijoveError, UnavailableError

BLAME_SECONDS: Final = 2.0
BATCH_ROWS: Final = 4096
"""A batch takes requests until it has so many rows; a larger request is a batch by itself."""
PARALLEL_ROWS: Final = 2000
"""From so many rows on, a batch may use all cores."""
SWEEP_SECONDS: Final = 0.25
Outcome = Columns | BaseException


class HungError(UnavailableError):
    """The model did not come back in time; its thread cannot be ended, only its process."""

    default_code = "model_hung"


@dataclass(slots=True, eq=False)
class _Ask:
    """One request that waits for its turn, or for its answer."""

    columns: Columns
    rows: int
    answer: asyncio.Future[Columns]
    since: float = field(default_factory=time.monotonic)

    def settle(self, outcome: Outcome) -> None:
        if self.answer.done():  # its client went away, or its time was over
            return
        if isinstance(outcome, BaseException):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Engine:
    """A model, its signature and the thread that it runs in. Used from one event loop.

    Parameters
    ----------
    timeout
        Seconds that one request's rows may take.
    batching
        Whether requests may share a batch; found out at the warm-up when None.
    """

    def __init__(
        self,
        model: Model,
        signature: Signature | None,
        sample: dict[str, Any] | None,
        timeout: float,
        batching: bool | None = None,
    ) -> None:
        self._model = model
        self.signature = signature
        self._timeout = timeout
        self._thread = ThreadPoolExecutor(1, "model", initializer=_work_alone)
        self._sample: Columns | None = None
        if sample is not None:
            self._sample = check(signature, {name: [value] for name, value in sample.items()}, 1)
        self.outputs: list[Field] = signature.outputs if signature else []
        self.batching = bool(batching)
        self._decided = batching is not None
        self._waiting: deque[_Ask] = deque()
        self._running: list[_Ask] = []
        self._started = 0.0
        self._sweeping: asyncio.TimerHandle | None = None
        self.batches = 0
        """Batches that the model was given."""

    def warm_up(self) -> None:
        """Answer the sample: the first request pays for nothing, and a broken model shows."""
        if self._sample is None:
            return
        alone = self._model.arrays(self._sample)
        self.outputs = fields_of(alone)
        if not self._decided:
            self.batching = self._rows_stand_alone(alone)

    def _rows_stand_alone(self, alone: dict[str, Any]) -> bool:
        """Whether a row gets the answer that it would get by itself, whatever comes with it."""
        assert self._sample is not None
        # Beside rows above and below it: a mean over the batch, or a rank in it, moves then.
        together = {name: [v, *_around(v)] for name, (v,) in self._sample.items()}
        try:
            all_three = self._model.arrays(together)
        except Exception:  # noqa: BLE001  a model may raise anything on rows of ours
            together = {name: values * 3 for name, values in self._sample.items()}
            try:
                all_three = self._model.arrays(together)
            except Exception:  # noqa: BLE001
                return False
        return alone.keys() == all_three.keys() and all(
            len(all_three[name]) == 3 and _alike(values[0], all_three[name][0])
            for name, values in alone.items()
        )

    async def predict(self, columns: Columns, rows: int) -> Columns:
        """Predict checked columns.

        Raises
        ------
        ModelInputError
            When the model raises on a row; names the row and, where one is at fault, the column.
        HungError
            When it ran longer than the timeout: the process has to end.
        UnavailableError
            When the rows before took so long that its turn did not come.
        """
        loop = asyncio.get_running_loop()
        ask = _Ask(columns, rows, loop.create_future())
        self._waiting.append(ask)
        if not self._running:
            self._begin(loop)
        if self._sweeping is None:
            self._sweeping = loop.call_later(self._interval, self._sweep, loop)
        return await ask.answer

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the model the next batch: one request, and all that may share a batch with it."""
        batch: list[_Ask] = []
        rows = 0
        while self._waiting:
            ask = self._waiting[0]
            if ask.answer.done():
                self._waiting.popleft()
                continue
            if batch and not (
                self.batching
                and rows + ask.rows <= BATCH_ROWS
                and ask.columns.keys() == batch[0].columns.keys()
            ):
                break
            batch.append(self._waiting.popleft())
            rows += ask.rows
        if not batch:
            return
        self._running = batch
        self._started = time.monotonic()
        self.batches += 1
        work = self._thread.submit(self._work, [(ask.columns, ask.rows) for ask in batch])
        work.add_done_callback(lambda done: _tell(loop, self._finished, batch, done, loop))

    def _finished(
        self, batch: list[_Ask], work: Future[list[Outcome]], loop: asyncio.AbstractEventLoop
    ) -> None:
        if self._running is not batch:
            return  # it was given up
        self._running = []
        self._begin(loop)  # the model works while the answers are written
        for ask, outcome in zip(batch, work.result(), strict=True):
            ask.settle(outcome)

    @property
    def _interval(self) -> float:
        return min(SWEEP_SECONDS, self._timeout / 4)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give up what has waited too long, and a model that does not come back."""
        self._sweeping = None
        at = time.monotonic()
        if self._running and at - self._started >= self._timeout:
            hung = HungError(
                f"The model did not answer within {self._timeout:g} s.",
                "The endpoint starts a new worker. Send fewer rows, or look at the model.",
            )
            # The thread is lost: nothing is begun any more, and what is asked still is told so.
            for ask in (*self._running, *self._waiting):
                ask.settle(hung)
            self._waiting.clear()
            self._sweeping = loop.call_later(self._interval, self._sweep, loop)
            return
        while self._waiting and at - self._waiting[0].since >= self._timeout:
            self._waiting.popleft().settle(self._busy())
        if self._running or self._waiting:
            self._sweeping = loop.call_later(self._interval, self._sweep, loop)

    def _busy(self) -> UnavailableError:
        return UnavailableError(
            f"The endpoint is busy: {self._timeout:g} s have passed and it is not this request's "
            "turn.",
            "Try again later, or send fewer rows at once.",
            code="busy",
        )

    # In the model's thread

    def _work(self, batch: Sequence[tuple[Columns, int]]) -> list[Outcome]:
        """Predict a batch; an outcome a request. A row that the model refuses spoils no other's."""
        began = time.monotonic()
        if len(batch) > 1:
            joined = {
                name: [value for columns, _ in batch for value in columns[name]]
                for name in batch[0][0]
            }
            try:
                whole = self._answer(joined, sum(rows for _, rows in batch))
            except Exception:  # noqa: BLE001  whichever request it is, it is found below
                return [self._alone(columns, rows, began) for columns, rows in batch]
            return _parts(whole, [rows for _, rows in batch])
        columns, rows = batch[0]
        return [self._alone(columns, rows, began)]

    def _alone(self, columns: Columns, rows: int, began: float) -> Outcome:
        try:
            return self._answer(columns, rows)
        except PerijoveError as error:
            return error
        except Exception as error:  # noqa: BLE001  a model may raise anything
            # Looking for the fault must not look like a hang.
            left = self._timeout / 2 - (time.monotonic() - began)
            seconds = min(left, BLAME_SECONDS)
            found = blame(self._model.arrays, columns, rows, self._sample, error, seconds)
            fault: PerijoveError = found or PerijoveError(
                f"The model fails on its own sample too. {type(error).__name__}: {error}",
                "Roll back to an earlier revision.",
                code="model_broken",
            )
            fault.__cause__ = error
            return fault

    def _answer(self, columns: Columns, rows: int) -> Columns:
        outputs: Columns = {}
        with _all_cores() if rows >= PARALLEL_ROWS else contextlib.nullcontext():
            arrays = self._model.arrays(columns)
        for name, values in arrays.items():
            if len(values) != rows:
                raise PerijoveError(
                    f"The model answered {len(values)} values of {name!r} for {rows} rows.",
                    "A model must answer one value a row.",
                    code="model_broken",
                )
            outputs[name] = _plain(values)
        return outputs


def _work_alone() -> None:
    """Keep the model's thread to one core: for a few rows, waking others costs more than it saves.

    OpenMP's threads spin while they wait, and take the cores that answer the other requests.
    """
    with contextlib.suppress(ImportError):
        import threadpoolctl

        threadpoolctl.threadpool_limits(limits=1, user_api="openmp")


def _all_cores() -> contextlib.AbstractContextManager[Any]:
    try:
        import threadpoolctl
    except ImportError:
        return contextlib.nullcontext()
    limited: contextlib.AbstractContextManager[Any] = threadpoolctl.threadpool_limits(
        limits=os.cpu_count() or 1, user_api="openmp"
    )
    return limited


def _tell(loop: asyncio.AbstractEventLoop, *call: Any) -> None:
    if not loop.is_closed():  # else the process ends, and nobody waits any more
        loop.call_soon_threadsafe(*call)


def _parts(whole: Columns, rows: Sequence[int]) -> list[Outcome]:
    """Cut a batch's answer into those of its requests."""
    found: list[Outcome] = []
    start = 0
    for count in rows:
        found.append({name: values[start : start + count] for name, values in whole.items()})
        start += count
    return found


def _around(value: Any) -> tuple[Any, Any]:
    """Return values of the same type above and below a value, where there are any."""
    if isinstance(value, bool):
        return not value, not value
    if isinstance(value, float):
        return value * 3 + 7, -value * 3 - 7
    if isinstance(value, int):
        return min(value + 1, max(value, 127)), max(value - 1, min(value, 0))
    return value, value


def _alike(a: Any, b: Any) -> bool:
    """Whether two answers are the same but for the rounding of a sum in another order."""
    try:
        one, other = float(a), float(b)
    except (TypeError, ValueError):
        return bool(a == b)
    return one == other or (one != one and other != other) or abs(one - other) <= 1e-6 * abs(one)


def _plain(values: Any) -> list[Any]:
    """Turn an array into values that JSON and the journal can hold; others become their text."""
    plain: list[Any] = values.tolist()
    if values.dtype.kind in "biufU":
        return plain
    known = (str, int, float, bool, type(None))
    return [value if isinstance(value, known) else str(value) for value in plain]
