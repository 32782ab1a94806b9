"""A curation's whole program: its function and all that it uses, as text that runs elsewhere.

Names are followed from the function: imports become import statements, functions and classes of
the notebook their source, small constants their literals. Modules of the project go along as they
are. What none of this can carry is told by name.

The text has one section a module of the project, and the notebook's part last::

    # %% module features.ratios
    ...
    # %% main
    import perijove as pj
    ...
"""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import platform
import symtable
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Final

from perijove.core.errors import InvalidInputError
from perijove.core.program import Section, join_sections
from perijove.kernel.literals import literal_of

SHELL: Final = ("get_ipython",)
"""What IPython adds to Python's own names, and no program has."""
FLAGS_OF_FUTURES: Final = {"annotations": 0x1000000}


class Capture:
    """What makes up the program of one function.

    Parameters
    ----------
    function
        The curation's function, not its wrapper.
    root
        The project: modules below it go along as text.
    decorator
        What makes a curation of the function, where its own text does not.
    """

    def __init__(self, function: Callable[..., Any], root: Path, decorator: str) -> None:
        self._root = root
        self._imports: dict[str, None] = {}
        self._constants: list[str] = []
        self._definitions: list[str] = []
        self._futures: set[str] = set()
        self._seen: set[str] = set()
        self._modules: dict[str, Section] = {}
        self._missing: dict[str, None] = {}
        self.source = source_of(function)
        self.entry = function.__name__
        if self._local(function.__module__) is not None:
            self._add_module(function.__module__)
            self._imports[f"from {function.__module__} import {self.entry}"] = None
            known = getattr(sys.modules[function.__module__], self.entry, None)
            decorated = hasattr(known, "__perijove_curation__")
        else:
            self._add_function(function)
            decorated = _is_decorated(self.source)
        if not decorated:
            self._imports["import perijove as _pj"] = None
            self._definitions.append(f"{self.entry} = _pj.{decorator}({self.entry})")

    @property
    def script(self) -> str:
        futures = [f"from __future__ import {name}" for name in sorted(self._futures)]
        main = "\n".join([*futures, *sorted(self._imports), *self._constants])
        blocks = "\n\n\n".join([main, *self._definitions]).strip() + "\n"
        return join_sections([*self._modules.values(), Section("", blocks)])

    @property
    def unrecorded(self) -> tuple[str, ...]:
        return tuple(self._missing)

    def environment(self, *used: str) -> dict[str, str]:
        """Return Python's version, and those of the packages that the program imports.

        Parameters
        ----------
        used
            Packages that it uses without an import, such as the frame library of its inputs.
        """
        from perijove.adapters.mlflow.models import distributions

        texts = [section.text for section in self._modules.values()]
        texts.append("\n".join([*self._imports, *self._definitions]))
        roots = {name.partition(".")[0] for text in texts for name in _imported(ast.parse(text))}
        known = distributions()
        names = {"perijove"} | {
            name for root in {*roots, *used} for name in known.get(root, [])[:1]
        }
        found = {name: metadata.version(name) for name in sorted(names, key=str.lower)}
        return {"python": platform.python_version(), **found}

    # Names

    def _add_function(self, function: Callable[..., Any], name: str = "") -> None:
        name = name or function.__name__
        if isinstance(function, types.FunctionType):
            for future, flag in FLAGS_OF_FUTURES.items():
                if function.__code__.co_flags & flag:
                    self._futures.add(future)
        closed = inspect.getclosurevars(function).nonlocals
        text = source_of(function)
        self._add_text(text, {**function.__globals__, **closed}, own={name})
        self._definitions.append(text.strip())

    def _add_text(self, text: str, namespace: dict[str, Any], own: set[str]) -> None:
        """Follow each name that a definition takes from outside, and what it imports itself."""
        for imported in _imported(ast.parse(text)):
            self._add_module(imported)
        for name in global_names(text):
            if name in own or name in self._seen or name.startswith("__"):
                continue
            if name in namespace:
                self._seen.add(name)
                self._add_value(name, namespace[name], text)
            elif name == "display":
                self._imports["from IPython.display import display"] = None
            elif name in SHELL or not hasattr(builtins, name):
                self._missing[name] = None

    def _add_value(self, name: str, value: Any, text: str) -> None:
        if isinstance(value, types.ModuleType):
            self._add_import(name, value, text)
            return
        value = getattr(value, "__perijove_function__", value)
        home = _home(value)
        if home is not None:
            module, attribute = home
            if module == "builtins":
                self._constants.append(f"{name} = {attribute}")
                return
            as_name = "" if attribute == name else f" as {name}"
            self._imports[f"from {module} import {attribute}{as_name}"] = None
            self._add_module(module)
        elif isinstance(value, types.FunctionType):
            self._add_defined(name, value, lambda: self._add_function(value, name))
        elif isinstance(value, type):
            self._add_defined(name, value, lambda: self._add_class(name, value))
        elif (literal := literal_of(value)) is not None:
            lines, expression = literal
            self._imports.update(dict.fromkeys(lines))
            self._constants.append(f"{name} = {expression}")
        else:
            self._missing[name] = None

    def _add_defined(self, name: str, value: Any, add: Callable[[], None]) -> None:
        if value.__name__ not in {name, "<lambda>"}:
            # Bound to another name than it was defined by.
            self._missing[name] = None
            return
        try:
            add()
        except InvalidInputError:
            self._missing[name] = None

    def _add_class(self, name: str, value: type) -> None:
        text = class_source(value)
        namespace = dict(vars(sys.modules[value.__module__]))
        for member in vars(value).values():
            if isinstance(member, types.FunctionType):
                namespace = {**namespace, **member.__globals__}
        self._add_text(text, namespace, own={name})
        self._definitions.append(text.strip())

    def _add_import(self, name: str, module: types.ModuleType, text: str) -> None:
        full = module.__name__
        if full == "__main__":
            self._missing[name] = None
            return
        self._imports[f"import {full}" if name == full else f"import {full} as {name}"] = None
        self._add_module(full)
        # ``import xml.etree.ElementTree`` binds only ``xml``: what is reached through it goes too.
        for chain in _chains(ast.parse(text), name):
            for end in range(len(chain), 0, -1):
                inner = ".".join([full, *chain[:end]])
                if inner in sys.modules:
                    self._imports[f"import {inner}"] = None
                    self._add_module(inner)
                    break

    # Modules of the project

    def _local(self, name: str) -> Path | None:
        """Return the file of a module of the project, imported yet or not; None for any other."""
        file = _origin(name)
        if name in {"", "__main__", "builtins"} or file is None or file.suffix != ".py":
            return None
        if not file.is_relative_to(self._root):
            return None
        inside = file.relative_to(self._root).parts
        hidden = any(part.startswith(".") for part in inside)
        return None if hidden or {"site-packages", "dist-packages"} & set(inside) else file

    def _add_module(self, name: str) -> None:
        """Take a module of the project along, and those that it imports; no other."""
        if name in self._modules or (file := self._local(name)) is None:
            return
        text = file.read_text(encoding="utf-8")
        package = file.name == "__init__.py"
        self._modules[name] = Section(name, text, package)
        parent = name.rpartition(".")[0]
        self._add_module(parent)
        for imported in _imported(ast.parse(text), name if package else parent):
            # Of ``from a.b import c`` both a.b and a.b.c may be modules.
            self._add_module(imported)


