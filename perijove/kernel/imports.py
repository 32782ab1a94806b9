"""Something to do when a module is first imported: a seed costs no import of torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_waiting: dict[str, dict[str, Callable[[Any], None]]] = {}


def when_imported(name: str, wish: str, act: Callable[[Any], None]) -> None:
    """Act on a module now if it is imported, else as soon as it is.

    Parameters
    ----------
    name
        Of a top-level module.
    wish
        What for: a later wish of the same word takes its place.
    """
    module = sys.modules.get(name)
    if module is not None and not _half_imported(module):
        act(module)
        return
    _waiting.setdefault(name, {})[wish] = act
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def waits(name: str, wish: str) -> bool:
    """Whether a wish waits for the import of a module."""
    return wish in _waiting.get(name, {})


def withdraw(name: str, wish: str) -> None:
    """Forget a wish that waits; nothing happens where there is none."""
    _waiting.get(name, {}).pop(wish, None)


def _half_imported(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


class _Finder:
    """Lets the other finders find, and adds to what their loader does."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _waiting:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                _extend(spec)
                return spec
        return None


def _extend(spec: ModuleSpec) -> None:
    loader: Any = spec.loader
    if loader is None or not hasattr(loader, "exec_module"):
        return
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module
        execute(module)
        for act in _waiting.pop(spec.name, {}).values():
            act(module)

    try:
        loader.exec_module = exec_module
    except AttributeError:  # a loader that takes no attributes: a built-in module
        return
