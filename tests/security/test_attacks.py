"""The table of attacks, each a test: what a caller may try, and where it is shown that it wins nothing."""

from __future__ import annotations

import ast
import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from agent import keys
from agent.errors import InvalidSchema, Unauthenticated
from agent.keys import KeyFile
from agent.planning.schema import check_schema
from agent.signature import SigningKey
from agent.tasks import page_token
from agent.tasks.store import ListQuery
from agent.web import body
from tests.a2a.dialects import Client, Dialect
from tests.conformance.scripted_agent import scripted_app

ROOT = Path(__file__).parents[2]

# Attack: the test that shows it fails. `test_the_table_names_tests_that_are_there` keeps it true.
TABLE = {
    "foreign task by its id": "security/test_attacks.py::test_a_foreign_task_is_not_there",
    "foreign task by a reference": "security/test_attacks.py::test_a_foreign_reference_is_kept_and_never_read",
    "foreign webhook by its id": "security/test_attacks.py::test_a_foreign_webhook_is_not_there",
    "foreign upload by its hash": "web/test_documents.py::test_a_foreign_document_is_not_there",
    "foreign upload by its address": "web/test_documents.py::test_an_uploads_own_address_stands_for_it_in_a_message",
    "foreign document by its name": "end_to_end/test_locked.py::test_a_document_of_another_caller_looks_like_none",
    "foreign idempotency key": "security/test_attacks.py::test_an_idempotency_key_is_its_callers_own",
    "guessed cursor": "security/test_attacks.py::test_a_guessed_cursor_shows_nothing_of_another",
    "rebound Host name": "security/test_door.py::test_a_rebound_host_name_is_refused",
    "rebound Host with a made-up key": (
        "security/test_door.py::test_a_made_up_key_does_not_open_a_keyless_service_to_a_rebound_host"
    ),
    "spoofed forwarded address": "security/test_door.py::test_the_address_is_the_right_most_untrusted_one",
    "forwarded request at a keyless service": (
        "security/test_door.py::test_a_forwarded_request_ends_the_exemption_of_loopback"
    ),
    "SSRF by name": "tasks/test_guard.py::test_a_name_is_judged_by_the_address_it_leads_to",
    "SSRF by redirect": "tasks/test_fetch.py::test_a_file_is_fetched_within_its_limits_and_belongs_to_its_caller",
    "SSRF by IPv6-mapped and other wrapped addresses": "tasks/test_guard.py::test_inside_addresses_are_refused",
    "SSRF to metadata services": (
        "tasks/test_guard.py::test_metadata_addresses_are_refused_even_with_private_networks_open"
    ),
    "CR/LF in tokens and addresses": "security/test_attacks.py::test_no_webhook_smuggles_a_line_into_a_header",
    "guessed keys": "security/test_door.py::test_guessing_keys_is_limited_by_address",
    "key timing": "security/test_attacks.py::test_keys_are_compared_in_constant_time",
    "forged, foreign and expired bearer tokens": "security/test_oidc.py::test_a_token_that_is_wrong_opens_nothing",
    "oversized body": "security/test_door.py::test_an_oversized_body_is_refused_with_the_failure_body",
    "slow body": "security/test_attacks.py::test_a_body_that_does_not_come_is_not_waited_for",
    "slow head": "security/test_connections.py::test_a_head_that_comes_byte_by_byte_wins_no_time",
    "many connections": "security/test_connections.py::test_an_address_holds_so_many_connections_and_no_more",
    "stalled reader": "security/test_connections.py::test_a_reader_who_takes_nothing_loses_its_connection",
    "stalled reader of a task": (
        "a2a/test_streams.py::test_a_reader_who_takes_nothing_loses_its_stream_and_costs_the_task_nothing"
    ),
    "deep JSON": "web/test_protocol.py::test_json_that_is_nested_too_deep_is_refused_and_spoils_no_list",
    "any JSON": "a2a/test_anything.py::test_a_good_request_with_one_thing_replaced",
    "replayed or altered webhook": "security/test_attacks.py::test_a_receiver_refuses_what_is_not_fresh_or_ours",
    "schema that names files or addresses": "security/test_attacks.py::test_a_schema_reaches_nothing_outside_itself",
    "password in store, journal or log": (
        "end_to_end/test_locked.py::test_the_password_is_asked_for_until_it_is_right_and_kept_nowhere"
    ),
    "metric series without end": "security/test_door.py::test_a_thousand_unknown_paths_and_ids_add_two_series",
    "a fault that talks": "security/test_door.py::test_a_fault_of_ours_tells_nothing",
}


