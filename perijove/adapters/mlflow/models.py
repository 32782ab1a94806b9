"""Save a model with MLflow's flavours and register it, without MLflow's slow guesses.

MLflow finds a model's requirements by loading it in a new process, which takes many seconds. Here
they are told to it: the packages of the model's own types, as they are installed. What MLflow
would read from global state (tracking URI, active run) is told to it as well, so that code of the
user that sets another URI does not send our models there.
"""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import unquote, urlsplit

from perijove.adapters.mlflow.database import tracking_uri
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UnsupportedError,
)
from perijove.core.files import sha256_file

if TYPE_CHECKING:
    from pandas import DataFrame

Format = Literal["onnx", "safetensors", "skops", "pickle", "other"]
_NAME: Final = re.compile(r"^Name: (\S+)", re.MULTILINE)
_NO_MODULES: Final = (".dist-info", ".data", ".pth", "..", "__pycache__")
NATIVE: Final = {"xgboost": "xgboost", "lightgbm": "lightgbm", "torch": "pytorch"}
"""Library to MLflow's flavour, for models that are no scikit-learn estimators."""


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A registered model version and where its files are."""

    version: int
    folder: Path
    flavor: str
    format: Format
    manifest: dict[str, str]
    """File name, relative to the folder, to sha256."""

    def uri(self, name: str) -> str:
        return f"models:/{name}/{self.version}"


@dataclass(slots=True)
class _Saving:
    """How one model is saved: the flavour's function and what it is told."""

    flavor: str
    format: Format
    save: Callable[..., None]
    roots: set[str]
    """Top-level modules that the model's types come from."""
    options: dict[str, Any] = field(default_factory=dict)


def store_model(
    project: ProjectContext,
    model: Any,
    name: str,
    *,
    run_id: str,
    example: DataFrame,
    code: Sequence[Path] = (),
) -> StoredModel:
    """Save a model, log it to a run and register it as the next version of ``name``.

    Parameters
    ----------
    example
        A few input rows; MLflow's own signature is inferred from them.
    code
        Modules of the user that the model needs to be loaded. Modules inside the project that
        its types come from are added.

    Raises
    ------
    UnsupportedError
        For what cannot predict, or cannot be saved.
    UnavailableError
        When the run store does not take it.
    """
    with _quiet(), tempfile.TemporaryDirectory(prefix="perijove-model-") as scratch:
        draft = Path(scratch, "model")
        saving = _saving(model)
        try:
            answers = _predict(model, example)
            mlmodel = _draft(run_id)
            saving.save(
                **saving.options,
                path=str(draft),
                mlflow_model=mlmodel,
                signature=_mlflow_signature(example, answers),
                pip_requirements=pins(saving.roots | {"mlflow", "numpy", "pandas"}),
                code_paths=[str(p) for p in _code(project.paths.root, saving.roots, code)] or None,
            )
        except (OSError, TypeError, AttributeError, ValueError, RuntimeError) as error:
            raise UnsupportedError(
                f"The model {name} cannot be saved: {type(error).__name__}: {error}.",
                "Models with predict(frame), and functions of a frame, can be.",
                code="model_not_saved",
            ) from error
        return _register(project, draft, name, run_id, saving)


def _saving(model: Any) -> _Saving:
    roots = {cls.__module__.partition(".")[0] for cls in type(model).__mro__} - {"builtins", "abc"}
    if "sklearn" in roots:
        return _sklearn(model, roots)
    for library, flavor in NATIVE.items():
        if library in roots:
            return _Saving(
                flavor,
                "pickle" if library == "torch" else "other",
                import_module(f"mlflow.{flavor}").save_model,
                {library},
                {f"{flavor}_model" if library == "torch" else _argument(library): model},
            )
    if not (callable(model) or hasattr(model, "predict")):
        raise UnsupportedError(
            f"A {type(model).__name__} cannot predict.",
            "Log an object with predict(frame), or a function of a frame.",
            code="no_model",
        )
    from mlflow import pyfunc

    return _Saving(
        "python_function",
        "pickle",
        pyfunc.save_model,
        roots | _named_by(model) | {"cloudpickle"},
        {"python_model": _wrapped(model)},
    )


def _argument(library: str) -> str:
    return {"xgboost": "xgb_model", "lightgbm": "lgb_model"}[library]


