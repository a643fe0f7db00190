"""The servers that `a2a.py` measures ours against: the reference SDK with its own memory store, and a bare echo.

    python ops/bench/peers/a2a_servers.py sdk|echo --port N

Both do the same trivial work: a message becomes a finished task with a short status message, or comes straight back.
"""

from __future__ import annotations

import argparse

from aiohttp import web


def serve_echo(port: int) -> None:
    """What HTTP and JSON alone cost: a JSON-RPC answer with the request's own params, nothing kept."""
    import orjson

    async def echo(request: web.Request) -> web.Response:
        asked = orjson.loads(await request.read())
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": asked["params"]}
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    app = web.Application()
    app.router.add_post("/", echo)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


def serve_sdk(port: int) -> None:
    """The reference SDK's server as its documentation wires it, with the store that it brings."""
    import uvicorn
    from a2a.helpers import new_task_from_user_message, new_text_message
    from a2a.server.agent_execution import AgentExecutor, RequestContext
    from a2a.server.events import EventQueue
    from a2a.server.request_handlers import DefaultRequestHandler
    from a2a.server.routes import create_jsonrpc_routes
    from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
    from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill
    from starlette.applications import Starlette

    class Completes(AgentExecutor):
        async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
            assert context.message is not None
            task = context.current_task or new_task_from_user_message(context.message)
            await event_queue.enqueue_event(task)
            await TaskUpdater(event_queue, task.id, task.context_id).complete(new_text_message("Hello from TCK"))

        async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
            raise NotImplementedError

    card = AgentCard(
        name="peer",
        description="Completes every task at once",
        version="1",
        supported_interfaces=[
            AgentInterface(url=f"http://127.0.0.1:{port}", protocol_binding="JSONRPC", protocol_version="1.0")
        ],
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        skills=[AgentSkill(id="s", name="s", description="s", tags=["s"])],
    )
    handler = DefaultRequestHandler(agent_executor=Completes(), task_store=InMemoryTaskStore(), agent_card=card)
    app = Starlette(routes=create_jsonrpc_routes(handler, "/"))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["sdk", "echo"])
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    (serve_sdk if options.peer == "sdk" else serve_echo)(options.port)


if __name__ == "__main__":
    main()
