"""Perijove: the whole model life cycle, inside the notebook.

In a notebook::

    %load_ext perijove
    import perijove as pj

What is called here is the kernel library; it is loaded on first use, so that the import costs
next to nothing. See :mod:`perijove.kernel.api` for all of it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.kernel.api import (
        callbacks,
        checkpoint,
        curate,
        dataset,
        deploy,
        endpoint,
        evaluate,
        lifecycle,
        log,
        log_model,
        log_params,
        progress,
        register,
        resume,
        search,
        should_stop,
        split,
    )

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


def __getattr__(name: str) -> Any:
    if name in __all__:
        from perijove.kernel import api

        return getattr(api, name)
    raise AttributeError(f"module 'perijove' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


class _CallableStep(ModuleType):
    """The package of a step whose name is also a function's of the kernel library."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from perijove.kernel import api

        return getattr(api, self.__name__.rpartition(".")[2])(*arguments, **options)


class _Door(ModuleType):
    """Importing ``perijove.deploy`` puts that package where ``pj.deploy`` was: let it be called."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in __all__ and isinstance(value, ModuleType):
            value.__class__ = _CallableStep
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Door


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Called by ``%load_ext perijove``."""
    from perijove.kernel.extension import load

    load(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "perijove"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "perijove.server"}]
