"""Is a registered version still what it was? Hashes are kept beside the size and the time."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from perijove.contracts.base import Struct
from perijove.contracts.data import DataFacts
from perijove.core.files import sha256_file, write_atomically
from perijove.core.paths import ProjectPaths

VersionState = Literal["current", "changed", "missing"]
HASHES = "hashes.json"


class KnownHash(Struct):
    size: int
    mtime_ns: int
    sha256: str


def content_hash(paths: ProjectPaths, file: Path) -> str:
    """Hash a file, or tell the hash that it had with the same size and time of change.

    Raises
    ------
    FileNotFoundError
        When the file is gone.
    """
    stat = file.stat()
    cache = paths.cache / HASHES
    known: dict[str, KnownHash] = {}
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        # Only a cache: what is lost is computed again.
        known = msgspec.json.decode(cache.read_bytes(), type=dict[str, KnownHash])
    entry = known.get(str(file))
    if entry is not None and (entry.size, entry.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return entry.sha256
    digest = sha256_file(file)
    known[str(file)] = KnownHash(stat.st_size, stat.st_mtime_ns, digest)
    paths.cache.mkdir(parents=True, exist_ok=True)
    write_atomically(cache, msgspec.json.encode(known), durable=False)
    return digest


def version_state(paths: ProjectPaths, facts: DataFacts, files: list[Path]) -> VersionState:
    """Compare the bytes with the hash that was registered.

    Parameters
    ----------
    files
        The one registered file, or a curated version's files in row order.
    """
    try:
        if facts.kind == "file":
            return "current" if content_hash(paths, files[0]) == facts.sha256 else "changed"
        digest = hashlib.sha256()
        for file in files:
            digest.update(content_hash(paths, file).encode())
    except FileNotFoundError:
        return "missing"
    return "current" if files and digest.hexdigest() == facts.sha256 else "changed"
