"""Spaces of parameters that a search tries, as people write them: ``lr=1e-4..1e-1:log``."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from perijove.contracts.base import Facts
from perijove.core.errors import InvalidInputError

Choice = bool | int | float | str | None


class Dimension(Facts):
    """One parameter, and what it may be."""

    name: str
    kind: Literal["float", "int", "choice"]
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    choices: list[Choice] = []

    def __str__(self) -> str:
        if self.kind == "choice":
            return f"{self.name}={'|'.join(map(str, self.choices))}"
        ends = [f"{end:g}" if self.kind == "float" else f"{end:.0f}"
                for end in (self.low, self.high)]  # fmt: skip
        more = ":log" if self.log else "" if self.step is None else f":{self.step:g}"
        return f"{self.name}={ends[0]}..{ends[1]}{more}"


def read_dimension(text: str) -> Dimension:
    """Read ``NAME=LOW..HIGH[:log|:STEP]`` or ``NAME=A|B|C``.

    Both ends are in it. Numbers without a point or an exponent make whole numbers.

    Raises
    ------
    InvalidInputError
        Saying what is wrong.
    """
    name, equals, space = text.partition("=")
    if not equals:
        raise _fault(text)
    return make_dimension(name.strip(), space)


def make_dimension(name: str, space: Any) -> Dimension:
    """Make a parameter's space of what Python code says.

    Parameters
    ----------
    space
        A text as in ``read_dimension``, a list of choices, or a tuple of the ends and ``"log"`` or
        a step.

    Raises
    ------
    InvalidInputError
        Saying what is wrong.
    """
    if not name.isidentifier():
        raise InvalidInputError(
            f"{name!r} cannot be a parameter.", "Its name is a Python name: it becomes a variable."
        )
    if isinstance(space, str):
        return _read(name, space)
    if isinstance(space, list | set | range):
        return _choice(name, list(space))
    if isinstance(space, tuple) and len(space) in (2, 3):
        low, high, *more = space
        if isinstance(low, int | float) and isinstance(high, int | float):
            whole = isinstance(low, int) and isinstance(high, int)
            log = bool(more) and more[0] == "log"
            step = None if not more or log else more[0]
            return _range(name, float(low), float(high), whole, log, step)
    raise _fault(f"{name}={space!r}")


def make_space(space: Mapping[str, Any] | Sequence[str]) -> list[Dimension]:
    """Make a space of a mapping, or of lines as magics take them."""
    if isinstance(space, Mapping):
        found = [make_dimension(name, values) for name, values in space.items()]
    else:
        found = [read_dimension(text) for text in space]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInputError(f"{name} has two spaces.", "Name each parameter once.")
    if not found:
        raise InvalidInputError(
            "There is nothing to search.", "Name a parameter: --param lr=1e-4..1e-1:log."
        )
    return found


def _read(name: str, text: str) -> Dimension:
    ends, colon, more = text.strip().partition(":")
    low, dots, high = ends.partition("..")
    if dots:
        try:
            numbers = ast.literal_eval(low.strip()), ast.literal_eval(high.strip())
            step = ast.literal_eval(more) if colon and more != "log" else None
        except (ValueError, SyntaxError):
            raise _fault(f"{name}={text}") from None
        if all(isinstance(one, int | float) for one in numbers):
            whole = all(isinstance(one, int) for one in numbers)
            return _range(name, float(numbers[0]), float(numbers[1]), whole, more == "log", step)
        raise _fault(f"{name}={text}")
    if "|" not in text:
        raise _fault(f"{name}={text}")
    return _choice(name, [read_choice(word.strip()) for word in text.split("|")])


def _range(name: str, low: float, high: float, whole: bool, log: bool, step: Any) -> Dimension:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidInputError(
            f"{name}: {low:g}..{high:g} is no range.", "The lower end is first."
        )
    if log and low <= 0:
        raise InvalidInputError(
            f"{name}: a logarithmic range begins above 0.", "Choose a lower end such as 1e-6."
        )
    if step is not None and not (isinstance(step, int | float) and 0 < step <= high - low):
        raise InvalidInputError(f"{name}: {step!r} is no step of {low:g}..{high:g}.")
    if whole and isinstance(step, float):
        whole = False
    return Dimension(
        name, "int" if whole else "float", low, high, log, None if step is None else float(step)
    )


def _choice(name: str, choices: list[Any]) -> Dimension:
    wrong = [one for one in choices if not isinstance(one, bool | int | float | str | None)]
    if len(choices) < 2 or wrong:
        raise InvalidInputError(
            f"{name}: {choices!r} are no choices.",
            "Name two or more words, numbers or truth values.",
        )
    return Dimension(name, "choice", choices=choices)


def read_choice(text: str) -> Choice:
    """Read a value of a parameter: a number, a truth value, else a word."""
    words: dict[str, Choice] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, int | float | str) else text


def _fault(text: str) -> InvalidInputError:
    return InvalidInputError(
        f"{text!r} is no space to search.",
        "Write NAME=LOW..HIGH, NAME=LOW..HIGH:log, NAME=LOW..HIGH:STEP or NAME=A|B.",
        code="search_space",
    )
