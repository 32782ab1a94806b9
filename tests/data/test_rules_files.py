"""``rules/NAME.toml``: read with lines, written with comments kept, never written over when broken."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perijove.contracts.quality import Rule
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    ForbiddenPathError,
    InvalidInputError,
    ProjectFileError,
)
from perijove.data.rules import RuleFiles, fault_of, parse

TEXT = """\
# What ada thinks of builds.

[[rule]]
id = "size"  # bytes
check = "range"
columns = ["size"]
minimum = 0
maximum = 1e9  # one gigabyte
action = "quarantine"

# Nobody knows why.
[[rule]]
id = "state"
check = "set"
columns = ["state"]
values = ["on", "off", 7, true, 2026-01-31]
action = "fix"
fix = "trim"
"""


@pytest.fixture
def files(project: ProjectContext) -> RuleFiles:
    return RuleFiles(project)


@pytest.fixture
def path(folder: Path) -> Path:
    (folder / "rules").mkdir()
    return folder / "rules" / "builds.toml"


def test_a_file_is_read_with_values_as_text(files: RuleFiles, path: Path) -> None:
    path.write_text(TEXT)
    found = files.read("builds")
    assert found.error is None
    assert (found.path, found.text) == ("rules/builds.toml", TEXT)
    size, state = found.rules
    assert (size.minimum, size.maximum, size.action) == ("0", "1000000000", "quarantine")
    assert state.values == ["on", "off", "7", "true", "2026-01-31"]
    assert files.read("nothing").rules == []
    assert files.read("nothing").revision == ""


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("[[rule]]\nid = \n", 2, "Invalid value"),
        ("# x\n[[rule]]\nid='a'\ncheck='not_nul'\n", 4, "not_nul"),
        ("[[rule]]\nid='a'\ncheck='not_null'\ncolumns=['x']\ncolour=1\n", 5, "colour"),
        ("[[rule]]\nid='a'\ncheck='range'\ncolumns=['x']\n", 3, "minimum or maximum"),
        ("[[rule]]\nid='a'\ncheck='not_null'\ncolumns='x'\n", 4, "Expected `array`"),
        (
            "[[rule]]\nid='a'\ncheck='not_null'\ncolumns=['x']\n\n[[rule]]\nid='b'\n"
            "check='expression'\nexpression='a = 1'\n",
            9,
            "no expression",
        ),
        (
            "[[rule]]\nid='a'\ncheck='not_null'\ncolumns=['x']\n"
            "[[rule]]\nid='a'\ncheck='not_null'\ncolumns=['y']\n",
            6,
            "twice",
        ),
        ("[[rule]]\nid='a'\ncheck='unique'\ncolumns=['x']\naction='fix'\nfix='clip'\n", 6, "clip"),
        ("[[rule]]\nid='a'\ncheck='row_count'\nminimum=1.5\n", 4, "number of rows"),
        ("[[rule]]\nid='a'\ncheck='freshness'\nwithin='soon'\n", 4, "2 days"),
        ("[[rules]]\nid='a'\n", 1, "'rules' is not known"),
        ("[rule]\nid='a'\n", 1, "two brackets"),
        ("rule = 1\n", 1, "two brackets"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    files: RuleFiles, path: Path, text: str, line: int, reason: str
) -> None:
    path.write_text(text)
    found = files.read("builds")
    assert found.rules == []
    assert found.error is not None
    assert found.error.message.startswith(f"rules/builds.toml, line {line}: "), found.error.message
    assert reason in found.error.message
    with pytest.raises(ProjectFileError, match=re.escape(found.error.message)):
        files.require("builds")
    with pytest.raises(ProjectFileError):
        files.write("builds", [], found.revision, by="ada")
    assert path.read_text() == text


def test_bytes_that_are_no_text_are_told(files: RuleFiles, path: Path) -> None:
    path.write_bytes(b"# gr\xfc\xdfe\n")
    error = files.read("builds").error
    assert error is not None
    assert "line 1: not UTF-8" in error.message


def test_a_save_keeps_comments_and_what_it_does_not_change(files: RuleFiles, path: Path) -> None:
    path.write_text(TEXT)
    seen = files.read("builds")
    size, state = seen.rules
    assert files.write("builds", seen.rules, seen.revision, by="ada").text == TEXT
    wider = Rule(id="size", check="range", columns=["size"], minimum="-1", maximum="1000000000",
                 action="quarantine")  # fmt: skip
    more = Rule(id="new", check="not_null", columns=["a b"])
    saved = files.write("builds", [wider, state, more], seen.revision, by="ada")
    assert saved.rules == [wider, state, more]
    assert saved.text.startswith(TEXT.replace("minimum = 0", "minimum = -1"))
    fewer = files.write("builds", [more, size], saved.revision, by="ada")
    assert fewer.rules == [more, size]
    assert "# one gigabyte" in fewer.text
    assert "state" not in fewer.text
    assert files.write("builds", [], fewer.revision, by="ada").rules == []
    actions = [entry.action for entry in files.project.chain.ledger.read_audit().entries]
    assert actions.count("save rules") == 3


def test_a_save_over_unseen_changes_is_a_conflict(files: RuleFiles, path: Path) -> None:
    rule = Rule(id="a", check="not_null", columns=["x"])
    first = files.write("builds", [rule], "", by="ada")
    assert path.read_text().startswith("# What rows of builds must be.")
    with pytest.raises(ConflictError, match="somebody else"):
        files.write("builds", [], "", by="bob")
    path.write_text(first.text + "# mine\n")
    with pytest.raises(ConflictError):
        files.write("builds", [], first.revision, by="bob")


def test_of_many_saves_at_once_one_is_kept(files: RuleFiles) -> None:
    seen: list[object] = []

    def save(at: int) -> None:
        rule = Rule(id=f"r{at}", check="not_null", columns=["x"])
        try:
            seen.append(files.write("builds", [rule], "", by="ada").rules)
        except ConflictError:
            seen.append(None)

    threads = [threading.Thread(target=save, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.count(None) == 7
    assert files.read("builds").rules in seen


@pytest.mark.parametrize(
    "rule",
    [
        Rule(id="a b", check="not_null", columns=["x"]),
        Rule(id="a", check="not_null"),
        Rule(id="a", check="not_null", columns=["x"], minimum="1"),
        Rule(id="a", check="not_null", columns=["x"], fix="fill", action="fix"),
        Rule(id="a", check="not_null", columns=["x"], fix="drop"),
        Rule(id="a", check="not_null", columns=["x"], action="fix"),
        Rule(id="a", check="unique", columns=["x", "x"]),
        Rule(id="a", check="row_count", minimum="1", action="quarantine"),
        Rule(id="a", check="foreign_key", columns=["x", "y"], references="d.c"),
        Rule(id="a", check="foreign_key", columns=["x"], references="d"),
        Rule(id="a", check="expression", expression="__import__('os').system('id')"),
    ],
)
def test_a_rule_that_cannot_be_is_not_written(files: RuleFiles, folder: Path, rule: Rule) -> None:
    with pytest.raises(InvalidInputError):
        files.write("builds", [rule], "", by="ada")
    assert not (folder / "rules").exists()


def test_no_path_leads_out(files: RuleFiles, folder: Path, tmp_path: Path) -> None:
    for name in ("../x", "a/b", "", "..", "a\0"):
        with pytest.raises(InvalidInputError):
            files.read(name)
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "rules").symlink_to(outside)
    with pytest.raises(ForbiddenPathError):
        files.write("builds", [Rule(id="a", check="not_null", columns=["x"])], "", by="ada")
    assert not list(outside.iterdir())


_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
_FIELDS: dict[str, Any] = {
    "minimum": st.none() | _WORDS | st.integers(-(2**70), 2**70).map(str) | st.floats().map(str),
    "maximum": st.none() | st.sampled_from(["1e9", "007", "-0", "1.50", "true", "2026-01-31"]),
    "description": st.just("") | _WORDS,
    "action": st.sampled_from(["warn", "quarantine", "block"]),
    "columns": st.lists(_WORDS, min_size=1, max_size=3, unique=True),
}
_RANGES = st.builds(Rule, id=st.just("x"), check=st.just("range"), **_FIELDS)
_SETS = st.builds(
    Rule, id=st.just("x"), check=st.just("set"), values=st.lists(_WORDS, min_size=1),
    **{k: v for k, v in _FIELDS.items() if k not in {"minimum", "maximum"}},
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drafts=st.lists(_RANGES | _SETS, max_size=4), order=st.randoms())
def test_what_is_saved_is_what_is_read(files: RuleFiles, drafts: list[Rule], order: Any) -> None:
    import msgspec

    rules = [msgspec.structs.replace(rule, id=f"r{at}") for at, rule in enumerate(drafts)]
    rules = [rule for rule in rules if fault_of(rule) is None]
    for _ in range(2):
        revision = files.read("builds").revision
        saved = files.write("builds", rules, revision, by="ada")
        assert saved.rules == parse(saved.text, "x") == rules
        order.shuffle(rules)
