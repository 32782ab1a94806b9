"""All of ``import perijove as pj``: one name each, so that a notebook needs no other import."""

from __future__ import annotations

from perijove.kernel import callbacks
from perijove.kernel.checkpoints import checkpoint, resume
from perijove.kernel.curated import curate
from perijove.kernel.datasets import dataset, register, split
from perijove.kernel.deployment import deploy, endpoint
from perijove.kernel.evaluation import evaluate
from perijove.kernel.models import log_model
from perijove.kernel.search import search
from perijove.kernel.session import current
from perijove.kernel.tracking import log, log_params, progress, should_stop

__all__ = [
    "callbacks",
    "checkpoint",
    "curate",
    "dataset",
    "deploy",
    "endpoint",
    "evaluate",
    "lifecycle",
    "log",
    "log_model",
    "log_params",
    "progress",
    "register",
    "resume",
    "search",
    "should_stop",
    "split",
]


def lifecycle() -> None:
    """Print the five steps of the project, and what fails each."""
    from perijove.adapters import text

    print(text.lifecycle(current().workbench.lifecycle()))  # noqa: T201 - its purpose
