"""Runs recorded programs: implements ``perijove.data.ports.Programs``."""

from __future__ import annotations

import importlib.util
import linecache
import platform
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import metadata
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from perijove.core.errors import UnsupportedError
from perijove.core.program import Section, split_sections
from perijove.data.ports import Recorded


class RecordedPrograms:
    """Loads programs into this process: one that was started for it."""

    def load(self, script: str, entry: str) -> Recorded:
        sections = split_sections(script)
        finder = _Finder({section.name: section for section in sections if section.name})
        for name in finder.sections:
            # What lies in the project now may be another text than the recorded one.
            sys.modules.pop(name, None)
        sys.meta_path.insert(0, finder)
        main = next((section for section in sections if not section.name), None)
        if main is None:
            raise UnsupportedError(
                "The recorded program cannot be read.", "Curate that dataset once more."
            )
        module = ModuleType("perijove_program")
        sys.modules[module.__name__] = module
        try:
            exec(_compile(main, "main"), module.__dict__)
            found: Recorded = module.__dict__[entry].__perijove_curation__
        except Exception as error:  # the boundary to the user's program
            raise UnsupportedError(
                f"The recorded program cannot be loaded: {type(error).__name__}: {error}.",
                "Is a package missing that it imports? Its environment is told with the version.",
                code="program_failed",
            ) from error
        return found

    def environment(self, names: Iterable[str]) -> dict[str, str]:
        found = {"python": platform.python_version()}
        for name in names:
            with suppress(metadata.PackageNotFoundError):
                if name != "python":
                    found[name] = metadata.version(name)
        return found


class _Finder:
    """Finds the modules that were recorded with a program, before those of the project."""

    def __init__(self, sections: dict[str, Section]) -> None:
        self.sections = sections

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        section = self.sections.get(name)
        if section is None:
            return None
        return importlib.util.spec_from_loader(
            name, _Loader(section), origin=f"<{name} as recorded>", is_package=section.package
        )


class _Loader(Loader):
    def __init__(self, section: Section) -> None:
        self._section = section

    def create_module(self, spec: ModuleSpec) -> None: ...

    def exec_module(self, module: ModuleType) -> None:
        exec(_compile(self._section, self._section.name), module.__dict__)

    def is_package(self, name: str) -> bool:
        return self._section.package


def _compile(section: Section, name: str) -> Any:
    """Compile a section so that tracebacks and ``inspect`` find its lines."""
    file = f"<{name} as recorded>"
    linecache.cache[file] = (
        len(section.text), None, section.text.splitlines(keepends=True), file,
    )  # fmt: skip
    return compile(section.text, file, "exec", dont_inherit=True)
