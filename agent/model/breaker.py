"""A circuit breaker: after failures in a row a model is left alone for a while, then tried by one call."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
PAUSE_S = 5.0
PAUSE_CAP_S = 120.0


class Breaker:
    """closed: calls pass · open: none do · half-open: the time is up and one call finds out."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._pauses = 0
        self._until = 0.0
        self._trying = False

    @property
    def state(self) -> str:
        if self._failures < FAILURES:
            return "closed"
        return "open" if self._clock() < self._until else "half_open"

    def admit(self) -> bool:
        """Whether a call may go; `succeeded`, `failed` or `left` must follow."""
        if self.state == "closed":
            return True
        if self.state == "open" or self._trying:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        self._failures = self._pauses = 0
        self._trying = False

    def failed(self) -> None:
        self._failures += 1
        self._trying = False
        if self._failures >= FAILURES:
            self._until = self._clock() + min(PAUSE_S * 2 ** min(self._pauses, 10), PAUSE_CAP_S)
            self._pauses += 1

    def left(self) -> None:
        """The call ended without telling anything about the model."""
        self._trying = False
