"""What a run took, and what that costs by the project's own rates."""

from __future__ import annotations

from typing import Final

import msgspec

from perijove.contracts.develop import Usage
from perijove.core.project_file import CostsTable

HOUR: Final = 3600.0


def cost_of(usage: Usage, rates: CostsTable) -> float | None:
    """Return what a run costs; None where no rate is given or nothing was measured.

    A CPU hour is an hour of one core that is busy; a GPU hour is one of a GPU that is held.
    """
    parts = [
        (usage.cpu_seconds, rates.cpu_hour),
        (usage.gpu_seconds, rates.gpu_hour),
    ]
    known = [seconds / HOUR * rate for seconds, rate in parts if seconds is not None and rate]
    return sum(known) if known else None


def with_cost(usage: Usage, rates: CostsTable) -> Usage:
    """Return a usage with its cost, in the project's currency."""
    cost = cost_of(usage, rates)
    return msgspec.structs.replace(
        usage, cost=cost, currency=rates.currency if cost is not None else ""
    )


def together(first: Usage, second: Usage) -> Usage:
    """Add two parts of one run up: it was resumed, or several processes worked on it."""
    return Usage(
        seconds=first.seconds + second.seconds,
        cpu_seconds=_sum(first.cpu_seconds, second.cpu_seconds),
        gpu_seconds=_sum(first.gpu_seconds, second.gpu_seconds),
        gpus=sorted({*first.gpus, *second.gpus}),
        peak_memory=_most(first.peak_memory, second.peak_memory),
        peak_gpu_memory=_most(first.peak_gpu_memory, second.peak_gpu_memory),
        cost=_sum(first.cost, second.cost),
        currency=first.currency or second.currency,
    )


def _sum(first: float | None, second: float | None) -> float | None:
    return second if first is None else first if second is None else first + second


def _most(first: int | None, second: int | None) -> int | None:
    return second if first is None else first if second is None else max(first, second)
