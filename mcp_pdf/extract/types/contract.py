"""Document type: contract."""

from mcp_pdf.extract.document_type import DocumentType, fields

TYPE = DocumentType(
    "contract",
    fields(
        """
        parties namelist Names of the parties
        effective_date date Date the agreement takes effect
        jurisdiction name State or country whose law governs the agreement
        term string Term of the agreement
        """
    ),
    cues=("parties", "jurisdiction", "effective_date"),
)
