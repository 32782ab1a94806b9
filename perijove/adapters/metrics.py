"""What computes the metrics of :mod:`perijove.core.metrics`: scikit-learn.

A model's outputs arrive as an endpoint answers them: ``prediction``, and for classifiers
``probability_CLASS`` for each class. Kernel, gate and monitor measure with the same function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from perijove.core.errors import InvalidInputError, NotFoundError, UnsupportedError
from perijove.core.metrics import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREDICTION: Final = "prediction"
PROBABILITY: Final = "probability_"
_TRUTH: Final = {"True": "1", "False": "0"}


def evaluate_metric(
    name: str, y_true: Sequence[Any], outputs: Mapping[str, Sequence[Any]]
) -> float:
    """Measure one metric.

    Parameters
    ----------
    name
        One of :data:`perijove.core.metrics.METRICS`.
    y_true
        What turned out to be true, one value a row. Rows without a value are left out.
    outputs
        What the model answered, a column each, in the same order.

    Raises
    ------
    InvalidInputError
        When the rows cannot say: there are none, or only one class is among them.
    UnsupportedError
        When the model does not answer what the metric needs, such as probabilities.
    """
    import numpy as np

    metric = METRICS.get(name)
    if metric is None:
        raise NotFoundError(
            f"Perijove does not measure {name!r}.",
            f"It measures {', '.join(METRICS)}.",
            code="unknown_metric",
        )
    truth = np.asarray(y_true, dtype=object)
    columns = {key: np.asarray(values, dtype=object) for key, values in outputs.items()}
    wrong = [key for key, values in columns.items() if len(values) != len(truth)]
    if wrong:
        raise InvalidInputError(
            f"{wrong[0]!r} has {len(columns[wrong[0]])} values for {len(truth)} outcomes."
        )
    known = np.array([not _missing(value) for value in truth], dtype=bool)
    truth = truth[known]
    columns = {key: values[known] for key, values in columns.items()}
    if not len(truth):
        raise InvalidInputError(
            f"{name} cannot be measured: no row has a known outcome.", code="no_outcomes"
        )
    if metric.task == "regression":
        return _regression(name, truth, columns)
    return _classification(name, truth, columns)


def _regression(name: str, truth: NDArray[Any], columns: dict[str, NDArray[Any]]) -> float:
    import numpy as np
    from sklearn import metrics

    try:
        actual, predicted = truth.astype(float), _only(columns).astype(float)
    except (TypeError, ValueError) as error:
        raise UnsupportedError(
            f"{name} needs numbers, and there is something else: {error}.",
            "Choose a metric for classes, such as roc_auc or f1.",
        ) from error
    if not np.isfinite(predicted).all():
        return float("nan")
    compute: dict[str, Callable[..., float]] = {
        "rmse": metrics.root_mean_squared_error,
        "mae": metrics.mean_absolute_error,
        "mape": metrics.mean_absolute_percentage_error,
        "r2": metrics.r2_score,
    }
    if name == "r2" and len(actual) < 2:
        raise InvalidInputError("r2 needs two rows or more.", code="too_few_rows")
    return float(compute[name](actual, predicted))


def _classification(name: str, truth: NDArray[Any], columns: dict[str, NDArray[Any]]) -> float:
    import numpy as np
    from sklearn import metrics

    classes = [key.removeprefix(PROBABILITY) for key in columns if key.startswith(PROBABILITY)]
    actual = np.array([label(value) for value in truth], dtype=object)
    if classes:
        actual = _as_named(actual, classes)
        shares = np.column_stack([columns[PROBABILITY + c].astype(float) for c in classes])
        strangers = sorted(set(actual) - set(classes))
        if strangers:
            raise InvalidInputError(
                f"The outcome {strangers[0]!r} is no class of the model.",
                f"Its classes are {', '.join(classes)}.",
                code="unknown_class",
            )
        # A probability that is no number ranks nothing: say so, as a diverged metric does.
        if not np.isfinite(shares).all():
            return float("nan")
    else:
        shares = None
    if name in ("roc_auc", "average_precision", "log_loss", "brier"):
        return _probabilistic(name, actual, classes, shares, columns)
    predicted = np.array([label(value) for value in _only(columns)], dtype=object)
    predicted = _as_named(predicted, classes or sorted(set(actual)))
    if name == "accuracy":
        return float(np.mean(actual == predicted))
    if name == "balanced_accuracy":
        recalls = [float(np.mean(predicted[actual == c] == c)) for c in sorted(set(actual))]
        return float(np.mean(recalls))
    labels = classes or sorted(set(actual) | set(predicted), key=_order)
    compute = {
        "f1": metrics.f1_score,
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
    }[name]
    numbers = {c: i for i, c in enumerate(labels)}
    binary = len(labels) <= 2
    return float(
        compute(
            np.array([numbers[c] for c in actual]),
            np.array([numbers[c] for c in predicted]),
            average="binary" if binary else "macro",
            zero_division=0.0,
            **({"pos_label": len(labels) - 1} if binary else {}),
        )
    )


def _probabilistic(
    name: str,
    actual: NDArray[Any],
    classes: list[str],
    shares: NDArray[Any] | None,
    columns: dict[str, NDArray[Any]],
) -> float:
    import numpy as np
    from sklearn import metrics

    if shares is None:
        classes, shares = _from_score(name, actual, columns)
    if name in ("roc_auc", "average_precision") and len(set(actual)) < 2:
        raise InvalidInputError(
            f"{name} cannot be measured: all {len(actual)} rows have the outcome {actual[0]!r}.",
            "It needs rows of both classes: measure on more rows, or another split.",
            code="one_class",
        )
    numbers = {c: i for i, c in enumerate(classes)}
    codes = np.array([numbers[c] for c in actual])
    hot = np.eye(len(classes))[codes]
    if name == "log_loss":
        return float(metrics.log_loss(codes, shares, labels=list(range(len(classes)))))
    if name == "brier":
        squares = ((shares - hot) ** 2).sum(axis=1)
        # For two classes the usual score counts one of them.
        return float(squares.mean() / (2 if len(classes) == 2 else 1))
    compute = metrics.roc_auc_score if name == "roc_auc" else metrics.average_precision_score
    if len(classes) == 2:
        return float(compute(hot[:, 1], shares[:, 1]))
    seen = [i for i in range(len(classes)) if 0 < hot[:, i].sum() < len(hot)]
    return float(np.mean([compute(hot[:, i], shares[:, i]) for i in seen]))


def _from_score(
    name: str, actual: NDArray[Any], columns: dict[str, NDArray[Any]]
) -> tuple[list[str], NDArray[Any]]:
    """Take a lone number between 0 and 1 as the share of the positive class."""
    import numpy as np

    values = _only(columns)
    number = all(isinstance(v, (float, np.floating)) for v in values)
    if not number or set(actual) - {"0", "1", "True", "False"}:
        raise UnsupportedError(
            f"{name} needs probabilities, and the model answers none.",
            "Log a classifier with predict_proba, or choose accuracy or f1.",
            code="no_probabilities",
        )
    score = values.astype(float)
    if name not in ("roc_auc", "average_precision") and not ((score >= 0) & (score <= 1)).all():
        raise UnsupportedError(
            f"{name} needs probabilities, and the model answers numbers outside [0, 1].",
            code="no_probabilities",
        )
    classes = ["False", "True"] if set(actual) & {"True", "False"} else ["0", "1"]
    return classes, np.column_stack([1 - score, score])


def _only(columns: dict[str, NDArray[Any]]) -> NDArray[Any]:
    if PREDICTION in columns:
        return columns[PREDICTION]
    others = [key for key in columns if not key.startswith(PROBABILITY)]
    if len(others) != 1:
        raise UnsupportedError(
            f"The model answers {', '.join(columns) or 'nothing'}, and none of it is its "
            "prediction.",
            "Let it answer a column named 'prediction'.",
        )
    return columns[others[0]]


def label(value: Any) -> str:
    """Name a class as a probability's column does, whatever library the value came from."""
    import numpy as np

    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        # JSON and pandas turn whole numbers into floats where a value is missing.
        return str(int(value))
    return str(value)


def _as_named(labels: NDArray[Any], classes: Sequence[str]) -> NDArray[Any]:
    """Let true and 1 be one class where the model knows only one of the words."""
    import numpy as np

    known = set(classes)
    if known <= {"0", "1"}:
        return np.array([_TRUTH.get(v, v) for v in labels], dtype=object)
    if known <= {"True", "False"}:
        back = {number: word for word, number in _TRUTH.items()}
        return np.array([back.get(v, v) for v in labels], dtype=object)
    return labels


def _order(value: str) -> tuple[int, float, str]:
    try:
        return (0, float(value), value)
    except ValueError:
        return (1, 0.0, value)


def _missing(value: Any) -> bool:
    return value is None or value != value
