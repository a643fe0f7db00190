"""What handlers find on the request and on the application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from agent.a2a.card import CardFacts
from agent.caller import Caller
from agent.pdf_client.session import PdfClient
from agent.pools import Pools
from agent.tasks.engine import TaskEngine
from agent.tasks.fetch import Fetcher
from agent.tasks.store import Store
from agent.tasks.uploads import Uploads
from agent.telemetry.history import History
from agent.telemetry.memory import Memory

CALLER = web.RequestKey("caller", Caller)  # set by the middleware before any handler runs
FIRST_BYTE = web.RequestKey("first_byte", float)  # when a stream began, by time.perf_counter()
REQUEST_ID = web.RequestKey("request_id", str)  # set with it; a caller's own X-Request-Id where it is a plain word

ENGINE = web.AppKey("engine", TaskEngine)
UPLOADS = web.AppKey("uploads", Uploads)
STORE = web.AppKey("store", Store)
FETCHER = web.AppKey("fetcher", Fetcher)
CARD = web.AppKey("card", CardFacts)
NEEDS_KEY: web.AppKey[Callable[[], bool]] = web.AppKey("needs_key")  # whether a caller has to show one now
WAIT_S = web.AppKey("wait_s", float)  # a blocking send waits at most this long
PDF = web.AppKey("pdf", PdfClient)
CONFIGURATION = web.AppKey("configuration", list[tuple[str, str, str]])  # name, value, source; secrets masked
POOLS = web.AppKey("pools", Pools)
MEMORY = web.AppKey("memory", Memory)
HISTORY = web.AppKey("history", History)
DATA_DIR = web.AppKey("data_dir", Path)
RELOAD = web.AppKey[Callable[[], None]]("reload")
