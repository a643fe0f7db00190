"""Values that contracts state in sentences: parties, dates, term, governing law, lenders and sums.

Each function gives candidates, the likeliest first; an empty list says that no sentence states the value.
"""

from __future__ import annotations

import re

from mcp_pdf.extract.amounts import find_amounts
from mcp_pdf.extract.dates import find_dates
from mcp_pdf.extract.folding import squash
from mcp_pdf.extract.running_text import Passage, RunningText

_FORM = (
    r"(?:Incorporated|Inc\.?|L\.?L\.?C\.?|Corporation|Corp\.?|Company|Co\.|Ltd\.?|Limited|L\.?P\.?"
    r"|L\.?L\.?P\.?|N\.A\.|PLC|plc"
    r"|GmbH|S\.A\.|AG|B\.V\.|N\.V\.|Trust|Group|Holdings?|Bank|Partners|Fund)"
)
_NAME_WORD = r"(?:[A-Z0-9&][\w.&'\-/]*|of|and|the|de|&)"
_COMPANY = re.compile(
    rf"(?<![\w])((?:[a-z]?[A-Z0-9][\w.&'\-/]*,?\s(?:{_NAME_WORD},?\s){{0,7}}?){_FORM}(?:,?\s{_FORM})*)"
    r"(?=[\s,;(\"]|$)"
)
_PERSON = re.compile(
    r"(?<![\w])((?:(?:Mr|Ms|Mrs|Dr)\.\s)?[A-Z][a-z]+(?:\s[A-Z]\.)?(?:\s[A-Z][a-z]+){1,2})"
    r"(?=[\s,;(\"]|$)"
)
_BETWEEN = re.compile(
    r"\b(?:by and (?:between|among)|between|among|made by|issued by|entered into by|is by|from)\b(?: and among)?:?\s",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"\(\s*(?:the |each,? |collectively,? |together[^\"()]{0,60}"
    r"|hereinafter[^\"()]{0,200}|as [^\"()]{0,30})*[\"']"
)
_NOT_PARTY = re.compile(
    r"^(?:the )?(?:authorized|interim|chief|president|borrower|lender|company|agreement|executive"
    r"|employee|consultant|recipient|effective date|section|exhibit|securities|board|state|new york"
    r"|united states|mutual|confidential|non|this|article|contractor|parties|party)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    rf"\bWHEREAS|\bRECITALS|\bWITNESSETH|\bNOW,? THEREFORE|[a-z\")]\.\s+(?!{_FORM}[\s,])(?:[A-Z1-9]|The )"
)
_EFFECTIVE = re.compile(
    r"(?:effective (?:as of|date|on)|dated(?: as of)?|made (?:and entered into )?(?:as of|on|this"
    r"|effective)|entered into"
    r"(?: as of| on| this| effective)?|as of|this)\b[^.;]{0,60}?$",
    re.IGNORECASE,
)
_STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii"
    "|Idaho|Illinois|Indiana|Iowa|Kansas"
    "|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri"
    "|Montana|Nebraska|Nevada|New Hampshire"
    "|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania"
    "|Rhode Island|South Carolina"
    "|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|West Virginia|Wisconsin|Wyoming"
    "|England|Scotland|Ontario"
    "|British Columbia|Quebec|Alberta|Israel|Germany|France|Switzerland|Ireland|Singapore|Hong Kong|India|Bermuda"
)
_PLACE = re.compile(rf"\b({_STATES})\b", re.IGNORECASE)
_LAW = re.compile(
    r"(?:govern|constru|interpret|enforce|subject to|in accordance with"
    r"|under)[^.;]{0,140}?\blaws?\b(?: and [\w ]{0,20})?"
    r" (?:of|in)(?: effect in)?,? (?:the )?(?:(?:State|Commonwealth|Province|Republic) of )?",
    re.IGNORECASE,
)
_LAW_BACK = re.compile(rf"\b({_STATES}) law(?:s)?\b[^.;]{{0,60}}(?:govern|apply|control)", re.IGNORECASE)
_FACILITY = re.compile("commitment|facility|aggregate|principal|credit|loan", re.IGNORECASE)
_SPELLED = "one two three four five six seven eight nine ten eleven twelve eighteen twenty-four thirty-six"
_NUMBER_WORDS = _SPELLED.split()
_VALUES = dict(zip(_NUMBER_WORDS, [*range(1, 13), 18, 24, 36], strict=True))
_SPAN = (
    rf"(?P<number>\d{{1,3}}|{'|'.join(_NUMBER_WORDS)})"
    rf"\)?(?:\s?\(\d{{1,3}}\))?(?:[\s-]|full |calendar )*?(?P<unit>years?|months?|days?)\b"
)
_TERM = re.compile(
    rf"(?:term of (?:this|the) agreement|this agreement (?:shall|will)|agreement shall"
    rf"|obligations[^.;]{{0,80}} shall|shall (?:remain|continue)"
    rf"|remain in (?:full )?(?:force|effect)|expire|terminate|survive|for a (?:period|term)"
    rf" of)[^.;]{{0,110}}?\b{_SPAN}",
    re.IGNORECASE,
)
_NAMED_TERM = re.compile(rf"\b{_SPAN}[^.;()]{{0,40}}\(the \"(?:[\w ]+ )?Term\"\)", re.IGNORECASE)
_WHOLE = re.compile(
    r"(?:term of|(?:this )?agreement (?:shall|will) (?:automatically )?(?:terminate|expire))", re.IGNORECASE
)

