"""Document type: packing list."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "packing_list",
    fields(
        """
        packing_list_number id Packing list number
        invoice_number id Invoice number
        purchase_order_number id Purchase order number
        issue_date date Date the document was issued
        seller_name name Name of the seller or exporter
        buyer_name name Name of the buyer or importer
        consignee_name name Name of the consignee
        gross_weight number Total gross weight in kg
        net_weight number Total net weight in kg
        package_count number Total number of packages
        line_items items Packed items
        """
    ),
    cues=("packing_list_number", "gross_weight", "net_weight", "package_count", "delivery_note_number"),
    checks=("gross_not_below_net",),
)
