"""Document type: bill of lading."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "bill_of_lading",
    fields(
        """
        bol_number id Bill of lading number
        booking_number id Booking number
        shipper_name name Name of the shipper
        consignee_name name Name of the consignee
        notify_party_name name Name of the notify party
        carrier_name name Name of the carrier
        vessel name Name of the vessel
        voyage_number id Voyage number
        port_of_loading name Port of loading
        port_of_discharge name Port of discharge
        place_of_receipt name Place of receipt
        place_of_delivery name Place of delivery
        container_number id Container number
        seal_number id Seal number
        gross_weight number Total gross weight in kg
        package_count number Total number of packages
        issue_date date Date the document was issued
        """
    ),
    cues=(
        "bol_number",
        "shipper",
        "consignee",
        "notify_party",
        "vessel",
        "voyage_number",
        "port_of_loading",
        "port_of_discharge",
        "container_number",
        "carrier",
    ),
)
