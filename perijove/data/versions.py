"""Is a registered version still what it was? Hashes are kept beside the size and the time.

A version of several files has a manifest, ``.perijove/manifests/SHA256.json``: which files, in row
order, and each one's hash. So it stays readable while files are added beside its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from perijove.contracts.base import Facts
from perijove.contracts.data import DataFacts
from perijove.core.errors import (
    ConflictError,
    ForbiddenPathError,
    NotFoundError,
    UnreadableDataError,
)
from perijove.core.files import sha256_file, sha256_text, write_atomically
from perijove.core.paths import ProjectPaths

VersionState = Literal["current", "changed", "missing"]
HASHES: Final = "hashes.json"
ENDINGS: Final = frozenset(
    ["parquet", "csv", "tsv", "txt", "json", "jsonl", "ndjson", "arrow", "feather",
     "xlsx", "xlsm", "xls", "xlsb", "ods"]
)  # fmt: skip
"""Of files that can be registered."""
MOST_FILES: Final = 10_000


class KnownHash(Facts):
    size: int
    mtime_ns: int
    sha256: str


class FileHash(Facts):
    """One file of a version."""

    path: str
    """Relative to the version's folder."""
    sha256: str
    bytes: int


def content_hash(paths: ProjectPaths, file: Path) -> str:
    """Hash a file, or tell the hash that it had with the same size and time of change.

    Raises
    ------
    FileNotFoundError
        When the file is gone.
    ConflictError
        When it was written to meanwhile.
    """
    return content_hashes(paths, [file])[0]


def content_hashes(paths: ProjectPaths, files: Sequence[Path]) -> list[str]:
    """Hash several files as :func:`content_hash` does; what is known is read and written once."""
    known = _known_hashes(paths)
    fresh: dict[str, KnownHash] = {}
    hashes = []
    for file in files:
        stat = file.stat()
        entry = known.get(str(file))
        if entry is None or (entry.size, entry.mtime_ns) != (stat.st_size, stat.st_mtime_ns):
            try:
                entry = KnownHash(stat.st_size, stat.st_mtime_ns, sha256_file(file))
            except PermissionError as error:
                raise _forbidden(file) from error
            after = file.stat()
            if (after.st_size, after.st_mtime_ns, after.st_ino) != (
                stat.st_size, stat.st_mtime_ns, stat.st_ino,
            ):  # fmt: skip
                raise changed_meanwhile(file.name)
            fresh[str(file)] = entry
        hashes.append(entry.sha256)
    if fresh:
        _keep_hashes(paths, known | fresh)
    return hashes


def _known_hashes(paths: ProjectPaths) -> dict[str, KnownHash]:
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        # Only a cache: what is lost is computed again.
        return msgspec.json.decode((paths.cache / HASHES).read_bytes(), type=dict[str, KnownHash])
    return {}


def _keep_hashes(paths: ProjectPaths, known: dict[str, KnownHash]) -> None:
    paths.cache.mkdir(parents=True, exist_ok=True)
    write_atomically(paths.cache / HASHES, msgspec.json.encode(known), durable=False)


def remember_hashes(paths: ProjectPaths, hashes: dict[Path, str]) -> None:
    """Spare files that were hashed on their way here from being hashed again."""
    known = _known_hashes(paths)
    for file, digest in hashes.items():
        stat = file.stat()
        known[str(file)] = KnownHash(stat.st_size, stat.st_mtime_ns, digest)
    _keep_hashes(paths, known)


def _forbidden(path: Path | str) -> UnreadableDataError:
    return UnreadableDataError(
        f"{Path(path).name} may not be read by you.", "Ask its owner for the permission."
    )


def changed_meanwhile(name: str) -> ConflictError:
    return ConflictError(
        f"{name} was changed while it was being read.",
        "Try again when whoever writes it is done; nothing was registered.",
        code="changed_while_read",
    )


def data_files(folder: Path) -> list[Path]:
    """Return the data files below a folder in the order of their names.

    Names that begin with ``.`` or ``_`` are left out, as Spark and Hive do, and so are files that
    are no tables.

    Raises
    ------
    ForbiddenPathError
        For a link that leads out of the folder.
    """
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise _forbidden(error.filename) from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        for name in [*folders, *names]:
            entry = Path(parent, name)
            if entry.is_symlink() and not entry.resolve().is_relative_to(folder):
                raise ForbiddenPathError(
                    f"{entry.relative_to(folder)} is a link that leads out of {folder.name}.",
                    "Register what it points at, or copy it into the folder.",
                )
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        found += [
            Path(parent, name)
            for name in names
            if name[0] not in "._" and name.rpartition(".")[2].lower() in ENDINGS
        ]
        if len(found) > MOST_FILES:
            break
    return sorted(found, key=lambda file: file.relative_to(folder).parts)


