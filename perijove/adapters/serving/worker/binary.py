"""The binary tensor data extension: tensors as bytes behind the JSON of a request or an answer.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Final

from perijove.core.errors import InvalidInputError, ModelInputError

LENGTH_HEADER: Final = "inference-header-content-length"
"""Of a body that holds binary tensors: how many bytes its JSON has."""
BINARY: Final = "binary_data"
SIZE: Final = "binary_data_size"
BINARY_OUTPUT: Final = "binary_data_output"
_DTYPES: Final = {
    "BOOL": "?", "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "UINT8": "u1",
    "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
_LENGTH = struct.Struct("<I")


def cut(body: bytes, length: str) -> tuple[bytes, memoryview]:
    """Cut a body into its JSON and the bytes behind it.

    Parameters
    ----------
    length
        What the header says.

    Raises
    ------
    InvalidInputError
        When the header is no number, or larger than the body.
    """
    if not length.isdigit() or int(length) > len(body):
        raise InvalidInputError(
            f"The header {LENGTH_HEADER} says {length[:20]!r} for a body of {len(body)} bytes.",
            "It is the number of bytes of the JSON at the body's head.",
            code="bad_request",
        )
    size = int(length)
    return body[:size], memoryview(body)[size:]


def decode(name: str, datatype: str, values: int, content: memoryview) -> list[Any]:
    """Read a tensor's bytes.

    Parameters
    ----------
    values
        How many its shape says.
    """
    if datatype == "BYTES":
        return _words(name, values, content)
    import numpy as np

    dtype = np.dtype(_DTYPES[datatype])
    if len(content) != values * dtype.itemsize:
        raise ModelInputError(
            f"Column {name!r} has {len(content)} bytes, and {values} values of {datatype} have "
            f"{values * dtype.itemsize}.",
            "Make shape, datatype and data agree.",
        )
    found: list[Any] = np.frombuffer(content, dtype).tolist()
    return found


def _words(name: str, values: int, content: memoryview) -> list[str]:
    found: list[str] = []
    at, end = 0, len(content)
    while at < end and len(found) <= values:
        if at + 4 > end or (size := _LENGTH.unpack_from(content, at)[0]) > end - at - 4:
            raise ModelInputError(
                f"Column {name!r}: the text of value {len(found)} is cut off.",
                "Each text is four bytes of length, little endian, and its bytes.",
            )
        try:
            found.append(bytes(content[at + 4 : at + 4 + size]).decode())
        except UnicodeDecodeError as error:
            raise ModelInputError(
                f"Column {name!r}, row {len(found)}: the text is not UTF-8 ({error.reason})."
            ) from error
        at += 4 + size
    if len(found) != values or at != end:
        raise ModelInputError(
            f"Column {name!r} has {len(found)} texts and says {values}.",
            "Make shape and data agree.",
        )
    return found


def encode(datatype: str, values: Iterable[Any]) -> bytes:
    """Write a tensor's values as bytes."""
    if datatype == "BYTES":
        words = ["" if value is None else str(value) for value in values]
        texts = [word.encode() for word in words]
        return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    import numpy as np

    return np.array(list(values), dtype=_DTYPES[datatype]).tobytes()
