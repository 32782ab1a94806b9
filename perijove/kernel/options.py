"""What stands behind a magic's name: options, parameters, numbers of cells."""

from __future__ import annotations

import argparse
import ast
import shlex
from typing import Any, NoReturn

from IPython.core.error import UsageError


class Parser(argparse.ArgumentParser):
    """A magic's line: what is wrong becomes a UsageError, and nothing exits the kernel."""

    def __init__(self, magic: str) -> None:
        super().__init__(prog=magic, add_help=False, allow_abbrev=False, exit_on_error=False)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}. {self.format_usage().strip()}")

    def parse(self, line: str) -> argparse.Namespace:
        try:
            return self.parse_args(shlex.split(line))
        except (ValueError, argparse.ArgumentError) as error:
            self.error(str(error).rstrip("."))


def train_parser() -> Parser:
    parser = Parser("%%train")
    parser.add_argument("--name", default="")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--param", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--deterministic", action="store_true")
    parser.add_argument("--gpus", type=int, metavar="N")
    parser.add_argument("--no-system-metrics", action="store_true")
    parser.add_argument("--background", action="store_true")
    parser.add_argument("--cpus", type=float, metavar="N")
    parser.add_argument("--executor", default="", metavar="local|ray")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--cells", default="", metavar="1-4,7")
    chosen.add_argument("--all", action="store_true")
    parser.add_argument("--force", action="store_true")
    return parser


def parse_train(line: str) -> argparse.Namespace:
    """Read the line of ``%%train``.

    Raises
    ------
    UsageError
        Saying what is wrong with it.
    """
    options = TRAIN.parse(line)
    for name in ("cpus", "executor", "cells", "all", "force"):
        if not options.background and getattr(options, name):
            TRAIN.error(f"--{name} is about the background: add --background, or leave it away")
    if (options.gpus or 0) < 0 or (options.cpus or 0) < 0:
        TRAIN.error("a number of CPUs or GPUs is not negative")
    return options


TRAIN = train_parser()


def parameter(text: str) -> tuple[str, Any]:
    """Read ``KEY=VALUE``: a Python literal where the value is one, else its text."""
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        raise UsageError(f"--param {text}: write KEY=VALUE, the key a Python name.")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        words_of = {"true": True, "false": False}
        return key, words_of.get(value.lower(), value)


def cell_numbers(text: str) -> list[int]:
    """Read ``1-4,7``."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"--cells {text}: write the cells' numbers, such as 1-4,7.")
        numbers += range(int(first), int(last or first) + 1)
    return list(dict.fromkeys(numbers))
