"""What the develop step asks at the gate: is the model whole, and is it the best there is?"""

from __future__ import annotations

from perijove.contracts.deploy import GateCheck
from perijove.core.gate import Candidate, Check, Question
from perijove.core.metrics import better
from perijove.develop.verdicts import best, measurements

SIGNATURE = Question("signature", "develop", "Signature, sample and files are there")
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


def better_run(candidate: Candidate) -> GateCheck:
    """No other model of the project measured better on a target, on the same rows.

    A model into whose inputs the answer leaks does not count: its number is no number.
    """
    project, ref = candidate.project, candidate.model.ref
    measured = measurements(project)
    if not measured:
        return BETTER.unknown("There is no KPI to compare by.", "Set a target.")
    winners: list[str] = []
    notes: list[str] = []
    for kpi, found in measured.items():
        own = next((one for one in found if one.model == ref), None)
        if own is None:
            fix = f'Run pj.evaluate("{ref}", "{kpi.data}", split="{kpi.split}").'
            return BETTER.unknown(f"{kpi.metric} of this version was not measured.", fix)
        rivals = [one for one in found if one.model != ref and one.data == own.data]
        ahead = [one for one in rivals if better(one.value, own.value, kpi.direction)]
        leaky = [one for one in ahead if one.leaks]
        top = best(kpi, [one for one in ahead if one not in leaky])
        if top is not None:
            winners.append(
                f"{top.model}: {kpi.metric} {top.value:.4g} against {own.value:.4g} "
                f"on {own.data}/{kpi.split}"
            )
        names = ", ".join(sorted({one.model for one in leaky}))
        notes.append(
            f"{kpi.metric} {own.value:.4g}, {len(rivals)} other "
            f"version{'' if len(rivals) == 1 else 's'} measured on {own.data}"
            + (f"; {names} leaks and does not count" if names else "")
        )
    if winners:
        return BETTER.fails(
            f"A better one exists: {winners[0]}.",
            f"Deploy {winners[0].partition(': ')[0]}, or say in an override why not.",
            winners,
        )
    return BETTER.passes("; ".join(notes) + ".")


CHECKS: tuple[Check, ...] = (signature, better_run)