_BEFORE_NAME = re.compile(
    r"(?:(?:[A-Z][a-z]+ )?(?:Borrowers?|Lenders?|Guarantors?|Agent|Parent|Holdings|Company),"
    r"|Among|Between|From|With)\s+"
)
SIGNATURES = 3_000  # characters at the end of an agreement that may be its signatures


def contract_parties(text: RunningText) -> list[Passage]:
    """Names between `between` and the first sentence's end, in order, each once; empty when no such clause stands."""
    head = text.text[:6000]
    best: list[Passage] = []
    for opening in _BETWEEN.finditer(head):
        window = _clause(head, opening.end())
        found = _names(text, opening.end(), window)
        if len(found) >= 2:
            return found
        if len(found) > len(best):
            best = found
    return best


def _clause(head: str, start: int) -> str:
    """The clause up to where recitals begin; full stops of abbreviations do not end it."""
    window = head[start : start + 900]
    end = _CLAUSE_END.search(window)
    return window[: end.start() + 2] if end else window


def _names(text: RunningText, start: int, window: str) -> list[Passage]:
    """Each name stands directly before a comma or the bracket that defines it."""
    found: list[Passage] = []
    taken: set[str] = set()
    at = 0
    while at < len(window) and len(found) < 6:
        match = _next_name(window, at)
        if match is None:
            break
        name = match[1].strip(" ,")
        key = squash(name)
        if key and key not in taken and not _NOT_PARTY.match(name):
            taken.add(key)
            found.append(text.passage(name, start + match.start(1), start + match.end(1)))
        define = _DEFINED.search(window, match.end())
        following = re.compile(r"(?:,|;|\))?\s(?:and|AND|&)\s").search(window, define.end() if define else match.end())
        if following is None:
            break
        at = following.end()
    return found


def _next_name(window: str, at: int) -> re.Match[str] | None:
    """The name that begins within a few words: a company by its form, else a person."""
    company, person = _COMPANY.search(window, at), _PERSON.search(window, at)
    near = [match for match in (company, person) if match is not None and match.start() - at <= 12]
    if company is not None and company in near:
        return company
    return near[0] if near else None


def effective_dates(text: RunningText) -> list[Passage]:
    """Dates that the opening says the agreement is made or effective on, else the day of the last signature; a letter's
    own date comes last."""
    head = text.text[:5000]
    found = []
    for date in find_dates(head, text.context):
        before = head[max(0, date.start - 90) : date.start]
        if _EFFECTIVE.search(before):
            score = 0.9 if "ffective" in before else 0.7
            found.append(text.passage(date.value, date.start, date.end, score))
    found = found or _signed(text)
    if not found:
        found = [
            text.passage(date.value, date.start, date.end, 0.4) for date in find_dates(head[:1200], text.context)[:1]
        ]
    return sorted(found, key=lambda passage: -passage.score)


