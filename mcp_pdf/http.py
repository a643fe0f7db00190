"""Streamable HTTP: the same server behind a Host check and, when there is one, a bearer token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings

from mcp_pdf.desk import Desk
from mcp_pdf.server import make_server
from mcp_pdf.settings import LOOPBACK, Settings

App = Callable[
    [MutableMapping[str, Any], Callable[..., Awaitable[Any]], Callable[..., Awaitable[None]]], Awaitable[None]
]


class Guarded:
    """Refuses every HTTP request without the token, before anything is read of it."""

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._expected = b"Bearer " + token.encode()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        given = dict(scope.get("headers") or ()).get(b"authorization", b"")
        if scope["type"] == "http" and not hmac.compare_digest(given, self._expected):
            headers = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)


async def serve_http(desk: Desk, settings: Settings) -> None:
    """Serves at /mcp until the process is told to stop."""
    names = [*LOOPBACK, *settings.allowed_hosts, settings.host]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[spelled for name in names for spelled in (name, f"{name}:*", f"[{name}]:*")],
        allowed_origins=[f"http://{name}:*" for name in LOOPBACK],
    )
    app: Any = make_server(desk).streamable_http_app(transport_security=security)
    if settings.token is not None:
        app = Guarded(app, settings.token)
    config = uvicorn.Config(app, host=settings.host, port=settings.port, log_level="warning", access_log=False)
    await uvicorn.Server(config).serve()
