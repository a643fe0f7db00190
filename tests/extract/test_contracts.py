"""What contracts say in sentences, from words alone."""

from __future__ import annotations

import pytest

from mcp_pdf.extract.found import Context
from mcp_pdf.extract.prose import contract_parties, effective_dates, jurisdictions, named_as, terms
from mcp_pdf.extract.running_text import RunningText
from tests.extract.placed import page


def running(words: str, context: Context | None = None) -> RunningText:
    return RunningText([page((0, 0, words))], context or Context("en", "US"))


def test_a_contract_states_its_parties_date_term_and_law_in_sentences() -> None:
    clause = (
        "This Agreement is made as of May 3, 2015 by and between Alpha Software, Inc., a Delaware corporation"
        ' ("Alpha"), and Beta Holding LLC ("Beta"). WHEREAS the term of this Agreement is two (2) years;'
        " it is governed by the laws of the State of New York."
    )
    text = running(clause)
    assert [party.value for party in contract_parties(text)] == ["Alpha Software, Inc.", "Beta Holding LLC"]
    assert effective_dates(text)[0].value == "2015-05-03"
    assert terms(text)[0].value == "2 years"
    assert jurisdictions(text)[0].value == "New York"


LONG_DEFINITION = (
    "made between aZure.com, Inc., a Nevada corporation (hereinafter referred to with its predecessors as the"
    ' "Company"), and John Smith (the "Employee").'
)
FULL_STOP = (
    'entered in by and between Northwind. Inc. (the "Company") and Mary Jones (the "Consultant"), and sets forth'
)
ONE_SIDE = "a part of the award issued by The Big Lake Companies, Inc., a Minnesota corporation"


@pytest.mark.parametrize(
    ("opening", "parties"),
    [
        (LONG_DEFINITION, ["aZure.com, Inc.", "John Smith"]),
        (FULL_STOP, ["Northwind. Inc.", "Mary Jones"]),
        (ONE_SIDE, ["The Big Lake Companies, Inc."]),
    ],
)
def test_parties_have_names_in_many_forms(opening: str, parties: list[str]) -> None:
    assert [party.value for party in contract_parties(running("This Agreement is " + opening))] == parties


ENDS = "This Agreement shall terminate two years after its date. A notice must be given within 60 days."
NAMED = (
    'It remains in force for six months after a notice and goes on for three (3) years thereafter (the "Initial Term").'
)


@pytest.mark.parametrize(("clause", "term"), [(ENDS, "2 years"), (NAMED, "3 years")])
def test_how_long_an_agreement_lasts_is_told_from_other_spans(clause: str, term: str) -> None:
    assert terms(running(clause))[0].value == term


def test_without_a_date_in_the_opening_the_last_signature_counts_in_the_order_of_the_country() -> None:
    words = "effective when executed by both parties. Name: A Date: 9/4/12 Name: B Date: 9/3/12 Title: Clerk"
    assert [date.value for date in effective_dates(running(words))] == ["2012-09-04"]
    assert [date.value for date in effective_dates(running(words, Context("en", "GB")))] == ["2012-04-09"]


def test_a_company_named_in_a_role_is_told_without_the_role_before_it_and_in_full() -> None:
    words = (
        "Alpine Bank as administrative agent agrees. Among Acme Corp., as the Borrower, ALPINE BANK, N.A., as"
        " Administrative Agent, and the lenders named here."
    )
    assert named_as(running(words), "administrative agent")[0].value == "ALPINE BANK, N.A."
    assert named_as(running(words), "borrower")[0].value == "Acme Corp."
