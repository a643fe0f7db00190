"""What a sentence asks for, by rules alone: the kind of request, the documents it names, the fields it names.

The same words always give the same request. What the rules cannot tell is left open, and `request` asks back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

_QUOTED = re.compile(r"[\"“'`]([^\"”'`]+?\.pdf)[\"”'`]", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w/.\-])[\w/.\-]+?\.pdf\b", re.IGNORECASE)
_UPLOAD = re.compile(r"\bupload/[0-9a-f]{64}\b")

# First match wins; a document question must come before the general ones.
_KINDS = (
    ("classify", re.compile(r"\b(what|which) (kind|type|sort) of (document|file|pdf)\b|\bclassify\b", re.IGNORECASE)),
    (
        "list",
        re.compile(
            r"\b(what|which|list|show)\b.*\b(pdfs?|documents?|files?)\b.*\b(available|there|have|exist)\b"
            r"|\blist\b.*\b(pdfs?|documents?|files?)\b|^\s*(pdfs|documents|files)\s*\??\s*$",
            re.IGNORECASE,
        ),
    ),
    ("extract", re.compile(r"\b(extract|pull|get|give me|fetch|capture)\b", re.IGNORECASE)),
    ("ask", re.compile(r"^\s*(what|when|who|where|which|how much|how many)\b.*", re.IGNORECASE | re.DOTALL)),
    ("read", re.compile(r"\b(read|open|show|display|print)\b", re.IGNORECASE)),
)

_BETWEEN = re.compile(
    r"\b(?:extract|pull|get|give me|fetch|capture|find|read)\b(?P<fields>.*?)"
    r"(?:\b(?:from|out of|of|in)\b\s*$|\b(?:from|out of|in)\b|$)",
    re.IGNORECASE | re.DOTALL,
)
_QUESTION = re.compile(
    r"^\s*(?:what(?:'s| is| are| was)?|when(?:'s| is| was)?|who(?:'s| is| was)?|which(?: is)?|how much is|how many)\b"
    r"(?P<field>.*?)(?:\b(?:of|in|on|from|for)\b\s*$|\?|$)",
    re.IGNORECASE | re.DOTALL,
)
_SPLIT = re.compile(r",|;|\band\b|&|\bplus\b|\n", re.IGNORECASE)
_NOISE = re.compile(
    r"\b(the|a|an|all|its|their|this|that|please|me|same|again|following|fields?|values?|data|information|info|details?|"
    r"everything|content|contents|document|documents|file|pdf|attached|attachment|here|from|of|in)\b",
    re.IGNORECASE,
)

# A phrase may end by naming what every field is of: `the due date of this invoice`.
_OWNER = re.compile(
    r"\s+(?:of|in|on|from|for)\s+(?:the|this|that|my|our|your|an?)\s+(?:attached\s+)?"
    r"(?P<owner>(?:purchase |sales )?order|(?:credit )?note|invoice|bill|receipt|contract|agreement|statement|letter"
    r"|bill of lading|(?:air )?waybill|packing list|declaration|form|paper)\s*$",
    re.IGNORECASE,
)
_BARE_NAMES = frozenset({"number", "date", "no", "id", "reference"})  # which need their owner to mean something

# The last word of a name decides its type; the first row that matches wins.
_TYPES = (
    ("items", re.compile(r"(line_?items|items|positions|rows)$")),
    ("date", re.compile(r"(^|_)(date|dated|day|deadline)$|_(on|until)$")),
    ("currency", re.compile(r"currency$")),
    ("iban", re.compile(r"iban$")),
    ("email", re.compile(r"e?_?mail(_address)?$")),
    ("phone", re.compile(r"(phone|telephone|tel|fax|mobile)(_number)?$")),
    ("url", re.compile(r"(url|website|web|homepage)$")),
    ("id", re.compile(r"(number|no|nr|id|code|reference|ref|bic|swift|postcode|zip)$")),
    ("percent", re.compile(r"(percent|percentage|rate)$")),
    ("amount", re.compile(r"(total|amount|sum|price|net|gross|tax|vat|due|subtotal|balance|cost|fee|discount)$")),
    ("number", re.compile(r"(count|quantity|weight|packages|pages)$")),
    ("address", re.compile(r"address$")),
    ("namelist", re.compile(r"(parties|names)$")),
    ("name", re.compile(r"(name|seller|buyer|supplier|customer|vendor|merchant|city)$")),
    ("name", re.compile(r"(shipper|consignee|carrier|vessel|port)$")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wording:
    """`kind` is None when the words tell none. `mentions` are file names as they were written."""

    kind: str | None
    mentions: tuple[str, ...]
    fields: tuple[dict[str, str], ...]


def understand(text: str) -> Wording:
    """The request in one text."""
    mentions = tuple(
        dict.fromkeys([*_QUOTED.findall(text), *_BARE.findall(_QUOTED.sub(" ", text)), *_UPLOAD.findall(text)])
    )
    rest = text
    for mention in mentions:
        rest = rest.replace(mention, " ")
    kind = next((kind for kind, words in _KINDS if words.search(rest)), None)
    return Wording(kind, mentions, _fields(kind, rest))


def field_of(phrase: str) -> dict[str, str] | None:
    """A field from the words that name it: snake case, a type by its last word; None when only noise is left."""
    owner = _OWNER.search(phrase)
    if owner is not None:
        alone = _NOISE.sub(" ", phrase[: owner.start()]).strip()
        phrase = f"{owner['owner']} {alone}" if alone.casefold() in _BARE_NAMES else alone
    words = re.findall(r"[^\W_]+", _NOISE.sub(" ", phrase).casefold())
    if not words or len(words) > 6:
        return None
    name = "_".join(words)
    return {"name": name, "type": type_of(name), "description": " ".join(words)}


def type_of(name: str) -> str:
    """The contract's type for a field of this name."""
    folded = name.casefold()
    return next((kind for kind, words in _TYPES if words.search(folded)), "string")


def resolve(mention: str, library: Sequence[str]) -> list[str]:
    """The documents a mention may mean; exactly one when it is clear: by id, by case, by file name, by stem."""
    if mention in library:
        return [mention]
    folded = mention.casefold().removeprefix("./")
    stem = PurePosixPath(folded).stem
    for same in (
        lambda doc: doc.casefold() == folded,
        lambda doc: PurePosixPath(doc.casefold()).name == PurePosixPath(folded).name,
        lambda doc: PurePosixPath(doc.casefold()).stem == stem,
    ):
        if found := [doc for doc in library if same(doc)]:
            return found
    return []


def alike(mention: str, library: Sequence[str], most: int = 5) -> list[str]:
    """Documents whose names look like the mention, best first: what to offer when nothing fits."""
    import difflib

    folded = {doc.casefold(): doc for doc in library}
    near = difflib.get_close_matches(mention.casefold(), list(folded), n=most, cutoff=0.5)
    return [folded[name] for name in near]


def _fields(kind: str | None, rest: str) -> tuple[dict[str, str], ...]:
    if kind == "ask":
        found = _QUESTION.search(rest)
        one = field_of(found["field"]) if found else None
        return (one,) if one else ()
    if kind != "extract":
        return ()
    found = _BETWEEN.search(rest)
    fields = [field_of(phrase) for phrase in _SPLIT.split(found["fields"])] if found else []
    return tuple({field["name"]: field for field in fields if field}.values())
