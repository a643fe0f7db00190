"""Every route that callers use: those of A2A from the operations table, the documents, the console."""

from __future__ import annotations

from aiohttp import web

from agent.a2a import operations as ops
from agent.web import card, console, documents, jsonrpc, reviews
from agent.web.rest import Handler

# A task id ends before a colon: /tasks/{id}:cancel is one segment.
_SEGMENT = {"{id}": "{id:[^/:]+}", "{config}": "{config:[^/]+}"}


def add_routes(app: web.Application) -> None:
    """Cards, JSON-RPC at / and /a2a/v1, HTTP+JSON at the root, below /a2a/v1 and, for 0.3, below /v1."""
    for base in ("", "/a2a/v1"):
        app.router.add_post(base or "/", jsonrpc.handle)
        for operation in ops.OPERATIONS:
            for route in operation.rest_v1:
                app.router.add_route(route.verb, base + _pattern(route.path), Handler(operation, ops.V1).handle)
    for operation in ops.OPERATIONS:
        for route in operation.rest_v03:
            app.router.add_route(route.verb, _pattern(route.path), Handler(operation, ops.V03).handle)
    app.router.add_post("/a2a/v1/", jsonrpc.handle)
    app.router.add_get("/.well-known/agent-card.json", card.union)
    app.router.add_get("/.well-known/agent.json", card.union)
    app.router.add_get("/a2a/v1/.well-known/agent-card.json", card.pure)
    app.router.add_get(card.JWKS, card.jwks)
    app.router.add_get("/openapi.json", card.description)
    console.add_routes(app)
    documents.add_routes(app)
    reviews.add_routes(app)


def _pattern(path: str) -> str:
    for name, segment in _SEGMENT.items():
        path = path.replace(name, segment)
    return path
