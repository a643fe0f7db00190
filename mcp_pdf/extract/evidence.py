"""The proof of each value, and the one rule behind the word `confidence`.

high    the value comes from the e-invoice or a filled form; or a proof confirms it, whatever else was a candidate: its
        check digits, or a sum that it is part of (`PROOFS`); or it was read under its own label with little doubt
        (score of 0.7 or more, no rival of another value near it) and stands at a second such place; or its type has
        a form of its own (a date, an amount, a code) and its label leaves no doubt (score of 0.9 or more, no rival).
medium  read under its own label without a near rival, or confirmed by a check.
low     everything else that was still good enough for the chosen strictness.
A value that another source contradicts is never high. A check of the result that fails takes a word from the values of
the page that it speaks of, unless a proof of their own confirms them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcp_pdf.extract.candidates import Candidate
from mcp_pdf.extract.layout import Layout, union
from mcp_pdf.pdf.page import Word

_SURE = 0.9
_CLEAR = 0.7
# Types whose values show by their form that they are whole; a name or an address may lack a word or have one too many.
_FORMED = frozenset(["id", "date", "amount", "number", "integer", "currency", "percent", "iban", "url"])
# Checks that hardly hold by chance: digits and sums.
PROOFS = frozenset(
    (
        "check_digits",
        "given_less_change_is_total",
        "lines_add_up",
        "lines_add_up_to_net",
        "lines_below_subtotal_are_total",
        "net_plus_tax_is_total",
        "prepaid_plus_due_is_total",
        "quantity_times_price_is_amount",
        "rounding_is_right",
        "tax_by_rate_is_tax_total",
    )
)
_DOUBTS = frozenset({"net_plus_tax_is_total", "prepaid_plus_due_is_total", "due_not_before_issue"})
_LOWER = {"high": "medium", "medium": "low", "low": "low"}


def boxes(words: tuple[Word, ...]) -> list[list[float]]:
    """One box a printed line."""
    rows: list[list[Word]] = []
    for word in words:
        if rows and abs(rows[-1][-1].y0 - word.y0) < 0.6 * (word.y1 - word.y0) and word.x0 >= rows[-1][-1].x0:
            rows[-1].append(word)
        else:
            rows.append([word])
    return [[round(side, 1) for side in union(row)] for row in rows]


def confidence(score: float, kind: str, *, rival: float, checks: dict[str, bool]) -> str:
    """The word for how far a value of a type read from the page can be trusted; the module's docstring has the rule."""
    clear = rival < 0.85 * score
    confirmed = any(checks.values())
    if any(checks.get(proof) for proof in PROOFS):
        return "high"
    if not all(checks.values()):
        return "medium" if clear and score >= _CLEAR else "low"
    if clear and ((score >= _CLEAR and confirmed) or (score >= _SURE and kind in _FORMED)):
        return "high"
    return "medium" if (score >= _CLEAR and clear) or confirmed else "low"


def judged(evidence: dict[str, Any], checks: Sequence[dict[str, Any]]) -> None:
    """Tells the entries of values read from the page what the checks of the result say of them."""
    for check in checks:
        name, passed = check["name"], check["passed"]
        for pointer in check["fields"]:
            entry = evidence.get(pointer, {})
            if entry.get("source") not in ("layout", "ocr") or entry.get("confidence") is None:
                continue
            proven = any(entry["checks"].get(proof) for proof in PROOFS)
            entry["checks"] = {**entry["checks"], name: passed}
            if passed and name in PROOFS:
                entry["confidence"] = "high"
            elif not passed and name in _DOUBTS and not proven:
                entry["confidence"] = _LOWER[entry["confidence"]]


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
