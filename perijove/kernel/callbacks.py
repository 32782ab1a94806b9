"""Training frameworks that log into the running cell by a callback: ``pj.callbacks``.

What a framework's own loop knows goes where ``pj.log`` goes: numbers by step, progress, and the
wish to stop. Each framework is imported when its callback is made.

    model.fit(x, y, epochs=9, callbacks=[pj.callbacks.keras()])
    transformers.Trainer(..., callbacks=[pj.callbacks.transformers()])
    lightning.Trainer(..., logger=pj.callbacks.lightning())
    lightgbm.train(..., callbacks=[pj.callbacks.lightgbm()])
    xgboost.train(..., callbacks=[pj.callbacks.xgboost()])

    for epoch in pj.callbacks.loop(range(9)):  # a loop of your own, in plain torch say
        pj.log(loss=train(epoch), step=epoch)
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import Any, TypeVar

from perijove.core.errors import UnsupportedError
from perijove.kernel import tracking

T = TypeVar("T")


def loop(items: Iterable[T], total: int | None = None) -> Iterator[T]:
    """Go through a training loop: tell how far it is, and leave it when somebody pressed stop.

    Parameters
    ----------
    total
        How many items there are, where ``len(items)`` does not tell.
    """
    count = len(items) if total is None and isinstance(items, Sized) else total
    for done, item in enumerate(items):
        if tracking.should_stop():
            return
        yield item
        if count:
            tracking.progress(min(1.0, (done + 1) / count))


def keras(*, every: int = 0) -> Any:
    """Make a Keras callback: the numbers of each epoch, progress, stop.

    Parameters
    ----------
    every
        Also log the numbers of each so many batches, as ``batch/NAME``.
    """
    module = _module("keras", "keras")

    class PerijoveCallback(module.callbacks.Callback):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self._batches = 0

        def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
            self._batches += 1
            if every and logs and self._batches % every == 0:
                _log({f"batch/{key}": value for key, value in logs.items()}, self._batches)
            if tracking.should_stop():
                self.model.stop_training = True

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            _log(logs or {}, epoch)
            epochs = (self.params or {}).get("epochs")
            if epochs:
                tracking.progress(min(1.0, (epoch + 1) / epochs))

    return PerijoveCallback()


def transformers() -> Any:
    """Make a callback of Hugging Face's Trainer: what it logs, its arguments, progress, stop."""
    module = _module("transformers", "transformers")

    class PerijoveCallback(module.TrainerCallback):  # type: ignore[misc, name-defined]
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.is_world_process_zero:
                chosen = ("learning_rate", "num_train_epochs", "per_device_train_batch_size",
                          "weight_decay", "warmup_ratio", "seed", "optim", "lr_scheduler_type",
                          "gradient_accumulation_steps", "fp16", "bf16")  # fmt: skip
                tracking.log_params(
                    {name: getattr(args, name) for name in chosen if hasattr(args, name)}
                )

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if state.is_world_process_zero:
                _log(logs or {}, state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
            if state.is_world_process_zero and state.max_steps > 0:
                tracking.progress(min(1.0, state.global_step / state.max_steps))
            if tracking.should_stop():
                control.should_training_stop = True
            return control

    return PerijoveCallback()


def lightning() -> Any:
    """Make a logger of Lightning: what modules log, their hyperparameters."""
    try:
        loggers = importlib.import_module("lightning.pytorch.loggers.logger")
        rank_zero_only = importlib.import_module("lightning.pytorch.utilities").rank_zero_only
    except ImportError:
        loggers = _module("pytorch_lightning.loggers.logger", "lightning")
        rank_zero_only = importlib.import_module("pytorch_lightning.utilities").rank_zero_only

    class PerijoveLogger(loggers.Logger):  # type: ignore[misc, name-defined]
        name = "perijove"

        @property
        def version(self) -> str:
            return tracking.active().run_id

        @rank_zero_only  # type: ignore[untyped-decorator]
        def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
            _log(metrics, step)

        @rank_zero_only  # type: ignore[untyped-decorator]
        def log_hyperparams(self, params: Any, *_: Any, **__: Any) -> None:
            values = params if isinstance(params, Mapping) else vars(params)
            tracking.log_params({str(key): value for key, value in values.items()})

    return PerijoveLogger()


def lightgbm() -> Callable[[Any], None]:
    """Make a callback of LightGBM: the scores of each round, progress, stop."""
    module = _module("lightgbm", "lightgbm")

    def callback(env: Any) -> None:
        scores = env.evaluation_result_list or []
        _log({f"{score[0]}/{score[1]}": score[2] for score in scores}, env.iteration)
        rounds = env.end_iteration - env.begin_iteration
        tracking.progress(min(1.0, (env.iteration - env.begin_iteration + 1) / max(1, rounds)))
        if tracking.should_stop():
            raise module.callback.EarlyStopException(env.iteration, scores)

    callback.order = 20  # type: ignore[attr-defined]
    return callback


def xgboost() -> Any:
    """Make a callback of XGBoost: the scores of each round, stop."""
    module = _module("xgboost", "xgboost")

    class PerijoveCallback(module.callback.TrainingCallback):  # type: ignore[misc, name-defined]
        def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
            _log(
                {
                    f"{data}/{metric}": values[-1] if not isinstance(values[-1], tuple)
                    else values[-1][0]
                    for data, scores in evals_log.items()
                    for metric, values in scores.items()
                },
                epoch,
            )  # fmt: skip
            return tracking.should_stop()

    return PerijoveCallback()


def _log(values: Mapping[str, Any], step: int | None) -> None:
    """Log those values that are numbers; frameworks mix texts and tables among them."""
    numbers: dict[str, float] = {}
    for key, value in values.items():
        try:
            numbers[str(key)] = float(value)
        except (TypeError, ValueError):
            continue
    if numbers:
        tracking.log(numbers, step=step)


def _module(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnsupportedError(
            f"{package} is not installed here.", f"Install it: %pip install {package}"
        ) from error
