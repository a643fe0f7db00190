"""Takes secrets out of a message before anything of it is stored. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.task import Message, Part

WITHHELD = "[withheld]"

_KEYS = frozenset({"password", "passwort", "passphrase", "pdf_password"})
_WORD = r"(?:password|passphrase|passcode|passwort|kennwort|mot\s+de\s+passe|contraseña|wachtwoord)"
_SAID = re.compile(
    rf"(?:\b{_WORD}\b(?:\s+for\s+\S+)?\s*(?:[:=]|\b(?:is|lautet|ist|est|es)\b\s*:?)\s*"
    rf"|\b(?:with|use|using|mit|avec|con)\s+(?:the\s+|dem\s+|le\s+|la\s+)?{_WORD}\s+"
    rf"|\b{_WORD}\s+(?=[\"'„“«`]))"
    r"[\"'„“«`]?(?P<secret>[^\s\"'”“»`,;]+)",
    re.IGNORECASE,
)
_STEMS = ("pass", "kennwort", "contraseña", "wachtwoord")  # every word of _WORD holds one
_NO_SECRET = frozenset({"protected", "required", "needed", "a", "the", "in", "not", "missing", "unknown", "correct"})


def withhold(message: Message, *, awaited: bool) -> tuple[Message, Mapping[str, str]]:
    """The message as it may be stored, and the secrets that were in it.

    `awaited`: a password was asked for, so a text answer may be nothing but the password, and is withheld whole.
    It is then given as `password` (or its labelled part is) and as `reply`.
    """
    secrets: dict[str, str] = {}
    parts = tuple(_part(part, secrets, awaited) for part in message.parts)
    metadata = _data(message.metadata, secrets) if message.metadata else message.metadata
    if not secrets:
        return message, {}
    return replace(message, parts=parts, metadata=metadata), secrets


def _part(part: Part, secrets: dict[str, str], awaited: bool) -> Part:
    if part.text is not None:
        if not awaited and not part.metadata and not _said(part.text):
            return part
        return replace(part, text=_text(part.text, secrets, awaited), metadata=_data(part.metadata, secrets))
    if part.has_data or part.data is not None or part.metadata:
        return replace(part, data=_data(part.data, secrets), metadata=_data(part.metadata, secrets))
    return part


def _text(text: str, secrets: dict[str, str], awaited: bool) -> str:
    said = _said(text)
    if awaited:
        secrets["reply"] = text
        secrets.setdefault("password", said[0]["secret"] if said else text.strip())
        return WITHHELD
    if not said:
        return text
    secrets.setdefault("password", said[0]["secret"])
    for found in reversed(said):
        text = text[: found.start("secret")] + WITHHELD + text[found.end("secret") :]
    return text


def _said(text: str) -> list[re.Match[str]]:
    """The places of a secret; the pattern is slow, so a text without any of its words is not searched."""
    folded = text.casefold()
    if not any(stem in folded for stem in _STEMS):
        return []
    return [found for found in _SAID.finditer(text) if found["secret"].casefold().strip(".?!") not in _NO_SECRET]


def _data(data: Any, secrets: dict[str, str]) -> Any:
    """A copy without the values of password keys. A key whose value is no text (a schema's property) is no secret."""
    if isinstance(data, Mapping):
        kept = {}
        for key, value in data.items():
            if isinstance(value, str) and str(key).casefold() in _KEYS:
                secrets["password"] = value  # said by name: it wins over what a text may mean
                continue
            kept[key] = _data(value, secrets)
        return kept
    if isinstance(data, list | tuple):
        return [_data(item, secrets) for item in data]
    return data
