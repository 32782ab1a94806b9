"""Reruns: a run proved by running its recorded cells once more, in a fresh environment.

When a run ends, what made it is kept as artifacts that people can read (cells, lock, recipe), and
hashed onto the chain, where nobody can edit it without breaking the audit. A rerun checks those
hashes, makes the environment of the lock, runs the recipe on the same data versions, compares
every metric, and puts what it found on the chain as a certificate.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import unquote

import msgspec

from perijove.contracts.base import number
from perijove.contracts.develop import Cell, CertificateFacts, Compared
from perijove.contracts.jobs import Job
from perijove.core import jobs
from perijove.core.chain import RecipeFacts, facts_of, make_ref, parse_version
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, NotFoundError, PerijoveError
from perijove.core.files import sha256_text, write_atomically
from perijove.core.jobs import JobRunner, JobSpec
from perijove.core.ledger import now
from perijove.core.recipes import RECORDED, Recipe, digest, encode_recipe, write_recipe
from perijove.develop.ingester import Ingester
from perijove.develop.ports import Environments, Point, RunStore, StoredRun
from perijove.develop.runs import CELLS, RunKeeper
from perijove.develop.tags import UNREGISTERED_TAG, strings_of

LOCK: Final = "perijove/lock.txt"
RECIPE: Final = "perijove/recipe.json"
SYSTEM: Final = "system/"
"""Metrics of the machine: no two runs have the same."""
RERUN_TAG: Final = "perijove.rerun_of"


class Reruns:
    """Records what made runs, and proves them by it.

    Parameters
    ----------
    project
        The open project.
    store, ingester
        Where runs and their points are.
    book
        Starts the run that a rerun makes.
    environments
        Locks this process's packages, and makes an environment of a lock.
    runner
        Starts the process of a rerun.
    fault
        Tells what is wrong with a data version's bytes; empty when nothing is.
    """

    def __init__(
        self,
        project: ProjectContext,
        store: RunStore,
        ingester: Ingester,
        book: RunKeeper,
        environments: Environments,
        runner: JobRunner,
        fault: Callable[[str], str],
    ) -> None:
        self.project = project
        self._store = store
        self._ingester = ingester
        self._book = book
        self._environments = environments
        self._runner = runner
        self._fault = fault

    # At a run's end

    def record(self, run_id: str, recipe: Recipe, inputs: Sequence[str]) -> None:
        """Keep what made a run that has ended, and hash it onto the chain.

        Parameters
        ----------
        inputs
            References of the data versions and splits that it read.
        """
        if self.project.chain.find(make_ref("recipe", run_id, 1)) is not None:
            return  # a run that was gone on with: its first part says what made it
        recipe = msgspec.structs.replace(recipe, run_id="", resume=False, pins=_pins(inputs))
        lock = self._environments.lock()
        content = encode_recipe(recipe)
        folder = self._store.artifact_folder(run_id)
        for path, text in ((LOCK, lock.encode()), (RECIPE, content)):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, text)
        facts = RecipeFacts(
            run_id=run_id,
            cells_sha256=digest(recipe.cells),
            lock_sha256=sha256_text(lock),
            recipe_sha256=sha256_text(content.decode()),
            points_sha256=points_digest(self._points(run_id)),
            inputs=list(inputs),
            machine=self._environments.machine(),
            withheld=recipe.withheld,
        )
        self.project.chain.add(
            "recipe", run_id, facts, by=self.project.actor, version=1,
            sources={make_ref("run", run_id, 1): "recorded"}, action="record run",
        )  # fmt: skip

    # What is known of a run

    def certificates(self, run_id: str) -> list[CertificateFacts]:
        """Return what reruns of a run came to, the newest first."""
        nodes = self.project.chain.versions("certificate", run_id)
        return [facts_of(node, CertificateFacts) for node in nodes]

    def obstacle(self, run: StoredRun) -> str:
        """Tell why a run cannot be run again; empty when nothing is known against it."""
        if run.status != "FINISHED":
            return "It did not finish." if run.ended is not None else "It has not ended."
        node = self.project.chain.find(make_ref("recipe", run.run_id, 1))
        if node is None:
            return "What made it was not recorded: only runs of %%train and jobs are."
        if unregistered := strings_of(run.tags.get(UNREGISTERED_TAG)):
            return f"It read {', '.join(unregistered[:3])}, which no dataset names."
        facts = facts_of(node, RecipeFacts)
        if facts.withheld:
            return (
                f"The value of {', '.join(facts.withheld)} was not kept: it looked like a secret."
            )
        gone = [ref for ref in facts.inputs if self.project.chain.find(ref) is None]
        return f"Its input {gone[0]} is not on the chain." if gone else ""

    # Jobs

    def find(self, text: str) -> str:
        """Find a run by its id, or by the beginning of it where no other begins so.

        Raises
        ------
        NotFoundError
            When there is none, or more than one.
        """
        names = [node.name for node in self.project.chain.versions("run")]
        found = [name for name in names if name.startswith(text)] if text else []
        if len(found) != 1:
            raise NotFoundError(
                f"{len(found) or 'No'} runs of the project begin with {text!r}.",
                "Give the run's id: the run's page shows it.",
                code="run_not_found",
            )
        return found[0]

    def rerun(self, run_id: str, tolerance: float, *, by: str) -> Job:
        """Start a job that proves a run.

        Raises
        ------
        ConflictError
            When it cannot be run again, saying why.
        """
        run = self._store.get_run(run_id)
        if reason := self.obstacle(run):
            raise _obstacle(run.name, reason)
        by = by or self.project.actor
        argv = jobs.command("rerun", run_id, "--tolerance", repr(tolerance), by=by)
        return self._runner.submit(
            JobSpec(
                kind="rerun", title=f"Rerun {run.name}", subject=make_ref("run", run_id, 1),
                argv=argv, by=by, notebook=run.tags.get("perijove.notebook", ""),
            )
        )  # fmt: skip

    def prove(self, run_id: str, tolerance: float = 1e-6, *, by: str = "") -> CertificateFacts:
        """Run a run's recorded cells again, in this process's time, and certify what came of it.

        Whatever is not as it was recorded makes the certificate fail, with the reason in it.

        Raises
        ------
        ConflictError
            When the run cannot be run again at all.
        """
        began, at = time.monotonic(), now()
        run = self._store.get_run(run_id)
        if reason := self.obstacle(run):
            raise _obstacle(run.name, reason)
        facts = facts_of(self.project.chain.get(make_ref("recipe", run_id, 1)), RecipeFacts)
        by = by or self.project.actor
        jobs.report(0.02, "checking what was recorded")
        reasons, recipe, lock = self._recorded(run_id, facts)
        reasons += [fault for ref in facts.inputs if (fault := self._input(ref))]
        differences = self._environments.changed(lock)
        found = CertificateFacts(
            run_id=run_id, rerun="", ok=False, bitwise=not differences, tolerance=tolerance, at=at,
            seconds=0.0, job=folder.name if (folder := jobs.job_folder()) is not None else "",
            cells_sha256=facts.cells_sha256, lock_sha256=facts.lock_sha256,
            inputs=[ref for ref in facts.inputs if ref.startswith("data:")],
            differences=differences, reasons=reasons,
        )  # fmt: skip
        if recipe is not None and not reasons:
            found = self._run(run, recipe, lock, facts, found, by)
        found = msgspec.structs.replace(
            found, ok=not found.reasons, seconds=time.monotonic() - began
        )
        sources = {make_ref("run", run_id, 1): "proved"}
        if found.rerun:
            sources[make_ref("run", found.rerun, 1)] = "compared"
        self.project.chain.add("certificate", run_id, found, by=by, sources=sources, action="rerun")
        return found

    def _recorded(self, run_id: str, facts: RecipeFacts) -> tuple[list[str], Recipe | None, str]:
        """Read what was recorded, and name what is not as its hash says."""
        reasons: list[str] = []
        texts: dict[str, str] = {}
        for path, sha256, what in (
            (RECIPE, facts.recipe_sha256, "The recipe"),
            (LOCK, facts.lock_sha256, "The lock"),
        ):
            content = self._store.read_artifact(run_id, path)
            text = (content or b"").decode(errors="replace")
            if content is None:
                reasons.append(f"{what} of the run ({path}) is gone.")
            elif sha256_text(text) != sha256:
                reasons.append(f"{what} of the run ({path}) was edited after the run.")
            texts[path] = text
        shown = self._store.read_artifact(run_id, CELLS)
        try:
            cells = msgspec.json.decode(shown or b"[]", type=list[Cell])
        except msgspec.DecodeError:
            cells = []
        if digest(cells) != facts.cells_sha256:
            reasons.append(f"The cells of the run ({CELLS}) were edited after the run.")
        if points_digest(self._points(run_id)) != facts.points_sha256:
            reasons.append("The numbers of the run were edited after it ended.")
        try:
            recipe = msgspec.json.decode(texts[RECIPE].encode(), type=Recipe)
        except msgspec.DecodeError:
            return reasons or ["The recipe of the run cannot be read."], None, ""
        return reasons, recipe, texts[LOCK]

    def _input(self, ref: str) -> str:
        if not ref.startswith("data:"):
            return ""
        if self.project.chain.find(ref) is None:
            return f"{ref} is not on the chain."
        return self._fault(ref)

    def _run(
        self,
        run: StoredRun,
        recipe: Recipe,
        lock: str,
        facts: RecipeFacts,
        found: CertificateFacts,
        by: str,
    ) -> CertificateFacts:
        with TemporaryDirectory(prefix="perijove-rerun-") as scratch:
            folder = Path(scratch)
            jobs.report(0.05, "making the environment of its lock")
            try:
                python = self._environments.make(
                    folder / "environment", lock, facts.machine.get("python", "")
                )
            except PerijoveError as error:
                return _failed(found, f"{error.message} {error.hint}".strip())
            again = self._book.start(
                f"{run.name} rerun", notebook=recipe.notebook, seed=recipe.seed, by=by,
                tags={RERUN_TAG: run.run_id}, queued=True,
            )  # fmt: skip
            found = msgspec.structs.replace(found, rerun=again)
            write_recipe(folder, msgspec.structs.replace(recipe, run_id=again))
            jobs.report(0.3, "running the cells")
            done = subprocess.run(
                [str(python), "-P", "-m", RECORDED, str(folder)],
                cwd=self.project.paths.root, env=os.environ | _settings(facts.machine),
                stdin=subprocess.DEVNULL, check=False,
            )  # fmt: skip
        jobs.report(0.95, "comparing the numbers")
        ended = self._store.get_run(again)
        if done.returncode or ended.status != "FINISHED":
            said = ended.tags.get("perijove.error", "").partition("\n")[0]
            if ended.status in ("RUNNING", "SCHEDULED"):  # it did not come to say so itself
                self._store.finish(again, "FAILED", now())
            return _failed(found, f"The cells failed: {said or f'exit code {done.returncode}'}")
        return self._judge(run.run_id, again, facts, lock, found)

    def _judge(
        self, run_id: str, again: str, facts: RecipeFacts, lock: str, found: CertificateFacts
    ) -> CertificateFacts:
        self._ingester.ingest(again)
        reasons = list(found.reasons)
        differences = list(found.differences)
        repeated = self.project.chain.find(make_ref("recipe", again, 1))
        if repeated is None:
            reasons.append("What made the rerun was not recorded.")
        else:
            other = facts_of(repeated, RecipeFacts)
            if other.cells_sha256 != facts.cells_sha256:
                reasons.append("The rerun ran other cells.")
            here = (self._store.read_artifact(again, LOCK) or b"").decode(errors="replace")
            differences += _differing_pins(lock, here)
            differences += _differing(facts.machine, other.machine)
            read = [set(_data(one.inputs)) for one in (facts, other)]
            if read[0] != read[1]:
                names = ", ".join(sorted(read[0] ^ read[1]))
                reasons.append(f"The two did not read the same data versions: {names}.")
        differences = list(dict.fromkeys(differences))
        metrics = compare(
            self._points(run_id), self._points(again),
            tolerance=None if not differences else found.tolerance,
            ignore=self.project.definition.rerun.ignore,
        )  # fmt: skip
        if not metrics:
            reasons.append("The run logged no metric, so that there is nothing to compare.")
        wrong = [one.metric for one in metrics if not one.same]
        if wrong:
            more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
            reasons.append(f"Not the same: {', '.join(wrong[:5])}{more}.")
        return msgspec.structs.replace(
            found, metrics=metrics, differences=differences, bitwise=not differences,
            reasons=reasons,
        )  # fmt: skip

    def _points(self, run_id: str) -> list[Point]:
        """Return what a run itself logged: not the machine's load, and nothing after its end."""
        run = self._store.get_run(run_id)
        end = run.ended if run.ended is not None else now()
        return [
            point
            for point in self._store.points(run_id)
            if not point.key.startswith(SYSTEM) and point.at <= end
        ]


