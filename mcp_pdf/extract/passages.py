"""Fields that are read by other means than labels: sentences of contracts, heads of receipts and résumés."""

from __future__ import annotations

from collections.abc import Callable

from mcp_pdf.extract import prose, receipt_head
from mcp_pdf.extract.candidates import Candidate
from mcp_pdf.extract.layout import Layout
from mcp_pdf.extract.parties import Party
from mcp_pdf.extract.running_text import Passage, RunningText

_SENTENCES: dict[str, Callable[[RunningText], list[Passage]]] = {
    "effective_date": prose.effective_dates,
    "agreement_date": prose.effective_dates,
    "jurisdiction": prose.jurisdictions,
    "term": prose.terms,
    "maturity_date": prose.maturity_dates,
    "loan_amount": prose.loan_amounts,
    "borrower": lambda text: prose.named_as(text, "borrower"),
    "administrative_agent": lambda text: prose.named_as(text, "administrative agent"),
}
_HEADS: dict[str, Callable[[Layout], Passage | None]] = {
    "merchant_name": receipt_head.merchant_name,
    "merchant_address": receipt_head.merchant_address,
}
SENTENCES = frozenset(_SENTENCES)
HEADS = frozenset(_HEADS)


def stated_in_sentences(concept: str, text: RunningText) -> list[Candidate]:
    """Candidates for a concept that contracts state in sentences."""
    return [_candidate(passage) for passage in _SENTENCES[concept](text)]


def parties(text: RunningText) -> list[Candidate]:
    """The parties of an agreement, in order."""
    return [_candidate(passage) for passage in prose.contract_parties(text)]


def stated_in_head(concept: str, layout: Layout) -> list[Candidate]:
    """The candidate that the head of a receipt gives."""
    passage = _HEADS[concept](layout)
    return [_candidate(passage)] if passage else []


def part_of(party: Party, part: str) -> list[Candidate]:
    """A part of a party's block."""
    passage = address_of(party) if part == "address" else party.parts.get(part)
    return [_candidate(passage).scaled(1 / 0.8)] if passage else []


def address_of(party: Party) -> Passage | None:
    """Street, postcode and town as one line, in the order of the page; None without a street and a town."""
    street, code, town = (party.parts.get(part) for part in ("street", "postcode", "city"))
    if street is None or town is None:
        return None
    place = sorted((one for one in (code, town) if one is not None), key=lambda one: one.words[0][1].x0)
    pieces = [street, *place]
    words = tuple(word for one in pieces for word in one.words)
    return Passage(f"{street.value}, {' '.join(str(one.value) for one in place)}", street.text, words, street.score)


def _candidate(passage: Passage) -> Candidate:
    page = passage.words[0][0] if passage.words else 1
    words = tuple(word for number, word in passage.words if number == page)
    return Candidate(passage.value, passage.text, words, page, 0.8 * passage.score, "same")
