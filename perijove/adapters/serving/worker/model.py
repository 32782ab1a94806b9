"""Load a model folder, verified, with as few imports as its flavour allows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from perijove.adapters.metrics import PROBABILITY, label
from perijove.adapters.serving.worker.columns import Columns
from perijove.contracts.deploy import Field, ModelFacts, Signature, TensorType
from perijove.core.errors import ForbiddenPathError, UnreadableDataError
from perijove.core.files import sha256_file
from perijove.core.paths import resolve_inside

MAX_CLASSES: Final = 20
"""Classifiers with more classes answer without a probability for each."""

SHARES_DECIDE: Final = frozenset((
    "HistGradientBoostingClassifier", "RandomForestClassifier", "ExtraTreesClassifier",
    "DecisionTreeClassifier", "GradientBoostingClassifier",
))  # fmt: skip
"""Estimators of scikit-learn whose label is the class with the largest share."""
TIE: Final = 1e-9

_DTYPES: Final[dict[TensorType, str]] = {
    "BOOL": "bool", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
    "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
    "FP32": "float32", "FP64": "float64",
}  # fmt: skip
_TYPES: Final[dict[str, TensorType]] = {dtype: kind for kind, dtype in _DTYPES.items()}

Predict = Callable[[Any], dict[str, Any]]
"""A frame to arrays by output column."""


def verify(folder: Path, manifest: dict[str, str], ref: str) -> None:
    """Compare every file of the manifest with its hash, before anything is loaded.

    Raises
    ------
    UnreadableDataError
        Naming the file that is missing or not what was logged.
    """
    hint = "Restore the file, or log the model again."
    if not manifest:
        raise UnreadableDataError(
            f"{ref} has no manifest, so that its files cannot be verified.",
            "Log the model with pj.log_model.",
            code="model_unverified",
        )
    for name, expected in manifest.items():
        path = folder / name
        if not path.is_file():
            raise UnreadableDataError(f"{name} of {ref} is gone.", hint, code="model_incomplete")
        if sha256_file(path) != expected:
            raise UnreadableDataError(
                f"{name} of {ref} is not the file that was logged: its sha256 differs.",
                hint,
                code="model_tampered",
            )


class Model:
    """A loaded model that takes checked columns and answers columns."""

    def __init__(self, predict: Predict, signature: Signature | None) -> None:
        self._predict = predict
        self._dtypes = (
            {f.name: _DTYPES[f.type] for f in signature.inputs if f.type in _DTYPES}
            if signature
            else {}
        )
        self._outputs = [field.name for field in signature.outputs] if signature else []

    def arrays(self, columns: Columns) -> dict[str, Any]:
        """Predict; output column to its array."""
        import pandas as pd

        frame = pd.DataFrame(
            {name: self._array(name, values) for name, values in columns.items()}, copy=False
        )
        outputs = self._predict(frame)
        if len(self._outputs) == len(outputs):
            return dict(zip(self._outputs, outputs.values(), strict=True))
        return outputs

    def _array(self, name: str, values: list[Any]) -> Any:
        import numpy as np

        dtype = self._dtypes.get(name)
        if dtype is None:
            return values
        if None in values:  # an optional whole number or truth value, as pandas keeps it
            return np.array([np.nan if v is None else v for v in values], dtype=float)
        return np.array(values, dtype=dtype)


def fields_of(outputs: dict[str, Any]) -> list[Field]:
    """Describe arrays as the protocol does."""
    return [
        Field(name=name, type=_TYPES.get(str(values.dtype), "BYTES"))
        for name, values in outputs.items()
    ]


def load(folder: Path, facts: ModelFacts, ref: str) -> Model:
    """Load a verified model.

    scikit-learn's flavour is read without MLflow, whose import alone takes seconds; any other is
    left to ``mlflow.pyfunc``.

    Raises
    ------
    UnreadableDataError
        When the folder is no model.
    ForbiddenPathError
        When it names a file that its manifest does not.
    """
    import yaml

    try:
        text = (folder / "MLmodel").read_bytes()
        flavors = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["flavors"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise UnreadableDataError(
            f"{ref} is no MLflow model: {error}.", "Log the model again.", code="model_unreadable"
        ) from error
    sys.dont_write_bytecode = True  # the folder stays as its manifest describes it
    if "sklearn" in flavors:
        return Model(
            _of_estimator(_load_sklearn(folder, flavors["sklearn"], facts)), facts.signature
        )
    return Model(_load_pyfunc(folder), facts.signature)


def _load_sklearn(folder: Path, flavor: dict[str, Any], facts: ModelFacts) -> Any:
    name = str(flavor.get("pickled_model", "model.pkl"))
    if name not in facts.manifest:
        raise ForbiddenPathError(f"The model's file {name} is not in its manifest.")
    path = resolve_inside(folder.resolve(), name)
    if flavor.get("code"):
        sys.path.insert(0, str(resolve_inside(folder.resolve(), str(flavor["code"]))))
    if flavor.get("serialization_format") == "skops" or path.suffix == ".skops":
        import skops.io

        return skops.io.load(path, trusted=list(flavor.get("skops_trusted_types") or []))
    # The file is byte for byte what this project logged: its hash is in the chain.
    if flavor.get("serialization_format") == "cloudpickle":
        import cloudpickle as pickler  # type: ignore[import-untyped]
    else:
        import pickle as pickler
    with path.open("rb") as file:
        return pickler.load(file)


def _of_estimator(estimator: Any) -> Predict:
    classes: Any = getattr(estimator, "classes_", None)
    labels = (
        [label(value) for value in classes]
        if hasattr(estimator, "predict_proba") and getattr(classes, "ndim", 0) == 1
        else []
    )

    named = 0 < len(labels) <= MAX_CLASSES
    follows = named and _last_step(estimator) in SHARES_DECIDE

    def predict(frame: Any) -> dict[str, Any]:
        if follows:
            shares = estimator.predict_proba(frame)
            if not _tied(shares):  # half of the work: the label is the largest share's
                outputs = _named(classes[shares.argmax(axis=1)])
                return outputs | {
                    PROBABILITY + name: shares[:, index] for index, name in enumerate(labels)
                }
        outputs = _named(estimator.predict(frame))
        if named:
            shares = estimator.predict_proba(frame)
            for index, name in enumerate(labels):
                outputs[PROBABILITY + name] = shares[:, index]
        return outputs

    return predict


def _last_step(estimator: Any) -> str:
    """Name the class that decides: the last step's of a pipeline."""
    kind = type(estimator)
    if kind.__module__.startswith("sklearn.pipeline") and kind.__name__ == "Pipeline":
        return _last_step(estimator.steps[-1][1])
    return kind.__name__ if kind.__module__.startswith("sklearn.") else ""


def _tied(shares: Any) -> bool:
    """Whether two classes are as likely, up to rounding: there only the estimator can tell."""
    import numpy as np

    top = np.partition(shares, -2, axis=1)[:, -2:]
    return bool((top[:, 1] - top[:, 0] < TIE).any()) or bool(np.isnan(shares).any())


def _load_pyfunc(folder: Path) -> Predict:
    import mlflow.pyfunc

    model = mlflow.pyfunc.load_model(str(folder))
    return lambda frame: _named(model.predict(frame))


def _named(result: Any) -> dict[str, Any]:
    """Turn what a model returned into one array a column."""
    import numpy as np

    if hasattr(result, "to_dict") and hasattr(result, "columns"):
        return {str(name): result[name].to_numpy() for name in result.columns}
    if isinstance(result, dict):
        return {str(name): np.asarray(values) for name, values in result.items()}
    array = np.asarray(result)
    if array.ndim == 2 and array.shape[1] > 1:
        return {f"prediction_{i}": array[:, i] for i in range(array.shape[1])}
    return {"prediction": cast(Any, array.reshape(len(array), -1)[:, 0] if array.ndim else array)}
