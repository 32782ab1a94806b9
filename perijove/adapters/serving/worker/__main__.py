"""Start a worker: verify, load, warm up, bind, answer."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from perijove.adapters.serving.layout import PREDICTIONS, REFUSED
from perijove.contracts.deploy import EndpointFacts, ModelFacts
from perijove.core.chain import Chain, facts_of, make_ref
from perijove.core.errors import PerijoveError
from perijove.core.ledger import Ledger
from perijove.core.paths import ProjectPaths

if TYPE_CHECKING:
    from perijove.adapters.serving.worker.server import WorkerServer


def main() -> None:
    """Serve until told to end. The last line of the log says why it did not."""
    parser = argparse.ArgumentParser(prog="perijove-worker")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--revision", type=int, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--public", type=Path, required=True)
    given = parser.parse_args()
    parent = os.getppid()
    try:
        server = prepare(given.root, given.endpoint, given.revision)
        server.listen(given.socket)
        server.run(given.root, given.public, parent)
    except PerijoveError as error:
        _end(error.message if not error.hint else str(error), REFUSED)
    except Exception as error:  # noqa: BLE001  the process ends here, and says why
        traceback.print_exc()
        _end(f"The model could not be started. {type(error).__name__}: {error}", 1)
    _end("", 0)


def _end(message: str, code: int) -> None:
    """End now: a thread that still computes must not keep the process."""
    sys.stderr.flush()
    if message:
        sys.stdout.write(f"perijove: {' '.join(message.split())}\n")
    sys.stdout.flush()
    os._exit(code)


def prepare(root: Path, endpoint: str, revision: int) -> WorkerServer:
    """Load the model of a revision and answer its sample once."""
    from perijove.adapters.serving.worker import model
    from perijove.adapters.serving.worker.app import Application, Identity
    from perijove.adapters.serving.worker.engine import Engine
    from perijove.adapters.serving.worker.predictions import PredictionJournal
    from perijove.adapters.serving.worker.server import WorkerServer

    paths = ProjectPaths(root)
    ledger = Ledger(paths)
    try:
        chain = Chain(ledger)
        served = facts_of(chain.get(make_ref("endpoint", endpoint, revision)), EndpointFacts)
        node = chain.get(served.model)
        facts = facts_of(node, ModelFacts)
    finally:
        ledger.close()
    folder = paths.absolute(facts.folder)
    model.verify(folder, facts.manifest, node.ref)
    loaded = model.load(folder, facts, node.ref)
    timeout = float(served.settings.get("timeout_seconds", 30.0))
    batching = {"on": True, "off": False}.get(str(served.settings.get("batching")))
    engine = Engine(loaded, facts.signature, facts.sample, timeout, batching)
    engine.warm_up()
    server = WorkerServer()
    server.use(
        Application(
            Identity(endpoint, revision, node.name, str(node.version)),
            engine,
            PredictionJournal(paths.endpoint(endpoint) / PREDICTIONS, revision),
            facts.sample,
            server.on_hang,
        )
    )
    return server


if __name__ == "__main__":
    main()
