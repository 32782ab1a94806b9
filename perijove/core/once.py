"""A property that is made once, when it is first asked for, by however many threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
_LOCKS = "_once_lock"
_making_locks = threading.Lock()


class once(Generic[T]):  # noqa: N801 - used like functools.cached_property
    """Like ``functools.cached_property``, which has no lock since Python 3.12.

    All properties of one instance share a lock that its holder may take again, so that one may
    need another in any order.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> once[T] | T:
        if instance is None:
            return self
        kept = instance.__dict__
        with _making_locks:
            lock = kept.setdefault(_LOCKS, threading.RLock())
        with lock:
            if self._name not in kept:
                kept[self._name] = self._make(instance)
        # Found here from now on, past this descriptor: it has no __set__.
        found: T = kept[self._name]
        return found