def _sklearn(model: Any, roots: set[str]) -> _Saving:
    """Save with skops where it can be loaded again elsewhere, else with cloudpickle."""
    from mlflow import sklearn

    trusted = _skops_types(model)
    if trusted is None:
        options = {"serialization_format": sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE}
        return _Saving(
            "sklearn",
            "pickle",
            sklearn.save_model,
            roots | _parts(model) | {"sklearn", "cloudpickle"},
            {"sk_model": model, **options},
        )
    roots |= {name.partition(".")[0] for name in trusted} - {"builtins"}
    return _Saving(
        "sklearn",
        "skops",
        sklearn.save_model,
        roots | {"sklearn", "skops"},
        {
            "sk_model": model,
            "serialization_format": sklearn.SERIALIZATION_FORMAT_SKOPS,
            "skops_trusted_types": trusted,
        },
    )


def _skops_types(model: Any) -> list[str] | None:
    """Name the types that skops would not trust by itself; None when it cannot keep the model.

    The types are those of an object that is in this kernel already: naming them lets a loader
    refuse every other. What is defined in the notebook cannot be imported elsewhere.
    """
    import skops.io

    try:
        dumped = skops.io.dumps(model)
        types = sorted(skops.io.get_untrusted_types(data=dumped))
        if any(name.startswith("__main__.") for name in types):
            return None
        skops.io.loads(dumped, trusted=types)
    except Exception:  # noqa: BLE001 - skops runs the reducers of any type: whatever fails, cloudpickle is left
        return None
    return types


def _parts(model: Any) -> set[str]:
    """Top-level modules of an estimator and of the steps inside it."""
    parameters = model.get_params(deep=True).values() if hasattr(model, "get_params") else ()
    return {
        type(value).__module__.partition(".")[0]
        for value in (model, *parameters)
        if hasattr(value, "fit")
    }


def _named_by(function: Any) -> set[str]:
    """Top-level modules that a function's code names."""
    code = getattr(function, "__code__", None)
    if code is None:
        return set()
    named = (function.__globals__.get(name) for name in code.co_names)
    return {
        str(getattr(value, "__module__", None) or getattr(value, "__name__", "")).partition(".")[0]
        for value in named
        if value is not None
    }


def _wrapped(model: Any) -> Any:
    """Let a function, or any object with ``predict``, be MLflow's Python model.

    The class is defined here, so that cloudpickle keeps it by value and a model loads where
    Perijove is not installed.
    """
    import pandas as pd
    from mlflow.pyfunc.model import PythonModel

    if isinstance(model, PythonModel):
        return model

    def predict(self: Any, context: Any, model_input: Any, params: Any = None) -> Any:
        return model.predict(model_input) if hasattr(model, "predict") else model(model_input)

    # MLflow reads the annotation, and advises to write one where there is none. As a class it
    # means a frame of any columns; as text it would not be understood.
    predict.__annotations__ = {"model_input": pd.DataFrame}
    return type("Predictor", (PythonModel,), {"predict": predict})()


def _predict(model: Any, example: DataFrame) -> Any:
    from mlflow.pyfunc.model import PythonModel

    try:
        if isinstance(model, PythonModel):
            return model.predict(None, example)
        if any(cls.__module__.startswith("torch") for cls in type(model).__mro__):
            return _predict_tensor(model, example)
        if any(cls.__module__.startswith("xgboost") for cls in type(model).__mro__) and not hasattr(
            model, "get_params"
        ):
            return model.predict(import_module("xgboost").DMatrix(example))
        return model.predict(example) if hasattr(model, "predict") else model(example)
    except Exception as error:
        raise InvalidInputError(
            f"The model does not take the sample input: {type(error).__name__}: {error}.",
            "Give sample_input the columns that the model was fitted on, in their order.",
            code="sample_refused",
        ) from error


def _predict_tensor(model: Any, example: DataFrame) -> Any:
    torch = import_module("torch")
    with torch.no_grad():
        return model(torch.from_numpy(example.to_numpy(dtype="float32"))).numpy()


def _mlflow_signature(example: DataFrame, answers: Any) -> Any:
    from mlflow.models import infer_signature

    return infer_signature(example, answers)


def _draft(run_id: str) -> Any:
    from mlflow.models import Model

    return Model(run_id=run_id)