def _origin(name: str) -> Path | None:
    """Return the file that a module is in, without importing it."""
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return Path(file).resolve() if file else None
    parent = name.rpartition(".")[0]
    places: list[str] | None = None
    if parent in sys.modules:
        places = list(getattr(sys.modules[parent], "__path__", []))
    elif parent:
        package = _origin(parent)
        if package is None or package.name != "__init__.py":
            return None
        places = [str(package.parent)]
    spec = PathFinder.find_spec(name, places) if name else None
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None


def _is_decorated(source: str) -> bool:
    (statement,) = ast.parse(source).body
    return isinstance(statement, ast.FunctionDef) and any(
        isinstance(decorator, ast.Call)
        and getattr(decorator.func, "attr", getattr(decorator.func, "id", "")) == "curate"
        for decorator in statement.decorator_list
    )


# Source


def source_of(function: Callable[..., Any]) -> str:
    """Return the source of a function, of a lambda the statement that names it.

    Raises
    ------
    InvalidInputError
        When it cannot be read.
    """
    try:
        text = textwrap.dedent(inspect.getsource(function))
        ast.parse(text)
    except (OSError, TypeError, SyntaxError) as error:
        raise InvalidInputError(
            f"The source of {function.__name__} cannot be read, so that its result could not be "
            "made again.",
            "Define the function in a cell or in a module.",
        ) from error
    return text


