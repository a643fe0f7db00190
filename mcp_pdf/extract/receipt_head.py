"""The head of a receipt: who sold, and where. The first printed name, then the address up to the next other fact."""

from __future__ import annotations

import re
from itertools import pairwise

from mcp_pdf.extract.contacts import find_phones
from mcp_pdf.extract.dates import find_dates
from mcp_pdf.extract.folding import fold, tokens
from mcp_pdf.extract.layout import Layout, Line
from mcp_pdf.extract.running_text import Passage

_HEAD_LINES = 16
_FURTHER = 1.4  # times the pitch of an address: below that gap something else begins
_END = re.compile(
    r"\bgst|\b(?:tel|telp|phone|fax|h/?p|hp|sst|vat|tax|abn"
    r"|gstin|reg|roc|co\.? no|company no|invoice|receipt|bill|date"
    r"|email"
    r"|e-mail|www|http|cashier|table|doc no|customer|cash|order|website"
    r"|facebook|counter|rechnung|ticket|factura|facture)\b[\s.:#(]*|@|\.com\b"
)
_REGISTRATION = re.compile(
    r"^\W*(?:(?:co|company|reg|roc|gst)?\W*(?:reg|no|id)?\W*)?"
    r"\(?\s*[a-z]{0,4}\W?\d{4,9}\s?-?\s?[a-z]{0,2}\)?\W*$"
    r"|^\W*[a-z]{0,6}\W*\d{10,}\W*$"
)
_TAIL = re.compile(r"\s*\((?:co\.?|company|reg\.?|roc)?[^()]{0,12}\d{4,9}\s?-?\s?[A-Z]?\)?\s*$", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\b(?:no|lot|unit|jalan|jln|lorong|taman|persiaran|road|street|st|avenue|ave|lane|drive|blvd|floor|flr|level|plaza|mall|block"
    r"|blk|ground|bandar|kampung|batu|seksyen|seksyei|kawasan|wisma|tower|strasse"
    r"|str|rue|via|calle|plein|straat)\b|\d{4,6}\b|^\W*\d+[a-z]?\s?[,&]"
)
_FORM = re.compile(
    r"\b(?:sdn\.? ?bhd\.?|s/b|enterprise|trading|ltd|llc|inc|gmbh|restaurant|bhd|mart|store|shop|s\.r\.l|bakery)\W*$"
)


def merchant_name(layout: Layout) -> Passage | None:
    """The first line that ends in a company's form, else the first line of letters at the top."""
    lines = _head(layout)
    named = [i for i, line in enumerate(lines) if _is_name(line)]
    if not named:
        return None
    first = named[0]
    formed = [i for i in named[:3] if i <= first + 2 and _FORM.search(fold(_TAIL.sub("", lines[i].text)))]
    taken = [lines[formed[0] if formed else first]]
    # A line of little more than the company's form goes on with the name before it.
    if formed and formed[0] - 1 in named and len(tokens(_FORM.sub("", fold(taken[0].text)))) < 2:
        taken.insert(0, lines[formed[0] - 1])
    value = _TAIL.sub("", " ".join(line.text for line in taken)).strip(" ,.*-")
    return _passage(value, taken)


def merchant_address(layout: Layout) -> Passage | None:
    """The lines between the name and the telephone, tax number or title; None when none looks like an address."""
    lines = _head(layout)
    starts = [
        i
        for i, line in enumerate(lines)
        if i > 0 and _ADDRESS.search(fold(line.text)) and not (_is_other(line) or _is_aside(line))
    ]
    if not starts:
        return None
    taken: list[Line] = []
    for line in lines[starts[0] :]:
        if _is_other(line) or (len(taken) > 1 and _parted(taken, line)):
            break
        taken.append(line)
    return _passage(" ".join(line.text for line in taken).strip(" -"), taken)


def _head(layout: Layout) -> list[Line]:
    return [line for line in layout.lines if line.page == layout.pages[0].number][:_HEAD_LINES] if layout.pages else []


def _is_name(line: Line) -> bool:
    text = _TAIL.sub("", line.text)
    letters = sum(char.isalpha() for char in text)
    return letters >= 3 and letters > 0.5 * len(text.replace(" ", "")) and not _is_other(line)


def _is_other(line: Line) -> bool:
    """A registration, a telephone, a date, a title: neither name nor address."""
    text = fold(line.text)
    return bool(_END.search(text) or _REGISTRATION.match(text) or _is_phone(line.text) or find_dates(line.text))


def _is_aside(line: Line) -> bool:
    """A name with its registration, or something in brackets: no line of an address."""
    text = line.text.strip()
    return bool(_TAIL.search(text)) or (text.startswith("(") and text.endswith(")"))


def _parted(taken: list[Line], line: Line) -> bool:
    """Whether a line stands clearly further down than the address's own lines from each other."""
    steps = [below.box[1] - above.box[1] for above, below in pairwise(taken)]
    return line.box[1] - taken[-1].box[1] > _FURTHER * max(steps)


def _is_phone(text: str) -> bool:
    found = find_phones(text)
    return bool(found) and len(found[0].value) > 0.8 * len(text.strip())


def _passage(value: str, lines: list[Line]) -> Passage | None:
    if not value:
        return None
    words = tuple((line.page, word) for line in lines for segment in line.segments for word in segment.words)
    return Passage(value, " ".join(line.text for line in lines), words, 0.8)
