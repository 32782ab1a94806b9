"""Programs of curations: what a function uses goes along, and what cannot is told."""

from __future__ import annotations

import ast
import datetime
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.adapters.programs import RecordedPrograms
from perijove.core.errors import InvalidInputError, UnsupportedError
from perijove.core.program import Section, join_sections, split_sections
from perijove.kernel.literals import literal_of
from perijove.kernel.program import Capture, global_names
from tests.kernel.conftest import Notebook

NAMES = st.from_regex(r"[a-z]{1,5}(\.[a-z]{1,5})?", fullmatch=True)
TEXTS = st.text("abc #%\n\t", max_size=30) | st.sampled_from(["# %% main\n", "x\n# %% module a\ny"])
ATOMS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.binary(max_size=5)
)  # fmt: skip
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.sets(st.integers(), max_size=3)
        | st.frozensets(st.text(max_size=3), max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(st.tuples(NAMES, TEXTS, st.booleans()), unique_by=lambda s: s[0], max_size=4), TEXTS
)
def test_sections_are_taken_apart_as_they_were_joined(
    modules: list[tuple[str, str, bool]], main: str
) -> None:
    sections = [*(Section(*module) for module in modules), Section("", main)]
    found = split_sections(join_sections(sections))
    assert [(s.name, s.package) for s in found] == [(s.name, s.package) for s in sections]
    for before, after in zip(sections, found, strict=True):
        # A line that reads like a head has a blank more: a comment stays a comment.
        assert after.text.replace("\n # %%", "\n# %%").strip() == before.text.strip()


@given(VALUES)
def test_constants_are_written_so_that_they_read_back(value: Any) -> None:
    written = literal_of(value)
    assert written is not None
    lines, expression = written
    assert lines == []
    assert repr(_sorted(eval(expression))) == repr(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return type(value).__name__, sorted(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_sorted(item) for item in value)
    return {k: _sorted(v) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    "value",
    [re.compile("a+", re.IGNORECASE), datetime.date(2026, 1, 2), datetime.timedelta(days=1),
     datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC), datetime.datetime(2026, 1, 2), Path("data/x.csv"), math.inf],
)  # fmt: skip
def test_other_small_values_are_written_with_their_imports(value: Any) -> None:
    written = literal_of(value)
    assert written is not None
    namespace: dict[str, Any] = {}
    exec("\n".join([*written[0], f"value = {written[1]}"]), namespace)
    assert namespace["value"] == value


@pytest.mark.parametrize("value", [object(), [object()], "x" * 100_000, {"a": lambda: 1}])
def test_what_is_no_constant_is_none(value: Any) -> None:
    assert literal_of(value) is None


def test_only_names_from_outside_are_followed() -> None:
    text = (
        "@pj.curate('x', inputs=[RAW])\n"
        "def f(frame, top=DEFAULT, *, low: Kind = 1):\n"
        "    other = frame\n"
        "    def inner(y):\n        return other + y + OUTER\n"
        "    return [inner(z) + frame for z in LISTED if (w := z)]\n"
    )
    assert set(global_names(text)) == {"pj", "RAW", "DEFAULT", "Kind", "OUTER", "LISTED"}


CELLS = """\
from __future__ import annotations
from collections import OrderedDict as Ordered
import os.path as paths, json
from math import sqrt
import numpy as np
root = np.sqrt
WORDS = {"b", "a"}
frame = "a frame of the notebook"

class Base:
    def number(self): return len(WORDS)

class Child(Base):
    factor = 2

def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)

def outer():
    bound = 5
    def used(frame):
        _ = Ordered(), paths.sep, json.dumps(1), sqrt(4.0), root(4.0)
        return frame, Child().number() * Child.factor, even(4), bound
    return used
used = outer()
"""


def test_a_program_runs_without_its_notebook(notebook: Notebook, root: Path) -> None:
    notebook.ok(CELLS)
    captured = Capture(notebook["used"], root, "curate('x', inputs=['builds'], as_='arrow')")
    assert captured.unrecorded == ()
    assert "a frame of the notebook" not in captured.script
    loaded = RecordedPrograms().load(captured.script, captured.entry)
    assert loaded.inputs == (("builds", 0),)
    assert loaded.make(["rows"], {}) == ("rows", 4, True, 5)
    again = Capture(notebook["used"], root, "curate('x', inputs=['builds'], as_='arrow')")
    assert again.script == captured.script
    ast.parse(captured.script)


def test_what_the_shell_adds_is_not_taken_for_python(notebook: Notebook, root: Path) -> None:
    notebook.ok("def f(frame):\n    get_ipython(); undefined\n    return frame\n")
    captured = Capture(notebook["f"], root, "curate('x')")
    assert captured.unrecorded == ("get_ipython", "undefined")


def test_a_program_that_cannot_be_loaded_says_why() -> None:
    script = join_sections([Section("", "import a_package_that_is_not_there\n")])
    with pytest.raises(UnsupportedError, match="a_package_that_is_not_there") as caught:
        RecordedPrograms().load(script, "f")
    assert caught.value.code == "program_failed"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("a(bottom=1)", "no parameter 'bottom'"),
        ("a(top=object())", "cannot be recorded"),
        ("a(top=(1, 2))", "cannot be recorded"),
        ("a(top=float('nan'))", "cannot be recorded"),
        ("b()", "needs 'top'"),
        ('pj.curate("c", inputs=["builds", "other"])(lambda frame: frame)', "takes 1 frames"),
    ],
)
def test_parameters_are_what_can_be_recorded(notebook: Notebook, call: str, said: str) -> None:
    notebook.ok(
        '@pj.curate("a", inputs=["builds"])\ndef a(frame, top=1): return frame\n'
        '@pj.curate("b", inputs=["builds"])\ndef b(frame, *, top): return frame\n'
    )
    with pytest.raises(InvalidInputError, match=said):
        notebook.run(call).raise_error()


def test_modules_that_a_function_imports_itself_go_along(
    notebook: Notebook, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = root / "steps"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("from . import two\nFACTOR = two.TWO * 2\n")
    (package / "two.py").write_text("import json\nTWO = 2\n")
    monkeypatch.syspath_prepend(str(root))
    notebook.ok("def f(frame):\n    from steps.one import FACTOR\n    return frame * FACTOR\n")
    captured = Capture(notebook["f"], root, "curate('x', inputs=['builds'], as_='arrow')")
    heads = [section.name for section in split_sections(captured.script)]
    assert sorted(heads) == ["", "steps", "steps.one", "steps.two"]
    (package / "two.py").write_text("TWO = 3\n")
    loaded = RecordedPrograms().load(captured.script, captured.entry)
    assert loaded.make([10], {}) == 40
