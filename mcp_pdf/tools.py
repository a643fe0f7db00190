"""THE table of tools: name, words for a model, input schema, function. A new tool is a row, a function and a test.

A function takes the desk, the checked arguments and the way to tell progress; it returns JSON, as a value or as bytes,
or a picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_pdf.desk import Desk, Question, Tell
from mcp_pdf.errors import PdfError
from mcp_pdf.status import read_status

Function = Callable[[Desk, dict[str, Any], Tell | None], Awaitable[Any]]

DOC_ID = {
    "type": "string",
    "minLength": 1,
    "maxLength": 4096,
    "description": "Document id as list_available_pdfs gives it: the path below the library, e.g. acme/invoice.pdf.",
}
CURSOR = {"type": "string", "maxLength": 4096, "description": "next_cursor of the answer before."}
PASSWORD = {"type": "string", "maxLength": 1024, "description": "Password of a locked document."}
PAGES = {"type": "string", "maxLength": 1000, "description": 'Pages to look at, from 1, e.g. "1-3,7". All without it.'}
FIELDS = {
    "type": "array",
    "minItems": 1,
    "maxItems": 500,
    "description": "The values wanted: names, or objects with name, type and description.",
    "items": {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "type": {"type": "string"},
                    "description": {"type": "string"},
                },
            },
        ]
    },
}
WISH = {
    "fields": FIELDS,
    "schema": {"type": "object", "description": "A JSON Schema of the wanted object, in place of fields."},
    "document_type": {"type": "string", "description": "Take the fields of a known type, e.g. invoice."},
    "effective_schema": {
        "type": "boolean",
        "description": "Return the schema that the values satisfy too: the given one with every leaf nullable.",
    },
}
DPI = 100
HIGHLIGHT = {
    "type": "array",
    "maxItems": 500,
    "description": "Boxes to mark: [x0, y0, x1, y1] in points from the top-left corner of the page as displayed, "
    "as every other tool gives them.",
    "items": {
        "type": "array",
        "minItems": 4,
        "maxItems": 4,
        "items": {"type": "number", "minimum": -1_000_000, "maximum": 1_000_000},
    },
}
STRICTNESS = {
    "enum": ["precise", "balanced", "eager"],
    "description": "How sure a value must be; precise leaves doubtful ones null.",
}


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `internal` ones are for the agent and never offered to a model."""

    name: str
    description: str
    properties: Mapping[str, Any]
    required: tuple[str, ...]
    function: Function
    read_only: bool = True
    internal: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }


def _question(arguments: dict[str, Any], tell: Tell | None) -> Question:
    return Question(arguments["doc_id"], arguments.get("pages"), arguments.get("password"), tell)


def _wish(arguments: dict[str, Any]) -> dict[str, Any]:
    asked = [key for key in ("fields", "schema", "document_type") if arguments.get(key) is not None]
    if len(asked) > 1:
        raise PdfError("invalid_request", f"Give one of {' and '.join(asked)}, not both.")
    fields = [{"name": one} if isinstance(one, str) else one for one in arguments.get("fields") or ()]
    wish = {key: arguments[key] for key in (*WISH, "strictness") if arguments.get(key) is not None}
    return wish | {"fields": fields} if fields else wish


