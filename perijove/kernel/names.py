"""Which names a cell takes from the cells before it, and which it gives to those behind.

A cell is read as Python the way IPython would: its magics first become calls, and magics whose
body is Python (``%%train``, ``%%time``) are looked into.
"""

from __future__ import annotations

import ast
import copy
import re
import symtable
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from perijove.core.errors import InvalidInputError

PYTHON_BODIES: Final = frozenset(["train", "search", "time", "capture", "prun", "memit", "mprun"])
"""Cell magics that run their body in the notebook's namespace."""
_TEMPORARY: Final = frozenset(["timeit"])
"""Those that run it and keep no name of it."""
_STATEMENTS: Final = frozenset(["time", "prun", "memit"])
"""Line magics whose line is a statement."""
_OPAQUE_MAGICS: Final = frozenset(["run", "pylab", "store", "load", "sql", "R", "autoreload"])
_EXPANDED: Final = re.compile(r"[{$]([A-Za-z_]\w*)")
"""Variables in lines for magics and shells; of a shell's own, the kernel has none of the name."""
_OPAQUE_CALLS: Final = frozenset(["exec", "globals"])


@dataclass(frozen=True, slots=True)
class Magic:
    """A call of a magic in a cell."""

    name: str
    line: str
    body: str | None = None
    """Of a cell magic."""


@dataclass(slots=True)
class Python:
    """A cell as Python."""

    tree: ast.Module
    magics: list[Magic] = field(default_factory=list)
    shell: list[str] = field(default_factory=list)
    """Its lines for a shell."""
    names: CellNames | None = None
    """Once somebody asked: a kernel looks at all its cells at the end of each run."""


@dataclass(slots=True)
class CellNames:
    """The names of a cell: dictionaries for their order."""

    needs: dict[str, None] = field(default_factory=dict)
    """Read before the cell itself binds them."""
    later: dict[str, None] = field(default_factory=dict)
    """Read when a function of the cell is called."""
    defines: dict[str, None] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    """Modules whose names it imports all."""
    opaque: bool = False
    """It binds names in a way that its text does not tell, such as ``%run``."""


@lru_cache(maxsize=4096)
def python_of(source: str) -> Python:
    """Read a cell as Python; do not change what is returned, it is given to the next one too.

    Raises
    ------
    InvalidInputError
        When it does not parse.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    text = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
    try:
        tree = compile(
            text, "<cell>", "exec",
            ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True,
        )  # fmt: skip
    except (SyntaxError, ValueError) as error:
        raise InvalidInputError(f"The cell does not parse: {error}.") from error
    found = Python(_WithoutAwait().visit(tree))
    unfolded: list[ast.stmt] = []
    for statement in found.tree.body:
        unfolded += _unfold(statement, found)
    found.tree.body = unfolded
    return found


def names_of(python: Python) -> CellNames:
    """Tell the names of a cell; what is returned is not to be changed either."""
    if python.names is None:
        python.names = _names_of(python)
    return python.names


def _names_of(python: Python) -> CellNames:
    flow = _Flow()
    flow.block(python.tree.body)
    names = flow.names
    for magic in python.magics:
        if magic.name == "capture" and magic.body is not None:
            for word in magic.line.split():
                if word.isidentifier():
                    names.defines[word] = None
        if magic.body is None:
            names.later |= dict.fromkeys(_EXPANDED.findall(magic.line))
        names.opaque = names.opaque or (magic.name in _OPAQUE_MAGICS and magic.body is None)
    for line in python.shell:
        names.later |= dict.fromkeys(_EXPANDED.findall(line))
    return names


class _WithoutAwait(ast.NodeTransformer):
    """A notebook's cells await at their top, where :mod:`symtable` allows none."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        inner: ast.AST = self.visit(node.value)
        return inner

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        self.generic_visit(node)
        return ast.copy_location(ast.For(node.target, node.iter, node.body, node.orelse), node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.generic_visit(node)
        return ast.copy_location(ast.With(node.items, node.body), node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        plain = ast.FunctionDef(
            name=node.name, args=node.args, body=node.body,
            decorator_list=node.decorator_list, returns=node.returns, type_comment=None,
        )  # fmt: skip
        return ast.fix_missing_locations(ast.copy_location(plain, node))

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.is_async = 0
        return node


def _unfold(statement: ast.stmt, found: Python) -> list[ast.stmt]:
    """Note the magics of a statement; put a Python body in the place of its cell magic."""
    for call in _ipython_calls(statement):
        name, texts = call
        if name in ("system", "getoutput"):
            found.shell.append(texts[0] if texts else "")
        elif name == "run_line_magic" and len(texts) == 2:
            found.magics.append(Magic(texts[0], texts[1]))
            if texts[0] in _STATEMENTS and isinstance(statement, ast.Expr):
                return _inner(texts[1], found)
            if texts[0] in ("sx", "system", "sc"):
                found.shell.append(texts[1])
        elif name == "run_cell_magic" and len(texts) == 3:
            found.magics.append(Magic(texts[0], texts[1], texts[2]))
            if texts[0] in PYTHON_BODIES:
                return _inner(texts[2], found)
            if texts[0] in _TEMPORARY:
                body = _inner(texts[2], found) or [ast.Pass()]
                arguments = ast.arguments([], [], None, [], [], None, [])
                shut = ast.FunctionDef("_", arguments, body, [], None, None)
                return [ast.fix_missing_locations(ast.copy_location(shut, statement))]
    return [statement]


def _inner(source: str, found: Python) -> list[ast.stmt]:
    inner = copy.deepcopy(python_of(source))
    found.magics += inner.magics
    found.shell += inner.shell
    return inner.tree.body


def _ipython_calls(statement: ast.AST) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(statement):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=str(name)),
                args=arguments,
            ):
                literals = [a.value for a in arguments if isinstance(a, ast.Constant)]
                yield name, [value for value in literals if isinstance(value, str)]


