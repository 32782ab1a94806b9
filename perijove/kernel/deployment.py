"""``pj.deploy`` and ``pj.endpoint``: a model behind a URL, asked from the notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove.contracts.deploy import DeployRequest, OverrideRequest
from perijove.core.chain import ref_name
from perijove.core.errors import (
    InvalidInputError,
    ModelInputError,
    NotFoundError,
    UnavailableError,
)
from perijove.kernel import words
from perijove.kernel.files import unwatched
from perijove.kernel.frames import plain_rows, plain_values, to_pandas
from perijove.kernel.models import log_model
from perijove.kernel.session import Session, current

if TYPE_CHECKING:
    from pandas import DataFrame

    from perijove.contracts.chain import Node
    from perijove.contracts.deploy import Endpoint

PREDICTION_ID: Final = "prediction_id"
READY_SECONDS: Final = 60.0


class EndpointHandle:
    """A deployed endpoint."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name

    @property
    def status(self) -> Endpoint:
        """How it stands now."""
        return self._session.workbench.deploy.endpoint(self.name)

    def predict(self, rows: Any) -> DataFrame:
        """Ask for predictions.

        Parameters
        ----------
        rows
            A frame, a mapping of columns, one row as a mapping, or a list of rows.

        Returns
        -------
        pandas.DataFrame
            The model's outputs and each row's ``prediction_id``, with the index of ``rows``. The
            ids are what :meth:`record_outcomes` takes.

        Raises
        ------
        ModelInputError
            Naming the column that the model cannot take.
        UnavailableError
            When the endpoint does not answer, or the model raises.
        """
        import pandas as pd

        frame = to_pandas(rows)
        deploy = self._session.workbench.deploy
        reply = deploy.invoke(self.name, plain_rows(frame))
        if reply.status >= 400:
            raise _refusal(self.name, reply.status, reply.body)
        outputs = msgspec.json.decode(reply.body)["outputs"]
        identifiers = (
            [f"{reply.prediction_id}:{row}" for row in range(len(frame))]
            if len(frame) > 1
            else [reply.prediction_id]
        )
        columns = {output["name"]: output["data"] for output in outputs}
        return pd.DataFrame({**columns, PREDICTION_ID: identifiers}, index=frame.index)

    def record_outcomes(self, outcomes: Any, truth: Any = None) -> str:
        """Record what turned out to be true, so that the live KPI can be measured.

        Parameters
        ----------
        outcomes
            A mapping of prediction id to outcome; or a frame that has ``prediction_id`` and one
            more column, or the column that ``truth`` names; or the ids, with ``truth`` as the
            outcomes in the same order.

        Returns
        -------
        str
            How many were recorded, and the live KPI.
        """
        self._session.refuse_in_rerun("records no outcomes")
        identifiers, values = _outcomes(outcomes, truth)
        return self._session.workbench.monitor.record_outcomes(
            self.name, identifiers, values, by=self._session.actor
        )

    def __repr__(self) -> str:
        return words.endpoint(self.status)


def endpoint(name: str) -> EndpointHandle:
    """Name a deployed endpoint.

    Raises
    ------
    NotFoundError
        Naming the endpoints that there are.
    """
    session = current()
    session.workbench.deploy.endpoint(name)
    return EndpointHandle(session, name)


def deploy(
    model: Any, endpoint: str | None = None, target: str = "local", override: str | None = None
) -> EndpointHandle:
    """Ask the gate, deploy, and wait until the model answers.

    Parameters
    ----------
    model
        ``"builds"``, ``"builds@2"``, ``"models:/builds/2"``, or an object of the kernel: as it is
        now, logged anew if it was fitted again since it was logged.
    endpoint
        The endpoint's name; the model's when left out.
    override
        A reason to pass a closed gate. It is signed with your name, written to the audit and
        shown wherever the endpoint is.

    Raises
    ------
    GateBlockedError
        Naming the columns and numbers that fail.
    UnavailableError
        When the endpoint does not come up, with its own reason.
    """
    session = current()
    node = model_version(session, model)
    name = endpoint or node.name
    request_deployment(session, node, name, target, override)
    session.workbench.deploy.wait(name, READY_SECONDS)
    return EndpointHandle(session, name)


def request_deployment(
    session: Session, node: Node, endpoint: str, target: str, override: str | None
) -> Endpoint:
    """Put a revision on the chain; return before it answers."""
    session.refuse_in_rerun("deploys nothing")
    signed = OverrideRequest(by=session.actor, reason=override) if override is not None else None
    with unwatched():
        session.workbench.project.trust.give()
        return session.workbench.deploy.deploy(
            DeployRequest(model=node.ref, endpoint=endpoint, target=target, override=signed),
            by=session.actor,
        )


def model_version(session: Session, model: Any, name: str = "") -> Node:
    """Find a version by what people write, or by the object.

    An object that nobody logged, or that has changed since, is logged here.

    Parameters
    ----------
    name
        What to call an object that was not logged before; after its type when empty.
    """
    if isinstance(model, str):
        return session.workbench.deploy.resolve_model(model)
    ref = session.models.find(model)
    if ref is None:
        ref = log_model(model, name or type(model).__name__)
    elif session.models.changed(model):
        ref = log_model(model, ref_name(ref))
    return session.workbench.project.chain.get(ref)


def named_model(session: Session, text: str) -> Node:
    """Find a version by name; where none has it, by a variable of the notebook."""
    try:
        return model_version(session, text)
    except NotFoundError:
        value = session.shell.user_ns.get(text) if session.shell is not None else None
        if not hasattr(value, "predict"):
            raise
        return model_version(session, value, text)


def _refusal(name: str, status: int, body: str) -> ModelInputError | UnavailableError:
    try:
        reply = msgspec.json.decode(body)
    except msgspec.DecodeError:
        reply = {}
    said = reply if isinstance(reply, dict) else {}
    message = str(said.get("message") or said.get("error") or body[:300] or f"status {status}")
    hint, code = str(said.get("hint", "")), str(said.get("code", ""))
    if status < 500:
        return ModelInputError(message, hint, code=code)
    return UnavailableError(f"{name} answered {status}: {message}", hint, code=code)


def _outcomes(outcomes: Any, truth: Any) -> tuple[list[str], list[Any]]:
    if isinstance(outcomes, Mapping):
        return [str(key) for key in outcomes], [_plain(value) for value in outcomes.values()]
    if hasattr(outcomes, "columns"):
        frame = to_pandas(outcomes)
        if PREDICTION_ID not in frame.columns:
            raise InvalidInputError(
                f"The frame has no column {PREDICTION_ID!r}.",
                "Keep the ids that predict() returned beside the outcomes.",
            )
        if truth is not None and not isinstance(truth, str):
            return plain_values(frame[PREDICTION_ID]), [_plain(value) for value in truth]
        others = [name for name in frame.columns if name != PREDICTION_ID]
        column = truth if truth is not None else others[0] if len(others) == 1 else None
        if column not in frame.columns:
            raise InvalidInputError(
                f"The frame has no column {column!r}."
                if column is not None
                else f"Which column is the outcome: {', '.join(others)}?",
                "Name it: record_outcomes(frame, 'COLUMN').",
            )
        known = frame[frame[column].notna()]
        return plain_values(known[PREDICTION_ID]), plain_values(known[column])
    if truth is None:
        raise InvalidInputError(
            "The outcomes have no prediction ids.",
            "Give a mapping of id to outcome, a frame with prediction_id, or ids and outcomes.",
        )
    return [str(one) for one in outcomes], [_plain(value) for value in truth]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
