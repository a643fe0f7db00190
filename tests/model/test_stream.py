"""The scripted server's streams, read by the real SDK: what a stand-in spells wrongly proves nothing."""

from __future__ import annotations

import json

import aiohttp
import pytest
from google.genai import Client, errors, types

from tests.gemini_server import KEY, MODEL, answer, gemini_server, text, too_many


def client(url: str, session: aiohttp.ClientSession) -> Client:
    retry = types.HttpRetryOptions(attempts=1)
    options = types.HttpOptions(base_url=url, retry_options=retry, aiohttp_client=session)
    return Client(api_key=KEY, http_options=options)


async def test_a_streamed_turn_comes_in_parts_with_its_end_and_its_tokens() -> None:
    async with gemini_server([text("Filed by the clerk.")]) as server, aiohttp.ClientSession() as session:
        stream = await client(server.url, session).aio.models.generate_content_stream(model=MODEL, contents="Who?")
        parts = [part async for part in stream]
    assert [part.text for part in parts] == ["Filed by ", "the clerk."]
    last = parts[-1].model_dump()
    assert last["candidates"][0]["finish_reason"] is types.FinishReason.STOP
    assert last["usage_metadata"]["total_token_count"] > 0
    assert server.requests[0].verb == "streamGenerateContent"


async def test_a_streamed_answer_by_schema_is_whole_when_its_parts_are_joined() -> None:
    async with gemini_server([answer({"total": "1190.00"})]) as server, aiohttp.ClientSession() as session:
        stream = await client(server.url, session).aio.models.generate_content_stream(model=MODEL, contents="?")
        words = "".join([part.text or "" async for part in stream])
    assert json.loads(words) == {"total": "1190.00"}


async def test_a_refused_stream_is_the_same_error_as_a_refused_answer() -> None:
    async with gemini_server([too_many(3)]) as server, aiohttp.ClientSession() as session:
        stream = await client(server.url, session).aio.models.generate_content_stream(model=MODEL, contents="?")
        with pytest.raises(errors.ClientError) as raised:
            await anext(stream)
    assert raised.value.code == 429
