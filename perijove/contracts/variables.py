"""Tables among a kernel's variables, asked over a comm while cells run.

The browser opens a comm to the target ``perijove.variables`` and sends requests; each is answered
by a message with the same ``id``. Rows come as an Arrow IPC stream in the message's first buffer.
"""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import ErrorBody, Struct
from perijove.contracts.data import Column

TARGET = "perijove.variables"


class VariablesRequest(Struct):
    id: int
    do: Literal["list", "describe", "rows"]
    name: str = ""
    offset: int = 0
    limit: int = 512
    columns: list[int] = []
    """By position; all when empty."""


class Variable(Struct):
    name: str
    type: str
    """Such as ``pandas.DataFrame``."""
    rows: int
    columns: int
    bytes: int | None


class VariablesReply(Struct):
    id: int
    variables: list[Variable] = []
    """Of ``list``."""
    rows: int = 0
    columns: list[Column] = []
    """Of ``describe``; nulls are not counted."""
    error: ErrorBody | None = None
