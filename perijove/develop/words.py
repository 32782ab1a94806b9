"""MLflow's filter words, read into the tree that clicks make.

    metrics.auc > 0.7 and params.kind = 'hgb' and tags.`cost centre` ILIKE '%vision%'

What MLflow's ``search_runs`` takes is taken, and besides ``OR``, ``NOT``, brackets and numbers
beside a parameter. Keys with other characters than letters, digits, ``_ . / -`` stand in
backquotes or double quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from perijove.contracts.table import AllOf, AnyOf, Compare, Filter, Missing, Not, OneOf
from perijove.core.errors import InvalidInputError
from perijove.develop.columns import ATTRIBUTES, DEEPEST, Column, check_filter

LONGEST: Final = 4000
KINDS: Final = {
    "metrics": "metrics", "metric": "metrics",
    "params": "params", "param": "params", "parameters": "params", "parameter": "params",
    "tags": "tags", "tag": "tags",
    "attributes": "attributes", "attribute": "attributes", "attr": "attributes",
    "run": "attributes",
}  # fmt: skip
ALIASES: Final = {
    "created": "start_time", "name": "run_name", "run name": "run_name", "id": "run_id",
    "state": "status", "user": "user_id",
}  # fmt: skip
_NAMED: Final = ("inf", "infinity", "true", "false")
"""Values that need no quotes."""
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<quoted>`[^`]*`)
    | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w./-]))
    | (?P<word>[^\W\d][\w/-]*(?:\.(?=[\w/`"-]))?)
    | (?P<part>[\w./-]+)
    | (?P<op><=|>=|!=|<>|==|=|<|>)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
_LOOKS_LIKE: Final = re.compile(
    r"[<>=]|\si?like\s*['\"]|\sin\s*\(|\sis\s+(not\s+)?null\b|"
    r"^\(*\s*(not\s+)?(metrics?|params?|parameters?|tags?|attr|attributes?)\.",
    re.IGNORECASE,
)


class WordsFaultError(InvalidInputError):
    """Filter words that cannot be followed.

    Parameters
    ----------
    position
        Of the first character that does not fit, from 1 on.
    """

    default_code = "filter_words"

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"At character {position}: {reason}.")
        self.position = position


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def are_filter(text: str) -> bool:
    """Whether words are meant as a filter, and not as what to look for."""
    outside = re.sub(r"\"[^\"]*\"", "", text)
    return _LOOKS_LIKE.search(outside) is not None


def plain(text: str) -> tuple[str, ...]:
    """Cut a search into the words to look for; what stands in double quotes is one."""
    found = re.findall(r'"([^"]+)"|(\S+)', text.replace("\0", " "))
    return tuple(quoted or word.strip('"') for quoted, word in found if quoted or word.strip('"'))


def parse(text: str) -> Filter:
    """Read filter words.

    Raises
    ------
    WordsFaultError
        When they cannot be followed, with the place.
    """
    if len(text) > LONGEST:
        raise WordsFaultError(f"a filter has at most {LONGEST:,} characters", LONGEST + 1)
    parser = _Parser(text)
    tree = parser.either(0)
    if not parser.done:
        parser.expect("and or or")
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0

    @property
    def done(self) -> bool:
        return self._tokens[self._next].kind == "end"

    @property
    def _now(self) -> _Token:
        return self._tokens[self._next]

    def expect(self, what: str, token: _Token | None = None) -> NoReturn:
        found = token or self._now
        shown = "the end" if found.kind == "end" else repr(found.text)
        raise WordsFaultError(f"{what} was expected, and {shown} was found", found.at + 1)

    def _take(self) -> _Token:
        token = self._now
        if token.kind != "end":
            self._next += 1
        return token

    def _keyword(self, *words: str) -> bool:
        """Take some words where they stand next."""
        tokens = self._tokens[self._next : self._next + len(words)]
        if [t.text.upper() for t in tokens if t.kind == "word"] != list(words):
            return False
        self._next += len(words)
        return True

    def either(self, depth: int) -> Filter:
        parts = [self._both(depth)]
        while self._keyword("OR"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else AnyOf(of=parts)

    def _both(self, depth: int) -> Filter:
        parts = [self._one(depth)]
        while self._keyword("AND"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else AllOf(of=parts)

    def _one(self, depth: int) -> Filter:
        if depth >= DEEPEST:
            raise WordsFaultError(f"brackets are more than {DEEPEST} deep", self._now.at + 1)
        if self._keyword("NOT"):
            return Not(of=self._one(depth + 1))
        if self._now.kind == "mark" and self._now.text == "(":
            self._take()
            inner = self.either(depth + 1)
            closing = self._take()
            if closing.text != ")":
                self.expect("a closing bracket", closing)
            return inner
        return self._comparison()

    def _comparison(self) -> Filter:
        start = self._now
        column = str(self._column())
        if self._keyword("IS", "NOT", "NULL"):
            return Not(of=Missing(column=column))
        if self._keyword("IS", "NULL"):
            return Missing(column=column)
        if self._keyword("NOT", "IN"):
            # As with != a run that has no value is not among those with another one.
            inner = self._checked(OneOf(column=column, values=self._list()), start)
            return AllOf(of=[Not(of=Missing(column=column)), Not(of=inner)])
        if self._keyword("IN"):
            return self._checked(OneOf(column=column, values=self._list()), start)
        if self._keyword("NOT", "LIKE"):
            return self._unlike(column, start, fold=False)
        if self._keyword("NOT", "ILIKE"):
            return self._unlike(column, start, fold=True)
        if self._keyword("LIKE"):
            return self._checked(_like(column, self._value(), fold=False), start)
        if self._keyword("ILIKE"):
            return self._checked(_like(column, self._value(), fold=True), start)
        operator = self._take()
        if operator.kind != "op":
            self.expect("a comparison such as = or LIKE", operator)
        op = {"==": "=", "<>": "!="}.get(operator.text, operator.text)
        return self._checked(Compare(column=column, op=op, value=self._value()), start)  # type: ignore[arg-type]

    def _unlike(self, column: str, start: _Token, *, fold: bool) -> Filter:
        inner = self._checked(_like(column, self._value(), fold=fold), start)
        return AllOf(of=[Not(of=Missing(column=column)), Not(of=inner)])

    @staticmethod
    def _checked(leaf: Filter, start: _Token) -> Filter:
        try:
            check_filter(leaf)
        except InvalidInputError as error:
            raise WordsFaultError(error.message.rstrip("."), start.at + 1) from None
        return leaf

    def _column(self) -> Column:
        first = self._take()
        if first.kind == "quoted":
            return self._attribute(first.text[1:-1], first)
        if first.kind not in ("word", "text"):
            self.expect("a column such as metrics.loss", first)
        if first.kind == "text":
            if first.text[0] == "'":
                self.expect("a column such as metrics.loss", first)
            return self._attribute(first.text[1:-1], first)
        if not first.text.endswith("."):
            return self._attribute(first.text, first)
        kind = KINDS.get(first.text[:-1].lower())
        if kind is None:
            raise WordsFaultError(
                f"{first.text[:-1]!r} is none of metrics, params, tags and attributes", first.at + 1
            )
        key = self._key()
        if kind == "attributes":
            return self._attribute(key, first)
        return Column(kind, key)  # type: ignore[arg-type]

    def _key(self) -> str:
        """Read what comes after the dot, up to a space or an operator."""
        token = self._take()
        if token.kind in ("quoted", "text") and token.text[0] in '`"':
            return token.text[1:-1] or self.expect("a name", token)
        parts: list[str] = []
        end = token.at
        while token.kind in ("word", "number", "part") and token.at == end:
            parts.append(token.text)
            end = token.at + len(token.text)
            if self._now.at != end or self._now.kind not in ("word", "number", "part"):
                break
            token = self._take()
        key = "".join(parts)
        if not key or key.endswith("."):
            self.expect("a name", token)
        return key

    def _attribute(self, name: str, token: _Token) -> Column:
        key = ALIASES.get(name.lower(), name.lower())
        if key not in ATTRIBUTES:
            raise WordsFaultError(
                f"there is no attribute {name!r}; write metrics.{name}, params.{name} or "
                f"tags.{name}",
                token.at + 1,
            )
        return Column("attributes", key)

    def _value(self) -> str:
        token = self._take()
        if token.kind == "text":
            return _unquoted(token.text)
        named = token.kind == "word" and token.text.lower() in _NAMED
        if token.kind != "number" and not named:
            self.expect("a value, a text in quotes", token)
        return token.text

    def _list(self) -> list[str]:
        opening = self._take()
        if opening.text != "(":
            self.expect("a list in brackets", opening)
        values = [self._value()]
        while (token := self._take()).text == "," and token.kind == "mark":
            values.append(self._value())
        if token.text != ")":
            self.expect("a comma or a closing bracket", token)
        return values


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            opened = text[at] in "'\"`"
            reason = "a quote is not closed" if opened else f"{text[at]!r} fits nowhere"
            raise WordsFaultError(reason, at + 1)
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*found, _Token("end", "", end)]


def _unquoted(text: str) -> str:
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)


def _like(column: str, pattern: str, *, fold: bool) -> Filter:
    """Read a pattern of SQL, ``%`` any text and ``_`` any character, as the plainest condition."""
    inner = pattern.strip("%")
    if fold or "_" in pattern or "%" in inner:
        cut = "".join(
            {"%": ".*", "_": "."}.get(mark, re.escape(mark)) for mark in pattern
        )  # fmt: skip
        return Compare(column=column, op="matches", value=f"(?s{'i' * fold})^{cut}$")
    starts, ends = pattern.endswith("%"), pattern.startswith("%")
    if starts and ends:
        return Compare(column=column, op="contains", value=inner)
    if starts:
        return Compare(column=column, op="starts_with", value=inner)
    if ends:
        return Compare(column=column, op="ends_with", value=inner)
    # The text itself, and not another one that says the same number.
    return Compare(column=column, op="matches", value=f"(?s)^{re.escape(pattern)}$")
