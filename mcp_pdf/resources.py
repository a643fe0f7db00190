"""The documents as MCP resources: `pdf:///{doc_id}`, percent-encoded; reading one gives the text of its pages.

The listing is made from the disk page by page, so it follows the files; `_meta` holds the hash that tells equal
contents. A locked document cannot be read this way: there is no place for a password in a URI.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

import mcp_types as types
import orjson
from mcp import MCPError
from mcp.server.context import ServerRequestContext

from mcp_pdf.desk import Desk, Question
from mcp_pdf.errors import PdfError

if TYPE_CHECKING:
    from mcp_pdf.library import Entry

Context = ServerRequestContext[Any]

SCHEME: Final = "pdf"
TEXT: Final = "text/plain"
TEMPLATE: Final = types.ResourceTemplate(
    name="document",
    title="A document of the library",
    uri_template="pdf:///{+doc_id}{?pages}",
    description='The text of a document\'s pages, 20 at most; pages such as "1-3,7" picks them.',
    mime_type=TEXT,
)


def uri_of(doc_id: str) -> str:
    """The address of a document."""
    return f"{SCHEME}:///{quote(doc_id, safe='/')}"


def read_uri(uri: str) -> tuple[str, str | None]:
    """The document and the pages that an address names. Raises PdfError."""
    parts = urlsplit(uri)
    if parts.scheme != SCHEME or parts.netloc or parts.fragment or not parts.path.startswith("/"):
        raise PdfError("invalid_request", "The address is not one of a document.", "Write it as pdf:///{doc_id}.")
    asked = parse_qs(parts.query)
    if asked.keys() - {"pages"}:
        raise PdfError("invalid_request", "The address asks for something unknown.", "Only ?pages=1-3 may follow.")
    return unquote(parts.path[1:]), asked.get("pages", [None])[0]


def handlers(desk: Desk) -> dict[str, Any]:
    """What the protocol's server calls for resources."""

    async def on_list(context: Context, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        del context
        return await asyncio.to_thread(list_resources, desk, params.cursor if params else None)

    async def on_templates(
        context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        del context, params
        return types.ListResourceTemplatesResult(resource_templates=[TEMPLATE])

    async def on_read(context: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        del context
        return await read_resource(desk, params.uri)

    return {"on_list_resources": on_list, "on_list_resource_templates": on_templates, "on_read_resource": on_read}


def list_resources(desk: Desk, cursor: str | None) -> types.ListResourcesResult:
    """One page of the listing; files that cannot be documents are left out."""
    shown, _total, following = desk.library.page(cursor)
    resources = [_resource(entry, row) for entry in shown if "problem" not in (row := desk.library.describe(entry))]
    return types.ListResourcesResult(resources=resources, next_cursor=following)


def _resource(entry: Entry, row: dict[str, Any]) -> types.Resource:
    return types.Resource(
        uri=uri_of(entry.doc_id),
        name=entry.doc_id,
        description=f"The text of a PDF of {entry.status.st_size} bytes.",
        mime_type=TEXT,
        _meta={name: row[name] for name in ("sha256", "size_bytes", "modified")},
    )


async def read_resource(desk: Desk, uri: str) -> types.ReadResourceResult:
    """The pages, one content each. Raises MCPError that carries the failure of the document."""
    try:
        doc_id, pages = read_uri(uri)
        read = orjson.loads(await desk.read(Question(doc_id, pages), "plain"))
    except PdfError as exc:
        raise MCPError(types.INVALID_PARAMS, exc.message, exc.body()) from None
    contents: list[types.TextResourceContents | types.BlobResourceContents] = [
        types.TextResourceContents(
            uri=f"{uri_of(doc_id)}?pages={page['page']}",
            mime_type=TEXT,
            text=page["text"],
            _meta={name: page[name] for name in ("grade", "warnings") if name in page},
        )
        for page in read["pages"]
    ]
    told = {name: read[name] for name in ("sha256", "page_count", "truncated", "next_pages")}
    return types.ReadResourceResult(contents=contents, _meta=told)