@pytest.mark.parametrize("attack", TABLE)
def test_the_table_names_tests_that_are_there(attack: str) -> None:
    file, _, name = TABLE[attack].partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


class As(TestClient[web.Request, web.Application]):
    """A client that shows its key with every request."""

    def __init__(self, server: TestServer, token: str) -> None:
        super().__init__(server, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
async def callers(tmp_path: Path) -> AsyncIterator[tuple[Client, Client]]:
    """Ann and Bob, each with a key of their own."""
    tokens = [keys.add(tmp_path / "keys.json", name)[0] for name in ("ann", "bob")]
    async with scripted_app(tmp_path, "http://127.0.0.1:1") as app:
        server = TestServer(app)
        await server.start_server()
        ann, bob = (As(server, token) for token in tokens)
        yield ann, bob
        for one in (ann, bob):
            await one.close()


async def waiting_task(client: Client, dialect: Dialect, **more: Any) -> str:
    told = await dialect.call(client, "send", dialect.sending("tck-input-required-1", **more))
    return str(dialect.task(told.result)["id"])


async def test_a_foreign_task_is_not_there(callers: tuple[Client, Client], dialect: Dialect) -> None:
    ann, bob = callers
    task = await waiting_task(ann, dialect)
    follow = dialect.sending("tck-complete-task-1", taskId=task)
    for operation, params, where in (
        ("get", None, {"task": task}),
        ("cancel", None, {"task": task}),
        ("subscribe", None, {"task": task}),
        ("send", follow, {}),
        ("stream", follow, {}),
    ):
        foreign = await dialect.call(bob, operation, params, **where)
        none = json.loads(json.dumps([params, where]).replace(task, "none"))
        unknown = await dialect.call(bob, operation, none[0], **none[1])
        assert foreign.code == (404 if dialect.rest else -32001)
        assert json.dumps(foreign.error).replace(task, "none") == json.dumps(unknown.error)  # told apart by nothing
    replay = await dialect.ask(bob, "subscribe", after="0", task=task)
    assert replay.headers["Content-Type"] == "application/json"
    listed = await bob.post("/", json={"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {}})
    assert (await listed.json())["result"]["totalSize"] == 0
    assert dialect.state((await dialect.call(ann, "get", task=task)).result) == "INPUT_REQUIRED"  # untouched


async def test_a_foreign_webhook_is_not_there(callers: tuple[Client, Client], dialect: Dialect) -> None:
    ann, bob = callers
    task = await waiting_task(ann, dialect)
    hook = dialect.webhook("http://127.0.0.1:9/", "hook-1")
    await dialect.call(ann, "push_create", hook, task=task)
    for operation in ("push_create", "push_get", "push_list", "push_delete"):
        where = {"task": task} | ({"config": "hook-1"} if operation in ("push_get", "push_delete") else {})
        told = await dialect.call(bob, operation, hook if operation == "push_create" else None, **where)
        assert told.code == (404 if dialect.rest else -32001), operation
    assert (await dialect.call(ann, "push_get", task=task, config="hook-1")).error is None


async def test_a_foreign_reference_is_kept_and_never_read(callers: tuple[Client, Client]) -> None:
    ann, bob = callers
    dialect = Dialect("1.0", rest=False)
    task = await waiting_task(ann, dialect, metadata={"secret": "of ann"})
    own = await waiting_task(bob, dialect, referenceTaskIds=[task])
    assert "of ann" not in str((await dialect.call(bob, "get", task=own)).result)


async def test_an_idempotency_key_is_its_callers_own(callers: tuple[Client, Client]) -> None:
    dialect = Dialect("1.0", rest=False)
    body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": dialect.sending("tck-complete-task-1")}
    ids = set()
    for client in (*callers, *callers):
        answer = await client.post("/", json=body, headers={"Idempotency-Key": "same"})
        ids.add((await answer.json())["result"]["task"]["id"])
    assert len(ids) == 2


async def test_what_ends_something_is_audited_with_who_did_it(
    callers: tuple[Client, Client], dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    ann, bob = callers
    caplog.set_level("INFO", logger="agent.audit")
    task = await waiting_task(ann, dialect)
    await dialect.call(ann, "push_create", dialect.webhook("http://127.0.0.1:9/", "h"), task=task)
    for client in (bob, ann):
        await dialect.call(client, "push_delete", task=task, config="h")
        await dialect.call(client, "cancel", task=task)
    told = [(one.message, vars(one)["by"], vars(one)["task"]) for one in caplog.records if one.name == "agent.audit"]
    assert told == [("webhook.remove", "ann", task), ("task.cancel", "ann", task)]


def forged(caller: str, at: object, task: object) -> str:
    """A cursor as the service would make it for this caller."""
    good = page_token.write(caller, ListQuery(), 1, "x")
    digest = orjson.loads(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)))[2]
    return base64.urlsafe_b64encode(json.dumps([at, task, digest]).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        forged("ann", 2**63, "x"),
        forged("bob", 2**63, "x"),
        forged("bob", 2**64 - 1, "x"),
        forged("bob", -(2**63), "x"),
        forged("bob", 10**15, "' OR 1=1 --"),
        forged("bob", 10**15, "\x00"),
        forged("bob", True, "x"),
        forged("bob", 10**15, None),
        "A" * 10_000,
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
    ],
)
async def test_a_guessed_cursor_shows_nothing_of_another(callers: tuple[Client, Client], cursor: str) -> None:
    ann, bob = callers
    await waiting_task(ann, Dialect("1.0", rest=False))
    for headers in ({}, {"A2A-Version": "1.0"}):
        body = {"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {"pageToken": cursor}}
        told = await (await bob.post("/", json=body, headers=headers)).json()
        if "error" in told:
            assert told["error"]["code"] == -32602
        else:
            assert told["result"]["tasks"] == []


async def test_a_cursor_of_another_caller_is_none(callers: tuple[Client, Client]) -> None:
    ann, bob = callers
    for _ in range(3):
        await waiting_task(ann, Dialect("1.0", rest=False))
    body = {"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {"pageSize": 1}}
    token = (await (await ann.post("/", json=body)).json())["result"]["nextPageToken"]
    body["params"] = {"pageSize": 1, "pageToken": token}
    assert (await (await bob.post("/", json=body)).json())["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", "a\r\nX-Evil: 1"),
        ("token", "a\nb"),
        ("token", "a\x00b"),
        ("token", "ü"),
        ("scheme", "Bearer\r\nX-Evil: 1"),
        ("credentials", "c\r\n\r\nGET / HTTP/1.1"),
        ("url", "http://127.0.0.1:9/\r\nHost: evil"),
        ("url", "http://127.0.0.1:9/ HTTP/1.1\r\nX-Evil: 1"),
        ("url", "http://user:pass@127.0.0.1:9/"),
    ],
)
async def test_no_webhook_smuggles_a_line_into_a_header(
    callers: tuple[Client, Client], dialect: Dialect, name: str, value: str
) -> None:
    ann, _ = callers
    scheme = value if name == "scheme" else "Bearer"
    auth: dict[str, Any] = {"scheme": scheme} if dialect.new else {"schemes": [scheme]}
    auth["credentials"] = value if name == "credentials" else "c"
    url = value if name == "url" else "http://127.0.0.1:9/"
    hook = dialect.webhook(url, "h", token=value if name == "token" else "t", authentication=auth)
    task = await waiting_task(ann, dialect)
    told = await dialect.call(ann, "push_create", hook, task=task)
    assert told.code == (400 if dialect.rest else -32602)
    assert (await dialect.call(ann, "push_get", task=task, config="h")).error is not None


@pytest.mark.parametrize("value", ["2\r\nX-Evil: 1", "\x00", "a" * 4000])
async def test_a_header_of_a_request_is_never_echoed_unchecked(callers: tuple[Client, Client], value: str) -> None:
    ann, _ = callers
    raw = f"GET /tasks HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {value}\r\nA2A-Extensions: {value}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", ann.server.port)
    writer.write(raw.encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    assert b"X-Evil" not in head
    assert b"aaaa" not in head
    writer.close()
    await writer.wait_closed()


@contextmanager
def compared() -> Iterator[list[tuple[Any, Any]]]:
    """Every constant-time comparison made meanwhile."""
    seen: list[tuple[Any, Any]] = []
    real = hmac.compare_digest

    def spy(left: Any, right: Any) -> bool:
        seen.append((left, right))
        return real(left, right)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hmac, "compare_digest", spy)
        yield seen


