"""Electronic invoices: one model from every syntax, no entities, and a word where page and XML differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcp_pdf.pdf.attachments import list_attachments, read_attachment, safe_name
from mcp_pdf.pdf.einvoice import RefusedXml, parse_invoice
from mcp_pdf.pdf.load import load, open_pdf
from tests.pdf import papers

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

CII = """<r:{root} xmlns:r="urn:r" xmlns="urn:ram" xmlns:u="urn:udt">
<{context}><GuidelineSpecifiedDocumentContextParameter><ID>urn:cen.eu:en16931:2017</ID>
</GuidelineSpecifiedDocumentContextParameter></{context}>
<{head}><ID>R-1</ID><TypeCode>{type}</TypeCode><IssueDateTime>
<u:DateTimeString format="102">20240131</u:DateTimeString></IssueDateTime>
</{head}>
<{deal}><IncludedSupplyChainTradeLineItem>
<AssociatedDocumentLineDocument><LineID>1</LineID></AssociatedDocumentLineDocument>
<SpecifiedTradeProduct><SellerAssignedID>A7</SellerAssignedID><Name>Paper
 A4</Name></SpecifiedTradeProduct>
<{line}Agreement><NetPriceProductTradePrice><ChargeAmount>9.9000</ChargeAmount>
</NetPriceProductTradePrice></{line}Agreement>
<{line}Delivery><{quantity} unitCode="C62">20.0000</{quantity}></{line}Delivery>
<{line}Settlement><ApplicableTradeTax><{rate}>19.00</{rate}></ApplicableTradeTax>
<{line_sum}><LineTotalAmount>198.00</LineTotalAmount></{line_sum}></{line}Settlement>
</IncludedSupplyChainTradeLineItem>
<{part}Agreement><BuyerReference>04011000-1</BuyerReference>
<SellerTradeParty><Name>Lieferant GmbH</Name><PostalTradeAddress>
<PostcodeCode>80333</PostcodeCode><LineOne>Weg 2</LineOne>
<CityName>Berg</CityName><CountryID>DE</CountryID></PostalTradeAddress>
<SpecifiedTaxRegistration><ID schemeID="FC">201/113</ID></SpecifiedTaxRegistration>
<SpecifiedTaxRegistration><ID schemeID="VA">DE 123456789</ID></SpecifiedTaxRegistration></SellerTradeParty>
<BuyerTradeParty><Name>Kunde AG</Name></BuyerTradeParty></{part}Agreement>
<{part}Delivery/>
<{part}Settlement><{currency}>eur</{currency}>
<SpecifiedTradeSettlementPaymentMeans><TypeCode>58</TypeCode>
<PayeePartyCreditorFinancialAccount><IBANID>DE02 1203 0000 0000 2020 51</IBANID>
</PayeePartyCreditorFinancialAccount></SpecifiedTradeSettlementPaymentMeans>
<ApplicableTradeTax><CalculatedAmount>37.62</CalculatedAmount>
<BasisAmount>198.00</BasisAmount><{rate}>19.00</{rate}></ApplicableTradeTax>
<{sum}><TaxBasisTotalAmount>198.00</TaxBasisTotalAmount><TaxTotalAmount currencyID="EUR">37.62</TaxTotalAmount>
<GrandTotalAmount>235.62</GrandTotalAmount><DuePayableAmount>235.62</DuePayableAmount>
</{sum}></{part}Settlement></{deal}></r:{root}>"""

ZUGFERD_2 = {
    "root": "CrossIndustryInvoice",
    "context": "ExchangedDocumentContext",
    "head": "ExchangedDocument",
    "type": "380",
    "deal": "SupplyChainTradeTransaction",
    "line": "SpecifiedLineTrade",
    "part": "ApplicableHeaderTrade",
    "quantity": "BilledQuantity",
    "rate": "RateApplicablePercent",
    "line_sum": "SpecifiedTradeSettlementLineMonetarySummation",
    "sum": "SpecifiedTradeSettlementHeaderMonetarySummation",
    "currency": "InvoiceCurrencyCode",
}
ZUGFERD_1 = {
    **ZUGFERD_2,
    "root": "CrossIndustryDocument",
    "context": "SpecifiedExchangedDocumentContext",
    "head": "HeaderExchangedDocument",
    "deal": "SpecifiedSupplyChainTradeTransaction",
    "line": "SpecifiedSupplyChainTrade",
    "part": "ApplicableSupplyChainTrade",
    "rate": "ApplicablePercent",
    "line_sum": "SpecifiedTradeSettlementMonetarySummation",
    "sum": "SpecifiedTradeSettlementMonetarySummation",
}
ORDER_X = {
    **ZUGFERD_2,
    "root": "SCRDMCCBDACIOMessageStructure",
    "type": "220",
    "quantity": "RequestedQuantity",
    "currency": "OrderCurrencyCode",
}
UBL = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">
<ID>R-1</ID><IssueDate>2024-01-31</IssueDate><InvoiceTypeCode>380</InvoiceTypeCode>
<DocumentCurrencyCode>EUR</DocumentCurrencyCode>
<BuyerReference>04011000-1</BuyerReference>
<AccountingSupplierParty><Party><PostalAddress><StreetName>Weg 2</StreetName>
<CityName>Berg</CityName><PostalZone>80333</PostalZone>
<Country><IdentificationCode>DE</IdentificationCode></Country></PostalAddress>
<PartyTaxScheme><CompanyID>DE123456789</CompanyID><TaxScheme><ID>VAT</ID></TaxScheme></PartyTaxScheme>
<PartyTaxScheme><CompanyID>201/113</CompanyID><TaxScheme><ID>FC</ID></TaxScheme></PartyTaxScheme>
<PartyLegalEntity><RegistrationName>Lieferant GmbH</RegistrationName>
</PartyLegalEntity></Party></AccountingSupplierParty>
<AccountingCustomerParty><Party><PartyName><Name>Kunde AG</Name></PartyName></Party></AccountingCustomerParty>
<PaymentMeans><PaymentMeansCode>58</PaymentMeansCode><PayeeFinancialAccount>
<ID>DE02120300000000202051</ID></PayeeFinancialAccount></PaymentMeans>
<TaxTotal><TaxAmount currencyID="EUR">37.62</TaxAmount><TaxSubtotal>
<TaxableAmount>198.00</TaxableAmount><TaxAmount>37.62</TaxAmount>
<TaxCategory><Percent>19</Percent></TaxCategory></TaxSubtotal></TaxTotal>
<LegalMonetaryTotal><TaxExclusiveAmount>198.00</TaxExclusiveAmount>
<TaxInclusiveAmount>235.62</TaxInclusiveAmount><PayableAmount>235.62</PayableAmount>
</LegalMonetaryTotal>
<InvoiceLine><ID>1</ID><InvoicedQuantity unitCode="C62">20</InvoicedQuantity>
<LineExtensionAmount>198.00</LineExtensionAmount>
<Item><Name>Paper A4</Name><SellersItemIdentification><ID>A7</ID>
</SellersItemIdentification><ClassifiedTaxCategory><Percent>19.0</Percent>
</ClassifiedTaxCategory></Item>
<Price><PriceAmount>9.90</PriceAmount></Price></InvoiceLine></Invoice>"""

