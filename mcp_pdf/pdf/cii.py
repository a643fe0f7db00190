"""UN/CEFACT Cross Industry: Factur-X and ZUGFeRD 2, XRechnung CII, ZUGFeRD 1 and Order-X; they differ in few names."""

from __future__ import annotations

from typing import Any, Final

from mcp_pdf.pdf.invoice import Invoice, Line, Party, Tax
from mcp_pdf.pdf.xml import Node, child, children, code, iso_date, joined, number, short_number, text

ROOTS: Final = {
    "CrossIndustryInvoice": "invoice",
    "CrossIndustryDocument": "invoice",
    "SCRDMCCBDACIOMessageStructure": "order",
}
CREDIT_NOTES: Final = frozenset(
    {"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"}
)
MAX_LINES: Final = 5_000


def read_cii(root: Node, kind: str) -> Invoice:
    """The invoice or order under one of ROOTS."""
    context = child(root, "ExchangedDocumentContext", "SpecifiedExchangedDocumentContext")
    head = child(root, "ExchangedDocument", "HeaderExchangedDocument")
    deal = child(root, "SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction")
    agreement = child(deal, "ApplicableHeaderTradeAgreement", "ApplicableSupplyChainTradeAgreement")
    delivery = child(deal, "ApplicableHeaderTradeDelivery", "ApplicableSupplyChainTradeDelivery")
    settlement = child(deal, "ApplicableHeaderTradeSettlement", "ApplicableSupplyChainTradeSettlement")
    items = children(deal, "IncludedSupplyChainTradeLineItem")
    number_ = text(head, "ID")
    if text(head, "TypeCode") in CREDIT_NOTES:
        kind = "credit_note"
    return Invoice(
        kind=kind,
        syntax="cii",
        number=number_,
        order_number=text(agreement, "BuyerOrderReferencedDocument/IssuerAssignedID", "BuyerOrderReferencedDocument/ID")
        or (number_ if kind == "order" else None),  # a change or response has a number of its own and names its order
        profile=text(context, "GuidelineSpecifiedDocumentContextParameter/ID"),
        issue_date=_date(head, "IssueDateTime"),
        notes=tuple(filter(None, (text(note, "Content") for note in children(head, "IncludedNote")[:100]))),
        lines=tuple(line for item in items[:MAX_LINES] if (line := _line(item)) is not None),
        truncated=len(items) > MAX_LINES,
        **_agreement(agreement),
        **_delivery(delivery),
        **_settlement(settlement),
        **_totals(settlement),
    )


def _agreement(node: Node | None) -> dict[str, Any]:
    reference = "IssuerAssignedID"
    return {
        "buyer_reference": text(node, "BuyerReference"),
        "seller": _party(child(node, "SellerTradeParty")) or Party(),
        "buyer": _party(child(node, "BuyerTradeParty")) or Party(),
        "contract_number": text(node, f"ContractReferencedDocument/{reference}", "ContractReferencedDocument/ID"),
        "sales_order_number": text(node, f"SellerOrderReferencedDocument/{reference}"),
        "project": text(node, "SpecifiedProcuringProject/Name", "SpecifiedProcuringProject/ID"),
    }


def _delivery(node: Node | None) -> dict[str, Any]:
    return {
        "ship_to": _party(child(node, "ShipToTradeParty")),
        "delivery_date": _date(node, "ActualDeliverySupplyChainEvent/OccurrenceDateTime")
        or _date(node, "RequestedDeliverySupplyChainEvent/OccurrenceDateTime")
        or _date(node, "RequestedDeliverySupplyChainEvent/OccurrenceSpecifiedPeriod/StartDateTime"),
        "delivery_note": text(
            node,
            "DespatchAdviceReferencedDocument/IssuerAssignedID",
            "DeliveryNoteReferencedDocument/IssuerAssignedID",
            "DeliveryNoteReferencedDocument/ID",
        ),
    }


def _settlement(node: Node | None) -> dict[str, Any]:
    means = children(node, "SpecifiedTradeSettlementPaymentMeans")
    paid_by = next((item for item in means if child(item, "PayeePartyCreditorFinancialAccount") is not None), None)
    account = child(paid_by, "PayeePartyCreditorFinancialAccount")
    terms = children(node, "SpecifiedTradePaymentTerms")
    due = (_date(term, "DueDateDateTime") for term in terms)
    described = [found for term in terms if (found := text(term, "Description"))]
    currency = text(node, "InvoiceCurrencyCode", "OrderCurrencyCode")
    return {
        "currency": currency.upper() if currency else None,
        "payment_reference": text(node, "PaymentReference"),
        "payee": _party(child(node, "PayeeTradeParty")),
        "payee_iban": code(text(account, "IBANID", "ProprietaryID")),
        "account_name": text(account, "AccountName"),
        "payee_bic": code(text(paid_by, "PayeeSpecifiedCreditorFinancialInstitution/BICID")),
        "payment_means": text(means[0], "TypeCode") if means else None,
        "due_date": next(filter(None, due), None),
        "payment_terms": " ".join(described) or None,
        "taxes": tuple(_tax(item) for item in children(node, "ApplicableTradeTax")[:100]),
        "period_start": _date(node, "BillingSpecifiedPeriod/StartDateTime"),
        "period_end": _date(node, "BillingSpecifiedPeriod/EndDateTime"),
        "preceding_invoice": text(node, "InvoiceReferencedDocument/IssuerAssignedID", "InvoiceReferencedDocument/ID"),
    }


