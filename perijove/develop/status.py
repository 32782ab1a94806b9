"""The develop step's row in the sidebar: the one fact that matters most now."""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.base import State, to_float
from perijove.contracts.chain import StepEntry, StepStatus
from perijove.contracts.develop import RunState, RunSummary
from perijove.contracts.problem import Kpi
from perijove.core.chain import make_ref, ref_name
from perijove.core.measurements import Verdicts, best
from perijove.core.metrics import sign

ENTRIES = 5
_STATES: dict[RunState, State] = {
    "queued": "running",
    "running": "running",
    "finished": "ok",
    "failed": "failed",
    "stopped": "attention",
    "lost": "failed",
}


def step_status(
    runs: list[RunSummary],
    total: int,
    verdicts: Verdicts,
    name_of: Callable[[str], str],
    errors: dict[str, str],
) -> StepStatus:
    """Tell the state of the step.

    Parameters
    ----------
    runs
        The running ones and the newest ones.
    name_of
        Names a run by its id; empty when it is gone.
    errors
        Run id to why it failed.
    """
    runs = sorted(runs, key=lambda run: (run.state != "running", -run.started))
    if not runs:
        return StepStatus(step="develop", state="not_started", fact="", next="Track a cell")
    kpis = list(verdicts.measured)
    entries = [_entry(run, kpis, errors) for run in runs[:ENTRIES]]
    first = runs[0]
    if first.state == "running":
        fact = first.name
        if first.progress is not None:
            fact += f" · {first.progress:.0%}"
        fact += "".join(f" · {text}" for text in [_logged(first, kpis)] if text)
        others = sum(run.state == "running" for run in runs) - 1
        if others:
            fact += f" · {others} more running"
        value = first.progress
        return StepStatus(step="develop", state="running", fact=fact, entries=entries, value=value)
    winner = _winner(verdicts, name_of)
    state, fact = winner or _newest(first, kpis, verdicts.missing(first.run_id), errors)
    if winner and total > 1:
        fact += f" · {total} runs"
    return StepStatus(step="develop", state=state, fact=fact, entries=entries)


def _winner(verdicts: Verdicts, name_of: Callable[[str], str]) -> tuple[State, str] | None:
    """Return the best run that meets every target that is about its models."""
    for kpi, measured in verdicts.measured.items():
        passing = [
            one
            for one in measured
            if one.honest
            and not verdicts.missing(one.run_id)
            and all(verdict.met for verdict in verdicts.of(one.run_id))
        ]
        top = best(kpi, passing)
        name = name_of(top.run_id) if top is not None else ""
        if top is not None and name:
            return "ok", f"{name} · {kpi.metric} {top.value:.3g}, target {_bound(kpi)} met"
    return None


def _newest(
    run: RunSummary, kpis: list[Kpi], missing: list[Kpi], errors: dict[str, str]
) -> tuple[State, str]:
    if run.state == "failed":
        reason = errors.get(run.run_id, "").strip().partition("\n")[0]
        return "failed", f"{run.name} failed" + (f": {reason}" if reason else "")
    if run.state == "lost":
        return "failed", f"{run.name} lost: its process is gone"
    if run.state == "stopped":
        return "attention", f"{run.name} was stopped"
    if run.state == "queued":
        return "running", f"{run.name} waits for its turn"
    for verdict in run.verdicts:
        if verdict.leaks:
            return "failed", f"{run.name} leaks: {', '.join(verdict.leaks)} tell the answer"
        if not verdict.met:
            kpi = next(
                k
                for k in kpis
                if (k.metric, k.data, k.split)
                == (verdict.metric, ref_name(verdict.data), verdict.split)
            )
            value = to_float(verdict.value)
            return "failed", (
                f"{run.name} · {verdict.metric} {value:.3g}, target {_bound(kpi)} "
                f"missed by {abs(verdict.target - value):.2g}"
            )
    if missing:
        return "attention", f"{run.name} finished · {missing[0].metric} not measured yet"
    return "ok", f"{run.name} finished" + "".join(f" · {t}" for t in [_logged(run, kpis)] if t)


def _entry(run: RunSummary, kpis: list[Kpi], errors: dict[str, str]) -> StepEntry:
    state = _STATES[run.state]
    detail: str = run.state
    if run.verdicts:
        state = "ok" if all(v.met for v in run.verdicts) else "failed"
        detail = " · ".join(
            f"{v.metric} {to_float(v.value):.3g} "
            + ("leaks" if v.leaks else "met" if v.met else "missed")
            for v in run.verdicts
        )
    elif run.state == "failed" and errors.get(run.run_id):
        detail = errors[run.run_id].strip().partition("\n")[0]
    elif logged := _logged(run, kpis):
        detail = f"{run.state} · {logged}"
    return StepEntry(ref=make_ref("run", run.run_id, 1), label=run.name, state=state, detail=detail)


def _logged(run: RunSummary, kpis: list[Kpi]) -> str:
    """Say what the run itself logged of the first KPI's metric; it opens no gate."""
    for kpi in kpis:
        for key in sorted(run.metrics, key=len):
            if key == kpi.metric or key.endswith((f"_{kpi.metric}", f"/{kpi.metric}")):
                return f"{key} {to_float(run.metrics[key]):.3g}"
    return ""


def _bound(kpi: Kpi) -> str:
    return f"{sign(kpi.direction)} {kpi.target:g}"
