"""A file by URL: dialled under guard, without redirects, into its caller's uploads; the limit holds as it streams."""

from __future__ import annotations

import aiohttp

from agent import guard
from agent.caller import Caller
from agent.errors import Failure
from agent.tasks.uploads import Upload, Uploads

_CHUNK_BYTES = 65_536


class Fetcher:
    """Open it with `guard.session(private=…, timeout_s=…)` of the same `private`."""

    def __init__(self, http: aiohttp.ClientSession, uploads: Uploads, *, private: bool) -> None:
        self._http = http
        self._uploads = uploads
        self._private = private

    async def fetch(self, caller: Caller, url: str, *, filename: str | None = None) -> Upload:
        """Raises InvalidParams, TooLarge, or Failure `not_found` / `timeout` without telling what answers inside."""
        guard.check_url(url, private=self._private, field="message.parts.url")
        try:
            async with self._http.get(url, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise Failure("not_found", f"the file's address answered with status {answer.status}")
                chunks = answer.content.iter_chunked(_CHUNK_BYTES)
                return await self._uploads.put(caller, chunks, filename=filename)
        except TimeoutError:
            raise Failure("timeout", "the file's address did not answer in time", retryable=True) from None
        except (aiohttp.ClientError, ValueError):
            raise Failure("not_found", "the file could not be fetched from its address", retryable=True) from None
