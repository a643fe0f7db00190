"""Document type: advertising order."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "advertising_order",
    fields(
        """
        contract_number id Contract, order or invoice number
        advertiser name Name of the advertiser
        agency name Name of the agency
        station name Station that broadcasts
        product name Advertised product
        gross_amount amount Total gross amount
        net_amount amount Total net amount
        flight_from date First day of the flight
        flight_to date Last day of the flight
        """
    ),
    cues=("advertiser", "agency", "flight", "station", "estimate_number"),
)
