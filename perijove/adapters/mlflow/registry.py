"""Registered models in MLflow's own schema: implements ``perijove.deploy.ports.ModelRegistry``.

Aliases and descriptions are written by MLflow's client, so that whatever MLflow checks is checked;
they are read by SQL where the database is the project's own, for the client's import alone takes
longer than a page should.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove.adapters.mlflow import database
from perijove.contracts.deploy import Field, ModelFacts, Signature, TensorType
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

PAGE: Final = 500
MAX_DESCRIPTION: Final = 5000
_TYPES: Final[dict[str, TensorType]] = {
    "boolean": "BOOL", "integer": "INT32", "long": "INT64", "float": "FP32", "double": "FP64",
    "string": "BYTES",
}  # fmt: skip


class MlflowRegistry:
    """The registered models of a project's tracking URI.

    Parameters
    ----------
    project
        The open project.
    """

    def __init__(self, project: ProjectContext) -> None:
        self.project = project
        self._uri = database.tracking_uri(project.paths)
        self._own = self._uri == database.own_uri(project.paths)

    def aliases(self) -> dict[str, dict[str, int]]:
        if self._own:
            return self._read_aliases()
        found: dict[str, dict[str, int]] = {}
        with _errors():
            client, token = self._client(), None
            while True:
                page = client.search_registered_models(max_results=PAGE, page_token=token)
                for model in page:
                    found[model.name] = {a: int(v) for a, v in model.aliases.items()}
                if not (token := page.token):
                    return found

    def _read_aliases(self) -> dict[str, dict[str, int]]:
        path = self.project.paths.mlflow_db
        if not path.exists():
            return {}
        found: dict[str, dict[str, int]] = {}
        try:
            with contextlib.closing(
                sqlite3.connect(f"file:{path.as_posix()}?mode=ro", uri=True, timeout=5)
            ) as db:
                for name, alias, version in db.execute(
                    "SELECT name, alias, version FROM registered_model_aliases ORDER BY alias"
                ):
                    found.setdefault(name, {})[alias] = version
        except sqlite3.DatabaseError as error:
            raise UnavailableError(
                f"The registry of models does not answer: {error}.", "Try again."
            ) from error
        return found

    def set_alias(self, name: str, alias: str, version: int) -> None:
        with _errors():
            self._client().set_registered_model_alias(name, alias, str(version))

    def remove_alias(self, name: str, alias: str) -> None:
        with _errors():
            self._client().delete_registered_model_alias(name, alias)

    def describe(self, name: str, version: int, markdown: str) -> None:
        if len(markdown) > MAX_DESCRIPTION:
            markdown = markdown[: MAX_DESCRIPTION - 2].rstrip() + "\n…"
        with _errors():
            self._client().update_model_version(name, str(version), description=markdown)

    def adopt(self, run_id: str, path: str, name: str) -> tuple[int, ModelFacts]:
        from perijove.adapters.mlflow.models import local_folder, manifest

        client = self._client()
        with _errors():
            logged = _logged(client, run_id, path)
            folder = local_folder(logged.artifact_location)
            if folder is None or not folder.is_dir():
                raise UnsupportedError(
                    f"The files of {logged.name} lie at {logged.artifact_location}.",
                    "Only models whose files are on this machine can be deployed from here.",
                    code="artifacts_elsewhere",
                )
            described = _described(folder)
            with contextlib.suppress(ConflictError), _errors():
                client.create_registered_model(name)
            version = client.create_model_version(
                name, source=logged.artifact_location, run_id=run_id, model_id=logged.model_id,
                await_creation_for=0,
            )  # fmt: skip
        number = int(version.version)
        return number, msgspec.structs.replace(
            described,
            run_id=run_id,
            uri=f"models:/{name}/{number}",
            folder=self.project.paths.relative(folder),
            manifest=manifest(folder),
        )

    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)


def _logged(client: MlflowClient, run_id: str, path: str) -> Any:
    """Find the model that a run logged: by its name, or the only one that there is."""
    run = client.get_run(run_id)
    models = client.search_logged_models(
        [run.info.experiment_id], filter_string=f"source_run_id = '{run_id}'"
    )
    named = [model for model in models if model.name == path.strip("/")]
    chosen = named or (models if len(models) == 1 else [])
    if not chosen:
        names = ", ".join(sorted({model.name for model in models}))
        raise NotFoundError(
            f"The run logged no model {path!r}.",
            f"It logged: {names}." if names else "mlflow.sklearn.log_model logs one.",
            code="model_not_found",
        )
    return max(chosen, key=lambda model: model.creation_timestamp)


def _described(folder: Path) -> ModelFacts:
    """Tell from a model's own files what it is, without loading it: a pickle would run code."""
    import yaml

    try:
        said = yaml.safe_load((folder / "MLmodel").read_text())
    except (OSError, yaml.YAMLError) as error:
        raise UnsupportedError(
            f"{folder / 'MLmodel'} cannot be read: {error}.", "Log the model again."
        ) from error
    flavors = said.get("flavors") or {}
    flavor = next((one for one in flavors if one != "python_function"), "python_function")
    options = flavors.get(flavor) or {}
    serialized = str(options.get("serialization_format", ""))
    kind: Any = "other"
    if flavor == "onnx":
        kind = "onnx"
    elif serialized == "skops":
        kind = "skops"
    elif serialized in ("cloudpickle", "pickle") or flavor in ("pytorch", "python_function"):
        kind = "pickle"
    return ModelFacts(
        run_id="", uri="", folder="", flavor=flavor, format=kind, manifest={},
        signature=_signature(said.get("signature")), sample=_sample(folder),
        unprofiled="it was logged by MLflow's own means, which do not say what it was trained on",
    )  # fmt: skip


def _signature(said: Any) -> Signature | None:
    if not isinstance(said, dict) or not said.get("inputs"):
        return None
    try:
        fields = [
            Field(
                name=column["name"],
                type=_TYPES[column["type"]],
                required=bool(column.get("required", True)),
            )
            for column in msgspec.json.decode(said["inputs"])
        ]
    except (msgspec.DecodeError, KeyError, TypeError):
        return None  # of tensors, or of types that have no column: the gate says that it has none
    return Signature(inputs=fields, outputs=[])


def _sample(folder: Path) -> dict[str, Any] | None:
    try:
        said = msgspec.json.decode((folder / "input_example.json").read_bytes())
        return dict(zip(said["columns"], said["data"][0], strict=True))
    except (OSError, msgspec.DecodeError, KeyError, IndexError, TypeError, ValueError):
        return None


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        code = error.error_code
        if code == "RESOURCE_DOES_NOT_EXIST":
            raise NotFoundError(
                f"{error.message}", "See the Models page for what there is.",
                code="model_not_found",
            ) from error  # fmt: skip
        if code == "RESOURCE_ALREADY_EXISTS":
            raise ConflictError(f"{error.message}", "Choose another name.") from error
        if code == "INVALID_PARAMETER_VALUE":
            raise InvalidInputError(f"{error.message}") from error
        raise UnavailableError(
            f"The registry of models does not answer: {error.message}.",
            "Check MLFLOW_TRACKING_URI and the free space of the project's folder.",
        ) from error