def newest_delta(folder: Path) -> int:
    """Return the number of the newest commit in a Delta folder's log; -1 when there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return max(
            (
                int(entry.name[:20])
                for entry in os.scandir(folder / "_delta_log")
                if entry.name.endswith(".json") and entry.name[:-5].isdigit()
            ),
            default=-1,
        )
    return -1


def partitioned(files: Sequence[FileHash]) -> bool:
    """Whether the files lie in ``key=value`` folders."""
    return any("=" in part for file in files for part in Path(file.path).parts[:-1])


# Manifests


def digest_of(files: Sequence[FileHash]) -> str:
    """Hash the names and the content of several files."""
    return sha256_text("".join(f"{file.path}\0{file.sha256}\n" for file in files))


def write_manifest(paths: ProjectPaths, files: Sequence[FileHash]) -> None:
    path = _manifest(paths, digest_of(files))
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(list(files)))


def read_manifest(paths: ProjectPaths, digest: str) -> list[FileHash]:
    """Return the files of a version of several files.

    Raises
    ------
    NotFoundError
        When the manifest is gone or not the one that was written.
    """
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        files = msgspec.json.decode(_manifest(paths, digest).read_bytes(), type=list[FileHash])
        if digest_of(files) == digest:
            return files
    raise NotFoundError(
        "The list of this version's files is gone.", "Register the folder again.",
        code="version_gone",
    )  # fmt: skip


def _manifest(paths: ProjectPaths, digest: str) -> Path:
    return paths.state / "manifests" / f"{digest}.json"


# State


def file_digest(content: str, part: str) -> str:
    """Name the content of one part of a file, such as a sheet; of all of it without a part."""
    return sha256_text(f"{content}\0{part}") if part else content


def version_state(paths: ProjectPaths, facts: DataFacts, files: Sequence[Path]) -> VersionState:
    """Compare the bytes with the hash that was registered. It asks no network.

    Parameters
    ----------
    files
        The files of a version in the lake, in row order; the others are found here.
    """
    try:
        match facts.kind:
            case "file":
                content = content_hash(paths, paths.absolute(facts.path))
                return _same(file_digest(content, facts.query) == facts.sha256)
            case "folder":
                return _folder_state(paths, facts)
            case "delta":
                newest = newest_delta(paths.absolute(facts.path))
                if newest < 0:
                    return "missing"
                return _same(newest == facts.delta_version and _kept(paths, facts))
            case "remote" | "sql":
                return _fetched_state(paths, facts)
        digest = hashlib.sha256()
        for content in content_hashes(paths, files):
            digest.update(content.encode())
        return _same(bool(files) and digest.hexdigest() == facts.sha256)
    except (FileNotFoundError, NotADirectoryError, NotFoundError, UnreadableDataError):
        return "missing"
    except IsADirectoryError:
        return "changed"


def _same(same: bool) -> VersionState:
    return "current" if same else "changed"


def _folder_state(paths: ProjectPaths, facts: DataFacts) -> VersionState:
    folder = paths.absolute(facts.path)
    if not folder.is_dir():
        return "missing"
    try:
        files = data_files(folder)
    except ForbiddenPathError:
        return "changed"
    return _same(digest_of(hashed(paths, folder, files)) == facts.sha256)


def hashed(paths: ProjectPaths, folder: Path, files: Sequence[Path]) -> list[FileHash]:
    """Hash the files of a folder, in their order."""
    return [
        FileHash(path=str(file.relative_to(folder)), sha256=content, bytes=file.stat().st_size)
        for file, content in zip(files, content_hashes(paths, files), strict=True)
    ]


def _kept(paths: ProjectPaths, facts: DataFacts) -> bool:
    files = read_manifest(paths, facts.sha256)
    folder = paths.absolute(facts.path)
    return content_hashes(paths, [folder / file.path for file in files]) == [
        file.sha256 for file in files
    ]


def _fetched_state(paths: ProjectPaths, facts: DataFacts) -> VersionState:
    table = paths.absolute(facts.table)
    if table.is_dir():
        files = read_manifest(paths, facts.sha256)
        return _same(all((table / file.path).stat().st_size == file.bytes for file in files))
    if not table.is_file():
        return "missing"
    # Bytes as they came are named by their hash; rows written here have checksums in their pages.
    return _same(table.stem != facts.sha256 or content_hash(paths, table) == facts.sha256)
