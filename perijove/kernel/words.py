"""How the kernel says things: the gate's checklist, a run's card, an error without its walls."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import perijove
from perijove.contracts.base import to_float
from perijove.core.errors import GateBlockedError, PerijoveError
from perijove.core.metrics import sign

if TYPE_CHECKING:
    from perijove.contracts.deploy import Endpoint, Gate, GateCheck
    from perijove.contracts.develop import RunSummary
    from perijove.kernel.background import Sent
    from perijove.kernel.run import TrackedRun

GLYPHS: Final = {"pass": "✓", "fail": "✗", "unknown": "?"}
SHOWN_METRICS: Final = 6
_OURS: Final = str(Path(perijove.__file__).parent)


def gate(checked: Gate) -> str:
    """The checklist, what fails first in words: columns, numbers, and how to mend them."""
    lines = [f"Gate of {checked.model}: {'open' if checked.passed else 'CLOSED'}"]
    for check in checked.checks:
        lines += _check(check)
    return "\n".join(lines)


def _check(check: GateCheck) -> list[str]:
    lines = [f"  {GLYPHS[check.state]} {check.title}: {check.detail}"]
    if check.state != "pass":
        lines += [f"      {item}" for item in check.items]
        if check.fix:
            lines.append(f"      → {check.fix}")
    return lines


def endpoint(deployed: Endpoint) -> str:
    lines = [f"{deployed.name} r{deployed.revision or deployed.wanted} {deployed.state}: "
             f"{deployed.model}"]  # fmt: skip
    if deployed.url:
        lines.append(f"  {deployed.url}")
    if deployed.socket:
        lines.append(f"  unix:{deployed.socket}")
    if deployed.override is not None:
        lines.append(f"  OVERRIDDEN by {deployed.override.by}: {deployed.override.reason}")
        lines.append(f"  past: {', '.join(deployed.override.failed)}")
    if deployed.warning:
        lines.append(f"  {deployed.warning}")
    lines.append(f'  pj.endpoint("{deployed.name}").predict(rows)')
    return "\n".join(lines)


def run_started(run: TrackedRun) -> str:
    return f"{run.name} running · run {run.run_id}"


def sent(sent: Sent) -> str:
    """A background run's card in text: where it is, and what did not go along."""
    job, recipe = sent.job, sent.recipe
    went = ", ".join(str(cell.number) for cell in recipe.cells[:-1]) or "none"
    lines = [
        f"{recipe.name} {job.state} · run {sent.run_id} · job {job.id}",
        f"  cells that went along: {went}",
    ]
    if job.waiting:
        lines.append(f"  waits: {job.waiting}")
    reasons: dict[str, list[str]] = {}
    for one in sent.left_out:
        reasons.setdefault(one.reason or "it was not chosen", []).append(str(one.number))
    for reason, numbers in reasons.items():
        many = len(numbers) > 1
        which = f"cells {', '.join(numbers)}, of each:" if many else f"cell {numbers[0]},"
        lines.append(f"  left out: {which} {reason}")
    lines += [f"  missing: {one}" for one in sent.missing]
    return "\n".join(lines)


def run_ended(run: TrackedRun, summary: RunSummary | None) -> str:
    """The card's twin in text: how it ended, its numbers, its models."""
    lines = [f"{run.name} {run.state} in {duration(run.seconds)} · run {run.run_id}"]
    if run.error and run.state == "failed":
        lines.append(f"  {run.error.splitlines()[0]}")
    if summary is not None:
        lines += _numbers(summary)
    if run.writer.lost:
        lines.append(f"  {run.writer.lost} records were not kept: the disk was full")
    return "\n".join(lines)


def _numbers(summary: RunSummary) -> list[str]:
    lines = []
    values = [
        f"{key} {to_float(value):.4g}"
        for key, value in summary.metrics.items()
        if not key.startswith("system/")
    ]
    if values:
        more = f" and {len(values) - SHOWN_METRICS} more" if len(values) > SHOWN_METRICS else ""
        lines.append("  " + " · ".join(values[:SHOWN_METRICS]) + more)
    lines += [
        f"  {verdict.metric} {to_float(verdict.value):.4g} on {verdict.data}/{verdict.split}, target "
        f"{sign(verdict.direction)} {verdict.target:g}: {'met' if verdict.met else 'missed'}"
        for verdict in summary.verdicts
    ]
    if summary.models:
        lines.append(f"  {', '.join(summary.models)}")
    return lines


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} m" if hours else f"{minutes} m {rest} s"


def usage(error: PerijoveError) -> str:
    """What a magic says instead of a traceback."""
    if isinstance(error, GateBlockedError):
        return f"\n{gate(error.gate)}\n\n{error.hint}"
    return f"{error.message}\n{error.hint}".strip()


def render_error(error: PerijoveError) -> list[str]:
    """Show an error with the user's own lines only: what is wrong is in the message."""
    lines = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(_OURS) or "site-packages" in frame.filename:
            continue
        typed = "ipykernel_" in frame.filename or frame.filename.startswith("<")
        lines.append(f"{'cell' if typed else frame.filename}, line {frame.lineno}: {frame.line}")
    return [*lines[-3:], f"{type(error).__name__}: {usage(error)}"]