def points_digest(points: Iterable[Point]) -> str:
    """Hash points by key, step, time and the bits of their values."""
    found = hashlib.sha256()
    for point in sorted(points, key=lambda p: (p.key, p.step, p.at, _bits(p.value))):
        found.update(f"{point.key}\0{point.step}\0{point.at}\0".encode())
        found.update(_bits(point.value))
    return found.hexdigest()


def compare(
    expected: Iterable[Point],
    found: Iterable[Point],
    *,
    tolerance: float | None,
    ignore: Sequence[str] = (),
) -> list[Compared]:
    """Compare the metrics of two runs, those that are not the same first.

    Parameters
    ----------
    tolerance
        Relative, of the last values; None to compare each point bit for bit.
    ignore
        Patterns of metrics that are nobody's result, such as ``*_seconds``.
    """
    ours, theirs = _by_key(expected, ignore), _by_key(found, ignore)
    rows = []
    for key in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(key, []), theirs.get(key, [])
        pairs = list(zip(mine, other, strict=False))
        unlike = [a for a, b in pairs if a.step != b.step or not _equal(a.value, b.value)]
        differing = len(unlike) + abs(len(mine) - len(other))
        longer = mine if len(mine) > len(other) else other
        first = unlike[0].step if unlike else longer[len(pairs)].step if differing else None
        last = other[-1].value if other else None
        same = not differing
        if tolerance is not None:
            same = bool(mine and other) and close(mine[-1].value, other[-1].value, tolerance)
        rows.append(
            Compared(
                metric=key,
                expected=number(mine[-1].value) if mine else "NaN",
                found=None if last is None else number(last),
                same=same, points=len(mine), differing=differing, first_step=first,
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: (row.same, row.metric))


def close(a: float, b: float, tolerance: float) -> bool:
    """Whether two numbers differ by no more than a share of the larger; NaN is like NaN."""
    if a != a or b != b:
        return a != a and b != b
    return a == b or abs(a - b) <= tolerance * max(abs(a), abs(b))


def _by_key(points: Iterable[Point], ignore: Sequence[str]) -> dict[str, list[Point]]:
    groups: dict[str, list[Point]] = {}
    for point in points:
        if not any(fnmatch.fnmatchcase(point.key, pattern) for pattern in ignore):
            groups.setdefault(point.key, []).append(point)
    for group in groups.values():
        group.sort(key=lambda p: (p.step, p.at))
    return groups


def _equal(a: float, b: float) -> bool:
    return _bits(a) == _bits(b) or (a != a and b != b)


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


def _pins(inputs: Sequence[str]) -> dict[str, int]:
    pins: dict[str, int] = {}
    for ref in _data(inputs):
        name, version = parse_version(ref)
        pins[name] = max(version, pins.get(name, 0))
    return pins


def _data(inputs: Sequence[str]) -> list[str]:
    return [ref for ref in inputs if ref.startswith("data:")]


def _settings(machine: Mapping[str, str]) -> dict[str, str]:
    """Set what decided the order of sums and of sets, as it was."""
    names = {"threads": "OMP_NUM_THREADS", "hash_seed": "PYTHONHASHSEED"}
    return {names[key]: value for key, value in machine.items() if key in names and value}


def _differing(then: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    return [
        f"{key} {then.get(key) or 'unknown'}, now {here.get(key) or 'none'}"
        for key in sorted(then.keys() | here.keys())
        if then.get(key) != here.get(key)
    ]


def _differing_pins(then: str, here: str) -> list[str]:
    """Name the packages that both imported, in other versions."""
    old, new = _pinned(then), _pinned(here)
    return [
        f"{name} {old[name]}, now {new[name]}"
        for name in sorted(old.keys() & new.keys())
        if old[name] != new[name]
    ]


def _pinned(lock: str) -> dict[str, str]:
    """Read a lock: package to version, hash or place."""
    found = {}
    for line in lock.splitlines():
        wish = line.rpartition("  # ")[2] if line.startswith("-e ") else line.removeprefix("# ")
        name, separator, version = wish.partition("==" if "==" in wish else " @ ")
        if separator:
            found[name.strip()] = unquote(version.strip())  # installers write a URL in two ways
    return found


def _failed(found: CertificateFacts, reason: str) -> CertificateFacts:
    return msgspec.structs.replace(found, reasons=[*found.reasons, reason])


def _obstacle(name: str, reason: str) -> ConflictError:
    return ConflictError(
        f"{name} cannot be run again: {reason}",
        "Train it once more with %%train; it can be proved then.",
        code="no_rerun",
    )