def class_source(value: type) -> str:
    """Return the source of a class, which Python itself finds only where it lies in a file."""
    try:
        return textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        pass
    files = [
        member.__code__.co_filename
        for member in vars(value).values()
        if isinstance(member, types.FunctionType)
    ]
    # A class without methods leaves no trace of its cell: the newest one that defines its name.
    for file in [*files, *reversed(list(linecache.cache))]:
        text = "".join(linecache.getlines(file))
        if f"class {value.__name__}" not in text or (file not in files and _is_file(file)):
            continue
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        for statement in tree.body:
            if isinstance(statement, ast.ClassDef) and statement.name == value.__name__:
                first = min([statement.lineno, *(d.lineno for d in statement.decorator_list)])
                return "\n".join(text.splitlines()[first - 1 : statement.end_lineno]) + "\n"
    raise InvalidInputError(f"The source of {value.__name__} cannot be read.")


def _is_file(name: str) -> bool:
    return Path(name).is_absolute() and Path(name).is_file() and "ipykernel" not in name


def global_names(text: str) -> list[str]:
    """Return the names that a definition takes from around it, in their order."""

    def walk(table: symtable.SymbolTable, *, top: bool) -> Iterator[str]:
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                yield symbol.get_name()
        for child in table.get_children():
            yield from walk(child, top=False)

    return list(dict.fromkeys(walk(symtable.symtable(text, "<program>", "exec"), top=True)))


def _home(value: Any) -> tuple[str, str] | None:
    """Return where a value can be imported from: a module, and its name there."""
    attribute = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = getattr(value, "__module__", None) or type(value).__module__
    if (
        not isinstance(attribute, str)
        or not isinstance(module, str)
        or not attribute.isidentifier()
    ):
        return None
    if module == "__main__" or module not in sys.modules:
        return None
    # A ufunc does not say where it is from; its package has it under its name.
    for candidate in (module, module.partition(".")[0]):
        if getattr(sys.modules.get(candidate), attribute, None) is value:
            return candidate, attribute
    return None


def _imported(tree: ast.AST, package: str = "") -> Iterator[str]:
    """Yield the modules that a text imports; of ``from a import b`` also ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                parts = parts[: len(parts) - node.level + 1]
                base = ".".join([*parts, *([base] if base else [])])
            yield base
            for alias in node.names:
                yield f"{base}.{alias.name}"


def _chains(tree: ast.AST, name: str) -> Iterator[list[str]]:
    """Yield the attributes that are reached through a name: ``["b", "c"]`` of ``a.b.c``."""
    for node in ast.walk(tree):
        chain: list[str] = []
        inner: ast.AST = node
        while isinstance(inner, ast.Attribute):
            chain.append(inner.attr)
            inner = inner.value
        if chain and isinstance(inner, ast.Name) and inner.id == name:
            yield chain[::-1]
