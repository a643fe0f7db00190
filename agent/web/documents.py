"""Documents over HTTP: the library as far as the caller may see it, own uploads, pictures and text of single pages.

An id is one percent-encoded segment: the path below the library, or `upload/{sha256}`.
What a caller may not see is not there.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote

from aiohttp import hdrs, web

from agent.a2a.outgoing import upload_url
from agent.caller import Caller
from agent.errors import ContentTypeNotSupported, Failure, Forbidden, InvalidParams, NotFound
from agent.pdf_client.session import PdfClient
from agent.tasks.uploads import Upload
from agent.web.answers import content_type_of, json_answer, refusal
from agent.web.body import in_time
from agent.web.door import require
from agent.web.keys import CALLER, CARD, PDF, UPLOADS

CALL_S = 30.0
MAX_PAGE = 1_000_000
DPI = (10.0, 400.0)
PASSWORD = "X-Document-Password"  # noqa: S105  # a header's name
PDF_TYPES = frozenset({"application/pdf", "application/x-pdf", "application/octet-stream"})
_CHUNK = 2**16

# Faults of a document are the request's (422); these are not.
STATUS = {"not_found": 404, "outside_library": 404, "invalid_request": 400, "timeout": 504, "internal": 502}


async def listing(request: web.Request) -> web.Response:
    """`{documents, next_cursor, uploads}`: a page of the library and all uploads of the caller."""
    caller = _reader(request)
    cursor = request.query.get("cursor")
    try:
        page = await request.app[PDF].call(
            "list_available_pdfs", {"cursor": cursor} if cursor else {}, timeout_s=CALL_S
        )
    except Failure as exc:
        return _refused(exc)
    seen = [{"id": row.pop("doc_id"), **row} for row in page["documents"] if caller.may_see(row["doc_id"])]
    owned = await request.app[UPLOADS].owned(caller)
    uploads = [_upload(request, one) for one in owned]
    return json_answer({"documents": seen, "next_cursor": page["next_cursor"], "uploads": uploads})


async def upload(request: web.Request) -> web.Response:
    """Keeps a PDF as the caller's own: a row of the listing."""
    caller = require(request, "extract")
    if content_type_of(request) not in PDF_TYPES:
        raise ContentTypeNotSupported("Send the PDF itself as application/pdf.")
    filename = request.query.get("filename") or None
    if filename is not None and len(filename) > 255:
        raise InvalidParams("a file name has at most 255 characters", field="filename")
    async with in_time(request):
        content = request.content.iter_chunked(_CHUNK)
        kept = await request.app[UPLOADS].put(caller, content, filename=filename)
    return json_answer(_upload(request, kept), status=201)


def _upload(request: web.Request, one: Upload) -> dict[str, Any]:
    """An upload as its caller sees it; `url` may stand in a message's part."""
    return {
        "id": one.doc_id,
        "filename": one.filename,
        "size_bytes": one.size_bytes,
        "sha256": one.sha256,
        "url": upload_url(request.app[CARD].public_url, one.sha256),
    }


async def document(request: web.Request) -> web.StreamResponse:
    """What the PDF says of itself; of an upload the file itself, unless JSON is asked for."""
    doc_id = await _visible(request)
    if doc_id.startswith("upload/") and "application/json" not in request.headers.get(hdrs.ACCEPT, ""):
        headers = {"Content-Type": "application/pdf", **_PRIVATE}
        kept = request.app[UPLOADS].path(doc_id.removeprefix("upload/"))
        return web.FileResponse(kept, headers=headers)
    return await _told(request, "get_document_info", {"doc_id": doc_id})


async def text(request: web.Request) -> web.Response:
    """A page's text in reading order, its size and grade: `{page, width, height, grade, source, text}`."""
    doc_id, page = await _visible(request), _page(request)
    answer = await _call(request, "read_doc_contents", {"doc_id": doc_id, "pages": str(page)})
    return answer if isinstance(answer, web.Response) else json_answer(answer["pages"][0], headers=_PRIVATE)


async def picture(request: web.Request) -> web.Response:
    """A page as JPEG; `?dpi=` says how fine. A large page comes coarser: `X-Page-Dpi` tells."""
    doc_id, page = await _visible(request), _page(request)
    answer = await _call(request, "render_page", {"doc_id": doc_id, "page": page, **_dpi(request)})
    if isinstance(answer, web.Response):
        return answer
    headers = {"Content-Type": answer["mime_type"], "X-Page-Dpi": str(answer["dpi"]), **_PRIVATE}
    return web.Response(body=base64.b64decode(answer["base64"]), headers=headers)


_PRIVATE = {"Cache-Control": "no-store"}  # documents of callers do not stay on disks between here and there


def _reader(request: web.Request) -> Caller:
    caller = request[CALLER]
    if not {"read", "extract", "review"} & caller.scopes:
        raise Forbidden("This needs the scope read.")
    return caller


async def _visible(request: web.Request) -> str:
    """The document's id, when it is the caller's to see. Raises NotFound."""
    caller, doc_id = _reader(request), request.match_info["id"]
    if doc_id.startswith("upload/"):
        await request.app[UPLOADS].get(caller, doc_id.removeprefix("upload/"))
    elif not caller.may_see(doc_id):
        raise NotFound(f"there is no document {doc_id[:200]}")
    return doc_id


def _page(request: web.Request) -> int:
    page = int(request.match_info["page"])
    if not 1 <= page <= MAX_PAGE:
        raise NotFound("pages are counted from 1")
    return page


def _dpi(request: web.Request) -> dict[str, float]:
    given = request.query.get("dpi")
    if given is None:
        return {}
    try:
        dpi = float(given)
    except ValueError:
        dpi = 0.0
    if not DPI[0] <= dpi <= DPI[1]:
        raise InvalidParams(f"dpi is between {DPI[0]:.0f} and {DPI[1]:.0f}", field="dpi")
    return {"dpi": dpi}


async def _told(request: web.Request, tool: str, arguments: dict[str, Any]) -> web.Response:
    answer = await _call(request, tool, arguments)
    return answer if isinstance(answer, web.Response) else json_answer(answer, headers=_PRIVATE)


async def _call(request: web.Request, tool: str, arguments: dict[str, Any]) -> dict[str, Any] | web.Response:
    """The tool's answer, or the refusal to send. The password of a locked document comes in a header of its own."""
    client: PdfClient = request.app[PDF]
    if (password := request.headers.get(PASSWORD)) is not None:
        arguments["password"] = unquote(password)  # percent-encoded: a header carries ASCII alone
    try:
        answer: dict[str, Any] = await client.call(tool, arguments, timeout_s=CALL_S)
    except Failure as exc:
        return _refused(exc)
    return answer


def _refused(exc: Failure) -> web.Response:
    response = refusal(exc)
    response.set_status(STATUS.get(exc.code, 503 if exc.retryable else 422))
    return response


def add_routes(app: web.Application) -> None:
    app.router.add_get("/documents", listing)
    app.router.add_post("/documents", upload)
    app.router.add_get("/documents/{id}", document)
    app.router.add_get("/documents/{id}/pages/{page:[0-9]{1,9}}", picture)
    app.router.add_get("/documents/{id}/pages/{page:[0-9]{1,9}}/text", text)
