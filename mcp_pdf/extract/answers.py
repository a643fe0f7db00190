"""One answer a field: the sources in their order, the choice among candidates, and when to stay silent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import field as default
from functools import cached_property
from typing import Any

from mcp_pdf.extract import evidence as proofs
from mcp_pdf.extract import form_ways, lists, passages, shipping
from mcp_pdf.extract.candidates import Candidate, Reader, inside_number
from mcp_pdf.extract.checks import choose_totals, preferring_sums
from mcp_pdf.extract.concepts import concept_of, spec_of
from mcp_pdf.extract.conflicts import disagreeing
from mcp_pdf.extract.currencies import find_currencies
from mcp_pdf.extract.folding import squash
from mcp_pdf.extract.found import Found
from mcp_pdf.extract.identifiers import find_tax_ids
from mcp_pdf.extract.labels import lexicon
from mcp_pdf.extract.letterhead import guessed_parties
from mcp_pdf.extract.line_items import Item, line_items
from mcp_pdf.extract.locating import place_of
from mcp_pdf.extract.parties import Party, labelled_parties
from mcp_pdf.extract.rows import read_rows, stated_rows
from mcp_pdf.extract.running_text import RunningText
from mcp_pdf.extract.settlement import Proof, settled
from mcp_pdf.extract.structured import from_form, from_invoice, invoice_rows
from mcp_pdf.extract.wish import Field
from mcp_pdf.pdf.page import Document

# The least score that is answered; a field whose values prove themselves needs less.
THRESHOLDS = {"precise": 0.85, "balanced": 0.55, "eager": 0.3}
_TITLED = ("invoice", "credit_note", "purchase_order")
_IN_ROW = 0.4
_TOTALS = ("net_total", "tax_total", "total")
_TIME = re.compile(r"\s*\d{1,2}:\d{2}(?!\d)")
_ROLE = re.compile(r"(seller|buyer|ship_to|shipper|consignee|notify_party|carrier|merchant|payee)_(\w+)")


@dataclass
class Answer:
    """A field's value, None when there is none to be sure of, with the evidence entries of all its leaves."""

    field: Field
    value: Any
    evidence: dict[str, Any] = default(default_factory=dict)


def _is_phrase(text: str) -> bool:
    """Whether what stands beside a label in a contract is a value and no piece of a sentence."""
    return len(text.split()) <= 6 and not text[:1].islower()


