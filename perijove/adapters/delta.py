"""Curated tables as Delta Lake folders: a commit is whole or not there, versions stay readable.

Files are written first, under names that no version knows; one transaction of Delta's log then
makes them a version. While they are no version a marker in ``_staged`` names them, and whoever
writes them holds its lock: the next writer removes what a process that was killed left.
"""

from __future__ import annotations

import errno
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlparse

from perijove.adapters.lake_files import (
    FILE_ROWS,
    LakeFile,
    dictionary_columns,
    storable,
    write_file,
)
from perijove.core.errors import ConflictError, NotFoundError, PerijoveError, ReadOnlyError
from perijove.core.files import locked, sha256_text
from perijove.data.ports import ArrowTable, Staged
from perijove.data.versions import newest_delta

if TYPE_CHECKING:
    from deltalake import DeltaTable

WRITERS: Final = 2
ATTEMPTS: Final = 8
"""Another writer's commit in between, of a program that takes no lock of ours, starts one more."""
STAGED: Final = "_staged"
LONG: Final = "interval 36500 days"


class DeltaLake:
    """Implements ``perijove.data.ports.Lake``."""

    @contextmanager
    def stage(
        self, folder: Path, table: ArrowTable, written: Callable[[Path], None] | None = None
    ) -> Iterator[Staged]:
        table = storable(table)
        token = uuid.uuid4().hex
        staged: _Staged | None = None
        try:
            (folder / STAGED).mkdir(parents=True, exist_ok=True)
            with locked(folder / STAGED / token):
                try:
                    files = _write(folder, table, token, written)
                    staged = _Staged(folder, table, files)
                    yield staged
                finally:
                    if staged is None or staged.version is None:
                        _remove(folder, token)
                    (folder / STAGED / token).unlink(missing_ok=True)
        except OSError as error:
            raise _failed(folder, error) from error

    def commit(self, staged: Staged) -> int:
        assert isinstance(staged, _Staged)  # of this lake's own stage
        from deltalake.exceptions import DeltaError

        folder = staged.folder
        with locked(folder / STAGED / ".lock"):
            _clean(folder)
            try:
                staged.version = _commit(folder, staged)
            except (DeltaError, OSError) as error:
                raise _failed(folder, error) from error
        return staged.version

    def version_with(self, folder: Path, file: str) -> int | None:
        return _version_with(folder, file)

    def files(self, folder: Path, version: int) -> list[Path]:
        import deltalake
        from deltalake.exceptions import DeltaError

        try:
            table = deltalake.DeltaTable(str(folder), version=version)
        except (DeltaError, OSError) as error:
            raise NotFoundError(
                f"Version {version} of {folder.name} is not in the lake: "
                f"{str(error).splitlines()[0]}.",
                "Curate it again.",
                code="version_gone",
            ) from error
        # A writer numbers its files in row order: part-00000, part-00001, ...
        return sorted(Path(unquote(urlparse(uri).path)) for uri in table.file_uris())


class _Staged:
    """Files of one version to be: implements ``perijove.data.ports.Staged``."""

    def __init__(self, folder: Path, table: Any, written: list[LakeFile]) -> None:
        self.folder = folder
        self.schema = table.schema
        self.written = written
        self.files = tuple(file.path for file in written)
        self.bytes = sum(file.bytes for file in written)
        self.hashes = tuple(file.sha256 for file in written)
        self.sha256 = sha256_text("".join(self.hashes))
        self.rows = table.num_rows
        self.version: int | None = None


def _write(
    folder: Path, table: Any, token: str, written: Callable[[Path], None] | None
) -> list[LakeFile]:
    dictionary = dictionary_columns(table)

    def one(number: int) -> LakeFile:
        part = table.slice(number * FILE_ROWS, FILE_ROWS)
        path = folder / f"part-{number:05d}-{token}.parquet"
        file = write_file(path, part, dictionary=dictionary)
        if written is not None:
            written(path)
        return file

    numbers = range(max(1, -(-table.num_rows // FILE_ROWS)))
    with ThreadPoolExecutor(min(WRITERS, len(numbers)), thread_name_prefix="lake") as threads:
        futures = [threads.submit(one, number) for number in numbers]
        try:
            files = [future.result() for future in futures]
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    _sync(folder)
    return files


def _commit(folder: Path, staged: _Staged) -> int:
    """Make the files the newest version, in place of all that the last one held."""
    from deltalake import PostCommitHookProperties, Schema
    from deltalake.exceptions import CommitFailedError
    from deltalake.transaction import AddAction, create_table_with_add_actions

    at = time.time_ns() // 1_000_000
    actions: list[Any] = [
        AddAction(file.path.name, file.bytes, {}, at, True, json.dumps(file.statistics))
        for file in staged.written
    ]
    schema = Schema.from_arrow(staged.schema)
    # Versions stay readable for ever, so the log is never cut.
    hooks = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
    for attempt in range(ATTEMPTS):
        try:
            table = _open(folder)
            if table is None:
                create_table_with_add_actions(
                    str(folder), schema, actions, mode="error", name=folder.name,
                    configuration={
                        "delta.logRetentionDuration": LONG,
                        "delta.deletedFileRetentionDuration": LONG,
                    },
                    post_commithook_properties=hooks,
                )  # fmt: skip
            else:
                table.create_write_transaction(
                    actions, "overwrite", schema, post_commithook_properties=hooks
                )
            break
        except CommitFailedError as error:
            if attempt + 1 == ATTEMPTS:
                raise ConflictError(
                    f"Others kept on committing to {folder.name}: {str(error).splitlines()[0]}.",
                    "Try again when they are done.",
                    code="commit_conflict",
                ) from error
    version = _version_with(folder, staged.written[0].path.name)
    if version is None:
        raise NotFoundError(f"The commit to {folder.name} is not in its log.", code="version_gone")
    _sync(folder / "_delta_log")
    return version


def _open(folder: Path) -> DeltaTable | None:
    from deltalake import DeltaTable

    return DeltaTable(str(folder)) if DeltaTable.is_deltatable(str(folder)) else None


def _version_with(folder: Path, name: str) -> int | None:
    """Return the version that added a file: not always the newest, where others commit."""
    for version in range(newest_delta(folder), -1, -1):
        entry = folder / "_delta_log" / f"{version:020d}.json"
        # The next version names it too: it takes the file away.
        lines = entry.read_text().splitlines()
        if any(line.startswith('{"add"') and name in line for line in lines):
            return version
    return None


def _clean(folder: Path) -> None:
    """Remove what processes that were killed have staged; the lock of a living one says so."""
    for marker in (folder / STAGED).iterdir():
        if marker.name.startswith("."):
            continue
        with suppress(FileNotFoundError), locked(marker, wait=False) as ours:
            if ours:
                if not _committed(folder, marker.name):
                    _remove(folder, marker.name)
                marker.unlink(missing_ok=True)


def _committed(folder: Path, token: str) -> bool:
    log = sorted((folder / "_delta_log").glob("*.json"), reverse=True)
    return any(token in entry.read_text() for entry in log)


def _remove(folder: Path, token: str) -> None:
    for file in folder.glob(f"part-*-{token}.parquet"):
        file.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failed(folder: Path, error: Exception) -> PerijoveError:
    reason = str(error).splitlines()[0]
    kept = "Earlier versions are as they were."
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
        return ReadOnlyError(
            f"The disk is full: {folder.name} was not committed.",
            f"{kept} Free some space and curate again.",
            code="disk_full",
        )
    return ReadOnlyError(
        f"{folder.name} could not be committed: {reason}.",
        f"{kept} Check free space and permissions.",
        code="commit_failed",
    )