SYNTAXES = {
    "zugferd-2": CII.format(**ZUGFERD_2),
    "zugferd-1": CII.format(**ZUGFERD_1),
    "order-x": CII.format(**ORDER_X),
    "ubl": UBL,
}


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_gives_the_same_invoice(syntax: str) -> None:
    found = parse_invoice(SYNTAXES[syntax].encode())
    assert found is not None
    seller, line, tax = found.seller, found.lines[0], found.taxes[0]
    assert (found.number, found.issue_date, found.currency, found.buyer_reference) == (
        "R-1",
        "2024-01-31",
        "EUR",
        "04011000-1",
    )
    assert (found.net_total, found.tax_total, found.total, found.amount_due) == ("198.00", "37.62", "235.62", "235.62")
    assert (seller.name, seller.vat_id, seller.tax_number) == ("Lieferant GmbH", "DE123456789", "201/113")
    assert (seller.street, seller.postcode, seller.city, seller.country) == ("Weg 2", "80333", "Berg", "DE")
    assert (found.buyer.name, found.payee_iban) == ("Kunde AG", "DE02120300000000202051")
    assert (line.description, line.article_number, line.quantity, line.unit) == ("Paper A4", "A7", "20", "C62")
    assert (line.unit_price, line.amount, line.tax_rate) == ("9.90", "198.00", "19")
    assert (tax.rate, tax.basis, tax.amount) == ("19", "198.00", "37.62")
    assert found.kind == ("order" if syntax == "order-x" else "invoice")


