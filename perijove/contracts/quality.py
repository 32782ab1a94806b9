"""Quality rules, and what checking a version against them found."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import ErrorBody, Facts, Millis, Struct

RuleKind = Literal[
    "not_null", "unique", "range", "set", "regex", "type",
    "row_count", "freshness", "foreign_key", "expression",
]  # fmt: skip
RuleAction = Literal["warn", "fix", "quarantine", "block"]
Fix = Literal["cast", "trim", "fill", "clip", "drop", "deduplicate"]


class Rule(Struct):
    """One rule of ``rules/NAME.toml``. Values are text, read as the column's type."""

    id: str
    check: RuleKind
    columns: list[str] = []
    action: RuleAction = "warn"
    """``fix``: mend what can be, and quarantine what the fix leaves wrong."""
    fix: Fix | None = None
    minimum: str | None = None
    maximum: str | None = None
    """Bounds, both included; of the value for ``range``, of the rows for ``row_count``."""
    values: list[str] = []
    pattern: str = ""
    """A regular expression (RE2) that the whole value matches."""
    type: str = ""
    within: str = ""
    """The greatest age of the newest value, such as ``"2 days"``."""
    references: str = ""
    """``DATASET.COLUMN`` that must hold each value."""
    expression: str = ""
    """What must be true of a row, such as ``end >= start and size < 1e9``."""
    fill: str | None = None
    description: str = ""


class RuleSet(Struct):
    name: str
    path: str
    """Relative to the project."""
    text: str
    revision: str
    """Hash of the text; empty when there is no file."""
    rules: list[Rule]
    error: ErrorBody | None = None
    """Why the file cannot be understood; it is left as it is, and blocks a curation."""


class RuleSave(Struct):
    rules: list[Rule]
    revision: str
    """What was seen; another one in between is a conflict."""


class Suggestion(Struct):
    rule: Rule
    reason: str


class Suggestions(Struct):
    items: list[Suggestion]
    left_out: list[str] = []
    """What an imported schema says and no rule can, in words."""


class RuleResult(Facts):
    rule: Rule
    failed: int
    """Rows; 1 for a rule about the whole table that fails."""
    fixed: int
    state: Literal["pass", "warn", "fixed", "quarantined", "blocked", "error"]
    detail: str = ""
    examples: list[str] = []
    """Up to five values that fail."""


class QualityFacts(Facts):
    """What a check of one version found. Fixed once, a node of the chain."""

    dataset: str
    """Reference of the version; of the first input where a block kept it from being made."""
    rows: int
    """Before the rules acted."""
    kept: int
    quarantined: int
    fixed: int
    dropped: int
    blocked: bool
    results: list[RuleResult]
    rules_sha256: str
    quarantine: str = ""
    """Reference of the quarantined rows, a dataset of its own with the column ``_failed``."""
    seconds: float = 0.0
    references: dict[str, str] = {}
    """For each rule's ``references``, the data version that its values were looked up in."""


class QualityResult(Struct):
    ref: str
    version: int
    at: Millis
    by: str
    facts: QualityFacts


class QualityHistory(Struct):
    name: str
    items: list[QualityResult]
    """Newest first."""


class CheckRequest(Struct):
    version: int = 0


class RulesImport(Struct):
    """Rules from a pandera schema, as YAML or JSON text."""

    schema: str