def _register(
    project: ProjectContext, draft: Path, name: str, run_id: str, saving: _Saving
) -> StoredModel:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModelOutput
    from mlflow.exceptions import MlflowException

    uri = tracking_uri(project.paths)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    try:
        experiment = client.get_run(run_id).info.experiment_id
        logged = client.create_logged_model(experiment, name=name, source_run_id=run_id)
        _name_in(draft / "MLmodel", logged.model_id)
        client.log_model_artifacts(logged.model_id, str(draft))
        client.finalize_logged_model(logged.model_id, "READY")
        client.log_outputs(run_id, [LoggedModelOutput(model_id=logged.model_id, step=0)])
        with contextlib.suppress(MlflowException):
            # It is there from the second version on; anything else fails in the next call.
            client.create_registered_model(name)
        version = client.create_model_version(
            name,
            source=logged.artifact_location,
            run_id=run_id,
            model_id=logged.model_id,
            await_creation_for=0,
        )
    except MlflowException as error:
        raise UnavailableError(
            f"The run store did not take the model {name}: {error.message}.",
            "Check MLFLOW_TRACKING_URI and the free space of the project's folder.",
            code="model_not_registered",
        ) from error
    number = int(version.version)
    folder = local_folder(logged.artifact_location)
    if folder is None:
        # A remote store keeps the artifacts elsewhere; an endpoint here needs files here.
        folder = project.paths.state / "models" / name / str(number)
        shutil.copytree(draft, folder)
    return StoredModel(number, folder, saving.flavor, saving.format, manifest(folder))


def _name_in(path: Path, model_id: str) -> None:
    """Write the model's id, which only the store can give, into its MLmodel file."""
    from mlflow.models import Model

    model = Model.load(str(path))
    model.model_id = model_id
    model.save(str(path))


def local_folder(location: str) -> Path | None:
    """Return where an artifact location lies on this machine; None for one that does not."""
    parts = urlsplit(location)
    if parts.scheme not in ("", "file"):
        return None
    return Path(unquote(parts.path) if parts.scheme else location)


def manifest(folder: Path) -> dict[str, str]:
    """Hash every file of a model's folder, by its name relative to the folder."""
    return {
        str(path.relative_to(folder)): sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def pins(roots: Iterable[str]) -> list[str]:
    """Write the installed versions of the packages that modules come from as requirements."""
    found: dict[str, str] = {}
    for root in roots:
        # The base package holds all that a model needs of MLflow.
        names = ["mlflow-skinny"] if root == "mlflow" else distributions().get(root, [])
        for name in names[:1]:
            with contextlib.suppress(metadata.PackageNotFoundError):
                found[name] = metadata.version(name)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


@lru_cache(maxsize=1)
def distributions() -> dict[str, list[str]]:
    """Top-level module to the names of the packages that bring it.

    What :func:`importlib.metadata.packages_distributions` tells, without its look at each of some
    ten thousand files: that took longer than all else about a model.
    """
    found: dict[str, list[str]] = {}
    for package in metadata.distributions():
        name = _NAME.search(package.read_text("METADATA") or "")
        if name is None:
            continue
        for root in _top_level(package):
            names = found.setdefault(root, [])
            if name[1] not in names:
                names.append(name[1])
    return found


def _top_level(package: metadata.Distribution) -> set[str]:
    listed = (package.read_text("top_level.txt") or "").split()
    if listed:
        return set(listed)
    firsts = {
        line.partition(",")[0].partition("/")[0]
        for line in (package.read_text("RECORD") or "").splitlines()
    }
    return {first.partition(".")[0] for first in firsts if not first.endswith(_NO_MODULES)} - {""}


def _code(root: Path, roots: set[str], named: Sequence[Path]) -> list[Path]:
    paths = [path.resolve() for path in named]
    for path in paths:
        if not path.exists():
            raise NotFoundError(
                f"The code {path} is not there.", "Name files or folders of modules."
            )
    for module in roots:
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is None or "site-packages" in file:
            continue
        own = Path(file).resolve()
        own = own.parent if own.name == "__init__.py" else own
        if own.is_relative_to(root) and not any(own.is_relative_to(path) for path in paths):
            paths.append(own)
    return paths


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what MLflow says about formats and integers: the gate says it where it matters."""
    import mlflow.pyfunc  # noqa: F401 - its import sets the level that is changed here

    log = logging.getLogger("mlflow")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