def test_a_credit_note_says_so() -> None:
    found = parse_invoice(CII.format(**{**ZUGFERD_2, "type": "381"}).encode())
    assert found is not None
    assert found.kind == "credit_note"


BOMB = '<!DOCTYPE i [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE i [<!ENTITY x SYSTEM "file:///etc/hostname">]><CrossIndustryInvoice>&x;</CrossIndustryInvoice>',
        BOMB + "]><CrossIndustryInvoice>&j;</CrossIndustryInvoice>",
        "<CrossIndustryInvoice>",
        "",
        "\x00\x01",
        "<a>" * 5_000,
    ],
    ids=["external entity", "entity expansion", "unclosed", "empty", "binary", "deep"],
)
def test_hostile_or_broken_xml_is_refused(xml: str) -> None:
    with pytest.raises(RefusedXml):
        parse_invoice(xml.encode())


def test_other_xml_is_no_invoice() -> None:
    assert parse_invoice(b"<note><Invoice/></note>") is None


def invoice_pdf(xml: str, *lines: str, name: str = "factur-x.xml") -> bytes:
    def draw(canvas: Canvas) -> None:
        for row, line in enumerate(lines):
            canvas.drawString(50, 700 - 20 * row, line)

    return papers.changed(papers.drawn(draw), lambda writer: writer.add_attachment(name, xml.encode()))


PRINTED = (
    "Rechnung R-1 vom 31.01.2024 Lieferant GmbH USt DE123456789 Kunde AG",
    "Netto 198,00 Steuer 37,62 Gesamt 235,62 EUR IBAN DE02 1203 0000 0000 2020 51",
)


def test_an_attached_invoice_is_found_and_agrees_with_its_page() -> None:
    document = load(invoice_pdf(SYNTAXES["zugferd-2"], *PRINTED))
    assert document.invoice is not None
    assert document.invoice.number == "R-1"
    assert document.warnings == []


def test_each_difference_between_page_and_xml_is_a_warning() -> None:
    document = load(invoice_pdf(SYNTAXES["zugferd-2"], PRINTED[0], PRINTED[1].replace("235,62", "999,62")))
    fields = [(warning["code"], warning["field"]) for warning in document.warnings]
    assert fields == [("xml_differs_from_page", "total"), ("xml_differs_from_page", "amount_due")]


def test_a_refused_attachment_is_a_warning_and_the_text_stays() -> None:
    document = load(invoice_pdf(BOMB + "]><a>&j;</a>", "still here"))
    assert document.invoice is None
    assert [warning["code"] for warning in document.warnings] == ["attachment_refused"]
    assert [word.text for word in document.pages[0].words] == ["still", "here"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("invoice.xml", "invoice.xml"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("/abs/olute", "olute"),
        ("a\x00b\x1b[31m.pdf", "ab[31m.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("...", "attachment-1"),
        ("", "attachment-1"),
        ("-rf", "rf"),
    ],
)
def test_attachment_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name, 0) == safe


def test_a_long_attachment_name_keeps_its_end() -> None:
    assert len(safe_name("x" * 5_000 + ".pdf", 0)) <= 120
    assert safe_name("x" * 5_000 + ".pdf", 0).endswith(".pdf")


def test_attachments_are_listed_and_read() -> None:
    pdf = open_pdf(invoice_pdf(UBL, "text", name="../ubl.xml"))
    found, truncated = list_attachments(pdf)
    assert [(item["name"], item["size_bytes"], truncated) for item in found] == [("ubl.xml", len(UBL.encode()), False)]
    assert read_attachment(pdf, 0) == UBL.encode()
