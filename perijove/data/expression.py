"""Free expressions: what must be true of a row, such as ``end >= start and size < 1e9``.

Python's own parser reads the text, and its tree is turned into a small one of ours. Nothing is
ever run as Python or pasted into SQL: what has no place in our tree is refused.

    columns      size, `column with spaces`
    literals     42, 1.5, "text", true, false
    arithmetic   + - * / %            of numbers; the difference of two times is in seconds
    comparison   == != < <= > >=      chains too: 0 <= share <= 1; x in (1, 2); x not in (1, 2)
    missing      x is null, x is not null
    logic        and, or, not
    functions    see FUNCTIONS
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from perijove.core.errors import InvalidInputError

LONGEST: Final = 2_000
DEEPEST: Final = 40
FUNCTIONS: Final[dict[str, tuple[int, int]]] = {
    "abs": (1, 1), "round": (1, 2), "floor": (1, 1), "ceil": (1, 1),
    "lower": (1, 1), "upper": (1, 1), "trim": (1, 1), "length": (1, 1),
    "starts_with": (2, 2), "ends_with": (2, 2), "contains": (2, 2), "matches": (2, 2),
    "year": (1, 1), "month": (1, 1), "day": (1, 1), "hour": (1, 1), "coalesce": (2, 9),
}  # fmt: skip
"""Name to the least and the greatest number of arguments."""
Arithmetic = Literal["+", "-", "*", "/", "%"]
Comparison = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Name:
    column: str


@dataclass(frozen=True, slots=True)
class Value:
    value: int | float | str | bool


@dataclass(frozen=True, slots=True)
class Negative:
    of: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    op: Arithmetic
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Comparing:
    op: Comparison
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Among:
    """``in``, of literals."""

    of: Expression
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    of: Expression


@dataclass(frozen=True, slots=True)
class Negation:
    of: Expression


@dataclass(frozen=True, slots=True)
class Logic:
    op: Literal["and", "or"]
    of: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    of: tuple[Expression, ...]


Expression = (
    Name | Value | Negative | Binary | Comparing | Among | IsNull | Negation | Logic | Function
)

_ARITHMETIC: Final[dict[type[ast.operator], Arithmetic]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"
}  # fmt: skip
_COMPARISONS: Final[dict[type[ast.cmpop], Comparison]] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="
}  # fmt: skip
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|`([^`]+)`""")
_HINTS: Final = (
    (re.compile(r"(?<![=!<>])=(?!=)"), "Compare with ==."),
    (re.compile(r"&&|\|\||\b(AND|OR|NOT|IS|NULL|IN)\b"), "Write and, or, not, in, is null."),
    (re.compile(r"<>"), "Write !=."),
)


def parse(text: str) -> Expression:
    """Read an expression.

    Raises
    ------
    InvalidInputError
        Saying what is not understood.
    """
    if len(text) > LONGEST:
        raise InvalidInputError(
            f"An expression has at most {LONGEST:,} characters.", "Make two rules of it."
        )
    quoted: dict[str, str] = {}

    def hold(found: re.Match[str]) -> str:
        if found[1] is not None:
            return found[1]
        quoted[f"_q{len(quoted)}_"] = found[2]
        return f"_q{len(quoted) - 1}_"

    source = _QUOTED.sub(hold, text.strip())
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        bare = _QUOTED.sub("", text)
        hint = next((words for pattern, words in _HINTS if pattern.search(bare)), "")
        reason = error.msg if isinstance(error, SyntaxError) else "it is too deep"
        raise InvalidInputError(
            f"{text!r} is no expression: {reason}.",
            hint or "Such as: end >= start and size < 1e9.",
            code="expression",
        ) from error
    return _Reader(text, quoted).read(tree.body, 0)


def columns(tree: Expression) -> list[str]:
    """Return the columns that an expression names, each once."""
    return list(dict.fromkeys(part.column for part in walk(tree) if isinstance(part, Name)))


def walk(tree: Expression) -> Iterator[Expression]:
    """Yield every part of a tree."""
    yield tree
    match tree:
        case Negative(of=inner) | IsNull(of=inner) | Negation(of=inner):
            yield from walk(inner)
        case Among(of=inner, values=values):
            yield from walk(inner)
            yield from values
        case Binary(left=left, right=right) | Comparing(left=left, right=right):
            yield from walk(left)
            yield from walk(right)
        case Logic(of=many) | Function(of=many):
            for inner in many:
                yield from walk(inner)
        case _:
            pass


