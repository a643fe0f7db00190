"""What handlers find on the request and on the application."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from agent.caller import Caller
from agent.pdf_client.session import PdfClient
from agent.signature import SigningKey
from agent.tasks.engine import TaskEngine
from agent.tasks.fetch import Fetcher
from agent.tasks.uploads import Uploads


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What the agent card depends on: the address callers use, whether they need a key, and what signs it."""

    public_url: str
    needs_key: bool = False
    extended: bool = True
    signing_key: SigningKey | None = None


CALLER = web.RequestKey("caller", Caller)  # set by the middleware before any handler runs

ENGINE = web.AppKey("engine", TaskEngine)
UPLOADS = web.AppKey("uploads", Uploads)
FETCHER = web.AppKey("fetcher", Fetcher)
CARD = web.AppKey("card", CardFacts)
WAIT_S = web.AppKey("wait_s", float)  # a blocking send waits at most this long
PDF = web.AppKey("pdf", PdfClient)
CONFIGURATION = web.AppKey("configuration", list[tuple[str, str, str]])  # name, value, source; secrets masked