async def list_available_pdfs(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    del tell
    return await asyncio.to_thread(_listing, desk, arguments)


def _listing(desk: Desk, arguments: dict[str, Any]) -> dict[str, Any]:
    shown, total, following = desk.library.page(arguments.get("cursor"))
    return {
        "documents": [desk.library.describe(entry) for entry in shown],
        "total": total,
        "next_cursor": following,
    }


async def read_doc_contents(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    hidden = bool(arguments.get("hidden"))
    return await desk.read(_question(arguments, tell), arguments.get("layout", "plain"), hidden=hidden)


async def get_document_info(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    return await desk.ask(_question(arguments, tell), "info")


async def read_form_fields(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    return await desk.ask(_question(arguments, tell), "form", most=desk.limits.form_fields)


async def read_attachments(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    most = desk.limits.attachment_bytes
    return await desk.ask(_question(arguments, tell), "attachments", index=arguments.get("index"), most=most)


async def search_documents(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    doc_id, password = arguments.get("doc_id"), arguments.get("password")
    return await desk.search.find(arguments["query"], doc_id, password, arguments.get("cursor"), tell)


async def classify_document(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    return await desk.result(_question(arguments, tell), "classify")


async def extract_fields(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    return await desk.result(_question(arguments, tell), "extract", wish=_wish(arguments))


async def extract_tables(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    return await desk.result(_question(arguments, tell), "tables", most_bytes=desk.limits.result_bytes * 9 // 10)


async def locate_values(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    question = _question(arguments, tell)
    return await desk.result(question, "locate", wish=_wish(arguments), values=arguments["values"])


async def render_page(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    asked = {"page": arguments["page"], "dpi": arguments.get("dpi", DPI), "highlight": arguments.get("highlight", [])}
    return await desk.picture(_question(arguments, tell), **asked)


async def server_status(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    del tell
    return await read_status(desk, memory=bool(arguments.get("memory")))


async def release_document(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    del tell
    return {"released": desk.quarantine.release(arguments["sha256"])}


async def forget_document(desk: Desk, arguments: dict[str, Any], tell: Tell | None) -> Any:
    del tell
    return {"forgotten": desk.forget(arguments["doc_id"])}


TOOLS = (
    Tool(
        "list_available_pdfs",
        "Lists the PDF documents that can be named. Use it first when the user has not given an exact document id.",
        {"cursor": CURSOR},
        (),
        list_available_pdfs,
    ),
    Tool(
        "read_doc_contents",
        "Reads the text of a document's pages (20 at most a call; next_pages tells how to go on). "
        "layout: plain text in reading order, columns keeps the look of the page, boxes gives each word's position.",
        {
            "doc_id": DOC_ID,
            "pages": PAGES,
            "layout": {"enum": ["plain", "columns", "boxes"], "description": "Default: plain."},
            "hidden": {
                "type": "boolean",
                "description": "Also give the words a person cannot see (invisible, white, off the page), apart from "
                "the others.",
            },
            "password": PASSWORD,
        },
        ("doc_id",),
        read_doc_contents,
    ),
    Tool(
        "get_document_info",
        "Tells what a PDF says of itself: number and sizes of pages, metadata, encryption, signatures, page quality.",
        {"doc_id": DOC_ID, "password": PASSWORD},
        ("doc_id",),
        get_document_info,
    ),
    Tool(
        "read_form_fields",
        "Reads the fillable fields of a PDF form: name, kind, value, options, label, place. "
        "Use it when the document is a form that somebody filled in on a computer.",
        {"doc_id": DOC_ID, "password": PASSWORD},
        ("doc_id",),
        read_form_fields,
    ),
    Tool(
        "read_attachments",
        "Lists the files inside a PDF; with an index from that list, gives the content of one as base64.",
        {
            "doc_id": DOC_ID,
            "index": {"type": "integer", "minimum": 0, "description": "Which attachment to read."},
            "password": PASSWORD,
        },
        ("doc_id",),
        read_attachments,
    ),
    Tool(
        "search_documents",
        "Finds the pages on which words stand, over the whole library or in one document: snippet, page and the boxes "
        "of the words. Words match from their beginning, without case and accents; quote a phrase. Use it when you do "
        "not know which document or page tells what you want. complete is false while documents are still being taken "
        "in: ask again.",
        {
            "query": {"type": "string", "minLength": 1, "maxLength": 1000, "description": 'Words, or a "phrase".'},
            "doc_id": DOC_ID,
            "cursor": CURSOR,
            "password": PASSWORD,
        },
        ("query",),
        search_documents,
    ),
    Tool(
        "classify_document",
        "Tells which type of document it is (invoice, receipt, contract, …), its language, and the words that say so.",
        {"doc_id": DOC_ID, "pages": PAGES, "password": PASSWORD},
        ("doc_id",),
        classify_document,
    ),
    Tool(
        "extract_fields",
        "Extracts typed values with proof: page, box, printed words, checks. A value that is absent or doubtful is "
        "null with a reason. Give fields, a schema or a document_type; without any the document's own type decides.",
        {"doc_id": DOC_ID, **WISH, "pages": PAGES, "strictness": STRICTNESS, "password": PASSWORD},
        ("doc_id",),
        extract_fields,
    ),
    Tool(
        "extract_tables",
        "Reads the tables of a document: titles, rows (body, total, or carried over from page to page) and cells, each "
        "cell with its box. A table that runs over several pages comes as one. Use it when rows and columns matter and "
        "the fields are not known ahead; for known columns extract_fields gives typed values. Ask for fewer pages when "
        "the answer is truncated.",
        {"doc_id": DOC_ID, "pages": PAGES, "password": PASSWORD},
        ("doc_id",),
        extract_tables,
    ),
    Tool(
        "locate_values",
        "Finds values in the document that were read elsewhere (by a model, say): evidence and checks for each, "
        "or that it is nowhere on the page.",
        {"doc_id": DOC_ID, "values": {"type": "object"}, **WISH, "pages": PAGES, "password": PASSWORD},
        ("doc_id", "values"),
        locate_values,
    ),
    Tool(
        "render_page",
        "Shows one page as a picture (JPEG), with boxes marked when they are given. Use it to look at what text cannot "
        "tell (stamps, drawings, handwriting) or to show where a value stands. A large page comes at a lower "
        "resolution; the answer tells which.",
        {
            "doc_id": DOC_ID,
            "page": {"type": "integer", "minimum": 1, "description": "Which page, from 1."},
            "dpi": {"type": "number", "minimum": 10, "maximum": 600, "description": f"Default: {DPI}."},
            "highlight": HIGHLIGHT,
            "password": PASSWORD,
        },
        ("doc_id", "page"),
        render_page,
    ),
    Tool(
        "server_status",
        "Tells how the server is: workers, restarts, isolation, quarantine, cache.",
        {"memory": {"type": "boolean", "description": "Also measure the processes' memory."}},
        (),
        server_status,
    ),
    Tool(
        "release_document",
        "Lets a document in quarantine be opened again.",
        {"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
        ("sha256",),
        release_document,
        read_only=False,
        internal=True,
    ),
    Tool(
        "forget_document",
        "Drops what the cache holds of a document.",
        {"doc_id": DOC_ID},
        ("doc_id",),
        forget_document,
        read_only=False,
        internal=True,
    ),
)
BY_NAME = {tool.name: tool for tool in TOOLS}
