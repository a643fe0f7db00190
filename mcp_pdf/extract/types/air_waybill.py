"""Document type: air waybill."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "air_waybill",
    fields(
        """
        awb_number id Air waybill number
        shipper_name name Name of the shipper
        consignee_name name Name of the consignee
        carrier_name name Name of the carrier
        airport_of_departure name Airport of departure
        airport_of_destination name Airport of destination
        flight_number id Flight number
        gross_weight number Gross weight in kg
        package_count number Number of pieces
        issue_date date Date the document was issued
        """
    ),
    cues=("awb_number", "airport_of_departure", "airport_of_destination", "flight_number", "declared_value"),
)
