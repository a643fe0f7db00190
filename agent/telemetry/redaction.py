"""What must never be read in a log, a configuration page or an error: keys, passwords, tokens.

Two nets: names (a field called `password`) and shapes (a bearer token, a key of Google or of this service, a JSON
web token, a password inside a URL). Values known to be secret are added when they are loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "[redacted]"
_MIN_SECRET = 6  # shorter values would blank ordinary words

_NAMES = re.compile(
    r"pass(word|wd|phrase)?$|secret|api[_-]?key|private[_-]?key|credential|authorization|cookie"
    r"|(^|[_-])token$|bearer|^pwd$",
    re.IGNORECASE,
)
_SHAPES = re.compile(
    r"(?P<scheme>\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}"
    r"|\bAIza[\w-]{20,}"
    r"|\bdea_[A-Za-z0-9_-]{16,}"
    r"|\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*"
    r"|(?P<user>://[^/\s:@]*:)[^/\s@]+(?=@)"
    r"|(?P<field>\b(?:password|passwd|secret|api[_-]?key|token|key)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}]{4,}",
    re.IGNORECASE,
)
_HINTS = re.compile(r"bearer|basic|AIza|dea_|eyJ|://|pass|secret|key|token", re.IGNORECASE)


class Redactor:
    """Masks secrets in names and texts. `learn` adds values that are secret whatever they look like."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: frozenset[str] = frozenset()
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        self._known |= {secret for secret in secrets if len(secret) >= _MIN_SECRET}

    def text(self, text: str) -> str:
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, MASK)
        return _SHAPES.sub(_mask, text) if _HINTS.search(text) else text

    def value(self, name: str, value: object) -> object:
        """The value of a field: masked by its name, or by what stands in its text, at any depth."""
        if value not in (None, "", False, True) and not isinstance(value, int | float) and secret_name(name):
            return MASK
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {str(key): self.value(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value("", item) for item in value]
        return value


def secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret. Counts (`input_tokens`) and files (`key_file`) do not."""
    return _NAMES.search(name) is not None and not name.lower().endswith(("_file", "_id"))


def _mask(found: re.Match[str]) -> str:
    kept = found["scheme"] or found["user"] or found["field"] or ""
    return f"{kept}{MASK}"
