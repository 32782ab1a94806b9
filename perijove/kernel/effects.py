"""Which cells do something outside the kernel: those that do are not run again unasked.

What a cell does is read from its text. That finds the effects that notebooks have in practice:
deploying, recording outcomes, logging models, installing, pushing, posting, shell lines that
write. A function that does one of these is found where it is called.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Final

from perijove.kernel.names import Python

MARK: Final = re.compile(r"^\s*#\s*perijove:\s*skip\b", re.MULTILINE | re.IGNORECASE)
OWN: Final = {
    "deploy": "it deploys a model",
    "log_model": "it logs a model",
    "evaluate": "it measures a model",
    "lifecycle": "it only prints the life cycle",
    "search": "it starts a search",
}
"""Functions of ``pj``."""
METHODS: Final = {
    "record_outcomes": "it records outcomes",
    "to_sql": "it writes to a database",
    "to_gbq": "it writes to a database",
    "push_to_hub": "it publishes a model",
}
"""Of any object."""
CALLS: Final = {
    "mlflow.start_run": "it starts a run of its own",
    "mlflow.register_model": "it registers a model",
    "wandb.init": "it starts a run of its own",
    **{
        f"{client}.{verb}": "it sends a request"
        for client in ("requests", "httpx")
        for verb in ("post", "put", "patch", "delete")
    },
}
MAGICS: Final = {
    "deploy": "it deploys a model",
    "lifecycle": "it only prints the life cycle",
    "pip": "it installs packages",
    "conda": "it installs packages",
    "mamba": "it installs packages",
    "micromamba": "it installs packages",
    "uv": "it installs packages",
    "writefile": "it writes a file, which is there by now",
    "train": "it is another training cell",
    "search": "it is another training cell",
    "sql": "it may write to a database",
}
SCRIPTS: Final = frozenset(["bash", "sh", "script", "system", "!", "sx", "perl", "ruby"])
READERS: Final = frozenset(
    [
        "ls",
        "cat",
        "head",
        "tail",
        "wc",
        "pwd",
        "echo",
        "printf",
        "date",
        "uname",
        "whoami",
        "hostname",
        "id",
        "df",
        "du",
        "free",
        "uptime",
        "which",
        "type",
        "tree",
        "file",
        "stat",
        "grep",
        "egrep",
        "zgrep",
        "rg",
        "awk",
        "cut",
        "sort",
        "uniq",
        "tr",
        "nl",
        "less",
        "more",
        "zcat",
        "md5sum",
        "sha1sum",
        "sha256sum",
        "diff",
        "cmp",
        "true",
        "test",
        "nvidia-smi",
        "lscpu",
        "lsblk",
        "nproc",
        "ps",
        "env",
        "printenv",
        "realpath",
        "basename",
        "dirname",
        "seq",
        "column",
        "jq",
    ]
)
"""Programs that write nothing, as notebooks use them."""
_GIT_READERS: Final = frozenset(
    [
        "status",
        "log",
        "diff",
        "show",
        "rev-parse",
        "describe",
        "branch",
        "remote",
        "ls-files",
        "blame",
        "shortlog",
    ]
)
_INSTALLERS: Final = frozenset(
    ["pip", "pip3", "conda", "mamba", "micromamba", "uv", "poetry", "apt", "apt-get", "npm", "brew"]
)
_SPAWN: Final = re.compile(r"subprocess\.(run|call|check_call|check_output|Popen)|os\.system")


def shell_effect(line: str) -> str:
    """Tell what a line for a shell may do outside; empty where it only looks."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return f"its shell line may write outside: {_short(line)}"
    command: list[str] = []
    commands = [command]
    for at, word in enumerate(words):
        if set(word) <= set("|&;()"):
            command = []
            commands.append(command)
        elif ">" in word and set(word) <= set("<>&|"):
            if words[at + 1 : at + 2] not in (["/dev/null"], ["1"], ["2"]):
                return f"its shell line writes a file: {_short(line)}"
        else:
            command.append(word)
    return next((said for one in commands if (said := _command_effect(one, line))), "")


