"""What weighs parameters by what they tell of a metric: a random forest of scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

from perijove.develop.importance import ParamValues, Weighed

FOLDS: Final = 4
TREES: Final = 60
REPEATS: Final = 3


def weigh_by_forest(params: Sequence[ParamValues], target: Sequence[float]) -> list[Weighed]:
    """Weigh parameters by permutation importance (Breiman 2001), and Spearman's correlation.

    A forest is fitted to three quarters of the runs, and a parameter's values are shuffled among
    the last quarter: what the forest loses by it is the parameter's weight. On runs that it was
    fitted to, a parameter that differs from run to run, such as a seed, would look important.
    """
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import KFold

    table = np.column_stack([_columns(param) for param in params])
    y = np.asarray(target)
    # By rank: one run that diverged must not be all that the forest learns.
    ranks = _ranks(y)
    weights = np.zeros(len(params))
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(table):
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0, n_jobs=1)
        forest.fit(table[train], ranks[train])
        found: Any = permutation_importance(
            forest, table[test], ranks[test], n_repeats=REPEATS, random_state=0, n_jobs=1,
            scoring="neg_mean_squared_error",
        )  # fmt: skip
        weights += found.importances_mean * len(test) / len(y)
    weights = np.maximum(weights, 0)
    # Less than one part in a hundred of the whole spread is what chance gives.
    weights[weights < 0.01 * ranks.var()] = 0
    return [
        Weighed(float(weight), _spearman(param, y))
        for weight, param in zip(weights, params, strict=True)
    ]


def _columns(param: ParamValues) -> Any:
    """Return a column for the forest; what was not logged is apart from all values."""
    import numpy as np

    values = np.asarray(param.values)
    missing = np.isnan(values)
    low = np.nanmin(values)
    return np.where(missing, low - 1 - abs(low), values)


def _spearman(param: ParamValues, target: Any) -> float | None:
    import numpy as np

    if not param.numbers:
        return None
    values = np.asarray(param.values)
    there = ~np.isnan(values)
    if there.sum() < 3:
        return None
    x, y = _ranks(values[there]), _ranks(target[there])
    if x.std() == 0 or y.std() == 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(np.corrcoef(x, y)[0, 1])


def _ranks(values: Any) -> Any:
    """Rank values from 0 on; equal ones have the mean of their ranks."""
    import numpy as np

    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[places]
