"""The real service under load, killed again and again, with clients that remember all they were told.

Every client goes through one kind of call in a closed loop, waits out each death, and takes up where it stood.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random

import aiohttp
from aiohttp import ClientResponse

from tests.faults.sse import events
from tests.faults.witness import ENDED, Json, Witness
from tests.service import Service

DOCUMENTS = ("invoice.pdf", "rechnung.pdf", "facture.pdf", "purchase_order.pdf")
CLIENTS_OF_A_KIND = 2
UNDER_LOAD_S = 4.0  # a life ends at a random moment of this time after the service is ready
ENDING_S = 120.0  # whatever has not ended this long after the last death is stuck


class Died(Exception):
    """The service died before its answer was complete: what was asked may have happened or not."""


class Load:
    """Clients of `service`; `witness` is told of every answer."""

    def __init__(self, service: Service, witness: Witness, http: aiohttp.ClientSession) -> None:
        self.up = asyncio.Event()
        self.ending = False
        self._service = service
        self._witness = witness
        self._http = http
        self._numbers = itertools.count()

    def kinds(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        return self._blocking, self._returning, self._streaming, self._asked_back, self._canceling

    async def begin(self) -> None:
        """A life: from the moment the service is ready its clients go on."""
        await asyncio.to_thread(self._service.start)
        self.up.set()

    def end(self) -> None:
        self.up.clear()
        self._service.kill()

    async def client(self, kind: Callable[[], Awaitable[None]]) -> None:
        while not self.ending:
            await kind()

    async def _blocking(self) -> None:
        """A send that waits for the end of its task, and is repeated until it is answered."""
        await self._insist("SendMessage", {"message": self._message(self._wish())})

    async def _returning(self) -> None:
        """A task that is only acknowledged, then looked at until it has ended."""
        await self._ended(await self._started())

    async def _canceling(self) -> None:
        task_id = await self._started()
        while True:
            try:
                answer = await self._ask("CancelTask", {"id": task_id})
            except Died:
                continue
            if "result" in answer:
                self._witness.task(answer["result"])
            break
        await self._ended(task_id)

    async def _streaming(self) -> None:
        """A stream, taken up after the last event id until it tells the end."""
        task_id, seen, ended = None, None, False
        message = self._message(self._wish())
        while not ended:
            method, params = ("SubscribeToTask", {"id": task_id}) if task_id else ("SendStreamingMessage", {})
            try:
                async for sequence, event in self._events(method, params or {"message": message}, seen):
                    (told,) = event.values()
                    task_id = task_id or told["id"]
                    self._witness.event(task_id, sequence, event)
                    self._witness.expect(
                        seen is None or sequence == seen + 1, f"event {sequence} of {task_id} came after {seen}"
                    )
                    seen, ended = sequence, told.get("status", {}).get("state") in ENDED
                self._witness.expect(ended, f"a stream of {task_id} closed after event {seen} without its end")
            except Died:
                self._witness.resumed += task_id is not None

    async def _asked_back(self) -> None:
        """A message without a document; the answer to the question that comes back, given until it is taken."""
        answer = await self._insist("SendMessage", {"message": self._message({"text": "Extract the total"})})
        task_id = answer["result"]["task"]["id"]
        while await self._state(task_id) == "TASK_STATE_INPUT_REQUIRED":
            message = self._message(self._wish()) | {"taskId": task_id}
            try:
                answer = await self._ask("SendMessage", {"message": message})
            except Died:
                continue
            if "result" in answer:
                self._witness.task(answer["result"]["task"])
                self._witness.follow_ups[message["messageId"]] = task_id
        await self._ended(task_id)

    async def _started(self) -> str:
        params = {"message": self._message(self._wish()), "configuration": {"returnImmediately": True}}
        return str((await self._insist("SendMessage", params))["result"]["task"]["id"])

    async def _ended(self, task_id: str) -> None:
        """Follows a task, from where it stands, to its end."""
        while await self._state(task_id) not in ENDED:
            try:
                async for sequence, event in self._events("SubscribeToTask", {"id": task_id}, None):
                    self._witness.event(task_id, sequence, event)
            except Died:
                continue

    async def _state(self, task_id: str) -> str:
        answer = await self._insist("GetTask", {"id": task_id})
        return str(answer["result"]["status"]["state"])

    async def _insist(self, method: str, params: Json) -> Json:
        """The answer of whichever life gives one; an error is a contradiction and ends the client."""
        while True:
            try:
                answer = await self._ask(method, params)
            except Died:
                continue
            assert "result" in answer, f"{method} {params}: {answer}"
            self._witness.task(answer["result"].get("task", answer["result"]))
            return answer

    async def _ask(self, method: str, params: Json) -> Json:
        await self.up.wait()
        try:
            async with self._post(method, params, {}) as answer:
                told: Json = await answer.json()
                return told
        except aiohttp.ClientError as fault:
            raise Died from fault

    async def _events(self, method: str, params: Json, after: int | None) -> AsyncIterator[tuple[int, Json]]:
        """(SSE id, event) as they come; an event that was cut off by a death was not told."""
        await self.up.wait()
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        try:
            async with self._post(method, params, headers) as answer:
                async for told in events(answer):
                    yield told
        except aiohttp.ClientError as fault:
            raise Died from fault

    async def check(self) -> None:
        """Reads everything again that was ever told."""
        for task_id in sorted(self._witness.tasks):
            answer = await self._ask("GetTask", {"id": task_id})
            if "result" not in answer:
                self._witness.expect(False, f"task {task_id} was acknowledged and is lost: {answer}")
                continue
            self._witness.final(answer["result"])
            said = {message["messageId"] for message in answer["result"]["history"]}
            due = {message for message, task in self._witness.follow_ups.items() if task == task_id}
            self._witness.expect(due <= said, f"task {task_id} lost follow-ups that were taken: {due - said}")
        streamed = {task_id for task_id, _, _ in self._witness.events}
        for task_id in sorted(streamed):
            async for sequence, event in self._events("SubscribeToTask", {"id": task_id}, 0):
                self._witness.event(task_id, sequence, event)
        await self._check_doubles()

    async def _check_doubles(self) -> None:
        """A message that was repeated made one task, whatever died meanwhile."""
        seen: dict[str, str] = {}
        token = ""
        while True:
            page = (await self._ask("ListTasks", {"pageSize": 100, "pageToken": token}))["result"]
            for task in page["tasks"]:
                first = task["history"][0]["messageId"]
                self._witness.expect(seen.setdefault(first, task["id"]) == task["id"], f"{first} made two tasks")
            token = page["nextPageToken"]
            if not token:
                return

    def _post(self, method: str, params: Json, headers: dict[str, str]) -> AbstractAsyncContextManager[ClientResponse]:
        """A call; one that sends a message names it as its Idempotency-Key, since it may be repeated."""
        if "message" in params:
            headers["Idempotency-Key"] = params["message"]["messageId"]
        call = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": params}
        return self._http.post(self._service.url, json=call, headers=headers)

    def _message(self, part: Json) -> Json:
        return {"messageId": f"message-{next(self._numbers)}", "role": "ROLE_USER", "parts": [part]}

    def _wish(self) -> Json:
        document = DOCUMENTS[next(self._numbers) % len(DOCUMENTS)]
        return {"data": {"documents": [document], "fields": [{"name": "total", "type": "amount"}]}}


async def killed_under_load(data_dir: Path, *, kills: int, seed: int) -> Witness:
    """What the clients of a service saw that was killed `kills` times at random moments; it has all been read again."""
    moments, witness = Random(seed), Witness()  # noqa: S311  # a repeatable choice, no secret
    service = Service(data_dir, settings={"ENABLE_CACHE": "false"})
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(ENDING_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers={"A2A-Version": "1.0"}) as http:
        load = Load(service, witness, http)
        try:
            async with asyncio.TaskGroup() as group:
                clients = [group.create_task(load.client(kind)) for kind in load.kinds() * CLIENTS_OF_A_KIND]
                for _ in range(kills):
                    await load.begin()
                    await asyncio.sleep(moments.uniform(0, UNDER_LOAD_S))  # the stimulus itself
                    load.end()
                await load.begin()
                load.ending = True
                _, stuck = await asyncio.wait(clients, timeout=ENDING_S)
                witness.expect(not stuck, f"stuck: {stuck}")
                for client in stuck:
                    client.cancel()
            await load.check()
        finally:
            load.end()
    return witness
