"""``rules/NAME.toml``: the quality rules of a dataset, for people to edit and commit.

Read with the standard library, written with tomlkit, so that comments stay. A file that cannot be
understood is never written to.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import msgspec

from perijove.contracts.quality import Fix, Rule, RuleKind, RuleSet
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError, ProjectFileError, ReadOnlyError
from perijove.core.files import locked, sha256_text, write_atomically
from perijove.core.project_file import NAME, line_of
from perijove.data.expression import parse as parse_expression

FOLDER: Final = "rules"
TABLE_CHECKS: Final = frozenset(["row_count", "freshness"])
"""Checks of a table, not of its rows."""
FIXES: Final[dict[Fix, frozenset[RuleKind]]] = {
    "cast": frozenset(["type"]),
    "trim": frozenset(["set", "regex", "foreign_key"]),
    "fill": frozenset(["not_null", "range", "set", "regex"]),
    "clip": frozenset(["range"]),
    "drop": frozenset(
        ["not_null", "unique", "range", "set", "regex", "type", "foreign_key", "expression"]
    ),
    "deduplicate": frozenset(["unique"]),
}
"""Which checks a fix can mend."""
_NEEDS: Final[dict[RuleKind, tuple[str, ...]]] = {
    "not_null": ("columns",),
    "unique": ("columns",),
    "range": ("columns", "minimum|maximum"),
    "set": ("columns", "values"),
    "regex": ("columns", "pattern"),
    "type": ("columns", "type"),
    "row_count": ("minimum|maximum",),
    "freshness": ("within",),
    "foreign_key": ("columns", "references"),
    "expression": ("expression",),
}
_OWN: Final = ("minimum", "maximum", "values", "pattern", "type", "within", "references",
               "expression")  # fmt: skip
"""Fields that belong to some checks only."""
_UNITS: Final = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
_AGE: Final = re.compile(r"(\d{1,6}) (minute|hour|day|week)s?")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_HEAD: Final = """\
# What rows of {name} must be. Checks: not_null, unique, range, set, regex, type, row_count,
# freshness, foreign_key, expression. Actions: warn, fix, quarantine, block. See docs/data.md.
"""


class RuleFiles:
    """The files of rules of one project.

    Parameters
    ----------
    project
        The open project.
    """

    def __init__(self, project: ProjectContext) -> None:
        self.project = project

    def read(self, name: str) -> RuleSet:
        """Return the rules of a dataset; none, with an empty revision, where there is no file.

        What is wrong with a file is told in ``error``.
        """
        path = self._path(name)
        shown = f"{FOLDER}/{name}.toml"
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return RuleSet(name=name, path=shown, text="", revision="", rules=[])
        except OSError as error:
            fault = ProjectFileError(
                f"it cannot be read ({error.strerror}).", file=shown, code="rules_broken"
            )
            return RuleSet(
                name=name, path=shown, text="", revision="?", rules=[], error=fault.body()
            )
        text = raw.decode("utf-8", errors="replace")
        revision = sha256_text(text)[:16]
        try:
            rules = parse(text, shown)
        except ProjectFileError as error:
            return RuleSet(
                name=name, path=shown, text=text, revision=revision, rules=[], error=error.body()
            )
        return RuleSet(name=name, path=shown, text=text, revision=revision, rules=rules)

    def require(self, name: str) -> RuleSet:
        """Return the rules of a dataset.

        Raises
        ------
        ProjectFileError
            When the file cannot be understood.
        """
        found = self.read(name)
        if found.error is not None:
            raise _broken(found)
        return found

    def write(self, name: str, rules: Sequence[Rule], revision: str, *, by: str) -> RuleSet:
        """Change the file to these rules; what a person wrote beside them stays.

        Parameters
        ----------
        revision
            What the caller saw.

        Raises
        ------
        ConflictError
            When the file has changed since.
        InvalidInputError
            When a rule cannot be; nothing is written then.
        ProjectFileError
            When the file cannot be understood.
        """
        check(rules)
        path = self._path(name)
        self.project.paths.make_state()
        with locked(self.project.paths.state / "rules.lock"):
            current = self.require(name)
            if current.revision != revision:
                raise ConflictError(
                    f"{current.path} was changed by somebody else in the meantime.",
                    "Look at the new rules and save again.",
                    code="rules_changed",
                )
            changed = _edited(current.text or _HEAD.format(name=name), rules)
            if parse(changed, current.path) != list(rules):
                raise InvalidInputError(
                    f"The rules cannot be written to {current.path} as they are.",
                    "Look for control characters in their texts.",
                )
            if changed != current.text:
                try:
                    path.parent.mkdir(exist_ok=True)
                except OSError as error:
                    raise ReadOnlyError(
                        f"{path.parent} cannot be made: {error.strerror}.",
                        "Check the folder's permissions.",
                    ) from error
                write_atomically(path, changed.encode())
                self.project.chain.ledger.audit(
                    by, "save rules", f"data:{name}", rules=[rule.id for rule in rules],
                    sha256=sha256_text(changed),
                )  # fmt: skip
        return self.read(name)

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise InvalidInputError(f"{name!r} cannot be a dataset's name.")
        return self.project.paths.inside(f"{FOLDER}/{name}.toml")


def parse(text: str, file: str) -> list[Rule]:
    """Understand a file's text, or say which line is wrong and why."""

    def wrong(reason: str, line: int | None) -> ProjectFileError:
        return ProjectFileError(reason, line=line, file=file, code="rules_broken")

    if "\ufffd" in text:
        raise wrong("not UTF-8 text.", text[: text.index("\ufffd")].count("\n") + 1)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise wrong(f"{reason}.", int(found[1]) if found else text.count("\n") + 1) from error
    unknown = next((key for key in raw if key != "rule"), None)
    if unknown is not None:
        raise wrong(f"{unknown!r} is not known here: rules are [[rule]].", _key(text, unknown))
    listed = raw.get("rule", [])
    if not isinstance(listed, list):
        raise wrong("a rule begins with [[rule]], in two brackets.", line_of(text, "", ".rule"))
    rules: list[Rule] = []
    for at, entry in enumerate(listed):
        try:
            rule = msgspec.convert(_texts(entry), Rule)
        except msgspec.ValidationError as error:
            reason, _, path = str(error).partition(" - at `$")
            path = f".rule[{at}]{path.rstrip('`')}"
            raise wrong(f"{reason}.", line_of(text, reason, path)) from error
        fault = fault_of(rule, rules)
        if fault is not None:
            field, reason = fault
            raise wrong(f"{reason}.", line_of(text, "", f".rule[{at}].{field}"))
        rules.append(rule)
    return rules


