"""The policy of model calls, through the real SDK and sockets: each row is what an API does to its callers."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from agent.credentials import model_key
from agent.errors import Failure
from agent.model.ask import Ask, Declaration, OverBudget, Picture, ToolResult
from agent.model.breaker import FAILURES
from agent.model.chain import BACKOFF_S
from tests.gemini_server import (
    KEY,
    MODEL,
    Turn,
    after,
    answer,
    blocked,
    broken,
    calls,
    cut,
    fault,
    gateway,
    malformed_call,
    refusal,
    text,
    too_many,
    truncated,
    unavailable,
)

SCHEMA = {"type": "object", "properties": {"total": {"type": ["string", "null"]}}, "required": ["total"]}
GOOD = {"total": "1190.00"}
SPARE = "gemini-3.5-flash-lite"


def ask(words: str = "the document", **options: Any) -> Ask:
    usual = {"schema": SCHEMA, "max_output_tokens": 500, "subject": (words,)}
    return Ask("read@1", "Read.", ((words,),), **(usual | options))


async def failure(doing: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        await doing
    return caught.value


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.model.chain.BACKOFF_S", BACKOFF_S / 50)


async def test_an_answer_by_schema_is_data(bench: Any) -> None:
    b = await bench([answer(GOOD)])
    account = b.account()
    reply = await b.chain.ask(ask(), account)
    assert reply.data == GOOD
    assert account.usage.calls == 1
    sent = b.server.requests[0]
    assert sent.schema == SCHEMA
    assert sent.system == "Read."
    assert sent.text == "the document"
    assert sent.generation["maxOutputTokens"] == 500
    assert sent.tools == []


async def test_pictures_travel_as_jpeg(bench: Any) -> None:
    b = await bench([answer(GOOD)])
    await b.chain.ask(Ask("read@1", "Read.", (("page 1", Picture(b"\xff\xd8jpeg")),), 100, SCHEMA), b.account())
    assert [next(v for k, v in one.items() if k != "data") for one in b.server.requests[0].pictures] == ["image/jpeg"]


async def test_tool_calls_come_back_and_their_thought_signature_returns_with_the_result(bench: Any) -> None:
    b = await bench([calls(("list_available_pdfs", {}), ("search", {"query": "x"})), text("done")])
    tools = (Declaration("list_available_pdfs", "Lists.", {"type": "object", "properties": {}}),)
    first = await b.chain.ask(ask(schema=None, tools=tools), b.account())
    assert [call.name for call in first.calls] == ["list_available_pdfs", "search"]
    assert b.server.requests[0].tools == ["list_available_pdfs"]
    results = tuple(ToolResult(call, {"ok": True}) for call in first.calls)
    last = await b.chain.ask(Ask("plan@1", "s", (("q",), first.said, results), 100, tools=tools), b.account())
    assert last.text == "done"
    assert "thoughtSignature" in str(b.server.requests[1].body["contents"][1])
    assert [one["name"] for one in b.server.requests[1].results] == ["list_available_pdfs", "search"]


@pytest.mark.parametrize(
    "trouble",
    [too_many(0.01), unavailable(), gateway(), broken(), cut(), fault(500, "INTERNAL"), malformed_call(), text("{")],
    ids=["429", "503", "502 html", "broken json", "cut", "500", "malformed call", "no json"],
)
async def test_trouble_that_passes_is_tried_again(bench: Any, trouble: Turn) -> None:
    b = await bench([trouble, answer(GOOD)])
    assert (await b.chain.ask(ask(), b.account())).data == GOOD
    assert len(b.server.requests) == 2


async def test_an_attempt_has_its_own_time_and_another_follows(bench: Any) -> None:
    b = await bench([after(30, answer(GOOD)), answer(GOOD)], attempt_s=0.3)
    assert (await b.chain.ask(ask(), b.account())).data == GOOD
    assert b.counted("llm_requests_total", model=MODEL, outcome="timeout") == 1


@pytest.mark.parametrize(
    "hint", [too_many(0.4), fault(429, "RESOURCE_EXHAUSTED", header_s=0.4)], ids=["RetryInfo", "Retry-After"]
)
async def test_a_429_waits_as_long_as_the_server_asks(bench: Any, hint: Turn) -> None:
    b = await bench([hint, answer(GOOD)])
    loop = asyncio.get_running_loop()
    began = loop.time()
    await b.chain.ask(ask(), b.account())
    assert loop.time() - began >= 0.4


async def test_a_hint_beyond_the_total_time_goes_to_the_next_model(bench: Any) -> None:
    b = await bench(
        lambda seen: too_many(3600) if seen.model == MODEL else answer(GOOD), models=(MODEL, SPARE), total_s=2
    )
    assert (await b.chain.ask(ask(), b.account())).model == SPARE
    assert [one.model for one in b.server.requests] == [MODEL, SPARE]


async def test_a_missing_model_is_replaced_at_once(bench: Any) -> None:
    b = await bench(lambda _: answer(GOOD), models=(MODEL, SPARE), served=(SPARE,))
    assert (await b.chain.ask(ask(), b.account())).model == SPARE


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_not_tried_again_nor_with_other_models(bench: Any, status: int) -> None:
    b = await bench(lambda _: fault(status, "DENIED"), models=(MODEL, SPARE))
    assert (await failure(b.chain.ask(ask(), b.account()))).code == "model_unavailable"
    assert len(b.server.requests) == 1
    assert not b.chain.check().ok


async def test_an_invalid_key_is_a_400_and_told_by_readiness(bench: Any) -> None:
    b = await bench(lambda _: answer(GOOD), keys=("another",))
    refused = await failure(b.chain.ask(ask(), b.account()))
    assert refused.code == "model_unavailable"
    assert not refused.retryable
    assert "key" in b.chain.check().detail
    assert KEY not in str(b.chain.check()) + refused.message


async def test_a_request_the_api_rejects_is_not_repeated(bench: Any) -> None:
    b = await bench(lambda _: fault(400, "INVALID_ARGUMENT"), models=(MODEL, SPARE))
    await failure(b.chain.ask(ask(), b.account()))
    assert len(b.server.requests) == 1


@pytest.mark.parametrize(
    ("turn", "code"),
    [
        (refusal("SAFETY"), "model_refused"),
        (refusal("RECITATION"), "model_refused"),
        (refusal("PROHIBITED_CONTENT"), "model_refused"),
        (blocked(), "model_refused"),
        (truncated(), "model_truncated"),
        (truncated('{"total": "1190.00"}'), "model_truncated"),
    ],
)
async def test_what_the_sdk_passes_over_in_silence_is_a_failure_and_paid(bench: Any, turn: Turn, code: str) -> None:
    b = await bench([turn])
    account = b.account()
    assert (await failure(b.chain.ask(ask(), account))).code == code
    assert len(b.server.requests) == 1
    assert account.usage.tokens.total > 0


async def test_a_malformed_answer_is_tried_twice_at_most(bench: Any) -> None:
    b = await bench(lambda _: malformed_call())
    await failure(b.chain.ask(ask(), b.account()))
    assert len(b.server.requests) == 2


async def test_an_unreachable_model_opens_the_breaker_and_then_costs_nothing(bench: Any) -> None:
    b = await bench([], base_url="http://127.0.0.1:9")
    while b.chain.check().detail["models"][MODEL] == "closed":
        await failure(b.chain.ask(ask(), b.account()))
    tried = b.counted("llm_requests_total", model=MODEL, outcome="unreachable")
    assert tried >= FAILURES
    refused = await failure(b.chain.ask(ask(), b.account()))
    assert refused.retryable
    assert b.counted("llm_requests_total", model=MODEL, outcome="unreachable") == tried
    assert not b.chain.check().ok


async def test_an_open_breaker_sends_calls_to_the_next_model(bench: Any) -> None:
    b = await bench(lambda seen: unavailable() if seen.model == MODEL else answer(GOOD), models=(MODEL, SPARE))
    for number in range(4):
        assert (await b.chain.ask(ask(f"document {number}"), b.account())).model == SPARE
    assert sum(one.model == MODEL for one in b.server.requests) == FAILURES
    assert b.chain.check().ok  # one of the two answers


async def test_the_same_question_is_paid_once_and_not_across_callers(bench: Any) -> None:
    b = await bench(lambda _: answer(GOOD))
    first, again, other = b.account(), b.account(task="task-2"), b.account(caller="somebody else")
    for account in (first, again, other):
        assert (await b.chain.ask(ask(), account)).data == GOOD
    assert len(b.server.requests) == 2
    assert again.usage.tokens.total == 0
    assert again.usage.cached_calls == 1


async def test_the_same_question_at_the_same_time_is_asked_once(bench: Any) -> None:
    b = await bench(lambda _: after(0.2, answer(GOOD)))
    replies = await asyncio.gather(*(b.chain.ask(ask(), b.account(task=f"t{n}")) for n in range(20)))
    assert [reply.data for reply in replies] == [GOOD] * 20
    assert len(b.server.requests) == 1


@pytest.mark.parametrize("changed", [{"max_output_tokens": 501}, {"schema": {"type": "object"}}])
async def test_other_options_are_another_question(bench: Any, changed: dict[str, Any]) -> None:
    b = await bench(lambda _: answer(GOOD))
    await b.chain.ask(ask(), b.account())
    await b.chain.ask(ask(**changed), b.account())
    assert len(b.server.requests) == 2


async def test_incomplete_and_private_answers_are_never_kept(bench: Any) -> None:
    b = await bench([truncated(), answer(GOOD), answer(GOOD)])
    await failure(b.chain.ask(ask(), b.account()))
    for _ in range(2):
        await b.chain.ask(ask(subject=()), b.account())
    assert len(b.server.requests) == 3


async def test_an_answer_survives_the_process_until_the_task_ends(bench: Any, tmp_path: Path) -> None:
    first = await bench([answer(GOOD)], kept=tmp_path / "answers")
    await first.chain.ask(ask(lasting=True), first.account())
    second = await bench([], kept=tmp_path / "answers")  # a new process: empty cache, and a server that has no answer
    account = second.account()
    assert (await second.chain.ask(ask(lasting=True), account)).data == GOOD
    assert account.usage.tokens.total == 0
    await second.chain.forget("task-1")
    assert not list((tmp_path / "answers").iterdir())


async def test_a_budget_refuses_before_anything_is_sent(bench: Any) -> None:
    b = await bench(lambda _: answer(GOOD))
    assert (await failure(b.chain.ask(ask(), b.account(budget=400)))).code == "budget_exceeded"
    b.daily.limit = 400
    with pytest.raises(OverBudget, match="day"):
        await b.chain.ask(ask(), b.account())
    assert b.server.requests == []


async def test_calls_under_way_count_against_the_budget_and_give_back_what_they_did_not_use(bench: Any) -> None:
    b = await bench(lambda _: after(0.05, answer(GOOD)))
    account = b.account(budget=1_200)  # room for two answers of 500 at a time
    await asyncio.gather(*(b.chain.ask(ask(f"document {n}"), account) for n in range(4)))
    assert len(b.server.requests) == 4
    assert b.server.most_in_flight <= 2


async def test_tokens_and_money_are_counted_by_task_and_metric(bench: Any) -> None:
    b = await bench([answer(GOOD)])
    account = b.account()
    await b.chain.ask(ask(), account)
    used = account.usage.tokens
    assert b.counted("llm_tokens_total", model=MODEL, kind="input") == used.input
    assert b.counted("llm_tokens_total", model=MODEL, kind="output") == used.output
    assert b.counted("llm_cost_usd_total", model=MODEL) == pytest.approx(float(account.usage.cost))


async def test_a_model_without_a_price_has_an_unknown_cost(bench: Any) -> None:
    b = await bench([answer(GOOD)], models=("somebody-elses-model",))
    account = b.account()
    before = account.usage
    await b.chain.ask(ask(), account)
    assert account.usage.since(before)["cost_usd"] is None


async def test_a_cancelled_task_stops_its_call(bench: Any) -> None:
    b = await bench([after(30, answer(GOOD))], attempt_s=60)
    account = b.account()
    call = asyncio.create_task(b.chain.ask(ask(), account))
    await b.server.seen(1)
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call
    await b.server.dropped()
    await account.hold(200_000)  # nothing is set aside any more


async def test_a_rotated_key_is_used_without_a_restart(bench: Any, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("AIzaOldKey")
    key = model_key(value=None, file=file, aws_secret_id=None, mounted=tmp_path / "none")
    b = await bench(lambda _: answer(GOOD), key=key, keys=("AIzaOldKey", "AIzaNewKey"))
    await b.chain.ask(ask("first"), b.account())
    file.write_text("AIzaNewKey")
    key._sources[0]._look_at = 0.0  # a second has passed
    await b.chain.ask(ask("second"), b.account())
    assert [one.headers["x-goog-api-key"] for one in b.server.requests] == ["AIzaOldKey", "AIzaNewKey"]


async def test_the_trace_tells_steps_without_text_unless_asked(bench: Any) -> None:
    b = await bench([answer(GOOD), answer(GOOD)])
    silent, telling = b.account(), b.account(text=True, caller="other")
    for account in (silent, telling):
        await b.chain.ask(ask("a secret word"), account)
    (step,) = silent.trace.record()["steps"]
    assert step["prompt"] == "read@1"
    assert step["model"] == MODEL
    assert step["attempts"] == 1
    assert step["input_tokens"] > 0
    assert "secret" not in str(silent.trace.record())
    assert "a secret word" in telling.trace.record()["steps"][0]["text"]
    assert KEY not in str(telling.trace.record())


async def test_readiness_learns_from_a_look_that_costs_nothing(bench: Any) -> None:
    b = await bench([])
    assert not b.chain.check().ok
    await b.chain.look()
    assert b.chain.check().ok
    assert b.server.requests == []


async def test_a_storm_of_429s_loses_no_call_and_is_met_with_a_slower_pace(bench: Any) -> None:
    storm = iter(range(10_000))

    def script(_: Any) -> Turn:
        return too_many(0.05) if next(storm) < 20 else answer(GOOD)

    b = await bench(script)
    asked = [b.chain.ask(ask(f"document {n}"), b.account(task=f"t{n}")) for n in range(10)]
    replies = await asyncio.gather(*asked)
    assert [reply.data for reply in replies] == [GOOD] * 10
    assert b.counted("llm_requests_total", model=MODEL, outcome="limited") == 20
