"""What people write on runs: stars, pins, names, notes, tags; and runs put away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from perijove.contracts.tracker import RunNames, RunsChange
from perijove.core.chain import make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError, NotFoundError
from perijove.core.ledger import now
from perijove.core.measurements import Verdicts
from perijove.develop.ports import Batch, RunQueries, RunStore, StoredRun
from perijove.develop.states import RunStates
from perijove.develop.tags import NOTE_TAG, PIN_TAG, STAR_TAG
from perijove.develop.views import LISTED_METRICS, RunViews

MAX_CHANGED: Final = 1000
MAX_NOTE: Final = 8000
"""Characters; what MLflow keeps of a tag."""
NAME_TAG: Final = "mlflow.runName"
KEPT: Final = ("mlflow.", "perijove.")
"""What tags of the tools themselves begin with; they are no person's to change."""


class Annotations:
    """Writes on runs what people say of them.

    Parameters
    ----------
    project
        The open project, whose audit has each change.
    store
        Where runs are kept.
    queries
        Is told of what changed.
    states
        Tells how runs stand.
    views
        Shows them.
    ingest
        Moves what a run logged into the store.
    """

    def __init__(
        self,
        project: ProjectContext,
        store: RunStore,
        queries: RunQueries,
        states: RunStates,
        views: RunViews,
        ingest: Callable[[str], object],
    ) -> None:
        self.project = project
        self._store = store
        self._queries = queries
        self._states = states
        self._views = views
        self._ingest = ingest

    def change(self, change: RunsChange, by: str) -> RunNames:
        """Write on runs; all of them are there, or none is changed.

        Raises
        ------
        InvalidInputError
            For a name of many runs, a tag of a tool, or a text that is too long.
        NotFoundError
            When one of the runs is not there, or is deleted.
        """
        tags, gone = _tags(change)
        runs = [self._store.get_run(run_id) for run_id in _chosen(change.run_ids)]
        for run in runs:
            self._store.write(run.run_id, Batch(tags=tags))
            there = [key for key in gone if key in run.tags]
            if there:
                self._store.untag(run.run_id, there)
        self._audit(by, "change runs", runs, {**tags, **dict.fromkeys(gone, "")})
        return self._changed(runs)

    def delete(self, run_ids: Sequence[str], by: str) -> RunNames:
        """Put runs away.

        Raises
        ------
        ConflictError
            When one of them is at work.
        NotFoundError
            When one of them is not there.
        """
        runs = [self._store.get_run(run_id) for run_id in _chosen(run_ids)]
        for run in runs:
            if self._states.of(run) in ("running", "queued"):
                raise ConflictError(
                    f"{run.name} is {self._states.of(run)}.",
                    "Stop it first; then it can be deleted.",
                    code="run_at_work",
                )
        names = self._named(runs)
        for run in runs:
            self._store.delete(run.run_id, now())
        self._audit(by, "delete runs", runs, {})
        self._queries.look_again([run.run_id for run in runs])
        return names

    def restore(self, run_ids: Sequence[str], by: str) -> RunNames:
        """Bring deleted runs back.

        Raises
        ------
        NotFoundError
            When one of them was never there.
        """
        chosen = _chosen(run_ids)
        known = self._queries.values(chosen, ["attributes.run_id"])
        for run_id, (value,) in known.items():
            if value is None:
                raise NotFoundError(
                    f"There is no run {run_id} in this project.",
                    "See the deleted runs for those that can be restored.",
                    code="run_not_found",
                )
        for run_id in chosen:
            self._store.restore(run_id)
            self._ingest(run_id)  # what it logged while it was deleted
        runs = [self._store.get_run(run_id) for run_id in chosen]
        self._audit(by, "restore runs", runs, {})
        return self._changed(runs)

    def _changed(self, runs: list[StoredRun]) -> RunNames:
        ids = [run.run_id for run in runs]
        self._queries.look_again(ids)
        return self._named([self._store.get_run(run_id) for run_id in ids])

    def _named(self, runs: list[StoredRun]) -> RunNames:
        verdicts = Verdicts(self.project)
        return RunNames(items=[self._views.summary(run, verdicts, LISTED_METRICS) for run in runs])

    def _audit(self, by: str, action: str, runs: list[StoredRun], wrote: dict[str, str]) -> None:
        told = {"wrote": {key: text[:200] for key, text in wrote.items()}} if wrote else {}
        first = make_ref("run", runs[0].run_id, 1)
        ids = [run.run_id for run in runs]
        names = [run.name for run in runs[:20]]
        self.project.chain.ledger.audit(by, action, first, runs=ids, names=names, **told)


def _chosen(run_ids: Sequence[str]) -> list[str]:
    chosen = list(dict.fromkeys(run_ids))
    if not chosen:
        raise InvalidInputError("No run is chosen.", "Choose one or more.")
    if len(chosen) > MAX_CHANGED:
        raise InvalidInputError(
            f"{len(chosen):,} runs are too many at once.", f"Choose at most {MAX_CHANGED:,}."
        )
    return chosen


def _tags(change: RunsChange) -> tuple[dict[str, str], list[str]]:
    """Return the tags that a change writes, and those that it removes."""
    tags, gone = dict(change.tags), list(change.untag)
    for key in (*tags, *gone):
        if key.startswith(KEPT) or not key.strip():
            raise InvalidInputError(
                f"{key!r} is no tag of yours: names that begin with mlflow. or perijove. are kept "
                "by the tools.",
                "Choose another name.",
                code="tag_kept",
            )
    _flag(STAR_TAG, change.star, tags, gone)
    _flag(PIN_TAG, change.pin, tags, gone)
    if change.note is not None:
        _written(NOTE_TAG, change.note, tags, gone)
    if change.name is not None:
        name = change.name.strip()
        if len(set(change.run_ids)) != 1 or not name or len(name) > 250:
            raise InvalidInputError(
                "A name is for one run, and has 1 to 250 characters.", "Rename runs one by one."
            )
        tags[NAME_TAG] = name
    long = [key for key, text in tags.items() if len(text) > MAX_NOTE or len(key) > 250]
    if long:
        raise InvalidInputError(
            f"{long[0]} is too long: {len(tags[long[0]]):,} characters.",
            f"A note and a tag have at most {MAX_NOTE:,}.",
            code="text_too_long",
        )
    return tags, gone


def _flag(tag: str, wanted: bool | None, tags: dict[str, str], gone: list[str]) -> None:
    if wanted is not None:
        _written(tag, "true" if wanted else "", tags, gone)


def _written(tag: str, text: str, tags: dict[str, str], gone: list[str]) -> None:
    if text:
        tags[tag] = text
    else:
        gone.append(tag)
