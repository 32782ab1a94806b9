"""``@pj.curate``: a function whose result is a version of a dataset."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove.core.chain import parse_version
from perijove.core.errors import InvalidInputError
from perijove.kernel.datasets import DatasetHandle
from perijove.kernel.files import FileWatch, unwatched
from perijove.kernel.frames import Library, as_frame
from perijove.kernel.session import Session, current

if TYPE_CHECKING:
    from perijove.data.curation import Program

NOTHING: Final = inspect.Parameter.empty


class CuratedFunction:
    """A function that makes a curated dataset; calling it makes a version.

    Parameters
    ----------
    name
        The dataset's.
    inputs
        Names and versions of what it reads; 0 for the newest.
    as_
        The library of the frames that it takes.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        inputs: Sequence[str],
        as_: Library | None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.name = name
        self._called = function.__name__
        self.inputs = tuple(parse_version(text) for text in inputs)
        self._as = as_
        self._decorator = f"curate({name!r}, inputs={list(inputs)!r}, as_={as_!r})"
        self.__perijove_curation__ = self
        self.__perijove_function__ = function
        self._defaults = self._keywords(function)
        # The frames are not the caller's to give: a tooltip that shows them would mislead.
        self.__signature__ = inspect.Signature(
            [parameter.replace(kind=parameter.KEYWORD_ONLY) for parameter in self._defaults],
            return_annotation=DatasetHandle,
        )

    def __call__(self, **parameters: Any) -> DatasetHandle:
        """Read the inputs, run the function, apply the rules, and commit the result.

        The same rows of the same program, inputs and parameters stay the same version.

        Raises
        ------
        ConflictError
            When a rule blocks the result, or an input is not what it was.
        """
        session = current()
        data = session.workbench.data
        given = self._given(parameters)
        program = self._program(given)
        with unwatched():
            session.workbench.project.trust.give()
            nodes = data.curation.inputs(self.inputs, by=session.actor)
            tables = [data.registry.read(node) for node in nodes]
        # What the function opens is an input of its dataset, not of the model that comes later.
        watch = FileWatch()
        watch.start()
        began = time.time()
        try:
            frame = self.make(tables, given)
        finally:
            session.files.start()
        watch.note_literals(program.source, before=began)
        program = _with_files(program, session, watch)
        with unwatched():
            node = data.curation.commit(
                self.name, frame, inputs=[node.ref for node in nodes], program=program,
                by=session.actor,
            )  # fmt: skip
        return DatasetHandle(session, self.name, node.version)

    def make(self, tables: Sequence[Any], parameters: Mapping[str, Any]) -> Any:
        """Run the function on Arrow tables, and commit nothing."""
        with unwatched():
            frames = [as_frame(table, self._as) for table in tables]
        frame = self.__perijove_function__(*frames, **parameters)
        if frame is None:
            raise InvalidInputError(
                f"{self._called} returned nothing.", "Return the curated frame."
            )
        return frame

    def _keywords(self, function: Callable[..., Any]) -> list[inspect.Parameter]:
        """Return the parameters behind the frames."""
        known = list(inspect.signature(function).parameters.values())
        takes = [p for p in known if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        varied = any(p.kind == p.VAR_POSITIONAL for p in known)
        if len(takes) < len(self.inputs) and not varied:
            raise InvalidInputError(
                f"{function.__name__} takes {len(takes)} frames and has {len(self.inputs)} inputs.",
                "Let it take one frame for each of its inputs, in their order.",
            )
        frames = {p.name for p in takes[: len(self.inputs)]}
        return [
            p
            for p in known
            if p.name not in frames and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        ]

    def _given(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return the values of all parameters, as they are recorded.

        A default that JSON cannot keep stays in the function's text, where it is recorded too.
        """
        known = {parameter.name: parameter.default for parameter in self._defaults}
        unknown = [name for name in parameters if name not in known]
        missing = [n for n, default in known.items() if default is NOTHING and n not in parameters]
        if unknown or missing:
            what = f"has no parameter {unknown[0]!r}" if unknown else f"needs {missing[0]!r}"
            raise InvalidInputError(
                f"{self._called} {what}.",
                f"Its parameters are {', '.join(known)}." if known else "It has none.",
            )
        wrong = [name for name, value in parameters.items() if not _is_plain(value)]
        if wrong:
            raise InvalidInputError(
                f"{wrong[0]} of {self._called} is a value that cannot be recorded.",
                "Parameters are numbers, text, True, False, None, and lists and dicts of these.",
            )
        kept = {name: value for name, value in known.items() if _is_plain(value)}
        return {**kept, **parameters}

    def _program(self, parameters: dict[str, Any]) -> Program:
        from perijove.data.curation import Program
        from perijove.kernel.program import Capture

        captured = Capture(self.__perijove_function__, current().paths.root, self._decorator)
        return Program(
            source=captured.source,
            script=captured.script,
            entry=captured.entry,
            parameters=parameters,
            environment=captured.environment("pyarrow", self._as or "pandas"),
            unrecorded=captured.unrecorded,
        )

    def __repr__(self) -> str:
        names = ", ".join(f"{name}@{version}" if version else name for name, version in self.inputs)
        return f"<curation {self.name!r} of {names or 'nothing'}: call it to make a version>"


def curate(
    name: str, inputs: Sequence[str] = (), as_: Library | None = None
) -> Callable[[Callable[..., Any]], CuratedFunction]:
    """Make a curated dataset of a function.

    The decorated function takes the frames of ``inputs`` in order, and parameters with defaults
    behind them, and returns a frame. Calling it reads the newest versions, applies the rules of
    ``rules/NAME.toml``, and commits a version that knows its program, inputs and parameters: it
    can be made again. Calling it with other values for its parameters records these.

    Parameters
    ----------
    inputs
        Names of datasets, ``"builds_raw"`` or ``"builds_raw@2"``.
    as_
        The library of the frames: ``"pandas"``, ``"polars"`` or ``"arrow"``; pandas where it is
        installed when left out.

    Examples
    --------
    >>> @pj.curate("builds_clean", inputs=["builds_raw"])
    ... def clean(raw, longest=7200):
    ...     return raw[raw["end"] - raw["start"] <= longest]
    >>> clean()
    >>> clean(longest=3600)
    """

    def decorate(function: Callable[..., Any]) -> CuratedFunction:
        return CuratedFunction(function, name, inputs, as_)

    return decorate


def _with_files(program: Program, session: Session, watch: FileWatch) -> Program:
    """Add the files and URLs that the function read past its inputs."""
    root = session.paths.root
    files = dict.fromkeys([*watch.opened(root), *watch.named(root)])
    if not files and not watch.urls():
        return program
    known = session.workbench.data.registry.registered_paths()
    read = [*(session.paths.relative(file) for file in files), *watch.urls()]
    strange = [
        *(session.paths.relative(file) for file in files if file not in known),
        *watch.urls(),
    ]
    return replace(program, unrecorded=(*program.unrecorded, *read), unregistered=tuple(strange))


def _is_plain(value: Any) -> bool:
    """Whether JSON gives a value back as it was."""
    try:
        return repr(msgspec.json.decode(msgspec.json.encode(value))) == repr(value)
    except (TypeError, ValueError, msgspec.MsgspecError):
        return False
