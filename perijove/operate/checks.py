"""What operations ask at the gate: would the model meet the libraries that it was made with?"""

from __future__ import annotations

import re
import sys
from importlib import metadata

from perijove.contracts.deploy import GateCheck
from perijove.core.gate import Candidate, Check, Question

ENVIRONMENT = Question("environment", "operate", "The environment is the one that made the model")

REQUIREMENTS = "requirements.txt"
_PIN = re.compile(r"([A-Za-z0-9_.-]+)==([^\s;,]+)")


def environment(candidate: Candidate) -> GateCheck:
    """The packages that the model pins are the ones that the endpoint would run with."""
    folder = candidate.project.paths.absolute(candidate.facts.folder)
    path = folder / REQUIREMENTS
    if not path.is_file():
        return ENVIRONMENT.unknown(
            "The model names no requirements.",
            "Log it again with pj.log_model, which records them.",
        )
    pins = dict(_PIN.findall(path.read_text()))
    differing = []
    for name, wanted in pins.items():
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:
            here = "missing"
        if here != wanted:
            differing.append(f"{name} {wanted} wanted, {here} here")
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    if differing:
        return ENVIRONMENT.fails(
            f"{len(differing)} of {len(pins)} packages differ.",
            "Train again in this environment, or install what the model wants.",
            differing,
        )
    return ENVIRONMENT.passes(f"{len(pins)} pinned packages match, {python}.")


CHECKS: tuple[Check, ...] = (environment,)
