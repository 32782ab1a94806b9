"""Which objects of this kernel are logged, and whether they are still what was logged.

A variable stays the same object when its model is fitted again. What it was logged as is then
another model: to deploy or to measure that one would be to answer for weights that are gone.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from perijove.core.errors import ConflictError


class _Logged(NamedTuple):
    object: Callable[[], Any]
    ref: str
    fingerprint: str | None


class LoggedModels:
    """The link between objects and model versions. Keeps no object alive that can be let go."""

    def __init__(self) -> None:
        self._known: dict[int, _Logged] = {}

    def remember(self, model: Any, ref: str) -> None:
        """Note that an object, as it is now, was logged as a version."""
        key = id(model)

        def forget(gone: object) -> None:
            found = self._known.get(key)
            if found is not None and found.object is gone:
                del self._known[key]

        try:
            held: Callable[[], Any] = weakref.ref(model, forget)
        except TypeError:  # a type that knows no weak references

            def held() -> Any:
                return model

        self._known[key] = _Logged(held, ref, fingerprint(model))

    def find(self, model: Any) -> str | None:
        """Return the version that an object was logged as last, whatever became of it since."""
        found = self._known.get(id(model))
        return found.ref if found is not None and found.object() is model else None

    def changed(self, model: Any) -> bool:
        """Whether a logged object is another one inside than it was then."""
        found = self._known[id(model)]
        return found.fingerprint is None or found.fingerprint != fingerprint(model)

    def require(self, model: Any) -> str | None:
        """Return the version that an object is; None when it was never logged.

        Raises
        ------
        ConflictError
            When it has changed since.
        """
        ref = self.find(model)
        if ref is not None and self.changed(model):
            name, _, version = ref.removeprefix("model:").rpartition("@")
            raise ConflictError(
                f"This {type(model).__name__} was logged as {ref} and is not the same any more.",
                f"Log it again with pj.log_model(model, {name!r}), or name the logged one: "
                f"'{name}@{version}'.",
                code="model_changed",
            )
        return ref


class _Digest:
    """A file that keeps nothing but the hash of what is written to it."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        return memoryview(data).nbytes


def fingerprint(model: Any) -> str | None:
    """Hash what a model is made of; None for what cannot be written down."""
    import cloudpickle  # type: ignore[import-untyped]

    digest = _Digest()
    try:
        for part in _parts(model):
            cloudpickle.Pickler(digest, protocol=5).dump(part)
    except Exception:  # noqa: BLE001 - runs the reducers of any type: what fails is not known
        return None
    return digest.sha256.hexdigest()


def _parts(model: Any) -> Iterator[Any]:
    """What decides a model's answers, where its library says what that is; else all of it."""
    if any(cls.__module__.partition(".")[0] == "torch" for cls in type(model).__mro__):
        # Without gradients and mode, which come and go without a change of the weights. NumPy
        # does not know all of torch's types, but each of their numbers is a double.
        for name, tensor in model.state_dict().items():
            yield name, tensor.cpu().double().numpy()
    else:
        yield model
