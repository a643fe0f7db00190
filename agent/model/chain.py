"""The models in the order they are preferred, asked under one policy: every limit of a call is kept here.

cache > budgets > breaker > rate limit > places at once > one attempt > retry, or the next model.

One retry policy for all: what another try may mend is tried again after the server's own hint, else after a random
time that doubles, for as long as the call's total time lasts (waiting for one's turn under the rate limit does not
count). What another model may do better goes to the next model; what none can do ends the call.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agent.errors import ConfigError
from agent.model.account import Account
from agent.model.answers import Answers, key_of
from agent.model.ask import Ask, ModelUnavailable, OverBudget, Reply, Tokens
from agent.model.breaker import Breaker
from agent.model.gemini import AttemptFailed, Gemini, Paid
from agent.model.limiter import Limiter
from agent.model.prices import Prices
from agent.telemetry.health import Check
from agent.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

TRIES = 3  # of one ask at one model, besides those that a 429 sent back
MALFORMED_TRIES = 2
BACKOFF_S = 0.5
BACKOFF_CAP_S = 20.0
PROBE_S = 5.0


@dataclass(frozen=True, slots=True)
class Policy:
    """`attempt_s` is one attempt's time, `total_s` that of a call with its retries at one model."""

    models: Sequence[str]
    attempt_s: float = 30.0
    total_s: float = 120.0
    at_once: int = 64


@dataclass
class _Standing:
    """What is known of one model."""

    breaker: Breaker = field(default_factory=Breaker)
    answered_at: float | None = None
    last_fault: str | None = None


