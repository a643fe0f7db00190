"""What makes a value `high`: proofs and forms; what takes a word from it: rivals and checks that fail."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_pdf.extract.evidence import confidence
from mcp_pdf.extract.extraction import extract
from mcp_pdf.extract.wish import Wish
from mcp_pdf.pdf.page import Document
from tests.extract.placed import Placed, page


def words(*texts: Placed, fields: str) -> dict[str, Any]:
    """The confidence of each field."""
    result = extract(Document([page(*texts)], 1), Wish.parse({"fields": fields.split()}))
    return {name: result["evidence"][f"/{name}"].get("confidence") for name in result["values"]}


@pytest.mark.parametrize(
    ("score", "kind", "rival", "checks", "word"),
    [
        (0.5, "amount", 0.5, {"net_plus_tax_is_total": True}, "high"),
        (0.5, "id", 0.0, {"check_digits": True}, "high"),
        (0.75, "name", 0.0, {"stated_twice": True}, "high"),
        (0.75, "name", 0.7, {"stated_twice": True}, "medium"),
        (0.95, "date", 0.0, {}, "high"),
        (0.95, "date", 0.9, {}, "low"),
        (0.95, "name", 0.0, {}, "medium"),
        (0.75, "date", 0.0, {}, "medium"),
        (0.6, "date", 0.0, {}, "low"),
    ],
)
def test_the_word_follows_from_proof_form_and_rivals(
    score: float, kind: str, rival: float, checks: dict[str, bool], word: str
) -> None:
    assert confidence(score, kind, rival=rival, checks=checks) == word


SUMS = "net_total tax_total total"


def test_sums_that_do_not_add_up_lose_a_word() -> None:
    def invoice(total: str) -> dict[str, Any]:
        rows = ((40, 100, "Subtotal: 100.00"), (40, 130, "VAT amount: 20.00"), (40, 160, f"Grand total: {total}"))
        return words(*rows, fields=SUMS)

    assert set(invoice("120.00").values()) == {"high"}
    assert "high" not in invoice("190.00").values()


def test_a_due_date_before_the_issue_is_never_high() -> None:
    dates = (40, 100, "Invoice date: 2024-05-10"), (40, 130, "Due date: 2024-04-10")
    assert words(*dates, fields="issue_date due_date") == {"issue_date": "medium", "due_date": "medium"}


def test_a_tax_number_with_right_check_digits_is_high_and_one_with_wrong_ones_is_not() -> None:
    def seller(number: str) -> Any:
        return words((40, 100, f"VAT ID: {number}"), (40, 60, "Muster GmbH"), fields="seller_vat_id")["seller_vat_id"]

    assert seller("DE136695976") == "high"
    assert seller("DE136695977") != "high"


def test_the_first_of_several_telephones_is_not_high() -> None:
    both = (40, 100, "Tel. +49 30 1234567"), (40, 130, "Fax +49 30 7654321")
    assert words(*both[:1], fields="phone") == {"phone": "medium"}
    assert words(*both, fields="phone") == {"phone": "medium"}
