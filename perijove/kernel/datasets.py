"""``pj.dataset``, ``pj.register`` and ``pj.split``: data by name, reads recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from perijove.contracts.data import DataFacts, SplitFacts
from perijove.core.chain import facts_of, make_ref, parse_version
from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.data.locations import is_url
from perijove.kernel.files import unwatched
from perijove.kernel.frames import as_frame
from perijove.kernel.session import Session, current

if TYPE_CHECKING:
    from perijove.contracts.chain import Node

PREVIEWED: Final = 8
"""Columns that a dataset's text names."""


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of one data version."""

    ref: str
    facts: SplitFacts

    def __repr__(self) -> str:
        how = {
            "time": f"by {self.facts.column}",
            "group": f"by group of {self.facts.column}",
            "hash": "by row hash",
        }[self.facts.method]
        parts = " · ".join(f"{part.name} {part.rows:,}" for part in self.facts.parts)
        return f"{self.ref} {how}: {parts} rows"


class DatasetHandle:
    """A registered or curated dataset.

    Parameters
    ----------
    version
        A fixed version; 0 for the newest at each read.
    """

    def __init__(self, session: Session, name: str, version: int = 0) -> None:
        self._session = session
        self.name = name
        self.version = version

    def _node(self, version: int | None = None) -> Node:
        with unwatched():
            number = self.version if version is None else version
            number = number or self._session.pinned(self.name)
            return self._session.workbench.data.registry.resolve(
                self.name, number, by=self._session.actor
            )

    @property
    def ref(self) -> str:
        """The reference of the version that a read would return."""
        return self._node().ref

    @property
    def columns(self) -> list[str]:
        return [column.name for column in facts_of(self._node(), DataFacts).columns]

    def read(
        self,
        split: str | None = None,
        as_: Literal["pandas", "polars", "arrow"] | None = None,
        version: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> Any:
        """Read the rows, and record that this kernel did.

        Parameters
        ----------
        split
            ``"train"``, ``"validation"`` or ``"test"``; all rows when left out.
        as_
            The library of the frame; pandas where it is installed.
        version
            A data version's number; the newest when left out. A file that has changed since it
            was registered becomes a new version here.

        Raises
        ------
        NotFoundError
            Naming the datasets, versions or parts that there are.
        """
        node = self._node(version)
        data = self._session.workbench.data
        with unwatched():
            if columns is not None:
                self._check(node, columns)
            if split is None:
                table = data.registry.read(node, list(columns) if columns is not None else None)
            else:
                table = data.splits.read(node, split, columns)
            frame = as_frame(table, as_)
        self._session.record_read(node.ref)
        if split is not None:
            self._session.record_read(make_ref("split", node.name, node.version))
        return frame

    def _check(self, node: Node, columns: Sequence[str]) -> None:
        known = [column.name for column in facts_of(node, DataFacts).columns]
        unknown = [name for name in columns if name not in known]
        if unknown:
            raise NotFoundError(
                f"{node.ref} has no column {unknown[0]!r}.",
                f"Its columns are {', '.join(known)}.",
                code="unknown_column",
            )

    def __repr__(self) -> str:
        node = self._node()
        facts = facts_of(node, DataFacts)
        names = [column.name for column in facts.columns]
        more = f" and {len(names) - PREVIEWED} more" if len(names) > PREVIEWED else ""
        return f"{node.ref} · {facts.rows:,} rows · {', '.join(names[:PREVIEWED])}{more}"


def dataset(name: str) -> DatasetHandle:
    """Name a dataset: ``"builds"`` for its newest version, ``"builds@3"`` for one of them.

    Raises
    ------
    NotFoundError
        When the project has none of that name.
    """
    base, version = parse_version(name)
    handle = DatasetHandle(current(), base, version)
    handle._node()
    return handle


def register(
    path: str | Path,
    name: str | None = None,
    target: str | None = None,
    time: str | None = None,
    query: str | None = None,
) -> DatasetHandle:
    """Register data by reference: where it lies, its hash, and what its columns mean.

    Files and folders are read where they lie. What a URL names is copied into the project; to
    register it again looks at it again, and makes a version if it has changed.

    Parameters
    ----------
    path
        A file or a folder, relative to the current folder or to the project's, or absolute; or a
        URL such as ``s3://bucket/builds.parquet`` or ``postgresql://reader@host/db#public.runs``.
        No password stands in a URL: see "Sources" in docs/data.md.
    target
        The column to predict.
    time
        The column of the event's time; splits are made by it.
    query
        A SELECT of a database whose URL names no table, or a sheet of a workbook.

    Raises
    ------
    ForbiddenPathError
        When ``[sources]`` of perijove.toml does not have the place.
    """
    session = current()
    location = str(path)
    if not is_url(location):
        here = Path(path).expanduser()
        location = str((here if here.exists() else session.paths.root / here).resolve())
    with unwatched():
        registered = session.workbench.data.registry.register(
            location,
            name=name or "",
            target=target or "",
            time=time or "",
            query=query or "",
            by=session.actor,
        )
    return DatasetHandle(session, registered.name)


def split(
    name: str,
    train: float = 0.7,
    validation: float = 0.0,
    test: float = 0.3,
    by: str | None = None,
    group: str | None = None,
) -> Split:
    """Split a dataset's newest version, once: the same parts for whoever measures later.

    Parameters
    ----------
    train, validation, test
        Shares that add up to 1.
    by
        The column that orders the rows; the declared time column when left out, and a fixed hash
        of the row's number where none is declared.
    group
        A column whose equal values stay together, such as a customer's number. The hash of the
        value decides: a group is in the same part of every version.

    Raises
    ------
    ConflictError
        When the version is split otherwise already.
    """
    if by is not None and group is not None:
        raise InvalidInputError("A split is by time or by group.", "Leave by= or group= away.")
    session = current()
    base, version = parse_version(name)
    data = session.workbench.data
    with unwatched():
        node = data.registry.resolve(base, version or session.pinned(base), by=session.actor)
        made = data.splits.ensure(
            node,
            {"train": train, "validation": validation, "test": test},
            group or by or "",
            method="group" if group is not None else None,
            by=session.actor,
        )
    return Split(made.ref, facts_of(made, SplitFacts))
