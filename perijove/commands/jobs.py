"""``perijove jobs``: list, show, read, stop, retry and resume."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from perijove.contracts.jobs import Job, JobLog, Jobs

LOOK_SECONDS = 0.2


def add_commands(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands to the parser.

    Parameters
    ----------
    commands
        The subparsers of ``perijove``.
    add
        Adds one with what all of them have.
    """
    from perijove.adapters import text

    jobs = commands.add_parser("jobs", help="List jobs, read their logs, stop and retry them")
    actions = jobs.add_subparsers(required=True, metavar="ACTION")
    listed = add("list", _list, "List jobs, newest first", text.jobs, actions)
    listed.add_argument("--limit", type=int, default=50, help="how many (50)")
    logs = add("logs", _logs, "What a job printed", None, actions)
    logs.add_argument("-f", "--follow", action="store_true", help="until the job has ended")
    named = [
        add("show", _show, "All about a job", text.job_details, actions),
        logs,
        add("stop", _stop, "Stop a job", text.job, actions, judge=_ended),
        add("retry", _retry, "Do a job's work again, from the start", text.job, actions),
        add("resume", _resume, "Go on from a job's last checkpoint", text.job, actions),
    ]
    for command in named:
        command.add_argument("id")


def _bench(options: argparse.Namespace, *, trust: bool = False) -> Any:
    from perijove.adapters.workbench import open_workbench

    bench = open_workbench(options.project)
    if trust:
        bench.project.trust.give()
    return bench


def _list(options: argparse.Namespace) -> Jobs:
    return Jobs(items=list(_bench(options).jobs.list(max(0, options.limit))))


def _show(options: argparse.Namespace) -> Job:
    job: Job = _bench(options).jobs.get(options.id)
    return job


def _logs(options: argparse.Namespace) -> JobLog:
    """Print a log as it comes; with ``--json`` return it when it is all there."""
    board = _bench(options).jobs
    read: list[str] = []
    log: JobLog = board.log(options.id)
    while True:
        if options.json:
            read.append(log.text)
        else:
            sys.stdout.write(log.text)
            sys.stdout.flush()
        if log.ended or (not log.text and not options.follow):
            return JobLog(text="".join(read), offset=log.offset, ended=log.ended)
        if not log.text:
            time.sleep(LOOK_SECONDS)
        log = board.log(options.id, log.offset)


def _stop(options: argparse.Namespace) -> Job:
    bench = _bench(options)
    job: Job = bench.operate.stop_job(options.id, by=bench.project.actor)
    return job


def _ended(job: Job) -> int:
    return 0 if job.ended is not None else 1


def _retry(options: argparse.Namespace, *, resume: bool = False) -> Job:
    # Whoever has the project's code run trusts it.
    bench = _bench(options, trust=True)
    job: Job = bench.operate.retry_job(options.id, by=bench.project.actor, resume=resume)
    return job


def _resume(options: argparse.Namespace) -> Job:
    return _retry(options, resume=True)
