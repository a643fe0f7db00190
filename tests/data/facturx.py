"""A Factur-X (CII, EN 16931) invoice as XML, from the same facts that are printed on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from tests.data.bills import Bill

NAMESPACES = (
    'xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100" '
    'xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100" '
    'xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"'
)


def cii_xml(bill: Bill) -> bytes:
    body = "".join((_context(), _document(bill), "<rsm:SupplyChainTradeTransaction>", *_lines(bill), _agreement(bill)))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rsm:CrossIndustryInvoice {NAMESPACES}>{body}'
        f"<ram:ApplicableHeaderTradeDelivery/>{_settlement(bill)}</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"
    ).encode()


def _context() -> str:
    return (
        "<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter>"
        "<ram:ID>urn:cen.eu:en16931:2017</ram:ID>"
        "</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>"
    )


def _date(iso: str) -> str:
    return f'<udt:DateTimeString format="102">{iso.replace("-", "")}</udt:DateTimeString>'


def _document(bill: Bill) -> str:
    return (
        f"<rsm:ExchangedDocument><ram:ID>{bill.number}</ram:ID><ram:TypeCode>380</ram:TypeCode>"
        f"<ram:IssueDateTime>{_date(bill.iso[0])}</ram:IssueDateTime></rsm:ExchangedDocument>"
    )


def _lines(bill: Bill) -> list[str]:
    return [
        "<ram:IncludedSupplyChainTradeLineItem>"
        f"<ram:AssociatedDocumentLineDocument><ram:LineID>{at}</ram:LineID></ram:AssociatedDocumentLineDocument>"
        f"<ram:SpecifiedTradeProduct><ram:Name>{escape(row.text)}</ram:Name></ram:SpecifiedTradeProduct>"
        "<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice>"
        f"<ram:ChargeAmount>{row.price}</ram:ChargeAmount></ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>"
        f'<ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="C62">{row.quantity}</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>'
        f"<ram:SpecifiedLineTradeSettlement>{_tax(bill)}<ram:SpecifiedTradeSettlementLineMonetarySummation>"
        f"<ram:LineTotalAmount>{row.amount}</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation>"
        "</ram:SpecifiedLineTradeSettlement></ram:IncludedSupplyChainTradeLineItem>"
        for at, row in enumerate(bill.rows, 1)
    ]


def _tax(bill: Bill, amounts: str = "") -> str:
    rate = f"<ram:RateApplicablePercent>{bill.rate}</ram:RateApplicablePercent>"
    return f"<ram:ApplicableTradeTax>{amounts}<ram:TypeCode>VAT</ram:TypeCode>{_basis(bill, amounts)}<ram:CategoryCode>S</ram:CategoryCode>{rate}</ram:ApplicableTradeTax>"


def _basis(bill: Bill, amounts: str) -> str:
    return f"<ram:BasisAmount>{bill.net}</ram:BasisAmount>" if amounts else ""


def _party(name: str, lines: tuple[str, ...], country: str, vat_id: str | None) -> str:
    tax = f'<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">{vat_id}</ram:ID></ram:SpecifiedTaxRegistration>'
    postcode, _, city = lines[2].partition(" ")
    if not postcode[0].isdigit():
        city, _, postcode = lines[2].partition(" ")
    return (
        f"<ram:{name}><ram:Name>{escape(lines[0])}</ram:Name><ram:PostalTradeAddress>"
        f"<ram:PostcodeCode>{postcode}</ram:PostcodeCode><ram:LineOne>{escape(lines[1])}</ram:LineOne>"
        f"<ram:CityName>{escape(city)}</ram:CityName><ram:CountryID>{country}</ram:CountryID></ram:PostalTradeAddress>"
        f"{tax if vat_id else ''}</ram:{name}>"
    )


def _agreement(bill: Bill) -> str:
    seller = _party("SellerTradeParty", bill.seller, "DE", bill.vat_id)
    buyer = _party("BuyerTradeParty", bill.buyer, "IE", None)
    order = f"<ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>{bill.order}</ram:IssuerAssignedID></ram:BuyerOrderReferencedDocument>"
    return f"<ram:ApplicableHeaderTradeAgreement>{seller}{buyer}{order}</ram:ApplicableHeaderTradeAgreement>"


def _settlement(bill: Bill) -> str:
    tax = _tax(bill, f"<ram:CalculatedAmount>{bill.tax}</ram:CalculatedAmount>")
    return (
        "<ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>"
        "<ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>58</ram:TypeCode><ram:PayeePartyCreditorFinancialAccount>"
        f"<ram:IBANID>{bill.iban.replace(' ', '')}</ram:IBANID></ram:PayeePartyCreditorFinancialAccount>"
        f"</ram:SpecifiedTradeSettlementPaymentMeans>{tax}"
        f"<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime>{_date(bill.iso[1])}</ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>"
        "<ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
        f"<ram:LineTotalAmount>{bill.net}</ram:LineTotalAmount><ram:TaxBasisTotalAmount>{bill.net}</ram:TaxBasisTotalAmount>"
        f'<ram:TaxTotalAmount currencyID="EUR">{bill.tax}</ram:TaxTotalAmount><ram:GrandTotalAmount>{bill.total}</ram:GrandTotalAmount>'
        f"<ram:DuePayableAmount>{bill.total}</ram:DuePayableAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
        "</ram:ApplicableHeaderTradeSettlement>"
    )
