"""OASIS UBL: invoices, credit notes (XRechnung, Peppol) and orders."""

from __future__ import annotations

from typing import Any, Final

from mcp_pdf.pdf.invoice import Invoice, Line, Party, Tax
from mcp_pdf.pdf.xml import Node, child, children, code, iso_date, joined, number, short_number, text

ROOTS: Final = {"Invoice": "invoice", "CreditNote": "credit_note", "Order": "order"}
NAMESPACE: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
MAX_LINES: Final = 5_000
_LINES: Final = {"invoice": "InvoiceLine", "credit_note": "CreditNoteLine", "order": "OrderLine/LineItem"}


def read_ubl(root: Node, kind: str) -> Invoice:
    """The invoice, credit note or order under one of ROOTS."""
    items = children(root, _LINES[kind])
    if text(root, "InvoiceTypeCode") == "381":
        kind = "credit_note"
    number_ = text(root, "ID")
    currency = text(root, "DocumentCurrencyCode", "PricingCurrencyCode")
    return Invoice(
        kind=kind,
        syntax="ubl",
        number=number_,
        profile=text(root, "CustomizationID"),
        issue_date=iso_date(text(root, "IssueDate")),
        due_date=iso_date(text(root, "DueDate", "PaymentMeans/PaymentDueDate", "PaymentTerms/PaymentDueDate")),
        currency=currency.upper() if currency else None,
        order_number=text(root, "OrderReference/ID") or (number_ if kind == "order" else None),
        sales_order_number=text(root, "OrderReference/SalesOrderID"),
        buyer_reference=text(root, "BuyerReference", "CustomerReference"),
        contract_number=text(root, "ContractDocumentReference/ID", "Contract/ID"),
        project=text(root, "ProjectReference/ID"),
        preceding_invoice=text(root, "BillingReference/InvoiceDocumentReference/ID"),
        delivery_note=text(root, "DespatchDocumentReference/ID"),
        period_start=iso_date(text(root, "InvoicePeriod/StartDate")),
        period_end=iso_date(text(root, "InvoicePeriod/EndDate")),
        seller=_party(child(root, "AccountingSupplierParty/Party", "SellerSupplierParty/Party")),
        buyer=_party(child(root, "AccountingCustomerParty/Party", "BuyerCustomerParty/Party")),
        payee=_party(payee) if (payee := child(root, "PayeeParty")) is not None else None,
        notes=tuple(filter(None, (text(note, ".") for note in children(root, "Note")[:100]))),
        taxes=tuple(_tax(item) for item in children(root, "TaxTotal/TaxSubtotal")[:100]),
        lines=tuple(_line(item) for item in items[:MAX_LINES]),
        truncated=len(items) > MAX_LINES,
        **_delivery(root),
        **_payment(root),
        **_totals(root, currency),
    )


def _delivery(root: Node) -> dict[str, Any]:
    node = child(root, "Delivery")
    address = child(node, "DeliveryLocation/Address", "DeliveryAddress")
    name = text(node, "DeliveryParty/PartyName/Name", "DeliveryLocation/Name")
    ship_to = _place(address, name) if address is not None or name else None
    when = text(node, "ActualDeliveryDate", "RequestedDeliveryPeriod/StartDate", "RequestedDeliveryPeriod/EndDate")
    return {"ship_to": ship_to, "delivery_date": iso_date(when)}


def _payment(root: Node) -> dict[str, Any]:
    account = child(root, "PaymentMeans/PayeeFinancialAccount")
    terms = [found for item in children(root, "PaymentTerms") if (found := text(item, "Note"))]
    return {
        "payee_iban": code(text(account, "ID")),
        "account_name": text(account, "Name"),
        "payee_bic": code(
            text(account, "FinancialInstitutionBranch/ID", "FinancialInstitutionBranch/FinancialInstitution/ID")
        ),
        "payment_reference": text(root, "PaymentMeans/PaymentID"),
        "payment_means": text(root, "PaymentMeans/PaymentMeansCode"),
        "payment_terms": " ".join(terms) or None,
    }


def _totals(root: Node, currency: str | None) -> dict[str, Any]:
    node = child(root, "LegalMonetaryTotal", "AnticipatedMonetaryTotal")
    taxes = children(root, "TaxTotal/TaxAmount")  # a second one is in the seller's own currency
    own = [tax for tax in taxes if tax.get("currencyID") in (None, currency)] or taxes
    return {
        "line_total": number(node, "LineExtensionAmount"),
        "net_total": number(node, "TaxExclusiveAmount"),
        "tax_total": number(own[0], ".") if own else None,
        "total": number(node, "TaxInclusiveAmount"),
        "allowance_total": number(node, "AllowanceTotalAmount"),
        "charge_total": number(node, "ChargeTotalAmount"),
        "prepaid": number(node, "PrepaidAmount"),
        "amount_due": number(node, "PayableAmount"),
    }


def _tax(node: Node) -> Tax:
    return Tax(
        rate=short_number(node, "TaxCategory/Percent", "Percent"),
        basis=number(node, "TaxableAmount"),
        amount=number(node, "TaxAmount"),
        category=text(node, "TaxCategory/ID"),
    )


def _line(node: Node) -> Line:
    item, price = child(node, "Item"), child(node, "Price")
    quantity = child(node, "InvoicedQuantity", "CreditedQuantity", "Quantity")
    return Line(
        id=text(node, "ID"),
        description=text(item, "Name") or text(item, "Description"),
        details=text(item, "Description"),
        article_number=text(item, "SellersItemIdentification/ID"),
        buyer_article_number=text(item, "BuyersItemIdentification/ID"),
        gtin=text(item, "StandardItemIdentification/ID"),
        quantity=short_number(quantity, "."),
        unit=quantity.get("unitCode") if quantity is not None else None,
        unit_price=number(price, "PriceAmount"),
        price_basis_quantity=short_number(price, "BaseQuantity"),
        amount=number(node, "LineExtensionAmount"),
        tax_rate=short_number(item, "ClassifiedTaxCategory/Percent"),
        order_line=text(node, "OrderLineReference/LineID"),
    )


def _party(node: Node | None) -> Party:
    if node is None:
        return Party()
    taxed = {
        (text(item, "TaxScheme/ID") or "VAT").upper(): text(item, "CompanyID")
        for item in children(node, "PartyTaxScheme")
    }
    place = _place(child(node, "PostalAddress"), None)
    return Party(
        name=text(node, "PartyLegalEntity/RegistrationName", "PartyName/Name"),
        trading_name=text(node, "PartyName/Name"),
        id=text(node, "PartyIdentification/ID", "PartyLegalEntity/CompanyID"),
        vat_id=code(taxed.get("VAT")),
        tax_number=next((value for scheme, value in taxed.items() if scheme != "VAT"), None),
        street=place.street,
        postcode=place.postcode,
        city=place.city,
        country=place.country,
        region=place.region,
        contact=text(node, "Contact/Name"),
        phone=text(node, "Contact/Telephone"),
        email=text(node, "Contact/ElectronicMail"),
    )


def _place(node: Node | None, name: str | None) -> Party:
    return Party(
        name=name,
        street=joined(
            text(node, "StreetName"),
            text(node, "BuildingNumber"),
            text(node, "AdditionalStreetName"),
            text(node, "AddressLine/Line"),
        ),
        postcode=text(node, "PostalZone"),
        city=text(node, "CityName"),
        country=text(node, "Country/IdentificationCode"),
        region=text(node, "CountrySubentity"),
    )
