"""Ask a worker over its Unix socket, without importing an HTTP client."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import msgspec


class WorkerName(msgspec.Struct):
    pid: int
    revision: int


def ask(path: Path, target: str, timeout: float) -> tuple[int, bytes]:
    """Send a GET; return status and body, or 0 when nothing answers in time."""
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    chunks: list[bytes] = []
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout)
            sock.connect(str(path))
            sock.sendall(request.encode())
            while chunk := sock.recv(65536):
                chunks.append(chunk)
    except OSError:
        return 0, b""
    head, _, body = b"".join(chunks).partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    return (int(words[1]) if len(words) > 1 and words[1].isdigit() else 0), body


def is_private(path: Path) -> bool:
    """Whether a socket's folder is this user's alone, so that nobody else can stand in."""
    try:
        folder = path.parent.stat()
    except OSError:
        return False
    return folder.st_uid == os.getuid() and not folder.st_mode & 0o077


def is_ready(path: Path) -> bool:
    """Whether the worker behind a socket answers."""
    return path.exists() and ask(path, "/v2/health/ready", 2.0)[0] == 200


def ask_worker(path: Path) -> WorkerName | None:
    """Return who answers on a socket; None when nobody does, or it is no worker of ours."""
    status, body = ask(path, "/perijove", 5.0)
    if status != 200:
        return None
    try:
        return msgspec.json.decode(body, type=WorkerName)
    except msgspec.MsgspecError:
        return None
