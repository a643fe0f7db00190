"""The agent card: one for both versions (1.0 and 0.3 fields side by side), and a pure 1.0 one. No I/O."""

from __future__ import annotations

from typing import Any

import orjson

from agent import __version__

Json = dict[str, Any]

NAME = "Document Extraction Agent"
DESCRIPTION = (
    "Extracts typed values with proof (page, box, printed words, checks) from PDF documents: "
    "invoices, receipts, purchase orders, bills of lading, contracts and forms."
)
INPUT_MODES = ["text/plain", "application/json", "application/pdf"]
OUTPUT_MODES = ["application/json", "text/plain"]
SKILLS: tuple[tuple[str, str, str, list[str], list[str]], ...] = (
    (
        "extract",
        "Extract values",
        "Typed values with evidence from one or more PDFs: by field names, a JSON Schema, or the document's own type.",
        ["extraction", "invoice", "receipt", "purchase-order", "bill-of-lading", "pdf"],
        ["Extract the invoice number and total from invoice.pdf", "Extract data from bill_of_lading.pdf"],
    ),
    (
        "answer",
        "Answer a question",
        "One value of a document, with the place it stands at.",
        ["question", "pdf"],
        ["What is the due date of invoice.pdf?", "What kind of document is receipt.pdf?"],
    ),
    ("read", "Read a document", "The text of a PDF in reading order.", ["text", "pdf"], ["Read invoice.pdf"]),
    ("list", "List documents", "The documents that may be named.", ["library"], ["What PDFs are available?"]),
)


def union_card(url: str, *, needs_key: bool, extended: bool) -> Json:
    """Both versions read this one: 1.0 ignores the 0.3 fields, 0.3 those of 1.0."""
    card = both_interfaces(pure_card(url, needs_key=needs_key, extended=extended), url)
    card |= {
        "url": url,
        "preferredTransport": "JSONRPC",
        "additionalInterfaces": [
            {"url": url, "transport": "JSONRPC"},
            {"url": url, "transport": "HTTP+JSON"},
        ],
        "protocolVersion": "0.3.0",
        "supportsAuthenticatedExtendedCard": extended,
    }
    card["capabilities"] = card["capabilities"] | {"stateTransitionHistory": False}
    if needs_key:
        card["securitySchemes"]["bearer"] |= {"type": "http", "scheme": "bearer"}
        card["security"] = [{"bearer": []}]
    return card


def both_interfaces(card: Json, url: str) -> Json:
    """A pure card that names the 0.3 interfaces too: what a 1.0 reader sees of the union card, and checks signed."""
    return card | {"supportedInterfaces": [*_interfaces(url, "1.0"), *_interfaces(url, "0.3")]}


def canonical(card: Json) -> bytes:
    """The bytes that a signature covers (A2A 1.0 §8.4): JCS of the card without its signatures.

    Sorted keys and no blanks are all of RFC 8785 that applies: keys are ASCII, and a card holds no numbers. It holds no
    empty list or object either, which the proto form would leave out.
    """
    return orjson.dumps({key: value for key, value in card.items() if key != "signatures"}, option=orjson.OPT_SORT_KEYS)


def pure_card(url: str, *, needs_key: bool, extended: bool) -> Json:
    """The card of A2A 1.0 §4.4 and nothing else."""
    card: Json = {
        "name": NAME,
        "description": DESCRIPTION,
        "version": __version__,
        "supportedInterfaces": _interfaces(url, "1.0"),
        "capabilities": {"streaming": True, "pushNotifications": True, "extendedAgentCard": extended},
        "defaultInputModes": INPUT_MODES,
        "defaultOutputModes": OUTPUT_MODES,
        "skills": [
            {"id": key, "name": name, "description": words, "tags": tags, "examples": examples}
            for key, name, words, tags, examples in SKILLS
        ],
    }
    if needs_key:
        card["securitySchemes"] = {"bearer": {"httpAuthSecurityScheme": {"scheme": "bearer"}}}
        card["securityRequirements"] = [{"schemes": {"bearer": {"list": ["extract"]}}}]
    return card


def _interfaces(url: str, version: str) -> list[Json]:
    return [
        {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": version},
        {"url": url, "protocolBinding": "HTTP+JSON", "protocolVersion": version},
    ]
