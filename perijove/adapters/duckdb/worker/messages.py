"""Messages over a pipe: msgpack behind a four-byte length."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

import msgspec

_HEAD = struct.Struct("<I")


def read_message(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message; None at the end of the stream."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    (length,) = _HEAD.unpack(head)
    body = stream.read(length)
    if len(body) < length:
        return None
    message: dict[str, Any] = msgspec.msgpack.decode(body)
    return message


def write_message(stream: BinaryIO, message: dict[str, Any]) -> None:
    body = msgspec.msgpack.encode(message)
    stream.write(_HEAD.pack(len(body)) + body)
    stream.flush()