def check(rules: Sequence[Rule]) -> None:
    """Refuse rules that cannot be.

    Raises
    ------
    InvalidInputError
        Naming the first such rule and why.
    """
    before: list[Rule] = []
    for rule in rules:
        fault = fault_of(rule, before)
        if fault is not None:
            raise InvalidInputError(f"Rule {rule.id!r}: {fault[1]}.", code="rule")
        before.append(rule)


def fault_of(rule: Rule, before: Sequence[Rule] = ()) -> tuple[str, str] | None:
    """Tell which field of a rule is wrong, and why; None when it can be."""
    if not _ID.fullmatch(rule.id):
        return "id", f"the id {rule.id!r} must be of letters, digits, '.', '_' and '-'"
    if any(other.id == rule.id for other in before):
        return "id", f"the id {rule.id!r} is there twice"
    for need in _NEEDS[rule.check]:
        if not any(getattr(rule, field) not in ("", None, []) for field in need.split("|")):
            return "check", f"{rule.check} needs {' or '.join(need.split('|'))}"
    known = {field for need in _NEEDS[rule.check] for field in need.split("|")}
    for field in _OWN:
        if field not in known and getattr(rule, field) not in ("", None, []):
            return field, f"{field} has no meaning for {rule.check}"
    return _value_fault(rule) or _action_fault(rule)


def _value_fault(rule: Rule) -> tuple[str, str] | None:
    single = {"freshness": 1, "foreign_key": 1, "row_count": 0}
    if len(rule.columns) > single.get(rule.check, len(rule.columns)):
        return "columns", f"{rule.check} takes {single[rule.check] or 'no'} column"
    if len(set(rule.columns)) < len(rule.columns):
        return "columns", "a column is named twice"
    if rule.check == "row_count":
        for field in ("minimum", "maximum"):
            value = getattr(rule, field)
            if value is not None and not re.fullmatch(r"\d{1,18}", value):
                return field, f"{value!r} is no number of rows"
    if rule.check == "freshness" and age_ms(rule.within) is None:
        return "within", f"{rule.within!r} is no age such as '2 days', '6 hours' or '1 week'"
    if rule.check == "foreign_key" and not re.fullmatch(r"[^.]+(\.[^.]+)+", rule.references):
        return "references", f"{rule.references!r} is not DATASET.COLUMN"
    if rule.check == "expression":
        try:
            parse_expression(rule.expression)
        except InvalidInputError as error:
            return "expression", error.message.rstrip(".")
    return None


