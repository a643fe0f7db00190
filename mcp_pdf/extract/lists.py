"""Lists of plain values: everything of a kind that proves itself, else all that stands under the same label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mcp_pdf.extract.candidates import Candidate, Reader
from mcp_pdf.extract.wish import Field

_ALIKE = 0.9  # of the best score: what is read as surely as the best one
_SELF_EVIDENT = frozenset({"email", "url", "iban", "phone"})


def element_of(field: Field) -> Field:
    """What one entry of a list is asked to be."""
    return field.columns[0] if field.columns else Field(field.name, "name", field.description)


def everywhere(reader: Reader, kind: str) -> list[Candidate] | None:
    """All values of a kind whose form alone tells what they are; None for other kinds."""
    if kind not in _SELF_EVIDENT:
        return None
    return list(
        _distinct(
            reader.candidate(one, segment, 0, "same", 0.8, None, proven=one.valid)
            for segment in reader.layout.segments
            for one in reader.read(kind, segment.text)
            if one.valid
        )
    )


def best_of(candidates: Iterable[Candidate], least: float) -> list[Candidate]:
    """The candidates that are as good as the best one, in the order they are printed."""
    ranked = sorted(candidates, key=lambda one: -one.score)
    good = [one for one in ranked if one.score >= max(least, _ALIKE * ranked[0].score)]
    return sorted(_distinct(good), key=lambda one: (one.page, one.words[0].y0, one.words[0].x0))


def _distinct(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    seen = set()
    for one in candidates:
        if str(one.value) not in seen:
            seen.add(str(one.value))
            yield one