class _Flow:
    """Follows the statements of a cell in their order."""

    def __init__(self) -> None:
        self.names = CellNames()

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    self._define(alias.asname or alias.name.partition(".")[0])
            case ast.ImportFrom(names=aliases, module=module):
                for alias in aliases:
                    if alias.name == "*":
                        self.names.stars.append(module or "")
                    else:
                        self._define(alias.asname or alias.name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                self._read(node, bound=name)
                self._define(name)
            case ast.Assign(targets=targets, value=value):
                self._read(value)
                for target in targets:
                    self._target(target)
            case ast.AugAssign(target=target, value=value):
                self._read(value)
                self._read(target)
                self._target(target)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                self._read(annotation)
                if value is not None:
                    self._read(value)
                    self._target(target)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._read(target)
                    if isinstance(target, ast.Name):
                        self.names.defines.pop(target.id, None)
            case ast.For(target=target, iter=source, body=body, orelse=orelse):
                self._read(source)
                self._target(target)
                self.block(body)
                self.block(orelse)
            case (
                ast.While(test=test, body=body, orelse=orelse)
                | ast.If(test=test, body=body, orelse=orelse)
            ):
                self._read(test)
                self.block(body)
                self.block(orelse)
            case ast.With(items=items, body=body):
                for item in items:
                    self._read(item.context_expr)
                    if item.optional_vars is not None:
                        self._target(item.optional_vars)
                self.block(body)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.Match(subject=subject, cases=cases):
                self._read(subject)
                for case in cases:
                    self._case(case)
            case ast.Expr() | ast.Assert() | ast.Raise() | ast.Return():
                for child in ast.iter_child_nodes(node):
                    self._read(child)
            case _:
                pass

    def _try(self, node: Any) -> None:
        self.block(node.body)
        for handler in node.handlers:
            if handler.type is not None:
                self._read(handler.type)
            if handler.name:
                self._define(handler.name)
            self.block(handler.body)
        self.block(node.orelse)
        self.block(node.finalbody)

    def _case(self, case: ast.match_case) -> None:
        for node in ast.walk(case.pattern):
            match node:
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    self._define(name)
                case ast.MatchMapping(rest=str(name)):
                    self._define(name)
                case ast.MatchValue(value=value):
                    self._read(value)
                case ast.MatchClass(cls=cls):
                    self._read(cls)
        if case.guard is not None:
            self._read(case.guard)
        self.block(case.body)

    def _define(self, name: str) -> None:
        self.names.defines[name] = None

    def _target(self, node: ast.expr) -> None:
        match node:
            case ast.Name(id=name):
                self._define(name)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._target(part)
            case ast.Starred(value=value):
                self._target(value)
            case _:
                self._read(node)

    def _read(self, node: ast.AST, bound: str = "") -> None:
        text = ast.unparse(node)
        if not isinstance(node, ast.stmt):
            text = f"({text})"
        self._table(symtable.symtable(text, "<cell>", "exec"), bound, now=True)
        for inner in ast.walk(node):
            match inner:
                case ast.Call(func=ast.Name(id=name)) if name in _OPAQUE_CALLS:
                    self.names.opaque = True

    def _table(self, table: symtable.SymbolTable, bound: str, *, now: bool) -> None:
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            name = symbol.get_name()
            outside = top or symbol.is_global()
            if not outside or name == bound:
                if name == bound and outside and symbol.is_referenced() and not top:
                    self.names.later[name] = None
                continue
            if symbol.is_referenced():
                if not now:
                    self.names.later[name] = None
                elif name not in self.names.defines:
                    self.names.needs[name] = None
            if symbol.is_assigned():  # a walrus, or a function that declares it global
                self._define(name)
        for child in table.get_children():
            self._table(child, bound, now=now and _runs_at_once(child))


def _runs_at_once(table: symtable.SymbolTable) -> bool:
    """Whether a scope's code runs where it stands: a class's body, a comprehension."""
    comprehensions = ("listcomp", "setcomp", "dictcomp", "genexpr")
    return table.get_type() == "class" or table.get_name().strip("<>") in comprehensions