def test_keys_are_compared_in_constant_time(tmp_path: Path) -> None:
    """One comparison of whole digests for a known id, an unknown one, and what is no key at all."""
    token, row = keys.add(tmp_path / "keys.json", "ann")
    file = KeyFile(tmp_path / "keys.json")
    for given in (f"dea_{row.id}_wrong", "dea_unknown_wrong", "nonsense", "", "dea__", token + "x"):
        with compared() as seen:
            assert file.caller(given) is None
        ((left, right),) = seen
        assert len(left) == len(right) == 64
    with compared() as seen:
        caller = file.caller(token)
    assert caller is not None
    assert (caller.id, len(seen)) == ("ann", 1)
    keys.revoke(tmp_path / "keys.json", "ann")
    with pytest.raises(Unauthenticated):
        KeyFile(tmp_path / "keys.json").caller(token)


@pytest.mark.parametrize("module", ["agent/keys.py", "agent/web/door.py", "agent/web/health.py"])
def test_no_secret_is_compared_by_an_operator(module: str) -> None:
    secret = {"token", "given", "sha256", "_own_key", "own_key", "digest"}
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq | ast.In) for op in node.ops):
            for side in (node.left, *node.comparators):
                name = getattr(side, "attr", getattr(side, "id", ""))
                assert name not in secret, ast.unparse(node)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "application/json"), ("/message:send", "application/json"), ("/documents", "application/pdf")],
)
async def test_a_body_that_does_not_come_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    monkeypatch.setattr(body, "BODY_S", 0.2)
    async with scripted_app(tmp_path, "http://127.0.0.1:1") as app, TestServer(app) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        lines = (f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", "A2A-Version: 1.0")
        writer.write("\r\n".join((*lines, "Content-Length: 1000", "", "%PDF")).encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After" in head
        writer.close()
        await writer.wait_closed()


class Receiver:
    """What a receiver of webhooks does: the signature by the key set, the time, and what it has seen before."""

    def __init__(self, key_set: Any, *, patience_s: float = 300.0) -> None:
        self._keys = KeySet.import_key_set(key_set)
        self._patience_s = patience_s
        self._seen: set[str] = set()

    def accepts(self, content: bytes, signature: str, *, now: float) -> bool:
        registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
        try:
            signed = jws.deserialize_compact(signature.encode(), self._keys.keys[0], payload=content, registry=registry)
        except (JoseError, ValueError):
            return False
        header = signed.headers()
        if abs(now - header["iat"]) > self._patience_s or header["jti"] in self._seen:
            return False
        self._seen.add(header["jti"])
        return True


def test_a_receiver_refuses_what_is_not_fresh_or_ours() -> None:
    ours, theirs = SigningKey(ECKey.generate_key("P-256")), SigningKey(ECKey.generate_key("P-256"))
    now = time.time()

    def signed(key: SigningKey, content: bytes, jti: str, at: float = now) -> str:
        return "..".join(key.detached(content, {"iat": int(at), "jti": jti}))

    receiver = Receiver(ours.jwks())
    first = signed(ours, b"event", "task:hook:1")
    assert receiver.accepts(b"event", first, now=now)
    assert not receiver.accepts(b"event", first, now=now)  # replayed
    assert receiver.accepts(b"event", signed(ours, b"event", "task:hook:2"), now=now)
    assert not receiver.accepts(b"other", signed(ours, b"event", "task:hook:3"), now=now)  # altered
    assert not receiver.accepts(b"event", signed(theirs, b"event", "task:hook:4"), now=now)  # another's
    assert not receiver.accepts(b"event", signed(ours, b"event", "task:hook:5", now - 3600), now=now)  # kept back
    head, _, tail = signed(ours, b"event", "task:hook:6").partition("..")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    assert not receiver.accepts(b"event", f"{unsigned}..{tail}", now=now)
    assert not receiver.accepts(b"event", f"{head}..", now=now)


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$recursiveRef"])
@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "http://127.0.0.1:9/schema", "https://evil.example/", "other.json", "//evil/x"]
)
def test_a_schema_reaches_nothing_outside_itself(keyword: str, address: str) -> None:
    for schema in (
        {keyword: address},
        {"type": "object", "properties": {"a": {"items": [{keyword: address}]}}},
        {"$id": "http://evil.example/", "properties": {"a": {keyword: address}}},
    ):
        with pytest.raises(InvalidSchema, match="local references"):
            check_schema(schema, "schema")


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://127.0.0.1:9/schema"])
def test_a_metaschema_is_not_fetched(address: str) -> None:
    with pytest.raises(InvalidSchema):
        check_schema({"$schema": address, "type": "object"}, "schema")
