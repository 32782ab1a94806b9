"""``%%train``, ``%deploy`` and ``%lifecycle``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from perijove.contracts.deploy import EndpointFacts, Gate
from perijove.core.chain import facts_of, make_ref
from perijove.core.errors import GateBlockedError
from perijove.kernel import training, words
from perijove.kernel.deployment import READY_SECONDS, named_model, request_deployment
from perijove.kernel.options import Parser, parse_train
from perijove.kernel.session import Session, current

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


_DEPLOY = Parser("%deploy")
_DEPLOY.add_argument("model", metavar="MODEL")
_DEPLOY.add_argument("--endpoint", default="", metavar="NAME")
_DEPLOY.add_argument("--target", default="local")
_DEPLOY.add_argument("--override", metavar="REASON")


@magics_class
class PerijoveMagics(Magics):
    """The magics of a kernel with a project."""

    shell: InteractiveShell

    @no_var_expand
    @cell_magic
    def train(self, line: str, cell: str) -> None:
        """Run the cell as a tracked run: its code, data, packages, commit, numbers as they come.

        %%train [--name NAME] [--seed N] [--deterministic] [--param KEY=VALUE ...] [--gpus N]
                [--no-system-metrics]
                [--background [--cpus N] [--executor local|ray] [--cells 1-4,7 | --all] [--force]]

        --name           what the run is called; after the notebook when left out
        --seed           seeds random, NumPy, torch (CUDA too): now, or when they are imported
        --deterministic  torch takes only algorithms that give the same bits each time
        --param          is logged with the run and is a variable of the cell
        --gpus           so many GPUs, those with the most free memory
        --no-system-metrics  logs no CPU, memory and GPU figures each second
        --background     in a job that outlives this kernel: the cells that ran go along as text,
                         but for those that deploy, install or write outside
        --cells          these cells go along, and no others
        --all            all cells that ran go along, whatever they do
        --force          it is sent even though names are missing
        """
        training.train(self.shell, current(), parse_train(line), cell)

    @no_var_expand
    @line_magic
    def deploy(self, line: str) -> None:
        """Ask the gate, deploy the model, and wait until it answers.

        %deploy MODEL [--endpoint NAME] [--target local] [--override "REASON"]

        MODEL       NAME, NAME@VERSION, models:/NAME/VERSION, or a variable that holds a model
        --endpoint  the endpoint's name; the model's when left out
        --override  signs past a closed gate with your name; the reason goes into the audit
        """
        with training.usage_errors():
            options = _DEPLOY.parse(line)
            session = current()
            node = named_model(session, options.model)
            endpoint = options.endpoint or node.name
            try:
                request_deployment(session, node, endpoint, options.target, options.override)
            except GateBlockedError as error:
                raise UsageError(
                    f"\n{words.gate(error.gate)}\n\nNot deployed. Mend what fails, or sign for it: "
                    f'%deploy {options.model} --override "REASON"'
                ) from None
            _await(self.shell, session, endpoint)

    @line_magic
    def lifecycle(self, line: str) -> None:
        """Print the five steps of the project, and what fails each."""
        from perijove.adapters import text

        with training.usage_errors():
            if line.strip():
                raise UsageError("%lifecycle takes nothing.")
            bench = current().workbench
            print(text.lifecycle(bench.lifecycle()))  # noqa: T201 - the output of the magic


def _await(shell: InteractiveShell, session: Session, name: str) -> None:
    """Show how the endpoint comes up, in one output that changes."""
    deploy = session.workbench.deploy
    gate = words.gate(_passed(session, name))
    output, shown = f"deploy-{name}-{time.time_ns()}", ""

    def show(text: str) -> None:
        nonlocal shown
        if text != shown:
            training.show(shell, {"text/plain": f"{gate}\n{text}"}, output, update=bool(shown))
            shown = text

    ready = deploy.wait(
        name, READY_SECONDS, lambda status: show(f"{name} {status.state} {status.detail}".rstrip())
    )
    show(words.endpoint(ready))


def _passed(session: Session, name: str) -> Gate:
    """The gate as it stood when the wanted revision went out."""
    chain = session.workbench.project.chain
    revision = chain.wanted_endpoints()[name].revision
    return facts_of(chain.get(make_ref("endpoint", name, revision)), EndpointFacts).gate
