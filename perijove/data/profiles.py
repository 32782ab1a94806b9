"""Profiles: what the columns of a version hold, and which of them tell the answer."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from perijove.contracts.base import Struct, to_float
from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts, SplitFacts
from perijove.contracts.table import ColumnLeak, LeakReport, Profile, ProfileQuery, Task
from perijove.core.chain import facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, PerijoveError
from perijove.core.files import sha256_text, write_atomically
from perijove.core.leakage import LEAK_SCORE, TRAIN
from perijove.core.project_file import DataTable
from perijove.data.ports import Work
from perijove.data.profiler import Profiler
from perijove.data.registry import Registry
from perijove.data.tasks import Tasks

FORMAT = 1
"""Raised when the figures' meaning changes: what is kept of older ones is made anew."""
Stage = Literal["footer", "sample", "full"]


class _Scores(Struct):
    rows: int
    scores: dict[str, float]
    part: str = ""


class Profiles:
    """Profiles of one project's data versions, kept by content: equal bytes have one.

    Parameters
    ----------
    project
        The open project.
    registry
        Finds versions.
    tasks
        Does long work in the background.
    profiler
        Reads the tables.
    """

    def __init__(
        self, project: ProjectContext, registry: Registry, tasks: Tasks, profiler: Profiler
    ) -> None:
        self.project = project
        self._registry = registry
        self._tasks = tasks
        self._profiler = profiler

    def get(self, name: str, query: ProfileQuery) -> Profile:
        """Return a version's profile of a stage; the best that there is for ``full``."""
        node = self._node(name, query.version)
        task = self._tasks.find(self._key(node))
        going = task.id if task is not None and task.state in ("waiting", "running") else ""
        return msgspec.structs.replace(self._profile(node, query.stage), task=going)

    def best(self, name: str, version: int = 0) -> Profile:
        """Return a profile with figures: the full one where it is there, else a sample's."""
        node = self._node(name, version)
        found = self._profile(node, "full")
        return found if found.stage != "footer" else self._profile(node, "sample")

    def start(self, name: str, version: int = 0) -> Task:
        """Profile all rows in the background."""
        node = self._node(name, version)

        def run(work: Work) -> None:
            if self._kept(node, "full") is None:
                made = self._profiler.full(self._registry.table(node), self._time(node), work)
                self._keep(node, "full", made)

        return self._tasks.start("profile", f"Profile of {node.ref}", self._key(node), run)

    def leaks(self, name: str, target: str, version: int = 0) -> LeakReport:
        """Let each column alone predict a target, as the gate does for a model's inputs.

        On rows of the train part where the version is split, as a model's are.

        Raises
        ------
        InvalidInputError
            When there is no such column, or nothing can be predicted of it.
        """
        node = self._node(name, version)
        facts = facts_of(node, DataFacts)
        names = [column.name for column in facts.columns]
        if target not in names:
            raise InvalidInputError(
                f"{node.ref} has no column {target!r}.",
                f"Its columns are {', '.join(names)}.",
                code="unknown_column",
            )
        fixed = self.project.chain.find(make_ref("split", node.name, node.version))
        split = facts_of(fixed, SplitFacts) if fixed is not None else None
        place = msgspec.json.encode((split.method, split.column, split.parts) if split else None)
        path = self._path(node, f"leaks-{sha256_text(f'{target} {place!r}')[:12]}")
        found = _read(path, _Scores)
        if found is None:
            told = self._profiler.leaks(self._registry.table(node), names, target, split, TRAIN)
            found = _Scores(rows=told.rows, part=told.part, scores=told.scores)
            self._write(path, found)
        declared = self.project.definition.data.get(name, DataTable()).columns
        columns = []
        for column, score in found.scores.items():
            known = declared[column].known if column in declared else "before"
            reasons = ["known only after the prediction"] if known == "after" else []
            if score >= LEAK_SCORE:
                reasons.append(f"alone scores {score:.3f}")
            columns.append(
                ColumnLeak(
                    column=column,
                    known=known,
                    score=score,
                    leaks=bool(reasons),
                    reason=", ".join(reasons),
                )
            )
        columns.sort(key=lambda leak: (-to_float(leak.score), leak.column))
        return LeakReport(
            ref=node.ref, target=target, rows=found.rows, part=found.part, columns=columns
        )

    def _node(self, name: str, version: int) -> Node:
        """Find a version that is registered; a look is no reason to register a changed file."""
        if version:
            return self.project.chain.get(make_ref("data", name, version))
        latest = self.project.chain.latest("data", name)
        return latest if latest is not None else self._registry.resolve(name)

    def _profile(self, node: Node, stage: Stage) -> Profile:
        if stage == "full":
            kept = self._kept(node, "full") or self._kept(node, "sample")
            return kept if kept is not None else self._made(node, "footer")
        if stage == "sample":
            kept = self._kept(node, "sample")
            if kept is not None:
                return kept
        return self._made(node, stage)

    def _made(self, node: Node, stage: Literal["footer", "sample"]) -> Profile:
        table = self._registry.table(node)
        if stage == "footer":
            return self._named(node, self._profiler.footer(table))
        return self._keep(node, "sample", self._profiler.sample(table, self._time(node)))

    def _named(self, node: Node, profile: Profile) -> Profile:
        """Say which version it is of, and what is declared of its columns now."""
        facts = facts_of(node, DataFacts)
        types = {column.name: column.type for column in facts.columns}
        declared = self.project.definition.data.get(node.name, DataTable()).columns
        return msgspec.structs.replace(
            profile,
            ref=node.ref,
            columns=[
                msgspec.structs.replace(
                    column,
                    type=types.get(column.name, column.type),
                    known=declared[column.name].known if column.name in declared else "before",
                )
                for column in profile.columns
            ],
        )

    def _time(self, node: Node) -> str:
        return self.project.definition.data.get(node.name, DataTable()).time

    def _key(self, node: Node) -> str:
        return f"profile {facts_of(node, DataFacts).sha256} {self._time(node)}"

    def _path(self, node: Node, what: str) -> Path:
        key = sha256_text(f"{facts_of(node, DataFacts).sha256} {self._time(node)} {FORMAT}")
        return self.project.paths.cache / "profiles" / f"{key[:32]}.{what}.json"

    def _kept(self, node: Node, stage: Literal["sample", "full"]) -> Profile | None:
        found = _read(self._path(node, stage), Profile)
        return self._named(node, found) if found is not None else None

    def _keep(self, node: Node, stage: Literal["sample", "full"], profile: Profile) -> Profile:
        self._write(self._path(node, stage), profile)
        return self._named(node, profile)

    def _write(self, path: Path, value: Struct) -> None:
        # Only a cache: where the disk is full the figures are shown all the same.
        with contextlib.suppress(PerijoveError, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, msgspec.json.encode(value), durable=False)


S = TypeVar("S", bound=Struct)


def _read(path: Path, kind: type[S]) -> S | None:
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode(path.read_bytes(), type=kind)
    return None
