"""Where two sources disagree: what a structured source states, and what the page prints under the same label."""

from __future__ import annotations

from typing import Any

from mcp_pdf.extract import evidence as proofs
from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.checks import number
from mcp_pdf.extract.folding import squash
from mcp_pdf.extract.wish import Field

_LEAST = 0.7  # of a page's reading that may contradict a source: read under its own label with little doubt
_FREE = frozenset({"name", "address", "string", "boolean"})


def disagreeing(reader: Reader, field: Field, value: Any, candidates: list[Candidate]) -> list[dict[str, Any]]:
    """What the page says in place of a stated value that it does not print, shaped like `candidates`; mostly nothing.

    `candidates` are the page's readings of the field. A page that says nothing under the field's label does not
    contradict, nor does one that prints the stated value anywhere; free text beside a label is too often another label.
    """
    good = [one for one in candidates if one.score >= _LEAST]
    if field.type in _FREE or not good or any(_same(field, value, one.value) for one in candidates):
        return []
    best = max(good, key=lambda one: one.score)
    told: list[dict[str, Any]] = proofs.doubtful([best], reader.layout, "")["candidates"]
    return told


def _same(field: Field, stated: Any, printed: Any) -> bool:
    if field.type in ("amount", "number", "integer", "percent"):
        first, second = number(stated), number(printed)
        return first == second or (first is not None and second is not None and abs(first) == abs(second))
    return squash(str(stated)) == squash(str(printed))
