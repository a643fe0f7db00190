"""Pages of words placed by hand, for rules that look at where words stand."""

from __future__ import annotations

from mcp_pdf.pdf.page import Page, Word

Placed = tuple[float, float, str]


def page(
    *placed: Placed,
    number: int = 1,
    size: tuple[float, float] = (600, 800),
    rulings: list[tuple[float, float, float, float]] | None = None,
) -> Page:
    """A page with texts at x, y; every character is 5 points wide and 10 high."""
    words = []
    for left, y, text in placed:
        x = left
        for token in text.split():
            words.append(Word(token, x, y, x + 5 * len(token), y + 10))
            x += 5 * len(token) + 3
    return Page(number, *size, words, rulings=rulings or [])
