"""Labels that found no room on one line: `Vergiler Dahil Toplam` over `Tutar`, with the value beside either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from mcp_pdf.extract.labels import Hit, Lexicon
from mcp_pdf.extract.layout import Layout, Segment, union

_WORDS = 5
_ALIGNED = 2.5  # points
_GAP = 0.6  # of the height
_SHARE = 0.6  # of the joined text that the label has to be


class Wrapped(NamedTuple):
    """A label over two lines: each line with the text of both, and the phrase that runs over the break."""

    upper: Segment
    lower: Segment
    hit: Hit


def wrapped_labels(layout: Layout, lexicon: Lexicon) -> Iterator[Wrapped]:
    """Phrases of the lexicon that start on one line of a stack and end on the next."""
    for upper in layout.segments:
        if not _short(upper) or upper.text.rstrip().endswith(":"):
            continue
        lower = next((below for below in layout.below(upper, lines=2) if _under(upper, below)), None)
        if lower is None:
            continue
        text = f"{upper.text} {lower.text}"
        for hit in lexicon.hits(text):
            over = hit.start < len(upper.text) < hit.end
            if over and hit.end - hit.start >= _SHARE * len(text.rstrip(" :")):
                words = upper.words + lower.words
                box = union((upper.box, lower.box))
                joined = [replace(one, text=text, words=words, box=box) for one in (upper, lower)]
                yield Wrapped(joined[0], joined[1], hit)


def _short(segment: Segment) -> bool:
    return len(segment.words) <= _WORDS and not any(map(str.isdigit, segment.text))


def _under(upper: Segment, lower: Segment) -> bool:
    """Whether a segment is the next line of the same cell."""
    gap = lower.box[1] - upper.box[3]
    if not _short(lower) or not -0.4 * upper.height <= gap <= _GAP * upper.height:
        return False
    (left, _, right, _), (x0, _, x1, _) = upper.box, lower.box
    return min(abs(left - x0), abs(right - x1), abs(left + right - x0 - x1) / 2) <= _ALIGNED
