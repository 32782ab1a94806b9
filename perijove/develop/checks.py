"""What the develop step asks at the gate: is the model whole, is its number honest, is it the best?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from perijove.contracts.deploy import GateCheck
from perijove.contracts.problem import Kpi
from perijove.core.chain import ref_name
from perijove.core.gate import Candidate, Check, Question
from perijove.core.leakage import TRAIN, learnt
from perijove.core.measurements import Measured, ahead, best, by_rows, current, measurements
from perijove.core.metrics import METRICS
from perijove.core.targets import concerned

SIGNATURE = Question("signature", "develop", "Signature, sample and files are there")
UNSEEN = Question("unseen_rows", "develop", "It is measured on rows that it did not learn")
BETTER = Question("better_run", "develop", "No better model exists")


def signature(candidate: Candidate) -> GateCheck:
    """The model says what it takes and gives, and all its files are there."""
    facts = candidate.facts
    folder = candidate.project.paths.absolute(facts.folder)
    missing = [name for name in sorted(facts.manifest) if not (folder / name).is_file()]
    lacking = [
        word
        for word, there in (
            ("signature", facts.signature is not None and facts.signature.inputs),
            ("sample row", facts.sample),
            ("files", facts.manifest),
        )
        if not there
    ]
    if missing or lacking:
        detail = f"It has no {' and no '.join(lacking)}." if lacking else ""
        if missing:
            detail += f" {len(missing)} of {len(facts.manifest)} files are gone."
        return SIGNATURE.fails(
            detail.strip(), "Log it with pj.log_model(model, name, sample_input).", missing
        )
    assert facts.signature is not None
    inputs, outputs = len(facts.signature.inputs), len(facts.signature.outputs)
    return SIGNATURE.passes(f"{inputs} inputs, {outputs} outputs, {len(facts.manifest)} files.")


def unseen_rows(candidate: Candidate) -> GateCheck:
    """The numbers that count were measured on rows that the training run did not have."""
    project, ref, facts = candidate.project, candidate.model.ref, candidate.facts
    found = measurements(project)
    own = [one for kpi in _targets(candidate) for one in found[kpi] if one.model == ref]
    if not own:
        return UNSEEN.unknown(
            "It is not measured on a target yet.", _evaluate(ref, _targets(candidate))
        )
    places = list(dict.fromkeys((one.data, one.split) for one in own))
    reasons = [why for place in places if (why := learnt(project.chain, ref, facts, *place))]
    wrong = [why.reason for why in reasons if why.certain]
    name = ref_name(own[0].data)
    fix = f'Train on pj.dataset("{name}").read(split="{TRAIN}"), then log and measure it again.'
    if wrong:
        if any(one.split == TRAIN for one in own):
            fix = f"Set the target on another part than {TRAIN!r}."
        return UNSEEN.fails(f"{wrong[0]}: the model may know the answers.", fix, wrong)
    if reasons:
        return UNSEEN.unknown(f"{'; '.join(why.reason for why in reasons)}.", fix)
    where = ", ".join(f"{data}/{split}" for data, split in places)
    return UNSEEN.passes(f"Measured on {where}, apart from what its run learnt from.")


@dataclass(slots=True)
class _Rivals:
    """How the other models stand to one, on one KPI."""

    compared: int = 0
    ahead: list[tuple[Measured, Measured]] = field(default_factory=list)
    """Better ones, each with the own measurement on the same rows."""
    void: dict[str, str] = field(default_factory=dict)
    """Better ones whose numbers are worth nothing, each with the reason."""
    apart: list[Measured] = field(default_factory=list)
    """The best of those that were measured on other rows only."""


def better_run(candidate: Candidate) -> GateCheck:
    """No other model of the project measured better on a target, on the same rows.

    A model into whose inputs the answer leaks, or that learnt the rows, does not count: its number
    is no number. Numbers on other rows do not compare, which is no reason to leave them aside.
    """
    ref = candidate.model.ref
    rows = by_rows(candidate.project)
    kpis = _targets(candidate)
    if not kpis:
        return BETTER.unknown("There is no KPI to compare by.", "Set a target.")
    winners: list[str] = []
    notes: list[str] = []
    apart: list[tuple[Kpi, Measured]] = []
    for kpi in kpis:
        own = [one for one in rows[kpi] if one.model == ref]
        if not own:
            return BETTER.unknown(
                f"{kpi.metric} of this version was not measured.", _evaluate(ref, [kpi])
            )
        found = _rivals(kpi, own, [one for one in rows[kpi] if one.model != ref])
        top = best(kpi, [rival for rival, _ in found.ahead])
        if top is not None:
            mine = next(mine for rival, mine in found.ahead if rival is top)
            winners.append(
                f"{top.model}: {kpi.metric} {top.value:.4g} against {mine.value:.4g} "
                f"on {mine.data}/{kpi.split}"
            )
        apart += [(kpi, one) for one in found.apart]
        counted = current(own)[0]
        notes.append(
            f"{kpi.metric} {counted.value:.4g}, {found.compared} other "
            f"version{'' if found.compared == 1 else 's'} measured on {counted.data}"
            + "".join(f"; {name} {why} and does not count" for name, why in found.void.items())
        )
    if winners:
        return BETTER.fails(
            f"A better one exists: {winners[0]}.",
            f"Deploy {winners[0].partition(': ')[0]}, or say in an override why not.",
            winners,
        )
    if apart:
        kpi, first = apart[0]
        names = ", ".join(f"{one.model} on {one.data}" for _, one in apart)
        return BETTER.unknown(
            f"Measured on other rows only, so that they do not compare: {names}.",
            f'Run pj.evaluate("{first.model}", "{kpi.data}", split="{kpi.split}"), or measure '
            f'this one there: pj.evaluate("{ref}", "{kpi.data}@{first.version}", '
            f'split="{kpi.split}").',
        )
    return BETTER.passes("; ".join(notes) + ".")


def _rivals(kpi: Kpi, own: list[Measured], others: list[Measured]) -> _Rivals:
    """Compare each other model on the newest rows that both were measured on."""
    mine = {one.data: one for one in own}
    found = _Rivals()
    pairs: dict[str, tuple[Measured, Measured]] = {}
    for one in sorted(others, key=lambda one: one.version):
        if one.data in mine:
            pairs[one.model] = one, mine[one.data]
    found.compared = len(pairs)
    for rival, counterpart in pairs.values():
        if ahead(rival, counterpart, kpi):
            if rival.honest:
                found.ahead.append((rival, counterpart))
            else:
                found.void[rival.model] = "leaks" if rival.leaks else "learnt these rows"
    elsewhere = current(one for one in others if one.model not in pairs and one.honest)
    for data in dict.fromkeys(one.data for one in elsewhere):
        # Who is the best on those rows stands for all of them.
        top = best(kpi, [one for one in others if one.data == data and one.honest])
        if top is not None and top.model not in pairs:
            found.apart.append(top)
    return found


def _targets(candidate: Candidate) -> list[Kpi]:
    about = concerned(candidate.project, candidate.model.ref, candidate.facts)
    return [kpi for kpi in about if kpi.metric in METRICS]


def _evaluate(ref: str, kpis: Iterable[Kpi]) -> str:
    for kpi in kpis:
        return f'Run pj.evaluate("{ref}", "{kpi.data}", split="{kpi.split}").'
    return "Set a target."


CHECKS: tuple[Check, ...] = (signature, unseen_rows, better_run)
