"""Requests and tokens a minute, per model, kept by every call of the process and narrowed by each 429.

Each limit is a line in which a call takes the next place (the generic cell rate algorithm: one number, the time at
which the line is empty). `Places` holds these numbers: in memory here; processes may share theirs elsewhere.
After a 429 the rate is cut, once for all calls that were under way, and everybody waits as long as the server asks;
every success gives a thirtieth of the full rate back (additive increase, multiplicative decrease, as in TCP).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

BURST_S = 2.0  # so much of a minute's places may be taken at once
PAUSE_S = 1.0  # after a 429 without a hint
SETTLE_S = 2.0  # 429s that come so close together are one
LEAST_RATE = 1 / 30  # a call in half a minute: slower is not limited but out of order
CUT = 0.7
GAIN = 1 / 30  # of the full rate, for each success
WINDOW_S = 10.0


class Places(Protocol):
    """The lines. In memory (`OwnPlaces`), or shared between processes."""

    async def take(self, line: str, cost_s: float, burst_s: float) -> float:
        """Takes a place that lasts `cost_s`; the seconds until it is one's turn, 0 when that is now."""

    async def hold(self, line: str, until_s: float) -> None:
        """Nobody's turn comes within the next `until_s` seconds."""


class OwnPlaces:
    """The lines of one process."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free_at: dict[str, float] = {}
        self._held_until: dict[str, float] = {}

    async def take(self, line: str, cost_s: float, burst_s: float) -> float:
        now, held = self._clock(), self._held_until.get(line, 0.0)
        self._free_at[line] = free_at = max(self._free_at.get(line, 0.0), now, held) + cost_s
        return max(0.0, free_at - burst_s - now, held - now)

    async def hold(self, line: str, until_s: float) -> None:
        self._held_until[line] = max(self._held_until.get(line, 0.0), self._clock() + until_s)


@dataclass
class _Pace:
    """How fast a model may be called now; None is as fast as one likes."""

    most: float | None  # requests a second, as configured
    rate: float | None
    full: float = 0.0  # the rate that a success gives a part of back: as configured, or as it was at the first cut
    cut_at: float = -1e9
    held_until: float = 0.0
    lately: deque[float] = field(default_factory=lambda: deque(maxlen=512))

    def observed(self, now: float) -> float:
        """Requests a second in the last ten seconds, or in the time since the first of them (one second at least)."""
        recent = [at for at in self.lately if at > now - WINDOW_S]
        return max(LEAST_RATE, len(recent) / max(1.0, now - recent[0])) if recent else LEAST_RATE


class Limiter:
    """Lets calls go at the pace each model bears. `rpm` and `tpm` None: only what 429s have taught."""

    def __init__(
        self,
        *,
        rpm: int | None = None,
        tpm: int | None = None,
        places: Places | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rpm / 60 if rpm else None
        self._tpm = tpm
        self._places = places or OwnPlaces(clock=clock)
        self._clock = clock
        self._paces: dict[str, _Pace] = {}

    async def admit(self, model: str, tokens: int) -> None:
        """Returns when a call of so many tokens may go."""
        pace = self._pace(model)
        while True:
            waits = []
            if pace.rate is not None:
                waits.append(await self._places.take(f"{model}:requests", 1 / pace.rate, max(BURST_S, 1 / pace.rate)))
            if self._tpm is not None:
                cost_s = min(tokens, self._tpm) * 60 / self._tpm
                waits.append(await self._places.take(f"{model}:tokens", cost_s, max(BURST_S, cost_s)))
            await asyncio.sleep(max(waits, default=0.0))
            if pace.held_until <= self._clock():
                break
            await asyncio.sleep(pace.held_until - self._clock())  # a 429 came meanwhile: a new place, after the pause
            if pace.rate is None and self._tpm is None:
                break
        pace.lately.append(self._clock())

    async def limited(self, model: str, after_s: float | None) -> None:
        """A 429 came: slower from now on, and a pause."""
        pace, now = self._pace(model), self._clock()
        pause_s = PAUSE_S if after_s is None else after_s
        pace.held_until = max(pace.held_until, now + pause_s)
        await self._places.hold(f"{model}:requests", pause_s)
        if now - pace.cut_at > SETTLE_S:
            before = pace.rate or pace.observed(now)
            pace.full = pace.most or max(pace.full, before)
            pace.rate = max(LEAST_RATE, before * CUT)
            pace.cut_at = now

    def passed(self, model: str) -> None:
        """A call went well: a little faster, up to what is configured; without a limit, until ten times what broke."""
        pace = self._pace(model)
        if pace.rate is None or pace.rate == pace.most:
            return
        pace.rate += GAIN * pace.full
        if pace.most is not None:
            pace.rate = min(pace.rate, pace.most)
        elif pace.rate > 10 * pace.observed(self._clock()):
            pace.rate, pace.full = None, 0.0  # far above what is asked for: it limits nothing any more

    def report(self) -> dict[str, float | None]:
        """Requests a minute that each model is held to now."""
        return {model: p.rate and round(p.rate * 60, 1) for model, p in self._paces.items()}

    def _pace(self, model: str) -> _Pace:
        return self._paces.setdefault(model, _Pace(self._rate, self._rate))
