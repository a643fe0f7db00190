"""The service's own web, a2a and tasks layers with scripted work, for conformance kits.

`python -m tests.conformance.scripted_agent --port N` serves on loopback without keys; the prefix of a message's id
decides what happens to it.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web

from agent import guard
from agent.a2a.card import CardFacts
from agent.task import Artifact, Message, Outcome, Part, State, new_id
from agent.tasks.engine import TaskEngine
from agent.tasks.fetch import Fetcher
from agent.tasks.push import Pusher
from agent.tasks.run import Run
from agent.tasks.sqlite import SqliteStore
from agent.tasks.uploads import Uploads
from agent.telemetry.metrics import Metrics
from agent.web import routes
from agent.web.calls import push_payload
from agent.web.door import Policy, open_door
from agent.web.keys import CARD, ENGINE, FETCHER, NEEDS_KEY, UPLOADS, WAIT_S
from agent.web.middleware import make_middleware

STAY_S = 4.0
FLOOD_CHUNKS, FLOOD_CHUNK = 40, "flood " * 20_000
DELAY_S = 2.0  # the kits' own unit of waiting
TEXT = Part(text="Generated text content")
FILE = Part(raw=b"Generated file content", filename="output.txt", media_type="text/plain")
LINK = Part(url="https://example.com/output.txt", filename="output.txt", media_type="text/plain")
DATA = Part(data={"key": "value", "count": 42}, has_data=True)

Step = Callable[[Run], Awaitable[Outcome]]


def ends(run: Run, words: str, state: State = State.COMPLETED) -> Outcome:
    return Outcome(state, run.message(Part(text=words)))


def gives(part: Part) -> Step:
    async def step(run: Run) -> Outcome:
        await run.artifact(Artifact("artifact-1", (part,), name="output"))
        return ends(run, "Hello from TCK")

    return step


async def complete(run: Run) -> Outcome:
    return ends(run, "Hello from TCK")


async def ask(run: Run) -> Outcome:
    return ends(run, "Please go on", State.INPUT_REQUIRED)


async def lock(run: Run) -> Outcome:
    return ends(run, "A password is needed", State.AUTH_REQUIRED)


async def reject(run: Run) -> Outcome:
    return ends(run, "rejected", State.REJECTED)


async def chunked(run: Run) -> Outcome:
    await run.artifact(Artifact("artifact-1", (Part(text="chunk-1 "),)), last_chunk=False)
    await run.artifact(Artifact("artifact-1", (Part(text="chunk-2"),)), append=True)
    return ends(run, "Hello from TCK")


async def stay(run: Run) -> Outcome:
    await asyncio.sleep(STAY_S)  # a kit subscribes to it meanwhile
    return ends(run, "Hello from TCK")


async def delayed(run: Run) -> Outcome:
    await asyncio.sleep(DELAY_S)  # so that a send that waits and one that does not are told apart
    return ends(run, "Done after delay")


async def flood(run: Run) -> Outcome:
    for number in range(FLOOD_CHUNKS):  # more than the kernel buffers for a reader who takes nothing
        await run.artifact(Artifact(f"artifact-{number}", (Part(text=FLOOD_CHUNK),)))
    return ends(run, "Hello from TCK")


# The first prefix that fits decides; longer ones stand before those they begin with.
STEPS: tuple[tuple[str, Step], ...] = (
    ("tck-complete-task", complete),
    ("tck-artifact-text", gives(TEXT)),
    ("tck-artifact-file-url", gives(LINK)),
    ("tck-artifact-file", gives(FILE)),
    ("tck-artifact-data", gives(DATA)),
    ("tck-input-required", ask),
    ("tck-auth-required", lock),
    ("tck-delayed-complete", delayed),
    ("tck-reject-task", reject),
    ("tck-stream-artifact-chunked", chunked),
    ("tck-stream-artifact-file", gives(FILE)),
    ("tck-stream-002", complete),
    ("tck-stream-", gives(TEXT)),
    ("test-resubscribe-message-id", stay),
    ("locked-", lock),
    ("bench-", complete),
    ("flood-", flood),
)


class ScriptedWork:
    """What a kit expects, by the id of the newest message."""

    async def __call__(self, run: Run) -> Outcome:
        newest = [message for message in run.task.history if message.role == "user"][-1]
        step = next((step for prefix, step in STEPS if newest.message_id.startswith(prefix)), ask)
        return await step(run)

    def reply(self, message: Message) -> Message | None:
        if not message.message_id.startswith("tck-message-response"):
            return None
        return Message(new_id(), "agent", (Part(text="Direct message response"),), message.context_id)


@asynccontextmanager
async def scripted_app(data_dir: Path, url: str) -> AsyncIterator[web.Application]:
    """The application, its store open; enter it in the loop that serves it."""
    metrics = Metrics()
    door = open_door(Policy("127.0.0.1"), keys_file=data_dir / "keys.json", data_dir=data_dir)
    app = web.Application(middlewares=[make_middleware(door, metrics)], client_max_size=2**24)
    async with AsyncExitStack() as opened:
        store = await opened.enter_async_context(SqliteStore(data_dir / "tasks.db"))
        uploads = Uploads(data_dir / "uploads", store, ttl_s=3600, max_bytes=2**24)
        pusher = Pusher(push_payload, allow_private=True, metrics=metrics)
        engine = TaskEngine(store, uploads, ScriptedWork(), metrics=metrics, pusher=pusher)
        app[UPLOADS], app[ENGINE] = uploads, await opened.enter_async_context(engine)
        http = await opened.enter_async_context(guard.session(private=False, timeout_s=10))
        app[FETCHER] = Fetcher(http, uploads, private=False)
        app[CARD], app[WAIT_S] = CardFacts(url), 20.0
        app[NEEDS_KEY] = lambda: door.needs_key
        routes.add_routes(app)
        yield app


async def serve(port: int, data_dir: Path | None) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    listening = socket.create_server(("127.0.0.1", port))  # first: the card names the port, a free one too
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder:
        async with scripted_app(data_dir or Path(folder), url) as app:
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.SockSite(runner, listening).start()
            sys.stdout.write(f"{url}\n")
            sys.stdout.flush()
            await stopped.wait()
            await app[ENGINE].drain(1.0)
            await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9999)
    parser.add_argument("--data-dir", type=Path, help="what is kept lies here; without it nothing outlives the agent")
    options = parser.parse_args()
    if options.data_dir:
        options.data_dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(options.port, options.data_dir))


if __name__ == "__main__":
    main()
