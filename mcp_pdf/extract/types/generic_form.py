"""Document type: generic form."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "generic_form",
    fields(
        """
        full_name name Name of the person
        address address Address of the person
        date date Date of the form
        phone phone Telephone number
        email email E-mail address
        """
    ),
    cues=(),
)
