"""`send`: a small A2A client for any agent, 1.0 or 0.3 over JSON-RPC."""

from __future__ import annotations

import argparse
import asyncio
import base64
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
import orjson

CARD_PATHS = (".well-known/agent-card.json", ".well-known/agent.json")


class SendError(Exception):
    """The agent could not be asked, or refused; the words are for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Where an agent listens and which version it speaks there."""

    url: str
    modern: bool  # 1.0; otherwise 0.3


def send(options: argparse.Namespace) -> int:
    """Prints the answer as JSON (with --stream one event a line); 1 when the agent refused or the task failed."""
    try:
        return asyncio.run(_send(options))
    except (SendError, aiohttp.ClientError, TimeoutError, OSError) as exc:
        print(f"extraction-agent: {exc or type(exc).__name__}", file=sys.stderr)
        return 1


async def _send(options: argparse.Namespace) -> int:
    headers = {"Content-Type": "application/json"}
    if options.key_file:
        headers["Authorization"] = "Bearer " + options.key_file.read_text(encoding="utf-8").strip()
    async with aiohttp.ClientSession(
        headers=headers, timeout=aiohttp.ClientTimeout(total=None, sock_connect=10)
    ) as http:
        peer = await _peer(http, options.url)
        call = _call(peer, options)
        state = None
        if options.stream:
            async for event in _events(http, peer, call):
                print(orjson.dumps(event).decode(), flush=True)
                state = _state(event) or state
        else:
            result = await _result(http, peer, call)
            print(orjson.dumps(result, option=orjson.OPT_INDENT_2).decode())
            state = _state(result)
    return 1 if state in ("failed", "canceled", "rejected") else 0


async def _peer(http: aiohttp.ClientSession, url: str) -> Peer:
    base = url if url.endswith("/") else url + "/"
    for path in CARD_PATHS:
        async with http.get(urljoin(base, path)) as answer:
            if answer.status != 200:
                continue
            card = orjson.loads(await answer.read())
        for offer in card.get("supportedInterfaces", ()):
            if offer.get("protocolBinding") == "JSONRPC" and str(offer.get("protocolVersion", "")).startswith("1."):
                return Peer(offer["url"], modern=True)
        if "url" in card:
            return Peer(card["url"], modern=False)
    raise SendError(f"no agent card with a JSON-RPC interface at {url}")


def _call(peer: Peer, options: argparse.Namespace) -> dict[str, Any]:
    parts = [{"text": options.text} if peer.modern else {"kind": "text", "text": options.text}]
    parts += [_file_part(peer, path) for path in options.file]
    message: dict[str, Any] = {"messageId": str(uuid.uuid4()), "parts": parts}
    message |= {"role": "ROLE_USER"} if peer.modern else {"role": "user", "kind": "message"}
    if options.task:
        message["taskId"] = options.task
    names = ("SendMessage", "SendStreamingMessage") if peer.modern else ("message/send", "message/stream")
    params: dict[str, Any] = {"message": message}
    if not peer.modern:
        params["configuration"] = {"blocking": True, "acceptedOutputModes": ["application/json", "text/plain"]}
    return {"jsonrpc": "2.0", "id": 1, "method": names[bool(options.stream)], "params": params}


def _file_part(peer: Peer, path: Path) -> dict[str, Any]:
    content = base64.b64encode(path.read_bytes()).decode()
    kind = "application/pdf" if path.suffix.casefold() == ".pdf" else "application/octet-stream"
    if peer.modern:
        return {"raw": content, "filename": path.name, "mediaType": kind}
    return {"kind": "file", "file": {"bytes": content, "name": path.name, "mimeType": kind}}


def _headers(peer: Peer) -> dict[str, str]:
    return {"A2A-Version": "1.0" if peer.modern else "0.3"}


async def _result(http: aiohttp.ClientSession, peer: Peer, call: dict[str, Any]) -> Any:
    async with http.post(peer.url, data=orjson.dumps(call), headers=_headers(peer)) as answer:
        return _unwrap(await answer.read(), answer.status)


async def _events(http: aiohttp.ClientSession, peer: Peer, call: dict[str, Any]) -> AsyncIterator[Any]:
    headers = _headers(peer) | {"Accept": "text/event-stream"}
    async with http.post(peer.url, data=orjson.dumps(call), headers=headers) as answer:
        if answer.content_type != "text/event-stream":
            yield _unwrap(await answer.read(), answer.status)
            return
        data: list[bytes] = []
        async for raw in answer.content:  # an event is its `data:` lines up to a blank one
            line = raw.rstrip(b"\r\n")
            if line.startswith(b"data:"):
                data.append(line[5:].lstrip())
            elif not line and data:
                yield _unwrap(b"\n".join(data), 200)
                data = []


def _unwrap(body: bytes, status: int) -> Any:
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SendError(f"the agent answered {status} with no JSON") from None
    if error := envelope.get("error"):
        raise SendError(f"{error.get('message')} ({error.get('code')})")
    if "result" not in envelope:
        raise SendError(f"the agent answered {status}: {envelope.get('message') or envelope.get('code')}")
    return envelope["result"]


def _state(result: Any) -> str | None:
    """The state named in a task or status event of either version, in the 0.3 spelling."""
    if not isinstance(result, dict):
        return None
    inner = result.get("task") or result.get("statusUpdate") or result
    state = (inner.get("status") or {}).get("state", "")
    return state.removeprefix("TASK_STATE_").lower().replace("_", "-") or None
