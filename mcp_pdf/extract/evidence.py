"""The proof of each value, and the one rule behind the word `confidence`.

high    the value comes from the e-invoice or a filled form; or it was read under its own label with little doubt
        (score of 0.7 or more, no rival of another value near it) and a named check confirms it: check digits,
        net + tax = total, or a second place of the document that says the same; or its score is 0.95 or more.
medium  read under its own label without a near rival, or confirmed by a check.
low     everything else that was still good enough for the chosen strictness.
A value that another source contradicts is never high.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcp_pdf.extract.candidates import Candidate
from mcp_pdf.extract.layout import Layout, union
from mcp_pdf.pdf.page import Word

_SURE = 0.95
_CLEAR = 0.7


def boxes(words: tuple[Word, ...]) -> list[list[float]]:
    """One box a printed line."""
    rows: list[list[Word]] = []
    for word in words:
        if rows and abs(rows[-1][-1].y0 - word.y0) < 0.6 * (word.y1 - word.y0) and word.x0 >= rows[-1][-1].x0:
            rows[-1].append(word)
        else:
            rows.append([word])
    return [[round(side, 1) for side in union(row)] for row in rows]


def confidence(score: float, *, rival: float, checks: dict[str, bool], contradicted: bool = False) -> str:
    """The word for how far a value read from the page can be trusted; the rule is in the module's docstring."""
    confirmed = any(checks.values()) and all(checks.values())
    clear = rival < 0.85 * score
    if contradicted or not all(checks.values()):
        return "medium" if confirmed and clear else "low"
    if clear and (score >= _SURE or (score >= _CLEAR and confirmed)):
        return "high"
    return "medium" if (score >= _CLEAR and clear) or confirmed else "low"


def match_of(value: Any, text: str) -> str:
    """exact when the characters are the same, normalised when the value is."""
    return "exact" if str(value) == text else "normalised"


def leaf(layout: Layout, one: Candidate, word: str, checks: dict[str, bool]) -> dict[str, Any]:
    """The evidence entry of a value found on the page."""
    return {
        "text": one.text,
        "page": one.page,
        "boxes": boxes(one.words),
        "page_size": [round(side, 1) for side in layout.sizes[one.page]],
        "match": match_of(one.value, one.text),
        "source": layout.sources[one.page],
        "checks": checks,
        "confidence": word,
    }


def stated(value: Any, source: str, place: Candidate | None, layout: Layout, checks: dict[str, bool]) -> dict[str, Any]:
    """The evidence entry of a value that a structured source states, with its place on the page when it was found."""
    if place is None:
        return {
            "text": str(value),
            "page": None,
            "boxes": [],
            "match": "unlocated",
            "source": source,
            "checks": checks,
            "confidence": "high",
        }
    return {**leaf(layout, place, "high", checks), "source": source}


def doubtful(candidates: list[Candidate], layout: Layout, reason: str) -> dict[str, Any]:
    """The evidence entry of a null, with what it could have been."""
    entry: dict[str, Any] = {"reason": reason}
    if candidates:
        entry["candidates"] = [
            {"value": c.value, "page": c.page, "boxes": boxes(c.words), "source": layout.sources[c.page]}
            for c in candidates[:3]
        ]
    return entry


def refused(evidence: dict[str, Any], path: Sequence[str | int]) -> dict[str, Any]:
    """The evidence without what stands at a path and below: a value that the caller's schema does not allow."""
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    mine = {key: entry for key, entry in evidence.items() if key == pointer or key.startswith(pointer + "/")}
    told: dict[str, Any] = {"reason": "invalid"}
    entry = mine.get(pointer, {})
    if "text" in entry:
        told["candidates"] = [{key: entry.get(key) for key in ("page", "boxes", "source")} | {"value": entry["text"]}]
    return {key: value for key, value in evidence.items() if key not in mine} | {pointer: told}
