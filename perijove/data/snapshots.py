"""The tables of registered versions: made of a snapshot, and found again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts
from perijove.core.chain import facts_of
from perijove.core.errors import NotFoundError
from perijove.core.paths import ProjectPaths
from perijove.data.ports import DataEngine, Lake, Snapshot, Table, TableInfo
from perijove.data.versions import (
    content_hashes,
    data_files,
    partitioned,
    read_manifest,
    remember_hashes,
    version_state,
    write_manifest,
)


class Snapshots:
    """Knows which files hold the rows of a version.

    Parquet is read where it lies. All else has a twin: in the cache where the source's bytes are
    at hand to make it again, beside what was fetched where they are not.
    """

    def __init__(self, paths: ProjectPaths, engine: DataEngine, lake: Lake) -> None:
        self._paths = paths
        self._engine = engine
        self._lake = lake

    def store(self, snapshot: Snapshot, query: str = "") -> tuple[Path, TableInfo]:
        """Make sure that a snapshot's rows can be read, and return where and what they are."""
        root, digest = snapshot.root, snapshot.sha256
        files = _files(snapshot)
        many = root.is_dir()
        if many:
            write_manifest(self._paths, snapshot.files)
        if not all(file.suffix.lower() == ".parquet" for file in files):
            place = self._paths.fetched if snapshot.fetched else self._paths.cache
            table = place / f"{digest}-rows.parquet"
            if many:
                return table, self._engine.combine(files, root, table)
            return table, self._engine.twin(root, table, query)
        partitions = root if many and partitioned(snapshot.files) else None
        info = self._engine.inspect(Table(tuple(files), digest, 0, partitions))
        if not snapshot.fetched:
            return root, info
        rows = snapshot.kind == "sql"
        table = self._paths.fetched / (
            digest if many else f"{digest}{'-rows' if rows else ''}.parquet"
        )
        if table.is_dir():
            shutil.rmtree(table)
        os.replace(root, table)
        if not rows:
            moved = [table / file.path if many else table for file in snapshot.files]
            contents = [file.sha256 for file in snapshot.files]
            remember_hashes(self._paths, dict(zip(moved, contents, strict=True)))
        return table, info

    def find(self, node: Node) -> Table:
        """Return the table of a version; a twin is made again where it is gone.

        Raises
        ------
        NotFoundError
            When the version's bytes are gone.
        """
        facts = facts_of(node, DataFacts)
        table = self._paths.absolute(facts.table)
        if facts.kind in {"curated", "quarantine"}:
            files = self._lake.files(table, facts.delta_version or 0)
            return Table(tuple(files), facts.sha256, facts.rows)
        source = self._paths.absolute(facts.path)
        in_place = table == source
        if not in_place and table.is_file():
            if facts.kind == "remote" and version_state(self._paths, facts, []) == "changed":
                raise _gone(node, facts)
            return Table((table,), facts.sha256, facts.rows)
        if table.is_dir():
            partitions = table if facts.partitioned else None
            return Table(self._kept(node, facts, table), facts.sha256, facts.rows, partitions)
        if facts.kind in {"remote", "sql"} or version_state(self._paths, facts, []) != "current":
            raise _gone(node, facts)
        if source.is_dir():
            self._engine.combine(data_files(source), source, table)
        elif not in_place:
            self._engine.twin(source, table, facts.query)
        return Table((table,), facts.sha256, facts.rows)

    def _kept(self, node: Node, facts: DataFacts, folder: Path) -> tuple[Path, ...]:
        """Return the files of a version in a folder, when they are still what they were."""
        known = read_manifest(self._paths, facts.sha256)
        files = [folder / file.path for file in known]
        try:
            same = content_hashes(self._paths, files) == [file.sha256 for file in known]
        except FileNotFoundError as error:
            raise _gone(node, facts) from error
        if not same:
            raise _gone(node, facts)
        return tuple(files)


def _files(snapshot: Snapshot) -> list[Path]:
    if not snapshot.root.is_dir():
        return [snapshot.root]
    return [snapshot.root / file.path for file in snapshot.files]


def _gone(node: Node, facts: DataFacts) -> NotFoundError:
    if facts.kind in {"remote", "sql"}:
        return NotFoundError(
            f"The copy of {node.ref} is gone.",
            f"Register {facts.path} again: if it still holds the same, the copy comes back.",
            code="version_gone",
        )
    return NotFoundError(
        f"The bytes of {node.ref} are gone: {facts.path} has changed since.",
        f"Restore what was there (sha256 {facts.sha256[:12]}…), or read a newer version.",
        code="version_gone",
    )
