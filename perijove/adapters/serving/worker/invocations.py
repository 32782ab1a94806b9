"""MLflow's scoring protocol, ``/invocations``, in its four JSON forms.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/#json-input
"""

from __future__ import annotations

from typing import Any

import msgspec

from perijove.adapters.serving.worker.columns import Columns
from perijove.core.errors import InvalidInputError, ModelInputError

FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")


def columns_of(body: bytes, names: list[str]) -> tuple[Columns, int]:
    """Read a request into columns.

    Parameters
    ----------
    names
        The signature's columns: what the values of a row without names are.
    """
    try:
        request = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise InvalidInputError(
            f"The body is not JSON: {error}.", "Send a JSON object.", code="bad_json"
        ) from error
    given = [form for form in FORMS if isinstance(request, dict) and form in request]
    if len(given) != 1:
        raise InvalidInputError(
            f"The body has {len(given) or 'none'} of {', '.join(FORMS)}.",
            "Send a JSON object with exactly one of them.",
            code="bad_request",
        )
    form, value = given[0], request[given[0]]
    if form == "dataframe_split":
        if not isinstance(value, dict) or not isinstance(value.get("data"), list):
            raise InvalidInputError(
                "dataframe_split needs columns and data.",
                'Send {"columns": [...], "data": [[...]]}.',
                code="bad_request",
            )
        return _from_rows(value["data"], [str(name) for name in value.get("columns") or names])
    if form == "dataframe_records" and not isinstance(value, list):
        raise InvalidInputError(
            "dataframe_records is a list of objects.", 'Send [{"column": value}].'
        )
    if isinstance(value, dict):
        columns = {n: v if isinstance(v, list) else [v] for n, v in value.items()}
        return columns, len(next(iter(columns.values()), []))
    if not isinstance(value, list):
        raise InvalidInputError(f"{form} is a list of rows, or an object of columns.")
    if value and all(isinstance(row, dict) for row in value):
        return _from_records(value)
    if len(names) == 1 and not any(isinstance(row, list) for row in value):
        return {names[0]: value}, len(value)
    return _from_rows(value, names)


def _from_rows(rows: list[Any], names: list[str]) -> tuple[Columns, int]:
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise ModelInputError(f"Row {number} is no list.", "Send a list of values a row.")
        if len(row) != len(names):
            missing = f"; {names[len(row)]!r} is missing" if len(row) < len(names) else ""
            raise ModelInputError(
                f"Row {number} has {len(row)} values for {len(names)} columns{missing}.",
                f"Send {', '.join(names[:30])}.",
            )
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}, len(rows)


def _from_records(records: list[dict[str, Any]]) -> tuple[Columns, int]:
    names = list(dict.fromkeys(name for record in records for name in record))
    return {name: [record.get(name) for record in records] for name in names}, len(records)


def reply(outputs: Columns) -> bytes:
    """Encode the answer as MLflow's own server does for the same model.

    A classifier answers its labels; the probabilities are in the other protocol. A model with
    several outputs answers a record a row.
    """
    if "prediction" in outputs and all(
        name == "prediction" or name.startswith("probability_") for name in outputs
    ):
        return msgspec.json.encode({"predictions": outputs["prediction"]})
    names = list(outputs)
    if len(names) == 1:
        return msgspec.json.encode({"predictions": outputs[names[0]]})
    records = [dict(zip(names, row, strict=True)) for row in zip(*outputs.values(), strict=True)]
    return msgspec.json.encode({"predictions": records})
