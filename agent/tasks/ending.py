"""Ends an asyncio task for certain."""

from __future__ import annotations

import asyncio
from typing import Any

_PAUSES_S = (0.01, 0.5)


async def end(task: asyncio.Task[Any]) -> None:
    """Cancels the task until it has ended, however.

    Before Python 3.12 `asyncio.wait_for` loses a cancellation that comes while its inner task ends (python/cpython
    #86296), and the Redis client sends every command under one.
    """
    pause_s, longest_s = _PAUSES_S
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=pause_s)
        pause_s = min(2 * pause_s, longest_s)
    if not task.cancelled():
        task.exception()  # looked at: what it was is told where it happened