def _command_effect(words: list[str], line: str) -> str:
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words = words[1:]
    if not words:
        return ""
    program = words[0].rpartition("/")[2]
    python = re.fullmatch(r"(python[\d.]*|\{sys\.executable\}|\$?\{?sys\.executable\}?)", words[0])
    if program in _INSTALLERS or (python and words[1:3] in (["-m", "pip"], ["-m", "conda"])):
        looks = {"list", "show", "freeze", "--version", "info", "check"}
        return "" if looks & set(words[1:4]) else "it installs packages"
    if program == "git":
        verb = next((word for word in words[1:] if not word.startswith("-")), "status")
        if verb in _GIT_READERS:
            return ""
        return "it pushes to git" if verb == "push" else "it changes the git repository"
    if program == "find" and not {"-delete", "-exec", "-execdir", "-fprint", "-ok"} & set(words):
        return ""
    if program in READERS or (python and words[1:] in (["--version"], ["-V"])):
        return ""
    return f"its shell line may write outside: {_short(line)}"


class Effects:
    """Reads cells in the order in which they ran."""

    def __init__(self) -> None:
        self._modules = {"pj", "perijove"}
        self._own: dict[str, str] = {}
        """Functions of ``pj`` by the names that cells imported them as."""
        self._functions: dict[str, str] = {}
        """Functions of the notebook that have effects when they are called."""

    def of(self, python: Python) -> list[str]:
        """Tell why a cell should not run again; nothing where nothing is known against it."""
        self._note_imports(python.tree)
        found = list(self._magics(python)) + [
            said for line in python.shell if (said := shell_effect(line))
        ]
        found += self._calls(python.tree.body)
        for statement in python.tree.body:
            if isinstance(statement, ast.FunctionDef):
                self._functions.pop(statement.name, None)
                for said in self._calls(statement.body):
                    self._functions[statement.name] = said
                    break
        return list(dict.fromkeys(found))

    def _note_imports(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            match node:
                case ast.Import(names=aliases):
                    self._modules |= {
                        a.asname for a in aliases if a.name == "perijove" and a.asname
                    }
                case ast.ImportFrom(module="perijove", names=aliases):
                    self._own |= {a.asname or a.name: OWN[a.name] for a in aliases if a.name in OWN}

    def _magics(self, python: Python) -> Iterator[str]:
        for magic in python.magics:
            if magic.name in MAGICS:
                yield MAGICS[magic.name]
            elif magic.name in SCRIPTS and magic.body is not None:
                lines = (line.strip() for line in magic.body.splitlines())
                yield from (
                    said
                    for line in lines
                    if line and not line.startswith("#") and (said := shell_effect(line))
                )

    def _calls(self, body: Iterable[ast.AST]) -> Iterator[str]:
        """Yield the effects of what runs when these statements run."""
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(node, ast.Call) and (said := self._call(node)):
                yield said
            yield from self._calls(ast.iter_child_nodes(node))

    def _call(self, node: ast.Call) -> str:
        name = _dotted(node.func)
        head, _, last = name.rpartition(".")
        if not head:
            return self._functions.get(name, "") or self._own.get(name, "")
        if head in self._modules and last in OWN:
            return OWN[last]
        if name in CALLS:
            return CALLS[name]
        if _SPAWN.fullmatch(name):
            return shell_effect(_literal(node.args[0])) if node.args else ""
        return METHODS.get(last, "")


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value) or '?'}.{node.attr}"
    return ""


def _literal(node: ast.expr) -> str:
    """Return the command of a literal; ``echo``, which has no effect, of what is none."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return "echo"
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
        return shlex.join(value)
    return "echo"


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= 60 else f"{line[:57]}..."
