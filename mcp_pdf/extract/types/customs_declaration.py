"""Document type: customs declaration."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "customs_declaration",
    fields(
        """
        mrn id Movement reference number
        issue_date date Date of the declaration
        exporter_name name Name of the exporter
        consignee_name name Name of the consignee
        declarant name Name of the declarant
        country_of_origin name Country of origin
        hs_code id Commodity code
        gross_weight number Gross mass in kg
        net_weight number Net mass in kg
        package_count number Number of packages
        line_items items Declared goods
        """
    ),
    cues=("mrn", "declarant", "hs_code", "customs_office", "procedure"),
    checks=("gross_not_below_net", "currency_agrees"),
)
