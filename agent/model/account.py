"""Who pays for a call: the budget of the task, that of its caller's day, and what was used, by model."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agent.model.ask import NOTHING, OverBudget, Tokens
from agent.model.prices import Prices
from agent.model.spending import Daily
from agent.model.trace import Trace


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls have used; a copy made before shows by difference what one document took."""

    calls: int = 0
    cached_calls: int = 0
    tokens: Tokens = NOTHING
    cost: Decimal | None = Decimal(0)
    model: str | None = None

    def since(self, before: Usage) -> dict[str, Any]:
        """The part of a result's `usage` that the model takes. An unknown price gives null, not 0."""
        cost = None if self.cost is None or before.cost is None else self.cost - before.cost
        return {
            "model": self.model if self.calls + self.cached_calls > before.calls + before.cached_calls else None,
            "model_calls": self.calls - before.calls,
            "cached_calls": self.cached_calls - before.cached_calls,
            "input_tokens": self.tokens.input - before.tokens.input,
            "output_tokens": self.tokens.output - before.tokens.output,
            "cost_usd": None if cost is None else f"{cost:f}",
        }


class Account:
    """The means of one task. Tokens are set aside before a call and settled after it."""

    def __init__(
        self, caller: str, task_id: str, *, budget: int, daily: Daily, prices: Prices, trace: Trace | None = None
    ) -> None:
        self.caller = caller
        self.task_id = task_id
        self.trace = trace or Trace()
        self.usage = Usage()
        self._budget = budget
        self._daily = daily
        self._prices = prices
        self._spent = 0
        self._held = 0
        self._changed = asyncio.Condition()

    async def hold(self, tokens: int) -> None:
        """Sets tokens aside. Waits for calls under way when they hold what is missing. Raises OverBudget."""
        async with self._changed:
            while self._spent + self._held + tokens > self._budget:
                if self._spent + tokens > self._budget or not self._held:
                    raise OverBudget("task's budget", self._budget)
                await self._changed.wait()
            self._held += tokens
        taken = False
        try:
            taken = await self._daily.take(self.caller, tokens)
        finally:
            if not taken:
                await self._release(tokens, 0)
        if not taken:
            raise OverBudget("caller's budget of the day", self._daily.limit)

    async def settle(self, held: int, model: str, tokens: Tokens) -> Decimal | None:
        """What a call used of what was set aside; its cost."""
        await self._daily.settle(self.caller, held, tokens.total)
        await self._release(held, tokens.total)
        if not tokens.total:
            return Decimal(0)
        cost = self._prices.cost(model, tokens)
        known = self.usage
        total = None if cost is None or known.cost is None else known.cost + cost
        self.usage = Usage(known.calls + 1, known.cached_calls, known.tokens + tokens, total, model)
        return cost

    def reused(self, model: str) -> None:
        """An answer came from the cache, for nothing."""
        known = self.usage
        self.usage = Usage(known.calls, known.cached_calls + 1, known.tokens, known.cost, model)

    async def _release(self, held: int, used: int) -> None:
        async with self._changed:
            self._held -= held
            self._spent += used
            self._changed.notify_all()
