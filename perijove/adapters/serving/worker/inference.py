"""The Open Inference Protocol v2 over REST, JSON tensors: one tensor a column.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from math import prod
from typing import Any, Final, get_args

import msgspec

from perijove.adapters.serving.worker.columns import Columns
from perijove.contracts.deploy import Field, TensorType
from perijove.core.errors import InvalidInputError, ModelInputError, NotFoundError

_TYPES: Final = frozenset(get_args(TensorType)) | {"FP16"}


class Tensor(msgspec.Struct):
    """An input tensor; parameters and unknown fields are ignored."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Asked(msgspec.Struct):
    name: str


class InferRequest(msgspec.Struct):
    inputs: list[Tensor]
    id: str = ""
    outputs: list[Asked] | None = None


class OutputTensor(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


class InferReply(msgspec.Struct):
    model_name: str
    model_version: str
    id: str
    parameters: dict[str, str]
    outputs: list[OutputTensor]


_decoder = msgspec.json.Decoder(InferRequest)


def read(body: bytes) -> InferRequest:
    """Decode a request.

    Raises
    ------
    InvalidInputError
        When it is no JSON, or not the protocol's.
    """
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInputError(
            f"This is no inference request: {error}.",
            "Send inputs with name, shape, datatype and data.",
            code="bad_request",
        ) from error
    except msgspec.DecodeError as error:
        raise InvalidInputError(
            f"The body is not JSON: {error}.", "Send a JSON object.", code="bad_json"
        ) from error


def columns_of(request: InferRequest) -> tuple[Columns, int]:
    """Take the tensors apart into columns; return them and the number of rows."""
    columns: Columns = {}
    rows: int | None = None
    for tensor in request.inputs:
        name = tensor.name
        if name in columns:
            raise ModelInputError(f"Column {name!r} is there twice.", "Send each column once.")
        if tensor.datatype not in _TYPES:
            raise ModelInputError(
                f"Column {name!r}: {tensor.datatype!r} is no datatype.",
                f"Use one of {', '.join(sorted(_TYPES))}.",
            )
        shape = tensor.shape
        if not shape or any(size < 0 for size in shape) or prod(shape[1:]) != 1:
            raise ModelInputError(
                f"Column {name!r} has shape {shape}.", "Send shape [rows] or [rows, 1]."
            )
        data = tensor.data
        for _ in shape[1:]:
            if data and all(type(item) is list and len(item) == 1 for item in data):
                data = [item[0] for item in data]
        if len(data) != shape[0]:
            raise ModelInputError(
                f"Column {name!r} has {len(data)} values and says {shape[0]}.",
                "Make shape and data agree.",
            )
        if rows is not None and rows != shape[0]:
            raise ModelInputError(
                f"Column {name!r} has {shape[0]} rows, the one before has {rows}.",
                "Send the same number of rows in every column.",
            )
        rows = shape[0]
        columns[name] = data
    return columns, rows or 0


def reply(
    request: InferRequest, fields: list[Field], outputs: Columns, *, name: str, version: str,
    prediction_id: str, rows: int,
) -> bytes:  # fmt: skip
    """Encode the answer, with only the outputs that were asked for."""
    types = {field.name: field.type for field in fields}
    asked = [a.name for a in request.outputs] if request.outputs else list(outputs)
    return msgspec.json.encode(
        InferReply(
            model_name=name,
            model_version=version,
            id=request.id or prediction_id,
            parameters={"perijove_prediction_id": prediction_id},
            outputs=[
                OutputTensor(output, types.get(output, "BYTES"), [rows], outputs[output])
                for output in asked
            ],
        )
    )


def check_asked(request: InferRequest, fields: list[Field]) -> None:
    """Refuse an output that the model does not have, before it works."""
    known = {field.name for field in fields}
    for asked in request.outputs or []:
        if known and asked.name not in known:
            raise NotFoundError(
                f"The model has no output {asked.name!r}.", f"It has: {', '.join(sorted(known))}."
            )


def metadata(name: str, version: str, inputs: list[Field], outputs: list[Field]) -> dict[str, Any]:
    """Describe the model."""

    def tensors(fields: list[Field]) -> list[dict[str, Any]]:
        return [{"name": f.name, "datatype": f.type, "shape": [-1]} for f in fields]

    return {
        "name": name,
        "versions": [version],
        "platform": "perijove",
        "inputs": tensors(inputs),
        "outputs": tensors(outputs),
    }
