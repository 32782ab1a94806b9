"""Runs the model: one row after the other in one thread, so that the event loop stays live."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from perijove.adapters.serving.worker.columns import Columns, blame, check
from perijove.adapters.serving.worker.model import Model, fields_of
from perijove.contracts.deploy import Field, Signature
from perijove.core.errors import PerijoveError, UnavailableError

BLAME_SECONDS: Final = 2.0


class HungError(UnavailableError):
    """The model did not come back in time; its thread cannot be ended, only its process."""

    default_code = "model_hung"


class Engine:
    """A model, its signature and the thread that it runs in.

    Parameters
    ----------
    timeout
        Seconds that one request's rows may take.
    """

    def __init__(
        self,
        model: Model,
        signature: Signature | None,
        sample: dict[str, Any] | None,
        timeout: float,
    ) -> None:
        self._model = model
        self.signature = signature
        self._timeout = timeout
        self._thread = ThreadPoolExecutor(1, "model")
        self._sample: Columns | None = None
        if sample is not None:
            self._sample = check(signature, {name: [value] for name, value in sample.items()}, 1)
        self.outputs: list[Field] = signature.outputs if signature else []

    def warm_up(self) -> None:
        """Answer the sample once: the first request pays for nothing, and a broken model shows."""
        if self._sample is not None:
            self.outputs = fields_of(self._model.arrays(self._sample))

    def _predict(self, columns: Columns, rows: int, started: list[float]) -> Columns:
        started.append(time.monotonic())
        try:
            arrays = self._model.arrays(columns)
        except Exception as error:
            # Looking for the fault must not look like a hang.
            left = self._timeout / 2 - (time.monotonic() - started[0])
            seconds = min(left, BLAME_SECONDS)
            found = blame(self._model.arrays, columns, rows, self._sample, error, seconds)
            if found is not None:
                raise found from error
            raise PerijoveError(
                f"The model fails on its own sample too. {type(error).__name__}: {error}",
                "Roll back to an earlier revision.",
                code="model_broken",
            ) from error
        outputs: Columns = {}
        for name, values in arrays.items():
            if len(values) != rows:
                raise PerijoveError(
                    f"The model answered {len(values)} values of {name!r} for {rows} rows.",
                    "A model must answer one value a row.",
                    code="model_broken",
                )
            outputs[name] = _plain(values)
        return outputs

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
        started: list[float] = []
        work = self._thread.submit(self._predict, columns, rows, started)
        waiting = asyncio.wrap_future(work)
        remaining = self._timeout
        while remaining > 0:
            done, _ = await asyncio.wait({waiting}, timeout=remaining)
            if done:
                return waiting.result()
            if work.cancel():
                raise UnavailableError(
                    f"The endpoint is busy: {self._timeout:g} s have passed and it is not "
                    "this request's turn.",
                    "Try again later, or send fewer rows at once.",
                    code="busy",
                )
            remaining = started[0] + self._timeout - time.monotonic() if started else 0.0
        waiting.add_done_callback(lambda future: future.cancelled() or future.exception())
        raise HungError(
            f"The model did not answer within {self._timeout:g} s.",
            "The endpoint starts a new worker. Send fewer rows, or look at the model.",
        )


def _plain(values: Any) -> list[Any]:
    """Turn an array into values that JSON and the journal can hold; others become their text."""
    plain: list[Any] = values.tolist()
    if values.dtype.kind in "biufU":
        return plain
    known = (str, int, float, bool, type(None))
    return [value if isinstance(value, known) else str(value) for value in plain]
