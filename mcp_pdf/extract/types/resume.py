"""Document type: resume."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "resume",
    fields(
        """
        full_name name Full name of the candidate
        email email E-mail address
        phone phone Telephone number
        address address Home address
        """
    ),
    cues=(),
)
