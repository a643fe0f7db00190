"""What the service can do, as its card says it: one row a skill. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TEXT = "text/plain"
JSON = "application/json"
PDF = "application/pdf"

# The document types with a schema of their own, as `mcp_pdf` names them.
DOCUMENT_TYPES = (
    "advertising_order",
    "air_waybill",
    "bank_statement",
    "bill_of_lading",
    "contract",
    "credit_note",
    "customs_declaration",
    "generic_form",
    "invoice",
    "packing_list",
    "purchase_order",
    "receipt",
    "resume",
)


@dataclass(frozen=True, slots=True)
class Skill:
    """`model`: whether it needs one; without a model the card does not name it."""

    id: str
    name: str
    description: str
    tags: tuple[str, ...]
    examples: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    model: bool = False

    def told(self) -> dict[str, Any]:
        """The skill's object in the card, the same in both versions."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "tags": list(self.tags),
            "examples": list(self.examples),
            "inputModes": list(self.inputs),
            "outputModes": list(self.outputs),
        }


SKILLS = (
    Skill(
        "extract",
        "Extract values",
        "Typed values with evidence from one or more PDFs: by field names, a JSON Schema, or the document's own type.",
        ("extraction", "pdf", *(name.replace("_", "-") for name in DOCUMENT_TYPES)),
        ("Extract the invoice number and total from invoice.pdf", "Extract data from bill_of_lading.pdf"),
        (TEXT, JSON, PDF),
        (JSON,),
    ),
    Skill(
        "look-up",
        "Look up one value",
        "A question for one value of a document, answered with the place it stands at.",
        ("question", "pdf"),
        ("What is the due date of invoice.pdf?",),
        (TEXT, PDF),
        (TEXT, JSON),
    ),
    Skill(
        "ask",
        "Answer a question",
        "Any question about one document or several, answered in words with citations.",
        ("question", "comparison", "pdf"),
        ("Compare the totals of invoice.pdf and rechnung.pdf: which one is higher?",),
        (TEXT, PDF),
        (TEXT, JSON),
        model=True,
    ),
    Skill(
        "classify",
        "Tell the kind of a document",
        "The document's type and language.",
        ("classification", "pdf"),
        ("What kind of document is receipt.pdf?",),
        (TEXT, PDF),
        (TEXT, JSON),
    ),
    Skill(
        "read",
        "Read a document",
        "The text of a PDF in reading order.",
        ("text", "pdf"),
        ("Read invoice.pdf",),
        (TEXT, PDF),
        (TEXT, JSON),
    ),
    Skill(
        "list",
        "List documents",
        "The documents that may be named.",
        ("library",),
        ("What PDFs are available?",),
        (TEXT,),
        (TEXT, JSON),
    ),
)