def _signed(text: RunningText) -> list[Passage]:
    """The latest date beside `Date:` or `Dated:` in the last part of the text."""
    tail = len(text.text) - SIGNATURES
    signed = []
    for match in re.finditer(r"\bDated?:\s{0,8}(?=\S)", text.text):
        near = find_dates(text.text[match.end() : match.end() + 30], text.context)
        if match.start() > tail and near and near[0].start == 0:
            signed.append(text.passage(near[0].value, match.end(), match.end() + near[0].end, 0.7))
    return sorted(signed, key=lambda passage: str(passage.value))[-1:]


def jurisdictions(text: RunningText) -> list[Passage]:
    """Places whose law governs."""
    found = []
    for law in _LAW.finditer(text.text):
        place = _PLACE.match(text.text, law.end())
        if place:
            score = 0.9 if "overn" in law[0] or "onstru" in law[0] else 0.6
            found.append(text.passage(place[1], place.start(1), place.end(1), score))
    found.extend(text.passage(m[1], m.start(1), m.end(1), 0.7) for m in _LAW_BACK.finditer(text.text))
    return sorted(found, key=lambda passage: -passage.score)


def terms(text: RunningText) -> list[Passage]:
    """How long an agreement lasts, as number and unit: `2 years`."""
    found = []
    for match in (*_TERM.finditer(text.text), *_NAMED_TERM.finditer(text.text)):
        printed = match["number"].lower()
        number = _VALUES.get(printed) or int(printed)
        unit = match["unit"].lower().rstrip("s")
        if unit == "day" or not number:
            continue
        secret = "confiden" in text.text[max(0, match.start() - 150) : match.end()]
        whole = 1.0 if match.re is _NAMED_TERM else 0.9 if _WHOLE.match(match[0]) else 0.0
        score = whole or (0.7 if secret else 0.4)
        value = f"{number} {unit}{'' if number == 1 else 's'}"
        found.append(text.passage(value, match.start("number"), match.end("unit"), score))
    return sorted(found, key=lambda passage: -passage.score)


def named_as(text: RunningText, role: str) -> list[Passage]:
    """Companies that a sentence names in a role: `X, as the Borrower`, `X, as Administrative Agent`.

    Of several spellings of the first one the longest comes first.
    """
    wanted = re.compile(rf",?\s+(?:as|\()\s*(?:the |a |\")?(?:initial )?{re.escape(role)}s?\b", re.IGNORECASE)
    found = []
    for match in _COMPANY.finditer(text.text[:20000]):
        if wanted.match(text.text, match.end()):
            start = match.start(1) + (len(before[0]) if (before := _BEFORE_NAME.match(match[1])) else 0)
            found.append(text.passage(text.text[start : match.end(1)], start, match.end(1), 0.9))
    same = [one for one in found if squash(one.value).startswith(squash(found[0].value))]
    return sorted(same, key=lambda one: -len(one.value)) + [one for one in found if one not in same]


def loan_amounts(text: RunningText) -> list[Passage]:
    """Sums that a credit agreement's opening states as its facility."""
    head = text.text[:12000]
    found = []
    for match in re.finditer(r"(?:US\s?)?\$\s?(\d{1,3}(?:,\d{3}){2,}(?:\.\d\d)?)", head):
        amount = find_amounts(match[1])
        if amount:
            near = _FACILITY.search(head[max(0, match.start() - 200) : match.end() + 200])
            found.append(text.passage(amount[0].value, match.start(), match.end(), 0.8 if near else 0.5))
    return sorted(found, key=lambda passage: -passage.score)


def maturity_dates(text: RunningText) -> list[Passage]:
    """Dates that a definition gives as maturity or termination."""
    found: list[Passage] = []
    for match in re.finditer(
        r"(?:maturity|termination) date\"?\s*(?:means|shall mean|is)[^.;]{0,160}", text.text, re.IGNORECASE
    ):
        found.extend(
            text.passage(date.value, match.start() + date.start, match.start() + date.end, 0.9)
            for date in find_dates(match[0], text.context)[:1]
        )
    return found
