"""What the monitor asks at the gate: will anybody see when the inputs change?"""

from __future__ import annotations

from perijove.contracts.deploy import GateCheck
from perijove.core.gate import Candidate, Check, Question

MONITOR = Question("monitor", "monitor", "A monitor will be attached")


def monitor(candidate: Candidate) -> GateCheck:
    """A training profile is there for every input, so that drift can be measured."""
    facts = candidate.facts
    profiled = {profile.feature for profile in facts.profile}
    inputs = [field.name for field in facts.signature.inputs] if facts.signature else []
    missing = [name for name in inputs if name not in profiled]
    if not profiled:
        why = facts.unprofiled or "The model was logged without its training data"
        return MONITOR.fails(
            f"Drift cannot be measured: {why.rstrip('.')}.",
            fix="Log the model in the run that read its training data with pj.dataset(...).read().",
        )
    if missing:
        return MONITOR.fails(
            f"{len(missing)} of {len(inputs)} inputs have no training profile.",
            "Train on columns of a registered dataset, and log the model again.",
            missing,
        )
    return MONITOR.passes(
        f"Latency, errors, and drift of {len(profiled)} features against "
        f"{facts.dataset or 'the training rows'}."
    )


CHECKS: tuple[Check, ...] = (monitor,)
