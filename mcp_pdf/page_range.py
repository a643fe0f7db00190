"""Page selections such as "1-3,7": the one reader of that notation."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from mcp_pdf.errors import PdfError

_RANGE: Final = re.compile(r"\s*(\d{1,7})?\s*(-)?\s*(\d{1,7})?\s*")
MAX_LENGTH: Final = 2_000


def _invalid(selection: str) -> PdfError:
    return PdfError(
        "invalid_request",
        f"pages: {selection[:80]!r} is not a page selection.",
        'Write pages as "1-3,7" or "5-"; pages count from 1.',
    )


def parse_pages(selection: str | None, count: int) -> list[int]:
    """The pages selected of `count`, ascending, each once. Raises PdfError for nonsense or pages beyond the end."""
    if selection is None or not selection.strip():
        return list(range(1, count + 1))
    if len(selection) > MAX_LENGTH:
        raise _invalid(selection)
    chosen: set[int] = set()
    for part in selection.split(","):
        match = _RANGE.fullmatch(part)
        if match is None or not (match[1] or match[3]):
            raise _invalid(selection)
        first = int(match[1]) if match[1] else 1
        last = (int(match[3]) if match[3] else count) if match[2] else first
        if first < 1 or last < first:
            raise _invalid(selection)
        if first > count:
            raise PdfError(
                "invalid_request", f"pages: page {first} does not exist.", f"The document has {count} page(s)."
            )
        chosen.update(range(first, min(last, count) + 1))
    return sorted(chosen)


def spell_pages(numbers: list[int]) -> str:
    """The selection that `parse_pages` reads as these pages (ascending): "4-6,9"."""
    parts: list[str] = []
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        pages = [number for _, number in run]
        parts.append(str(pages[0]) if len(pages) == 1 else f"{pages[0]}-{pages[-1]}")
    return ",".join(parts)
