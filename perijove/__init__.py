"""Perijove: the whole model life cycle, inside the notebook.

In a notebook::

    %load_ext perijove
    import perijove as pj

What is called here is the kernel library; it is loaded on first use, so that the import costs
next to nothing. See :mod:`perijove.kernel.api` for all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.kernel.api import (
        checkpoint as checkpoint,
        curate as curate,
        dataset as dataset,
        deploy as deploy,
        endpoint as endpoint,
        evaluate as evaluate,
        lifecycle as lifecycle,
        log as log,
        log_model as log_model,
        log_params as log_params,
        progress as progress,
        register as register,
        should_stop as should_stop,
        split as split,
    )

_API = (
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
    "should_stop",
    "split",
)


def __getattr__(name: str) -> Any:
    if name in _API:
        from perijove.kernel import api

        return getattr(api, name)
    raise AttributeError(f"module 'perijove' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_API])


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Called by ``%load_ext perijove``."""
    from perijove.kernel.extension import load

    load(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "perijove"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "perijove.server"}]
