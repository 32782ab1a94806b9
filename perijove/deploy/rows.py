"""Rows of a form as the tensors of the Open Inference Protocol, and calls for people to copy."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any
from urllib.parse import quote

import msgspec

from perijove.contracts.deploy import Signature, TensorType
from perijove.core.errors import InvalidInputError

_DIGITS = re.compile(r"-?[0-9]{1,20}")


def tensors(rows: list[dict[str, Any]], signature: Signature | None) -> list[dict[str, Any]]:
    """Put rows into one tensor a column, typed by the signature where it knows the column.

    A column that some row lacks has null there; the endpoint says whether the model can take it.
    """
    if not rows:
        raise InvalidInputError("There are no rows.", "Send at least one row.", code="no_rows")
    known: dict[str, TensorType] = {f.name: f.type for f in signature.inputs} if signature else {}
    names = dict.fromkeys(name for row in rows for name in row)
    result = []
    for name in names:
        values = [row.get(name) for row in rows]
        datatype = known.get(name) or _type_of(values)
        if "INT" in datatype:
            values = [_integer(value) for value in values]
        result.append(
            {
                "name": name,
                "shape": [len(rows)],
                "datatype": datatype,
                "data": values,
            }
        )
    return result


def _integer(value: Any) -> Any:
    """Read digits as a number: what a browser would round travels to us as text."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


def _type_of(values: list[Any]) -> TensorType:
    types = {type(value) for value in values if value is not None}
    if types == {bool}:
        return "BOOL"
    if types == {int}:
        return "INT64"
    return "FP64" if types and types <= {int, float} else "BYTES"


def infer_body(rows: list[dict[str, Any]], signature: Signature | None) -> bytes:
    """Encode an inference request."""
    return msgspec.json.encode({"inputs": tensors(rows, signature)})


def snippets(
    endpoint: str, socket: str, sample: dict[str, Any] | None, signature: Signature | None
) -> dict[str, str]:
    """Write calls of the endpoint, with a real row: ``curl``, ``python`` and plain ``http``."""
    row = sample or {}
    path = f"http://localhost/v2/models/{quote(endpoint)}/infer"
    body = {"inputs": tensors([row], signature) if row else []}
    text = json.dumps(body, ensure_ascii=False)
    return {
        "curl": (
            f"curl --unix-socket {shlex.quote(socket)} \\\n"
            f"  {path} \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d {shlex.quote(text)}\n"
        ),
        "python": (
            "import pandas as pd\n"
            "import perijove as pj\n\n"
            f"rows = pd.DataFrame([{row!r}])\n"
            f"pj.endpoint({endpoint!r}).predict(rows)\n"
        ),
        "http": (
            "import httpx\n\n"
            f"transport = httpx.HTTPTransport(uds={socket!r})\n"
            "with httpx.Client(transport=transport) as client:\n"
            f"    reply = client.post(\n        {path!r},\n        json={body!r},\n    )\n"
            "print(reply.json())\n"
        ),
    }