def _action_fault(rule: Rule) -> tuple[str, str] | None:
    if rule.action == "fix" and rule.fix is None:
        return "action", f"action fix needs a fix: {', '.join(_fixes(rule.check)) or 'none fits'}"
    if rule.action != "fix" and rule.fix is not None:
        return "fix", f"fix {rule.fix} needs action fix, not {rule.action}"
    if rule.fix is not None and rule.check not in FIXES[rule.fix]:
        can = ", ".join(_fixes(rule.check)) or "none can"
        return "fix", f"{rule.fix} does not mend {rule.check}; {can}"
    if rule.check in TABLE_CHECKS and rule.action == "quarantine":
        return "action", f"{rule.check} is about the whole table: warn or block"
    if rule.fix == "fill" and rule.fill is None:
        return "fix", "fix fill needs the value to fill in, as fill"
    if rule.fix != "fill" and rule.fill is not None:
        return "fill", "fill has no meaning without fix fill"
    return None


def _fixes(kind: RuleKind) -> list[Fix]:
    return [fix for fix, kinds in FIXES.items() if kind in kinds]


def age_ms(text: str) -> int | None:
    """Read an age such as ``2 days`` in milliseconds; None when it is none."""
    found = _AGE.fullmatch(text.strip().lower())
    return int(found[1]) * _UNITS[found[2]] if found else None


def _texts(entry: Any) -> Any:
    """Turn TOML's own numbers, times and truths into the text that a rule has."""
    if not isinstance(entry, dict):
        return entry
    turned = dict(entry)
    for field in ("minimum", "maximum", "fill"):
        if field in turned:
            turned[field] = _text(turned[field])
    if isinstance(turned.get("values"), list):
        turned["values"] = [_text(value) for value in turned["values"]]
    return turned


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e18 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return value


def _native(field: str, value: Any) -> Any:
    """Write numbers and truths as such where they read back as the same text."""
    if isinstance(value, list):
        return [_native(field, item) for item in value] if field == "values" else value
    if field not in {"minimum", "maximum", "fill", "values"}:
        return value
    if value in {"true", "false"}:
        return value == "true"
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        if _text(number) == value and (kind is float or abs(number) < 2**63):
            return number
    return value


def _edited(text: str, rules: Sequence[Rule]) -> str:
    """Change the document as little as it takes."""
    import tomlkit

    document = tomlkit.parse(text)
    listed = document.get("rule", [])
    known = {str(entry.get("id")): entry for entry in listed}
    order = [str(entry.get("id")) for entry in listed]
    wanted = [rule.id for rule in rules]
    for rule in rules:
        fields = {k: v for k, v in msgspec.to_builtins(rule).items() if v not in ("", None, [])}
        entry = known.setdefault(rule.id, tomlkit.table())
        if rule.action == "warn" and "action" not in entry:
            del fields["action"]  # the default
        for key in [key for key in entry if key not in fields]:
            del entry[key]
        current = _texts(entry.unwrap())
        for key, value in fields.items():
            if current.get(key) != value:
                entry[key] = _native(key, value)
    kept = [one for one in order if one in wanted]
    if wanted[: len(kept)] == kept:
        for at in reversed(range(len(order))):
            if order[at] not in wanted:
                del document["rule"][at]
        added = [one for one in wanted if one not in order]
    else:
        del document["rule"]
        added = wanted
    if added and "rule" not in document:
        document["rule"] = tomlkit.aot()
    for one in added:
        document["rule"].append(known[one])
    if not wanted and "rule" in document:
        del document["rule"]
    return tomlkit.dumps(document)


def _key(text: str, key: str) -> int | None:
    return line_of(text, "", f".{key}")


def _broken(found: RuleSet) -> ProjectFileError:
    assert found.error is not None  # asked for by whoever saw one
    error = ProjectFileError("", file=found.path, code=found.error.code)
    error.message, error.hint = found.error.message, found.error.hint
    return error
