"""The Open Inference Protocol v2 over REST: one tensor a column, as JSON or as bytes behind it.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from math import prod
from typing import Any, Final, get_args

import msgspec

from perijove.adapters.serving.worker.binary import (
    BINARY,
    BINARY_OUTPUT,
    SIZE,
    cut,
    decode,
    encode,
)
from perijove.adapters.serving.worker.columns import Columns
from perijove.contracts.deploy import Field, TensorType
from perijove.core.errors import InvalidInputError, ModelInputError, NotFoundError

_TYPES: Final = frozenset(get_args(TensorType)) | {"FP16"}


class Tensor(msgspec.Struct):
    """An input tensor; parameters that are not known and unknown fields are ignored."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] = {}


class Asked(msgspec.Struct):
    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct):
    inputs: list[Tensor]
    id: str = ""
    outputs: list[Asked] | None = None
    parameters: dict[str, Any] = {}

    def binary(self, output: str) -> bool:
        """Whether an output is wanted as bytes."""
        for asked in self.outputs or ():
            if asked.name == output and BINARY in asked.parameters:
                return bool(asked.parameters[BINARY])
        return bool(self.parameters.get(BINARY_OUTPUT))


class OutputTensor(msgspec.Struct, omit_defaults=True):
    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | None = None
    parameters: dict[str, int] | None = None


class InferReply(msgspec.Struct):
    model_name: str
    model_version: str
    id: str
    parameters: dict[str, str]
    outputs: list[OutputTensor]


_decoder = msgspec.json.Decoder(InferRequest)


def read(body: bytes, length: str | None = None) -> InferRequest:
    """Decode a request.

    Parameters
    ----------
    length
        How many bytes of the body are JSON, as its header says; all where there is none.

    Raises
    ------
    InvalidInputError
        When it is no JSON, or not the protocol's.
    """
    rest = memoryview(b"")
    if length is not None:
        body, rest = cut(body, length)
    try:
        request = _decoder.decode(body)
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
    for tensor in request.inputs:
        size = tensor.parameters.get(SIZE)
        if size is None:
            continue
        if type(size) is not int or not 0 <= size <= len(rest):
            raise InvalidInputError(
                f"Column {tensor.name!r} says {size!r} bytes, and {len(rest)} are left of the body.",
                "binary_data_size is the number of bytes of the tensor, in the order of the inputs.",
                code="bad_request",
            )
        rows = _rows_of(tensor)
        tensor.data = decode(tensor.name, tensor.datatype, rows, rest[:size])
        tensor.shape, rest = [rows], rest[size:]
    if len(rest):
        raise InvalidInputError(
            f"The body has {len(rest)} bytes that belong to no input.",
            "Send Inference-Header-Content-Length, and a binary_data_size for each input in it.",
            code="bad_request",
        )
    return request


def columns_of(request: InferRequest) -> tuple[Columns, int]:
    """Take the tensors apart into columns; return them and the number of rows."""
    columns: Columns = {}
    rows: int | None = None
    for tensor in request.inputs:
        name = tensor.name
        if name in columns:
            raise ModelInputError(f"Column {name!r} is there twice.", "Send each column once.")
        count = _rows_of(tensor)
        data = tensor.data
        if data is None:
            raise ModelInputError(f"Column {name!r} has no data.", "Send data for each input.")
        for _ in tensor.shape[1:]:
            if data and all(type(item) is list and len(item) == 1 for item in data):
                data = [item[0] for item in data]
        if len(data) != count:
            raise ModelInputError(
                f"Column {name!r} has {len(data)} values and says {count}.",
                "Make shape and data agree.",
            )
        if rows is not None and rows != count:
            raise ModelInputError(
                f"Column {name!r} has {count} rows, the one before has {rows}.",
                "Send the same number of rows in every column.",
            )
        rows = count
        columns[name] = data
    return columns, rows or 0


def _rows_of(tensor: Tensor) -> int:
    """Return how many rows a tensor says that it has: it is one column of them."""
    if tensor.datatype not in _TYPES:
        raise ModelInputError(
            f"Column {tensor.name!r}: {tensor.datatype!r} is no datatype.",
            f"Use one of {', '.join(sorted(_TYPES))}.",
        )
    shape = tensor.shape
    if not shape or any(size < 0 for size in shape) or prod(shape[1:]) != 1:
        raise ModelInputError(
            f"Column {tensor.name!r} has shape {shape}.", "Send shape [rows] or [rows, 1]."
        )
    return shape[0]


def reply(
    request: InferRequest, fields: list[Field], outputs: Columns, *, name: str, version: str,
    prediction_id: str, rows: int,
) -> tuple[bytes, int | None]:  # fmt: skip
    """Encode the answer, with only the outputs that were asked for.

    Returns
    -------
    tuple
        The body, and how many of its bytes are JSON where bytes of tensors follow.
    """
    types = {field.name: field.type for field in fields}
    asked = [a.name for a in request.outputs] if request.outputs else list(outputs)
    tensors: list[OutputTensor] = []
    chunks: list[bytes] = []
    for output in asked:
        kind = types.get(output, "BYTES")
        if request.binary(output):
            chunks.append(encode(kind, outputs[output]))
            size = {SIZE: len(chunks[-1])}
            tensors.append(OutputTensor(output, kind, [rows], parameters=size))
        else:
            tensors.append(OutputTensor(output, kind, [rows], outputs[output]))
    head = msgspec.json.encode(
        InferReply(
            model_name=name,
            model_version=version,
            id=request.id or prediction_id,
            parameters={"perijove_prediction_id": prediction_id},
            outputs=tensors,
        )
    )
    return (b"".join([head, *chunks]), len(head)) if chunks else (head, None)


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
