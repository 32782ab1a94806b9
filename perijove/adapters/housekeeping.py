"""What is done for an open project now and then, whether or not anybody looks."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

from perijove.core.errors import PerijoveError


@dataclass
class Chore:
    """One thing to do, every so many rounds."""

    name: str
    do: Callable[[], object]
    every: int = 1


@dataclass
class Housekeeping:
    """The chores of one project. A chore that fails is logged once, and hinders no other."""

    chores: list[Chore]
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("perijove"))
    _round: int = 0
    _said: dict[str, str] = field(default_factory=dict)

    def keep(self) -> None:
        """Do one round."""
        for chore in self.chores:
            if self._round % chore.every == 0:
                self._do(chore)
        self._round += 1

    def _do(self, chore: Chore) -> None:
        try:
            chore.do()
        except (PerijoveError, OSError, sqlite3.Error) as error:
            self._tell(chore, str(error), error=None)
        except Exception as error:  # noqa: BLE001 - the loop's boundary: the other chores go on
            self._tell(chore, f"{type(error).__name__}: {error}", error=error)
        else:
            self._said.pop(chore.name, None)

    def _tell(self, chore: Chore, text: str, *, error: Exception | None) -> None:
        if self._said.get(chore.name) != text:
            self._said[chore.name] = text
            self.log.warning("Perijove, %s: %s", chore.name, text, exc_info=error)