class _Reader:
    def __init__(self, text: str, quoted: dict[str, str]) -> None:
        self._text = text
        self._quoted = quoted

    def read(self, node: ast.expr, depth: int) -> Expression:
        if depth > DEEPEST:
            raise InvalidInputError(
                f"{self._text!r} is more than {DEEPEST} levels deep.", "Make two rules of it."
            )
        depth += 1
        match node:
            case ast.Name(id=word):
                return self._name(word)
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return Value(value)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return Negative(self.read(inner, depth))
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.read(inner, depth)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return Negation(self.read(inner, depth))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return Binary(
                    _ARITHMETIC[type(op)], self.read(left, depth), self.read(right, depth)
                )
            case ast.BoolOp(op=logic, values=many):
                word = "and" if isinstance(logic, ast.And) else "or"
                return Logic(word, tuple(self.read(inner, depth) for inner in many))  # type: ignore[arg-type]
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Call(func=ast.Name(id=word), args=args, keywords=[]):
                return self._call(word, args, depth)
        raise self._unknown(node)

    def _name(self, word: str) -> Expression:
        if word in self._quoted:
            return Name(self._quoted[word])
        if word in {"true", "false"}:
            return Value(word == "true")
        if word == "null":
            raise InvalidInputError(
                f"{self._text!r}: null stands only behind 'is' or 'is not'.", "x is null"
            )
        return Name(word)

    def _compare(self, node: ast.Compare, depth: int) -> Expression:
        parts: list[Expression] = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.Is | ast.IsNot):
                if not _is_null(right):
                    raise InvalidInputError(
                        f"{self._text!r}: 'is' stands only before null.", "Compare with ==."
                    )
                found: Expression = IsNull(self.read(left, depth))
                parts.append(Negation(found) if isinstance(op, ast.IsNot) else found)
            elif isinstance(op, ast.In | ast.NotIn):
                among = Among(self.read(left, depth), self._values(right, depth))
                parts.append(Negation(among) if isinstance(op, ast.NotIn) else among)
            else:
                parts.append(
                    Comparing(
                        _COMPARISONS[type(op)], self.read(left, depth), self.read(right, depth)
                    )
                )
            left = right
        return parts[0] if len(parts) == 1 else Logic("and", tuple(parts))

    def _values(self, node: ast.expr, depth: int) -> tuple[Value, ...]:
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and node.elts:
            values = [_folded(self.read(item, depth)) for item in node.elts]
            if all(isinstance(value, Value) for value in values):
                return tuple(value for value in values if isinstance(value, Value))
        raise InvalidInputError(
            f"{self._text!r}: 'in' takes values in brackets.", 'Such as: state in ("on", "off").'
        )

    def _call(self, word: str, args: list[ast.expr], depth: int) -> Expression:
        if word not in FUNCTIONS:
            raise InvalidInputError(
                f"{self._text!r}: there is no function {word!r}.",
                f"There are {', '.join(sorted(FUNCTIONS))}.",
                code="expression",
            )
        least, most = FUNCTIONS[word]
        if not least <= len(args) <= most:
            raise InvalidInputError(
                f"{self._text!r}: {word} takes {least if least == most else f'{least} to {most}'} "
                f"arguments, not {len(args)}."
            )
        return Function(word, tuple(self.read(arg, depth) for arg in args))

    def _unknown(self, node: ast.expr) -> InvalidInputError:
        if isinstance(node, ast.BinOp | ast.UnaryOp):
            hint = "Write and, or, not between conditions; + - * / % between numbers."
        else:
            hint = "Use columns, values, + - * / %, comparisons, and, or, not, in, is null."
        part = ast.unparse(node)[:80]
        for held, column in self._quoted.items():
            part = part.replace(held, f"`{column}`")
        return InvalidInputError(
            f"{self._text!r}: {part} has no place in a rule.", hint, code="expression"
        )


def _is_null(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "null") or (
        isinstance(node, ast.Constant) and node.value is None
    )


def _folded(tree: Expression) -> Expression:
    """Make a literal of a negative number."""
    match tree:
        case Negative(of=Value(value=int() | float() as value)) if not isinstance(value, bool):
            return Value(-value)
    return tree