class ModelChain:
    """Asks the first model that can answer."""

    def __init__(
        self, gemini: Gemini, policy: Policy, *, limiter: Limiter, prices: Prices, answers: Answers, metrics: Metrics
    ) -> None:
        self._gemini = gemini
        self._policy = policy
        self._limiter = limiter
        self._prices = prices
        self._answers = answers
        self._metrics = metrics
        self._standings = {model: _Standing() for model in policy.models}
        self._places = asyncio.Semaphore(policy.at_once)
        self._key_fault: str | None = None

    async def ask(self, ask: Ask, account: Account) -> Reply:
        """A complete reply. Raises ModelUnavailable, ModelRefused, ModelTruncated, OverBudget."""
        began = time.monotonic()
        facts: dict[str, Any] = {"prompt": ask.prompt, "attempts": 0}
        try:
            reply, reused = await self._answered(ask, account, facts)
        except (Paid, AttemptFailed, ModelUnavailable, OverBudget) as fault:
            self._note(ask, account, facts, began, outcome=_outcome(fault))
            if isinstance(fault, Paid):
                raise fault.fault from fault
            if isinstance(fault, AttemptFailed):
                raise ModelUnavailable(f"No model answered: {fault.words}.", retryable=not fault.everywhere) from fault
            raise
        if reused:
            account.reused(reply.model)
        self._note(ask, account, facts, began, outcome="ok", reused=reused, reply=reply)
        return reply

    async def _answered(self, ask: Ask, account: Account, facts: dict[str, Any]) -> tuple[Reply, bool]:
        if not ask.subject or ask.schema is None:
            return await self._paid(ask, account, facts), False
        key = key_of(account.caller, self._policy.models[0], ask)
        make = partial(self._paid, ask, account, facts)
        return await self._answers.once(account.task_id, key, make, lasting=ask.lasting)

    async def _paid(self, ask: Ask, account: Account, facts: dict[str, Any]) -> Reply:
        """From the first model that is well; raises the last one's fault."""
        last: Exception = ModelUnavailable("No model answered: their breakers are open.")
        for model in self._policy.models:
            try:
                return await self._insisted(model, ask, account, facts)
            except AttemptFailed as fault:
                log.warning("model.failed", extra={"model": model, "cause": fault.words, "prompt": ask.prompt})
                last = fault
                if fault.everywhere:
                    break
        raise last

    async def _insisted(self, model: str, ask: Ask, account: Account, facts: dict[str, Any]) -> Reply:
        """One model, tried until it answers, its time is up, or trying makes no sense."""
        left_s, tries, malformed = self._policy.total_s, 0, 0
        while True:
            try:
                return await self._attempt(model, ask, account, facts)
            except AttemptFailed as fault:
                tries += fault.outcome != "limited"
                malformed += fault.outcome == "malformed"
                left_s -= fault.seconds
                pause_s = _pause(fault, tries)
                given_up = tries >= TRIES or malformed >= MALFORMED_TRIES or pause_s > left_s
                if not fault.retry or given_up:
                    raise
                left_s -= pause_s
                if fault.outcome != "limited":  # a 429's pause is the limiter's, for all calls
                    await asyncio.sleep(pause_s)

    async def _attempt(self, model: str, ask: Ask, account: Account, facts: dict[str, Any]) -> Reply:
        standing = self._standings[model]
        expected = ask.input_tokens
        held = expected + ask.max_output_tokens
        if standing.breaker.state == "open":
            raise AttemptFailed("breaker", f"{model} is left alone after failures")
        await account.hold(held)
        used = Tokens()
        try:
            await self._limiter.admit(model, expected)
            async with self._places:
                reply = await self._judged(model, standing, ask, facts)
            used = reply.tokens
        except (Paid, AttemptFailed) as fault:
            used = fault.tokens
            raise
        finally:
            await asyncio.shield(self._settled(account, held, model, used))
        return reply

    async def _settled(self, account: Account, held: int, model: str, used: Tokens) -> None:
        """Counts what was used, also of a call that was cancelled."""
        cost = await account.settle(held, model, used)
        for kind, count in (("input", used.input), ("output", used.output)):
            if count:
                self._metrics.llm_tokens_total.labels(model, kind).inc(count)
        if cost:
            self._metrics.llm_cost_usd_total.labels(model).inc(float(cost))

    async def _judged(self, model: str, standing: _Standing, ask: Ask, facts: dict[str, Any]) -> Reply:
        """One attempt, and what it tells of the model."""
        if not standing.breaker.admit():
            raise AttemptFailed("breaker", f"{model} is left alone after failures")
        price = self._prices.of(model)
        outcome, began = "cancelled", time.monotonic()
        facts["attempts"] += 1
        try:
            reply = await self._gemini.attempt(
                model, ask, timeout_s=self._policy.attempt_s, thinking=price.thinking if price else None
            )
            outcome = "ok"
        except Paid as fault:
            outcome = _outcome(fault)
            raise
        except AttemptFailed as fault:
            outcome, fault.seconds = fault.outcome, time.monotonic() - began
            await self._learn(model, standing, fault)
            raise
        finally:
            if outcome in ("ok", "model_refused", "model_truncated"):
                self._well(model, standing)
            else:
                standing.breaker.left()
            self._metrics.llm_requests_total.labels(model, outcome.removeprefix("model_")).inc()
        return reply

    def _well(self, model: str, standing: _Standing) -> None:
        standing.breaker.succeeded()
        standing.answered_at, standing.last_fault, self._key_fault = time.monotonic(), None, None
        self._limiter.passed(model)

    async def _learn(self, model: str, standing: _Standing, fault: AttemptFailed) -> None:
        if fault.outcome == "key":
            self._key_fault = fault.words
        if fault.sick:
            standing.last_fault = fault.words
            standing.breaker.failed()
        if fault.outcome == "limited":
            await self._limiter.limited(model, fault.after_s)

    def _note(
        self, ask: Ask, account: Account, facts: dict[str, Any], began: float, *, outcome: str,
        reused: bool = False, reply: Reply | None = None,
    ) -> None:  # fmt: skip
        tokens = reply.tokens if reply and not reused else Tokens()
        told = {"model": reply.model if reply else None, "outcome": outcome, "from_cache": reused, **facts}
        told |= {"seconds": round(time.monotonic() - began, 3)}
        told |= {"input_tokens": tokens.input, "output_tokens": tokens.output}
        text = None
        if account.trace.with_text:
            sent = [piece for piece in ask.pieces if isinstance(piece, str)]
            text = "\n\n".join([*sent, str((reply.data or reply.text) if reply else "")])
        account.trace.step("model", text=text, **told)

    async def forget(self, task_id: str) -> None:
        """The task has ended: what was kept for a second attempt goes."""
        await self._answers.forget(task_id)

    async def watch(self, every_s: float) -> None:
        """Looks now and then whether the first model is there, for as long as it runs."""
        while True:
            await self.look()
            await asyncio.sleep(every_s)

    async def look(self) -> None:
        """Whether the first model is there, by a request that costs nothing. Without a key nothing is asked."""
        model = self._policy.models[0]
        standing = self._standings[model]
        try:
            if not await self._gemini.ready():
                self._key_fault = "there is no key"
                return
            await self._gemini.probe(model, timeout_s=PROBE_S)
        except AttemptFailed as fault:
            await self._learn(model, standing, fault)
        except ConfigError as fault:
            self._key_fault = str(fault)
        else:
            standing.answered_at, standing.last_fault, self._key_fault = time.monotonic(), None, None

    def check(self) -> Check:
        """For readiness: whether some model may be asked now, from what is known already."""
        states = {model: standing.breaker.state for model, standing in self._standings.items()}
        answered = [s.answered_at for s in self._standings.values() if s.answered_at is not None]
        age_s = time.monotonic() - max(answered) if answered else None
        faults = {model: s.last_fault for model, s in self._standings.items() if s.last_fault}
        answers = any(s.answered_at is not None and s.last_fault is None for s in self._standings.values())
        detail: dict[str, object] = {"models": states, "faults": faults, "requests_per_minute": self._limiter.report()}
        if self._key_fault is not None:
            detail["key"] = self._key_fault
        return Check(answers and self._key_fault is None, age_s, detail)


def _pause(fault: AttemptFailed, tries: int) -> float:
    if fault.after_s is not None:
        return fault.after_s
    ceiling_s: float = min(BACKOFF_CAP_S, BACKOFF_S * 2 ** min(tries, 10))
    return random.uniform(0.1, 1) * ceiling_s  # noqa: S311  # jitter, no secret


def _outcome(fault: Exception) -> str:
    if isinstance(fault, Paid):
        return str(fault.fault.code)
    return fault.outcome if isinstance(fault, AttemptFailed) else str(getattr(fault, "code", "internal"))
