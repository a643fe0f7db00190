"""A running service in place of a pipeline of one's own: documents go there, all that share its queue read them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from agent.errors import ConfigError, Failure
from agent.task import new_id

PATIENCE_S = 300.0
"""How long one request is repeated while the service is away or busy."""
AGAIN_S = 1.0
POLL_S = 2.0  # only for tasks that outlast a blocking send
ANSWER_S = 100.0  # longer than a service holds a blocking send by default
UNDER_WAY = frozenset({"TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"})
ASKING = frozenset({"TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED"})


class Remote:
    """Extracts by A2A 1.0 over HTTP+JSON, a task a document."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http = http
        self._base = base

    async def extract(self, path: Path, wish: Mapping[str, Any], *, password: str | None = None) -> dict[str, Any]:
        """The result of contract shape. A request that was torn off is repeated under the same key, so that a document
        is one task however often it was sent. Raises Failure with a stable code."""
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as exc:
            raise Failure("not_found", f"{path.name} cannot be read: {exc.strerror}.") from exc
        headers = {"Content-Type": "application/pdf"}
        kept = await self._call("POST", "documents", params={"filename": path.name}, data=content, headers=headers)
        data = {**wish, "password": password} if password else dict(wish)
        file = {"url": kept["url"], "filename": path.name, "mediaType": "application/pdf"}
        message = {"messageId": new_id(), "role": "ROLE_USER", "parts": [{"data": data}, file]}
        sent = {"json": {"message": message}, "headers": {"Idempotency-Key": message["messageId"]}}
        task = (await self._call("POST", "message:send", **sent))["task"]
        while task["status"]["state"] in UNDER_WAY:
            await asyncio.sleep(POLL_S)
            task = await self._call("GET", f"tasks/{task['id']}")
        if task["status"]["state"] in ASKING:  # nobody is there to answer
            await self._call("POST", f"tasks/{task['id']}:cancel", json={})
        return _result(task, path.name)

    async def look(self) -> None:
        """Whether the service is there and takes the key. Raises ConfigError."""
        try:
            async with self._http.get(self._base + "tasks", params={"pageSize": "1"}) as answer:
                if not answer.ok:
                    raise ConfigError(f"--service: {_refused(answer.status, await answer.read()).message}")
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            raise ConfigError(f"--service: no service answers there: {exc or type(exc).__name__}") from exc

    async def _call(self, method: str, path: str, **given: Any) -> Any:
        """The answer; asks again while the service is away or busy. Raises Failure."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S
        while True:
            wait_s = AGAIN_S
            try:
                async with self._http.request(method, self._base + path, **given) as answer:
                    body = await answer.read()
                    if answer.ok:
                        return orjson.loads(body)
                    fault = _refused(answer.status, body)
                    wait_s = float(answer.headers.get("Retry-After", AGAIN_S))
            except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
                fault = Failure("overloaded", f"The service does not answer: {type(exc).__name__}.", retryable=True)
            if not fault.retryable or loop.time() + wait_s > deadline:
                raise fault
            await asyncio.sleep(wait_s)


def _refused(status: int, body: bytes) -> Failure:
    """A refusal in either shape of the service (AIP-193 for A2A, the plain one elsewhere), or of a proxy before it."""
    try:
        told = orjson.loads(body)
        error = told.get("error", told)
        plain = {"message": error["message"], **error, **error.get("details", [{}])[0].get("metadata", {})}
    except (orjson.JSONDecodeError, AttributeError, KeyError, IndexError):
        plain = {"message": f"The service answered {status}."}
    passing = plain.get("retryable") in (True, "true") or status in (429, 502, 503, 504)
    return Failure(str(plain.get("code", "internal")), str(plain["message"]), hint=plain.get("hint"), retryable=passing)


def _result(task: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the task found. Raises the Failure it ended with."""
    status = task["status"]
    if status["state"] == "TASK_STATE_COMPLETED":
        artifact = task["artifacts"][0]
        values, rest = (part["data"] for part in artifact["parts"])
        result: dict[str, Any] = {"values": values, **rest, **(artifact.get("metadata") or {})}
        for one in (result, *result.get("more", ())):
            one["document"]["id"] = name
        return result
    parts = status.get("message", {}).get("parts", [])
    words = next((part["text"] for part in parts if "text" in part), f"The task ended as {status['state']}.")
    told: dict[str, Any] = next((part["data"] for part in parts if "code" in part.get("data", {})), {})
    raise Failure(
        told.get("code", "input_required"),
        told.get("message", words),
        hint=told.get("hint"),
        retryable=bool(told.get("retryable")),
    )


def _key(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise ConfigError(f"--key-file {file}: {exc.strerror}") from exc


@asynccontextmanager
async def remote(url: str, key_file: Path | None) -> AsyncIterator[Remote]:
    """A service that answers. Raises ConfigError where none does, or where it refuses the key."""
    headers = {"A2A-Version": "1.0"}
    if key_file is not None:
        headers["Authorization"] = f"Bearer {await asyncio.to_thread(_key, key_file)}"
    patience = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=ANSWER_S)
    async with aiohttp.ClientSession(headers=headers, timeout=patience) as http:
        service = Remote(http, url if url.endswith("/") else url + "/")
        await service.look()
        yield service
