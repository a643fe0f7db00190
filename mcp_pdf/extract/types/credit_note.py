"""Document type: credit note."""

from mcp_pdf.extract.document_type import SUM_CHECKS, DocumentType, fields

TYPE = DocumentType(
    "credit_note",
    fields(
        """
        invoice_number id Unique identifier of the credit note
        issue_date date Date the document was issued
        due_date date Date by which payment is due
        purchase_order_number id Buyer's purchase order reference
        seller_name name Name of the seller
        seller_address address Address of the seller
        seller_vat_id id VAT identification number of the seller
        buyer_name name Name of the buyer
        buyer_address address Address of the buyer
        buyer_vat_id id VAT identification number of the buyer
        currency currency Currency of the amounts
        net_total amount Total without tax
        tax_total amount Total tax
        total amount Total including tax
        amount_due amount Amount still due for payment
        iban iban Account to pay to
        bic id BIC of the bank to pay to
        line_items items Line items
        """
    ),
    cues=("invoice_number", "net_total", "tax_total"),
    checks=SUM_CHECKS,
)
