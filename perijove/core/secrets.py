"""What looks like a secret: it is not kept, shown or sent, and the user is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

MASK: Final = "***"

_NAMES: Final = re.compile(
    r"(?:^|[^a-z])(?:pass(?:word|wd|phrase)?|pwd|secret|credentials?|token|auth(?:orization)?|bearer"
    r"|cookie|(?:api|access|private|secret|account|signing|encryption|ssh)[_\- ]?key"
    r"|connection[_\- ]?string|dsn)(?:$|[^a-z])",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HARMLESS: Final = re.compile(
    r"(?:max|min|num|n|new|total|pad|eos|bos|sep|cls|mask|unk|special|vocab|per|ignore|label|image"
    r"|use|has|is|count|length|size|id|ids|type|limit)", re.IGNORECASE
)  # fmt: skip
"""Words beside ``token`` where it is a piece of text: ``max_new_tokens``, ``pad_token_id``."""
_VALUES: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{22,}\b"
    r"|\bglpat-[A-Za-z0-9_\-]{20,}"
    r"|\bhf_[A-Za-z0-9]{30,}\b"
    r"|\bsk-[A-Za-z0-9_\-]{20,}"  # OpenAI, Anthropic
    r"|\bxox[abprs]-[A-Za-z0-9\-]{10,}"
    r"|\bAIza[0-9A-Za-z_\-]{35}"
    r"|\bdapi[0-9a-f]{32}\b"
    r"|\beyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{5,}"  # JWT
    r"|\b(?:Account|SharedAccess)Key=[A-Za-z0-9+/=]{20,}"
)
_URL_LOGIN: Final = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)")


def secret_name(name: str) -> bool:
    """Whether a parameter's or a variable's name says that its value is a secret."""
    words = _CAMEL.sub("_", name)
    if not _NAMES.search(words):
        return False
    parts = [part for part in re.split(r"[^A-Za-z]+", words) if part]
    texts = any(part.lower() == "token" for part in parts)
    return not (texts and any(_HARMLESS.fullmatch(part) for part in parts))


def masked(text: str) -> str:
    """Return a text with what looks like a secret in it masked; the same text where nothing does."""
    return _URL_LOGIN.sub(MASK, _VALUES.sub(MASK, text))


def mask_values(values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Mask the values that look like secrets, by their names or by themselves.

    Returns
    -------
    The values, and the names of those that were masked.
    """
    kept: dict[str, str] = {}
    found: list[str] = []
    for name, text in values.items():
        secret = secret_name(name) and text.strip().lower() not in _NO_SECRETS
        kept[name] = MASK if secret else masked(text)
        if kept[name] != text:
            found.append(name)
    return kept, found


_NO_SECRETS: Final = frozenset(("", "none", "null", "true", "false", MASK))


def mask_url(url: str) -> str:
    """Show a URL without the login and the query that may be in it."""
    return masked(re.sub(r"(?<=://)[^/@]*@", "", url).partition("?")[0])
