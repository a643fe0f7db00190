"""The console: static files of this package under a strict policy. Nothing here knows who asks; the page's calls do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from aiohttp import hdrs, web

from agent.errors import NotFound
from agent.web import card, report
from agent.web.answers import tagged

FILES = Path(__file__).parent / "console"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Pictures of pages are fetched with the caller's key and shown as blobs. No markup is ever made from text:
# with trusted types and without a policy for them, the browser refuses to.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"
)


async def page(request: web.Request) -> web.Response:
    """The console's page."""
    return _file(request, "index.html")


async def file(request: web.Request) -> web.Response:
    """One of its files."""
    return _file(request, request.match_info["name"])


async def root(request: web.Request) -> web.Response:
    """`GET /`: the console for a browser, the agent card for everybody else."""
    if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
        return await page(request)
    return await card.union(request)


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Content and type of every file, by name."""
    found = {}
    for path in FILES.iterdir():
        if path.suffix in TYPES:
            found[path.name] = path.read_bytes(), TYPES[path.suffix]
    found["report.html"] = report.shell().encode(), TYPES[".html"]  # filled with data and kept by the browser
    return found


def _file(request: web.Request, name: str) -> web.Response:
    found = _files().get(name)
    if found is None:
        raise NotFound("The console has no such file.")
    content, content_type = found
    headers = {
        hdrs.CONTENT_TYPE: content_type,
        hdrs.CONTENT_SECURITY_POLICY: POLICY,
        hdrs.CACHE_CONTROL: "no-cache",
        hdrs.VARY: "Accept",
    }
    return tagged(request, content, headers)


def add_routes(app: web.Application) -> None:
    app.router.add_get("/", root)
    app.router.add_get("/console", page)
    app.router.add_get("/console/{name:[a-z_]+[.][a-z]+}", file)
