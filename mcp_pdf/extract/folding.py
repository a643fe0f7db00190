"""Text made comparable: no case, no accents, no typographic variants."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_VARIANTS = str.maketrans(
    {
        "ß": "ss", "ẞ": "ss", "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ı": "i", "æ": "ae",
        "Æ": "ae",
        "’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-",
        "\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u00ad": "", "：": ":",
    }
)  # fmt: skip
_TOKEN = re.compile(r"[^\W_]+")


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Lower case without accents; ß is ss, ł is l, every dash is a hyphen."""
    text = text.translate(_VARIANTS)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        text = text.translate(_VARIANTS)
    return text.casefold()


@lru_cache(maxsize=65536)
def tokens(text: str) -> tuple[str, ...]:
    """Folded words of letters and digits."""
    return tuple(_TOKEN.findall(fold(text)))


def squash(text: str) -> str:
    """Only the folded letters and digits."""
    return "".join(tokens(text))
