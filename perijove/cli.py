"""The command line: ``perijove``. The exit code is 0 only when it did what it says."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from perijove.core.errors import PerijoveError
from perijove.core.jobs import COMMANDS

Command = Callable[[argparse.Namespace], Any]
"""Does it and returns what to print: text for people, or a struct with ``--json``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        result = options.run(options)
    except PerijoveError as error:
        if options.json:
            print(msgspec.json.encode(error.body()).decode())
        else:
            print(f"perijove: {error.message}", file=sys.stderr)
            if error.hint:
                print(f"          {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(result), indent=1).decode())
    elif options.show is not None:
        print(options.show(result))
    return int(options.judge(result)) if options.judge is not None else 0


def _parser() -> argparse.ArgumentParser:
    from perijove import __version__
    from perijove.adapters import text
    from perijove.commands.jobs import add_commands as add_job_commands

    parser = argparse.ArgumentParser(prog="perijove", description="The model life cycle.")
    parser.add_argument("--version", action="version", version=f"perijove {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str,
        run: Command,
        purpose: str,
        show: Callable[[Any], str] | None,
        within: Any = commands,
        judge: Callable[[Any], int] | None = None,
    ) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = within.add_parser(
            name, help=purpose, description=purpose
        )
        command.add_argument("--json", action="store_true", help="print JSON")
        command.add_argument("--project", type=Path, default=Path(), help="a folder in the project")
        command.set_defaults(run=run, show=show, judge=judge)
        return command

    init = add("init", _init, "Make a project in a folder", text.created)
    init.add_argument("folder", type=Path)
    init.add_argument("--name", default="")
    init.add_argument("--example", action="store_true", help="fill it with the example")
    init.add_argument("--data", type=Path, help="the example's CSV, instead of a generated one")
    add("status", _status, "The five steps at a glance", text.lifecycle)
    lineage = add("lineage", _lineage, "Walk the chain in both directions", text.lineage)
    lineage.add_argument("ref", nargs="?", default="", help="such as model:builds@1")
    _audit_commands(add)
    add("trust", _trust, "Let the project start its endpoints and schedules", lambda d: d.detail)
    add("alerts", _alerts, "What needs a person", text.alerts)
    add("doctor", _doctor, "Check what Perijove needs", text.doctor, judge=_healthy)
    lab = add("lab", _lab, "Open JupyterLab on the project", None)
    lab.add_argument("arguments", nargs=argparse.REMAINDER, help="for jupyter lab")

    endpoints = commands.add_parser("endpoints", help="List, stop, start, roll back endpoints")
    actions = endpoints.add_subparsers(required=True, metavar="ACTION")
    add("list", _endpoints, "List endpoints", text.endpoints, actions)
    for name, run, purpose in (
        ("stop", _stop, "Stop an endpoint; its revisions stay"),
        ("start", _start, "Start a stopped endpoint"),
        ("rollback", _rollback, "Let an earlier revision answer"),
    ):
        action = add(name, run, purpose, text.endpoint, actions)
        action.add_argument("name")
        if name == "rollback":
            action.add_argument("revision", type=int)
    data = commands.add_parser("data", help="Make curated datasets again, or anew")
    actions = data.add_subparsers(required=True, metavar="ACTION")
    again = add(
        COMMANDS["make_again"][-1], _make_again, "Make a version again and compare its rows", text.proof,
        actions, judge=_same,
    )  # fmt: skip
    again.add_argument("ref", help="such as data:builds_clean@3, or builds_clean for the newest")
    anew = add(
        COMMANDS["curate"][-1], _curate, "Run a curation on its inputs as they are now",
        text.version, actions,
    )  # fmt: skip
    anew.add_argument("name")
    rerun = add(
        COMMANDS["rerun"][-1], _rerun, "Run a run's recorded cells in a fresh environment, compare",
        text.certificate, judge=_proved,
    )  # fmt: skip
    rerun.add_argument("run_id", metavar="RUN", help="its id, or the beginning of it")
    rerun.add_argument(
        "--tolerance", type=float, default=1e-6,
        help="relative, where machine or packages are not the same (1e-6)",
    )  # fmt: skip
    for action in (again, anew, rerun):
        action.add_argument("--by", default="", help="who asks for it; you when left out")
    add_job_commands(commands, add)
    return parser


def _audit_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    from perijove.adapters import text

    audit = add(
        "audit", _audit, "Who did what, and whether the ledger is intact", text.audit, judge=_intact
    )
    audit.add_argument(
        "what", nargs="?", choices=("list", "verify", "anchor"), default="list",
        help="list entries, only verify, or write the head into perijove.audit",
    )  # fmt: skip
    audit.add_argument("--actor", default="", help="only what this one did")
    audit.add_argument("--action", default="", help="only this, such as 'curate dataset'")
    audit.add_argument("--resource", default="", help="only what begins so, such as data:builds")
    audit.add_argument("--limit", type=int, default=10_000)


def _make_again(options: argparse.Namespace) -> Any:
    from perijove.core import jobs
    from perijove.core.chain import make_ref, parse_version

    with jobs.reported():
        bench = _bench(options, trust=True)
        name, version = parse_version(options.ref)
        node = bench.data.registry.resolve(name, version)
        proof = bench.data.making.prove(make_ref("data", name, node.version), by=options.by)
        jobs.finish({"ref": proof.ref, "same": proof.same, "fingerprint": proof.fingerprint})
        return proof


def _rerun(options: argparse.Namespace) -> Any:
    from perijove.core import jobs

    with jobs.reported():
        bench = _bench(options, trust=True)
        run_id = bench.develop.reruns.find(options.run_id)
        found = bench.develop.reruns.prove(run_id, options.tolerance, by=options.by)
        jobs.finish({"run": found.run_id, "rerun": found.rerun, "ok": found.ok})
        return found


def _proved(found: Any) -> int:
    from perijove.core.jobs import job_folder

    # A job has done its work when it found a difference: the certificate tells that.
    return 0 if found.ok or job_folder() is not None else 1


def _same(proof: Any) -> int:
    from perijove.core.jobs import job_folder

    # A job has done its work when it found a difference: its result tells that.
    return 0 if proof.same or job_folder() is not None else 1


def _curate(options: argparse.Namespace) -> Any:
    from perijove.core import jobs

    with jobs.reported():
        data = _bench(options, trust=True).data
        node = data.making.renew(options.name, by=options.by)
        jobs.finish({"ref": node.ref})
        return data.registry.describe(node)


def _bench(options: argparse.Namespace, *, trust: bool = False) -> Any:
    """Open the project; ``trust`` it where the command runs the project's code."""
    from perijove.adapters.workbench import open_workbench

    bench = open_workbench(options.project)
    if trust:
        bench.project.trust.give()
    return bench


def _trust(options: argparse.Namespace) -> Any:
    from perijove.contracts.base import Done

    bench = _bench(options)
    root, held = bench.project.paths.root, bench.held()
    if bench.project.trust.given():
        return Done(f"{root} is trusted.")
    bench.project.trust.give()
    bench.project.chain.ledger.audit(bench.project.actor, "trust project", "perijove.toml")
    bench.resume()
    return Done(f"{root} is trusted now." + (f" What waited: {held}." if held else ""))


def _init(options: argparse.Namespace) -> Any:
    from perijove.adapters.initialize import initialize_project
    from perijove.contracts.problem import ProjectSummary

    project = initialize_project(
        options.folder, name=options.name, example=options.example, data=options.data
    )
    return ProjectSummary(path=str(project.paths.root), name=project.name)


def _status(options: argparse.Namespace) -> Any:
    bench = _bench(options)
    bench.resume()
    return bench.lifecycle(str(bench.project.paths.root))


def _lineage(options: argparse.Namespace) -> Any:
    return _bench(options).problem.lineage(options.ref)


def _audit(options: argparse.Namespace) -> Any:
    from perijove.contracts.chain import AuditQuery

    bench = _bench(options)
    if options.what == "anchor":
        return bench.problem.anchor_audit(by=bench.project.actor)
    limit = 0 if options.what == "verify" else options.limit
    return bench.problem.audit(
        AuditQuery(
            limit=limit, actor=options.actor, action=options.action, resource=options.resource
        )
    )


def _intact(audit: Any) -> int:
    if not audit.intact:
        print(f"perijove: the audit is broken: {audit.fault}", file=sys.stderr)
    return 0 if audit.intact else 1


def _alerts(options: argparse.Namespace) -> Any:
    from perijove.contracts.alerts import Alerts

    return Alerts(items=_bench(options).alerts.standing())


def _endpoints(options: argparse.Namespace) -> Any:
    from perijove.contracts.deploy import Endpoints

    bench = _bench(options)
    bench.resume()
    return Endpoints(items=bench.deploy.endpoints())


def _stop(options: argparse.Namespace) -> Any:
    bench = _bench(options)
    bench.deploy.stop(options.name, by=bench.project.actor)
    return bench.deploy.wait(options.name)


def _start(options: argparse.Namespace) -> Any:
    bench = _bench(options, trust=True)
    bench.deploy.start(options.name, by=bench.project.actor)
    return bench.deploy.wait(options.name)


def _rollback(options: argparse.Namespace) -> Any:
    bench = _bench(options, trust=True)
    bench.deploy.rollback(options.name, options.revision, by=bench.project.actor)
    return bench.deploy.wait(options.name)


def _doctor(options: argparse.Namespace) -> Any:
    from perijove.adapters.doctor import examine

    return examine(options.project)


def _healthy(findings: Any) -> int:
    return 0 if all(finding.ok for finding in findings) else 1


def _lab(options: argparse.Namespace) -> Any:
    import os

    root = _bench(options).project.paths.root
    extra = [a for a in options.arguments if a != "--"]
    if os.getuid() == 0 and "--allow-root" not in extra:
        extra.append("--allow-root")
    command = [sys.executable, "-m", "jupyter", "lab", f"--ServerApp.root_dir={root}", *extra]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    sys.exit(main())