@dataclass
class Reading:
    """A document being answered from."""

    document: Document
    reader: Reader
    titles: list[dict[str, Any]]
    strictness: str
    ways: dict[str, str | None] = default(default_factory=dict)  # where a form puts its values, by field

    @cached_property
    def parties(self) -> list[Party]:
        """The parties that labels or their places name, the surest of a role first."""
        known = labelled_parties(self.reader)
        return known + guessed_parties(self.reader, known)

    @cached_property
    def running(self) -> RunningText:
        """The document as one text."""
        return RunningText(self.reader.layout.pages, self.reader.context)

    @cached_property
    def totals(self) -> dict[str, Candidate]:
        """Net, tax and total that add up, when some do; sums of columns help to choose but are no values themselves."""
        found = {name: self.amounts(name) for name in _TOTALS}
        for name in ("net_total", "tax_total"):
            sums = [one for mark in self.reader.marks.get(name, ()) if (one := self.reader.column(mark)) is not None]
            found[name] = sorted(found[name] + sums, key=lambda one: -one.score)
        return {name: one for name, one in choose_totals(found).items() if one.direction != "column"}

    @cached_property
    def settled(self) -> Proof | None:
        """The total that payment, charges or rounding prove."""
        return settled(self.reader, [*self.amounts("total"), *self.amounts("net_total")])

    def amounts(self, concept: str) -> list[Candidate]:
        """Candidates of a sum, best first; what stands in an item row is hardly the sum of all."""
        found = preferring_sums(self.reader.find(concept, "amount"))
        return sorted((c.scaled(_IN_ROW) if self._rowed(c) else c for c in found), key=lambda one: -one.score)

    def _rowed(self, one: Candidate) -> bool:
        return len(self.items) > 1 and any(word in self.row_words for word in one.words)

    @cached_property
    def row_words(self) -> set[Any]:
        """The words of all item rows."""
        return {word for item in self.items for cell in item.cells.values() for word in cell.words}

    def answers(self, fields: Sequence[Field]) -> list[Answer]:
        """An answer for every field, null ones with their reason."""
        if sum(concept_of(field) is None for field in fields) >= form_ways.LEAST_FIELDS:
            self.ways = form_ways.ways_of(self.reader, fields)
        return [self.answer(field) for field in fields]

    def answer(self, field: Field) -> Answer:
        """The answer of the first source that speaks: e-invoice, form, page."""
        if field.type == "items":
            return self._rows(field)
        if field.type == "namelist":
            return self._names(field)
        concept = concept_of(field)
        if self.document.invoice is not None and concept:
            speaks, value = from_invoice(self.document.invoice, concept)
            if speaks:
                return self._stated(field, value, "xml")
        filled = from_form(self.document.form, field, self.reader.context) if self.document.form else None
        if filled is not None and filled[1] is not None:
            return self._stated(field, filled[1], "form", filled[0].box, filled[0].page)
        return self._read(field, concept)

    @cached_property
    def items(self) -> list[Item]:
        """The rows of the item table on the page."""
        return line_items(self.reader.layout, self.reader.context)

    def _rows(self, field: Field) -> Answer:
        rows = invoice_rows(self.document.invoice) if self.document.invoice else []
        if rows:
            return Answer(field, *stated_rows(self.reader, field, rows))
        return Answer(field, *read_rows(self.reader, field, self.items, self.strictness))

    def _names(self, field: Field) -> Answer:
        found = self._listed(field)
        if not found:
            return Answer(field, None, {field.pointer: {"reason": self._why()}})
        entries = {
            f"{field.pointer}/{i}": proofs.leaf(self.reader.layout, one, "medium", {}) for i, one in enumerate(found)
        }
        return Answer(field, [one.value for one in found], entries)

    def _listed(self, field: Field) -> list[Candidate]:
        one = lists.element_of(field)
        concept = concept_of(one)
        if concept == "parties":
            return passages.parties(self.running)
        found = lists.everywhere(self.reader, one.type)
        return lists.best_of(self._candidates(one, concept), THRESHOLDS[self.strictness]) if found is None else found

    def _stated(self, field: Field, value: Any, source: str, box: Any = None, page: int | None = None) -> Answer:
        if value is None:
            return Answer(field, None, {field.pointer: {"reason": "not_found"}})
        place = place_of(self.reader, field, value)
        entry = proofs.stated(value, source, place, self.reader.layout, {})
        if place is None and box is not None and page is not None:
            size = self.reader.layout.sizes.get(page)
            entry |= {"page": page, "boxes": [[round(side, 1) for side in box]], "match": "exact"}
            entry |= {"page_size": list(size)} if size else {}
        if place is None:
            others = disagreeing(self.reader, field, value, self._candidates(field, concept_of(field)))
            entry |= {"conflicts": others, "confidence": "medium"} if others else {}
        return Answer(field, value, {field.pointer: entry})

    def _read(self, field: Field, concept: str | None) -> Answer:
        found = self._candidates(field, concept)
        if field.name in self.ways:
            found = form_ways.weighed(found, self.ways[field.name])
        candidates = sorted(found, key=lambda one: -one.score)
        checks: dict[str, bool] = {}
        if concept in _TOTALS and concept in self.totals:  # a contract pays nothing for sums
            one = self.totals[concept or ""]
            candidates = [one, *(c for c in candidates if c is not one)]
            checks["net_plus_tax_is_total"] = True
        if concept == "total" and self.settled is not None:
            one = self.settled.total
            checks = {self.settled.check: True} | (checks if one.value == candidates[0].value else {})
            candidates = [one, *(c for c in candidates if c is not one)]
        if not candidates:
            return Answer(field, None, {field.pointer: {"reason": self._why()}})
        best = candidates[0]
        rival = max((c.score for c in candidates[1:] if c.value != best.value), default=0.0)
        if best.proven or (spec_of(concept or "") == "tax_id" and self._shaped(best)):
            checks["check_digits"] = best.proven
        if sum(c.value == best.value and c.words != best.words for c in candidates) >= 1:
            checks["stated_twice"] = True
        if not self._sure(best, rival, checks):
            entry = proofs.doubtful(candidates, self.reader.layout, "doubtful")
            return Answer(field, None, {field.pointer: entry})
        word = proofs.confidence(best.score, field.type, rival=rival, checks=checks)
        return Answer(field, best.value, {field.pointer: proofs.leaf(self.reader.layout, best, word, checks)})

    def _why(self) -> str:
        unread = {"scan", "garbled", "unreadable"}
        return "unreadable" if any(p.grade in unread and not p.words for p in self.document.pages) else "not_found"

    def _sure(self, best: Candidate, rival: float, checks: dict[str, bool]) -> bool:
        least = THRESHOLDS[self.strictness] - (0.15 if any(checks.values()) else 0.0)
        if self.strictness == "precise" and rival > 0.9 * best.score and not checks:
            return False
        return best.score >= least

    def _candidates(self, field: Field, concept: str | None) -> list[Candidate]:
        reader = self.reader
        if concept is None:
            return self._unknown(field)
        if concept in passages.SENTENCES:
            labelled = [one for one in reader.find(concept, field.type) if _is_phrase(one.text)]
            return passages.stated_in_sentences(concept, self.running) or labelled
        if concept in passages.HEADS:
            return passages.stated_in_head(concept, reader.layout)
        if concept in shipping.CONCEPTS:
            return shipping.find(reader, concept, field.type)
        if concept in ("email", "phone"):
            return self._contact(concept)
        found = reader.find(concept, field.type, spec_of(concept)) if field.type != "namelist" else []
        match = _ROLE.fullmatch(concept)
        if match:
            return self._of_party("seller" if match[1] == "merchant" else match[1], match[2], found)
        return self._labelled(field, concept, found)

    def _labelled(self, field: Field, concept: str, found: list[Candidate]) -> list[Candidate]:
        """What stands under the concept's labels, and what may stand in for them."""
        if field.type == "amount":
            found = self.amounts(concept)
        found += self._otherwise(concept, found)
        if concept in ("flight_from", "flight_to"):
            found += self._range_end(concept)
        if concept == "currency":
            found += self._currency()
        if concept == "iban":
            found += self._anywhere("iban")
        return found

    def _contact(self, kind: str) -> list[Candidate]:
        found = self._anywhere(kind)
        labelled = self.reader.find(kind, kind)
        if len({one.value for one in labelled}) == 1 or self.ways:
            found = labelled or found
        several = len({one.value for one in found}) > 1  # whose the first one is, nothing tells
        return [one.scaled(0.8 if several else 1.0) for one in found[:1]]

    def _of_party(self, role: str, part: str, found: list[Candidate]) -> list[Candidate]:
        """A part of a party: from its block; a tax number from its own label too, unless that is another's block."""
        own = [one for party in self.parties if party.role == role for one in passages.part_of(party, part)]
        if part not in ("vat_id", "tax_number"):
            return own
        own = [replace(one, proven=self._checked(one)) for one in own]
        others = [party for party in self.parties if party.role != role]
        foreign = {word for party in others for s in party.segments for word in s.words}
        numbers = {squash(str(party.parts["vat_id"].value)) for party in others if "vat_id" in party.parts}
        free = [c for c in found if squash(str(c.value)) not in numbers and not any(w in foreign for w in c.words)]
        return own + [one.scaled(0.85) for one in free]

    def _checked(self, one: Candidate) -> bool:
        """Whether the check digits of a tax number are right."""
        return any(found.valid for found in find_tax_ids(str(one.value), self.reader.context))

    def _shaped(self, one: Candidate) -> bool:
        """Whether a number names the country whose check digits it has to satisfy."""
        return bool(find_tax_ids(str(one.value), self.reader.context))

    def _otherwise(self, concept: str, found: list[Candidate]) -> list[Candidate]:
        """What stands in for a label: the title line, the only date, the total as the sum to pay."""
        if concept in ("invoice_number", "order_number", "issue_date"):
            titled = self._titled("date" if concept == "issue_date" else "id")
            return titled + (self._only_date() if concept == "issue_date" and not found and not titled else [])
        if concept == "amount_due" and not found and not self.reader.marks.get("prepaid"):
            one = self.totals.get("total") or next(iter(self.reader.find("total", "amount")), None)
            return [one.scaled(0.75)] if one else []
        return []

    def _titled(self, kind: str) -> list[Candidate]:
        found = []
        for segment in self.reader.layout.segments[:150]:
            hits = lexicon().title_hits(segment.text)
            if not hits or hits[0].start > 2 or hits[0].concept not in _TITLED or inside_number(segment.text, hits[0]):
                continue
            rest = re.sub(r"\([^)]*\)", lambda m: " " * len(m[0]), segment.text[hits[0].end :])
            ones = [one for one in self.reader.read(kind, rest) if one.valid and one.start < 24]
            if ones and kind == "id" and self.reader.read("date", rest[ones[0].start : ones[0].end]):
                continue
            found += [self.reader.candidate(one, segment, hits[0].end, "same", 0.8, None) for one in ones[:1]]
        return found

    def _only_date(self) -> list[Candidate]:
        """The date that stands alone in the document, or alone with a time: when something was bought."""
        found: list[Candidate] = []
        timed: list[Candidate] = []
        for segment in self.reader.layout.segments:
            for one in self.reader.read("date", segment.text):
                found.append(self.reader.candidate(one, segment, 0, "same", 0.65, None))
                if _TIME.match(segment.text[one.end :]):
                    timed.append(found[-1])
        for likely in (found, timed):
            if len({one.value for one in likely}) == 1:
                return likely[:1]
        return [one.scaled(0.7) for one in found[:1]]

    def _range_end(self, concept: str) -> list[Candidate]:
        found = []
        for mark in self.reader.marks.get("flight", ()):
            for way, segment, start, end, near in self.reader.places(mark):
                text = re.sub(r"(?<=\d)-(?=\d{1,2}/)", "–", segment.text[start:end])
                dates = self.reader.read("date", text)
                if len(dates) >= 2:
                    one = dates[0] if concept.endswith("from") else dates[1]
                    found.append(
                        self.reader.candidate(
                            one, segment, start, way, 0.95 * near * mark.cover * mark.hit.strength, mark
                        )
                    )
        return found

    def _currency(self) -> list[Candidate]:
        seen: dict[str, list[tuple[Found, Any]]] = {}
        for segment in self.reader.layout.segments:
            for one in find_currencies(segment.text, self.reader.context):
                seen.setdefault(one.value, []).append((one, segment))
        total = sum(map(len, seen.values()))
        return [
            self.reader.candidate(places[0][0], places[0][1], 0, "same", 0.9 * len(places) / total, None)
            for places in seen.values()
        ]

    def _anywhere(self, kind: str) -> list[Candidate]:
        proven = kind == "iban"  # what has no check digits proves nothing by its form
        return [
            self.reader.candidate(one, segment, 0, "same", 0.9 if one.valid else 0.4, None, proven=proven and one.valid)
            for segment in self.reader.layout.segments
            for one in self.reader.read(kind, segment.text)
        ]

    def _unknown(self, field: Field) -> list[Candidate]:
        from mcp_pdf.extract.unknown import find_unknown

        return find_unknown(self.reader, field)
