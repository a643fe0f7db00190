"""Document type: receipt."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "receipt",
    fields(
        """
        merchant_name name Name of the shop or company
        merchant_address address Address of the shop
        issue_date date Date of the purchase
        total amount Total including tax
        tax_total amount Total tax
        currency currency Currency of the amounts
        line_items items Line items
        """
    ),
    cues=("cash", "change", "tax_summary", "rounding"),
    checks=("net_plus_tax_is_total", "currency_agrees"),
)
