"""Callers who carry their orders through whatever happens: they repeat, reconnect and wait as the protocol lets them.

What cannot be explained by the fault is told to the witness: an answer that is no answer, a task that is unknown, an
event that was skipped, a delivery that never came.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

from tests.faults.documents import FIELDS, number_of
from tests.faults.sse import Refused, events
from tests.faults.witness import ENDED, Json, Witness

PATIENCE_S = 4.0
"""After so long without a byte a caller gives up the connection and asks again."""

WORKS = ("unary", "stream", "push")


class Interrupted(Exception):
    """No whole answer came: what was asked may have happened or not. Or the service asked to come again later."""


class Receiver:
    """Takes webhooks; `told` has the states that came for each task."""

    def __init__(self) -> None:
        self.told: dict[str, list[str]] = defaultdict(list)
        self._news = asyncio.Condition()

    async def take(self, request: web.Request) -> web.Response:
        (told,) = (await request.json()).values()
        async with self._news:
            self.told[told.get("taskId", told.get("id"))].append(told.get("status", {}).get("state", ""))
            self._news.notify_all()
        return web.Response()

    async def ended(self, task_id: str) -> None:
        async with self._news:
            await self._news.wait_for(lambda: ENDED.intersection(self.told[task_id]))


class Orders:
    def __init__(self, http: aiohttp.ClientSession, url: str, witness: Witness, receiver: Receiver, hook: str) -> None:
        self._http = http
        self._url = url
        self._witness = witness
        self._receiver = receiver
        self._hook = hook
        self._numbers = itertools.count()
        self.answered = asyncio.Event()
        """Set once any task is known to have been taken."""

    async def unary(self, name: str) -> None:
        task = (await self._insist("SendMessage", self._send(name)))["task"]
        await self._ended(task["id"], name)

    async def push(self, name: str) -> None:
        """The end must come by webhook, not only on being asked."""
        params = self._send(name)
        config = {"url": self._hook, "id": "end"}
        params["configuration"] = {"returnImmediately": True, "taskPushNotificationConfig": config}
        task = (await self._insist("SendMessage", params))["task"]
        await self._receiver.ended(task["id"])
        await self._ended(task["id"], name)

    async def stream(self, name: str) -> None:
        task_id, seen, ended = "", None, False
        while not ended:
            method, params = (
                ("SubscribeToTask", {"id": task_id}) if task_id else ("SendStreamingMessage", self._send(name))
            )
            try:
                async with self._post(method, params, {} if seen is None else {"Last-Event-ID": str(seen)}) as answer:
                    await self._refuse(answer)
                    async for sequence, event in events(answer):
                        (told,) = event.values()
                        task_id = task_id or told["id"]
                        self._witness.event(task_id, sequence, event)
                        follows = seen is None or sequence == seen + 1
                        self._witness.expect(follows, f"event {sequence} of {task_id} came after {seen}")
                        seen, ended = sequence, told.get("status", {}).get("state") in ENDED
                        self.answered.set()
            except (aiohttp.ClientError, TimeoutError, Interrupted):
                self._witness.resumed += bool(task_id)
            except Refused as refused:
                self._witness.expect(refused.failure["retryable"] == "true", str(refused))
        await self._ended(task_id, name)

    async def _ended(self, task_id: str, name: str) -> None:
        """Asks until the task has ended, and looks whether it ended as it should."""
        task = await self._insist("GetTask", {"id": task_id})
        while task["status"]["state"] not in ENDED:
            await asyncio.sleep(0.1)  # a caller that polls
            task = await self._insist("GetTask", {"id": task_id})
        self._witness.task(task)
        values = [part["data"] for artifact in task.get("artifacts", []) for part in artifact["parts"][:1]]
        self._witness.expect(values == [{"invoice_number": number_of(name)}], f"{name}: {values} {task['status']}")

    async def _insist(self, method: str, params: Json) -> Any:
        while True:
            try:
                async with self._post(method, params, {}) as answer:
                    await self._refuse(answer)
                    told = await answer.json()
            except (aiohttp.ClientError, TimeoutError, Interrupted, ValueError):
                continue
            if "result" not in told:
                self._witness.expect(False, f"{method} {params}: {told}")
                raise AssertionError(told)
            result = told["result"]
            self._witness.task(result.get("task", result))
            self.answered.set()
            return result

    async def _refuse(self, answer: aiohttp.ClientResponse) -> None:
        """503 asks to come again later, and says when; any other refusal is not explained by a fault."""
        if answer.status == 200:
            return
        body = await answer.json()
        explained = answer.status == 503 and "Retry-After" in answer.headers and body.get("retryable")
        self._witness.expect(explained, f"{answer.status} {dict(answer.headers)} {body}")
        await asyncio.sleep(0.2)  # less than it asks for: what is refused in between costs nothing
        raise Interrupted

    def _post(self, method: str, params: Json, headers: Mapping[str, str]) -> Any:
        if "message" in params:
            headers = {**headers, "Idempotency-Key": params["message"]["messageId"]}
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self._http.post(self._url, json=call, headers=headers)

    def _send(self, name: str) -> Json:
        wish = {"data": {"documents": [name], "fields": FIELDS}}
        return {
            "message": {"messageId": f"order {next(self._numbers)} of {name}", "role": "ROLE_USER", "parts": [wish]}
        }