def _totals(settlement: Node | None) -> dict[str, Any]:
    node = child(
        settlement, "SpecifiedTradeSettlementHeaderMonetarySummation", "SpecifiedTradeSettlementMonetarySummation"
    )
    currency = text(settlement, "InvoiceCurrencyCode", "OrderCurrencyCode")
    taxes = children(node, "TaxTotalAmount")  # a second one is in the seller's own currency (BT-111)
    own = [tax for tax in taxes if tax.get("currencyID") in (None, currency)] or taxes
    return {
        "line_total": number(node, "LineTotalAmount"),
        "charge_total": number(node, "ChargeTotalAmount"),
        "allowance_total": number(node, "AllowanceTotalAmount"),
        "net_total": number(node, "TaxBasisTotalAmount"),
        "tax_total": number(own[0], ".") if own else None,
        "total": number(node, "GrandTotalAmount"),
        "prepaid": number(node, "TotalPrepaidAmount"),
        "amount_due": number(node, "DuePayableAmount"),
    }


def _tax(node: Node) -> Tax:
    return Tax(
        rate=short_number(node, "RateApplicablePercent", "ApplicablePercent"),
        basis=number(node, "BasisAmount"),
        amount=number(node, "CalculatedAmount"),
        category=text(node, "CategoryCode"),
    )


def _line(node: Node) -> Line | None:
    product = child(node, "SpecifiedTradeProduct")
    agreement = child(node, "SpecifiedLineTradeAgreement", "SpecifiedSupplyChainTradeAgreement")
    delivery = child(node, "SpecifiedLineTradeDelivery", "SpecifiedSupplyChainTradeDelivery")
    settlement = child(node, "SpecifiedLineTradeSettlement", "SpecifiedSupplyChainTradeSettlement")
    total = child(
        settlement,
        "SpecifiedTradeSettlementLineMonetarySummation",
        "SpecifiedTradeSettlementMonetarySummation",
    )
    if product is None and total is None:  # ZUGFeRD 1 writes free text of the invoice as a line
        return None
    quantity = child(delivery, "BilledQuantity", "RequestedQuantity", "AgreedQuantity")
    price = child(agreement, "NetPriceProductTradePrice")
    return Line(
        id=text(node, "AssociatedDocumentLineDocument/LineID"),
        description=text(product, "Name") or text(product, "Description"),
        details=text(product, "Description"),
        article_number=text(product, "SellerAssignedID"),
        buyer_article_number=text(product, "BuyerAssignedID"),
        gtin=text(product, "GlobalID"),
        quantity=short_number(quantity, "."),
        unit=quantity.get("unitCode") if quantity is not None else None,
        unit_price=number(price, "ChargeAmount"),
        price_basis_quantity=short_number(price, "BasisQuantity"),
        gross_price=number(agreement, "GrossPriceProductTradePrice/ChargeAmount"),
        amount=number(total, "LineTotalAmount"),
        tax_rate=short_number(child(settlement, "ApplicableTradeTax"), "RateApplicablePercent", "ApplicablePercent"),
        order_line=text(agreement, "BuyerOrderReferencedDocument/LineID"),
    )


def _party(node: Node | None) -> Party | None:
    if node is None:
        return None
    registered = {item.get("schemeID"): text(item, ".") for item in children(node, "SpecifiedTaxRegistration/ID")}
    address = child(node, "PostalTradeAddress")
    contact = child(node, "DefinedTradeContact")
    return Party(
        name=text(node, "Name"),
        trading_name=text(node, "SpecifiedLegalOrganization/TradingBusinessName"),
        id=text(node, "ID", "GlobalID"),
        vat_id=code(registered.get("VA")),
        tax_number=registered.get("FC"),
        street=joined(*(text(address, line) for line in ("LineOne", "StreetName", "LineTwo", "LineThree"))),
        postcode=text(address, "PostcodeCode"),
        city=text(address, "CityName"),
        country=text(address, "CountryID"),
        region=text(address, "CountrySubDivisionName"),
        contact=text(contact, "PersonName", "DepartmentName"),
        phone=text(contact, "TelephoneUniversalCommunication/CompleteNumber"),
        email=text(contact, "EmailURIUniversalCommunication/URIID", "EmailURIUniversalCommunication/CompleteNumber"),
    )


def _date(node: Node | None, path: str) -> str | None:
    return iso_date(text(node, f"{path}/DateTimeString", f"{path}/DateString", f"{path}/DateTime", path))
