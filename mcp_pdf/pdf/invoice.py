"""The one model of an electronic invoice or order, whatever syntax it came in.

All strings are normalised: dates ISO 8601, amounts decimal with a point, currencies ISO 4217, codes without blanks.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Party:
    """A seller, buyer or recipient."""

    name: str | None = None
    vat_id: str | None = None
    tax_number: str | None = None
    street: str | None = None  # all address lines, comma separated
    postcode: str | None = None
    city: str | None = None
    country: str | None = None  # ISO 3166 alpha-2
    email: str | None = None
    phone: str | None = None
    contact: str | None = None
    trading_name: str | None = None
    id: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Tax:
    """One row of the tax breakdown."""

    rate: str | None = None  # percent, "19"
    basis: str | None = None
    amount: str | None = None
    category: str | None = None  # UNCL5305: S, Z, E, AE, K, G, O


@dataclass(frozen=True, slots=True)
class Line:
    """One invoiced or ordered item."""

    id: str | None = None
    description: str | None = None  # the item's name
    quantity: str | None = None
    unit: str | None = None  # as coded: UN/ECE recommendation 20
    unit_price: str | None = None  # net, for one unit
    amount: str | None = None  # net
    tax_rate: str | None = None
    details: str | None = None  # what the item's description adds to its name
    article_number: str | None = None  # the seller's
    buyer_article_number: str | None = None
    gtin: str | None = None
    gross_price: str | None = None
    price_basis_quantity: str | None = None  # unit_price stands for this many units when it is not 1
    order_line: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """What the XML says; None where it says nothing."""

    kind: str = "invoice"  # invoice | credit_note | order
    number: str | None = None
    issue_date: str | None = None
    due_date: str | None = None
    delivery_date: str | None = None
    currency: str | None = None
    order_number: str | None = None
    buyer_reference: str | None = None
    seller: Party = Party()
    buyer: Party = Party()
    ship_to: Party | None = None
    payee_iban: str | None = None
    payee_bic: str | None = None
    payment_reference: str | None = None
    payment_terms: str | None = None
    net_total: str | None = None  # BT-109, the tax basis
    tax_total: str | None = None
    total: str | None = None
    prepaid: str | None = None
    amount_due: str | None = None
    taxes: tuple[Tax, ...] = ()
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    profile: str | None = None
    line_total: str | None = None  # BT-106
    charge_total: str | None = None
    allowance_total: str | None = None
    contract_number: str | None = None
    sales_order_number: str | None = None
    project: str | None = None
    preceding_invoice: str | None = None
    delivery_note: str | None = None
    period_start: str | None = None
    period_end: str | None = None
    payment_means: str | None = None
    payee: Party | None = None
    account_name: str | None = None
    syntax: str | None = None  # cii | ubl
    truncated: bool = False
