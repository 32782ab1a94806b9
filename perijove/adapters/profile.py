"""What a model's training rows looked like, and how much each input alone gives away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from perijove.contracts.deploy import FeatureLeak, FeatureProfile
from perijove.core.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

BINS: Final = 20
PROFILE_ROWS: Final = 200_000
LEAK_ROWS: Final = 10_000
"""Enough for an area under the curve within 0.01, and quick for wide tables."""
_FOLDS: Final = 5
_LEAVES: Final = 16


def profile(frame: DataFrame, columns: Sequence[str]) -> list[FeatureProfile]:
    """Count each column's values into bins, for drift.

    Numbers get up to 20 bins of about equal counts; a value on an edge lies in the bin above it.
    Words and truth values get their 19 most frequent values and one bin for all others.
    """
    return [_profile(frame[name], name) for name in columns]


def _profile(values: Series[Any], name: str) -> FeatureProfile:
    import numpy as np

    missing = int(values.isna().sum())
    present = values.dropna()
    if _is_number(values):
        numbers = present.to_numpy(dtype=float)
        edges = _edges(numbers)
        places = np.searchsorted(edges, numbers, side="right")
        counts = np.bincount(places, minlength=len(edges) + 1)
        return FeatureProfile(
            feature=name,
            counts=[int(c) for c in counts],
            edges=[float(e) for e in edges],
            missing=missing,
        )
    words = present.map(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
    top = words.iloc[: BINS - 1]
    return FeatureProfile(
        feature=name,
        counts=[*(int(c) for c in top), int(words.iloc[BINS - 1 :].sum())],
        labels=[str(label) for label in top.index],
        missing=missing,
    )


def _edges(numbers: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    if not len(numbers):
        return np.array([], dtype=float)
    shares = np.arange(1, BINS) / BINS
    edges = np.unique(np.quantile(numbers, shares, method="inverted_cdf"))
    inner: NDArray[Any] = edges[np.isfinite(edges) & (edges > numbers.min())]
    return inner


def leak_scores(frame: DataFrame, columns: Sequence[str], target: str) -> list[FeatureLeak]:
    """Let each column alone predict the target on rows that it was not fitted on.

    A small tree on the ranks of numbers, the mean outcome of each word: both cross-fitted in
    five folds, so that an identifier with a value of its own in every row gains nothing.

    Returns
    -------
    list of FeatureLeak
        Highest first. The area under the ROC curve for classes (one against the rest, averaged,
        for more than two), R² cut off at 0 for numbers.

    Raises
    ------
    InvalidInputError
        When the rows cannot tell: a target with one value, or too few rows of a class.
    """
    import numpy as np

    rows = frame[frame[target].notna()]
    if len(rows) > LEAK_ROWS:
        rows = rows.sample(LEAK_ROWS, random_state=0)
    outcomes, classes = _outcomes(rows[target], target)
    folds = np.random.default_rng(0).permutation(len(rows)) % _FOLDS
    scores = [
        FeatureLeak(feature=name, score=_score(rows[name], outcomes, classes, folds))
        for name in columns
        if name != target
    ]
    return sorted(scores, key=lambda leak: (-leak.score, leak.feature))


def _outcomes(values: Series[Any], target: str) -> tuple[NDArray[Any], bool]:
    """Return one column a class, or the numbers as a single column."""
    import numpy as np
    import pandas as pd

    distinct = values.nunique()
    if distinct < 2:
        raise InvalidInputError(
            f"{target} has the same value in every training row.", code="one_class"
        )
    whole = pd.api.types.is_integer_dtype(values) or pd.api.types.is_bool_dtype(values)
    if _is_number(values) and not (whole and distinct <= BINS):
        return values.to_numpy(dtype=float).reshape(-1, 1), False
    codes, labels = pd.factorize(values.map(str))
    counts = np.bincount(codes)
    if counts.min() < _FOLDS:
        keep = counts >= _FOLDS
        if keep.sum() < 2:
            raise InvalidInputError(
                f"{target} has fewer than {_FOLDS} training rows of a class.", code="too_few_rows"
            )
        # Rare classes cannot be scored; the others can, against all the rest.
        return (codes[:, None] == np.flatnonzero(keep)[None, :]).astype(float), True
    hot = np.eye(len(labels))[codes]
    return (hot[:, 1:] if len(labels) == 2 else hot), True


def _score(
    values: Series[Any], outcomes: NDArray[Any], classes: bool, folds: NDArray[Any]
) -> float:
    import numpy as np
    from sklearn.metrics import r2_score, roc_auc_score

    predicted = np.empty_like(outcomes)
    predict = _by_tree if _is_number(values) else _by_word
    codes = _ranks(values) if _is_number(values) else values.map(str).factorize()[0]
    for fold in range(_FOLDS):
        train, test = folds != fold, folds == fold
        predicted[test] = predict(codes[train], outcomes[train], codes[test])
    if not classes:
        return float(np.clip(r2_score(outcomes[:, 0], predicted[:, 0]), 0.0, 1.0))
    areas = [
        roc_auc_score(outcomes[:, i], predicted[:, i])
        for i in range(outcomes.shape[1])
        if 0 < outcomes[:, i].sum() < len(outcomes)
    ]
    return float(np.mean(areas))


def _ranks(values: Series[Any]) -> NDArray[Any]:
    """Order is all that a tree needs, and it survives where 32-bit floats would merge values."""
    import numpy as np

    numbers: NDArray[Any] = values.rank(method="dense").to_numpy(dtype=float, na_value=np.nan)
    return numbers


def _by_tree(train: NDArray[Any], outcomes: NDArray[Any], test: NDArray[Any]) -> NDArray[Any]:
    from sklearn.tree import DecisionTreeRegressor

    # The mean of 0 and 1 in a leaf is a class's share: one tree serves classes and numbers.
    tree = DecisionTreeRegressor(
        max_leaf_nodes=_LEAVES, min_samples_leaf=max(5, len(train) // 100), random_state=0
    ).fit(train.reshape(-1, 1), outcomes)
    predicted: NDArray[Any] = tree.predict(test.reshape(-1, 1)).reshape(len(test), -1)
    return predicted


def _by_word(train: NDArray[Any], outcomes: NDArray[Any], test: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    size = int(max(train.max(initial=-1), test.max(initial=-1))) + 1
    counts = np.bincount(train, minlength=size)[:, None]
    sums = np.column_stack(
        [
            np.bincount(train, weights=outcomes[:, i], minlength=size)
            for i in range(outcomes.shape[1])
        ]
    )
    prior = outcomes.mean(axis=0)
    means = (sums + prior) / (counts + 1)  # a word never seen predicts the mean
    predicted: NDArray[Any] = means[test]
    return predicted


def _is_number(values: Series[Any]) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))
