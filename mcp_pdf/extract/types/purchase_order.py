"""Document type: purchase order."""

from mcp_pdf.extract.document_type import SUM_CHECKS, DocumentType, fields

TYPE = DocumentType(
    "purchase_order",
    fields(
        """
        order_number id Purchase order number
        issue_date date Date the order was issued
        delivery_date date Requested delivery date
        seller_name name Name of the seller
        seller_vat_id id VAT identification number of the seller
        buyer_name name Name of the buyer
        buyer_vat_id id VAT identification number of the buyer
        currency currency Currency of the amounts
        net_total amount Total without tax
        tax_total amount Total tax
        total amount Total including tax
        line_items items Ordered items
        """
    ),
    cues=("order_number", "delivery_date", "ship_to"),
    checks=SUM_CHECKS,
)
