"""Where the next page of a list begins, as text for the caller; good for the same query of the same caller only."""

from __future__ import annotations

import base64
import binascii
import hashlib

import orjson

from agent.errors import InvalidParams
from agent.tasks.store import ListQuery

_MOST = 2**63  # what a store's integer holds


def _filters(caller: str, query: ListQuery) -> str:
    parts = (caller, query.context_id, query.state and query.state.value, query.since and query.since.isoformat())
    return hashlib.blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def write(caller: str, query: ListQuery, at: int, task_id: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([at, task_id, _filters(caller, query)])).decode().rstrip("=")


def position(caller: str, query: ListQuery) -> tuple[int, str] | None:
    """Where a page token continues. Raises InvalidParams for one that is none, or another query's."""
    if not query.page_token:
        return None
    try:
        padded = query.page_token + "=" * (-len(query.page_token) % 4)
        at, task_id, filters = orjson.loads(base64.urlsafe_b64decode(padded))
        if not isinstance(at, int) or not 0 <= at < _MOST or not isinstance(task_id, str):
            raise ValueError("made up")
        if filters != _filters(caller, query):
            raise ValueError("of another query")
    except (ValueError, TypeError, binascii.Error):
        raise InvalidParams("the page token is none of this query's", field="pageToken") from None
    return at, task_id
