"""Who may come in, over real sockets: the table of attacks as far as the door goes."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent import keys
from agent.errors import ConfigError
from agent.telemetry.health import Check, Health
from agent.telemetry.metrics import Metrics
from agent.web import health as health_routes
from agent.web.door import Door, Policy, open_door, require
from agent.web.keys import CALLER
from agent.web.limits import RateLimit
from agent.web.middleware import make_middleware

Client = TestClient[web.Request, web.Application]
Start = Callable[..., Awaitable[Client]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    opened: list[Client] = []

    async def begin(policy: Policy, *, rate: str | None = None) -> Client:
        metrics = Metrics()
        door = open_door(policy, keys_file=tmp_path / "keys.json", data_dir=tmp_path)
        limit = RateLimit(rate, metrics) if rate else None
        app = web.Application(middlewares=[make_middleware(door, metrics, rate_limit=limit)], client_max_size=2000)
        app[health_routes.HEALTH], app[health_routes.METRICS] = Health(), metrics
        app[health_routes.METRICS_ENABLED], app[health_routes.METRICS_TOKEN] = True, ""
        health_routes.add_routes(app)
        app.router.add_post("/", who)
        app.router.add_get("/tasks/{id}", who)
        app.router.add_get("/admin", admin)
        app.router.add_get("/broken", broken)
        client = TestClient(TestServer(app))
        await client.start_server()
        opened.append(client)
        return client

    yield begin
    for client in opened:
        await client.close()


async def who(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(text=request[CALLER].id)


async def admin(request: web.Request) -> web.Response:
    require(request, "admin")
    return web.Response(text="in")


async def broken(request: web.Request) -> web.Response:
    raise RuntimeError("secret detail of " + request.path)


def make_key(folder: Path, **options: object) -> str:
    token, _ = keys.add(folder / "keys.json", "bob", **options)  # type: ignore[arg-type]
    return token


async def test_loopback_needs_no_key(start: Start) -> None:
    client = await start(Policy("127.0.0.1"))
    answer = await client.post("/")
    assert (answer.status, await answer.text()) == (200, "local")


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.evil.example.com", "", "169.254.169.254"])
async def test_a_rebound_host_name_is_refused(start: Start, host: str) -> None:
    client = await start(Policy("127.0.0.1"))
    answer = await client.post("/", headers={"Host": host})
    assert answer.status in (400, 403)


async def test_a_made_up_key_does_not_open_a_keyless_service_to_a_rebound_host(start: Start) -> None:
    client = await start(Policy("127.0.0.1"))
    headers = {"Host": "evil.example.com", "Authorization": "Bearer made-up"}
    assert (await client.post("/", headers=headers)).status == 403
    assert (await client.post("/", headers={"Authorization": "Bearer made-up"})).status == 200


async def test_a_configured_issuer_ends_the_exemption_of_loopback(start: Start) -> None:
    client = await start(Policy("127.0.0.1", oidc=True))
    assert (await client.post("/")).status == 401


async def test_an_allowed_host_name_is_served(start: Start) -> None:
    client = await start(Policy("127.0.0.1", allowed_hosts=("pdf.internal",)))
    assert (await client.post("/", headers={"Host": "pdf.internal:8080"})).status == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded"])
async def test_a_forwarded_request_ends_the_exemption_of_loopback(start: Start, header: str) -> None:
    client = await start(Policy("127.0.0.1"))
    answer = await client.post("/", headers={header: "203.0.113.9"})
    assert answer.status == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]


async def test_a_public_url_ends_the_exemption_of_loopback(start: Start) -> None:
    client = await start(Policy("127.0.0.1", public_url="https://pdf.example.com"))
    assert (await client.post("/")).status == 401


async def test_a_configured_key_is_a_required_key(start: Start, tmp_path: Path) -> None:
    token = make_key(tmp_path)
    client = await start(Policy("127.0.0.1"))
    assert (await client.post("/")).status == 401
    assert (await client.post("/", headers={"Authorization": "Bearer " + token[:-1] + "x"})).status == 401
    answer = await client.post("/", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, await answer.text()) == (200, "bob")
    assert (await client.post("/", headers={"X-API-Key": token})).status == 200


async def test_the_first_key_shuts_the_door_without_a_restart(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_LOOK_EVERY_S", 0.0)
    client = await start(Policy("127.0.0.1"))
    assert (await client.post("/")).status == 200
    token = make_key(tmp_path)
    assert (await client.post("/")).status == 401
    assert (await client.post("/", headers={"Authorization": f"Bearer {token}"})).status == 200


def test_a_key_opens_with_the_first_request_after_it_was_made(tmp_path: Path) -> None:
    """Without the next look at the file being due: a service without keys would take its owner for a stranger."""
    path = tmp_path / "keys.json"
    file = keys.KeyFile(path)
    assert not file.configured
    for name in ("ann", "bob"):
        caller = file.caller(keys.add(path, name)[0])
        assert caller is not None
        assert caller.id == name
    assert file.configured


async def test_a_revoked_key_opens_nothing_any_more(start: Start, tmp_path: Path) -> None:
    token = make_key(tmp_path)
    keys.revoke(tmp_path / "keys.json", "bob")
    client = await start(Policy("127.0.0.1"))
    answer = await client.post("/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401
    assert "revoked" in await answer.text()


async def test_an_expired_key_opens_nothing_any_more(start: Start, tmp_path: Path) -> None:
    token = make_key(tmp_path, expires=datetime.now(UTC) - timedelta(seconds=1))
    client = await start(Policy("127.0.0.1"))
    assert (await client.post("/", headers={"Authorization": f"Bearer {token}"})).status == 401


async def test_a_key_without_the_scope_is_forbidden(start: Start, tmp_path: Path) -> None:
    token = make_key(tmp_path)
    client = await start(Policy("127.0.0.1"))
    answer = await client.get("/admin", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 403
    assert (await answer.json())["code"] == "forbidden"


async def test_bound_elsewhere_without_keys_one_is_made_for_its_owner_alone(start: Start, tmp_path: Path) -> None:
    client = await start(Policy("0.0.0.0"))
    path = tmp_path / "api-key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (await client.post("/")).status == 401
    answer = await client.post("/", headers={"Authorization": f"Bearer {path.read_text()}"})
    assert answer.status == 200


def test_several_processes_bound_elsewhere_without_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        open_door(Policy("0.0.0.0"), keys_file=tmp_path / "k", data_dir=tmp_path, shared=True)


async def test_anonymous_is_a_decision(start: Start, tmp_path: Path) -> None:
    client = await start(Policy("0.0.0.0", allow_anonymous=True))
    assert (await client.post("/", headers={"Host": "anything.example.com"})).status == 200
    assert not (tmp_path / "api-key").exists()


async def test_health_is_readable_without_key_under_any_host(start: Start, tmp_path: Path) -> None:
    make_key(tmp_path)
    client = await start(Policy("0.0.0.0"))
    assert (await client.get("/health/live", headers={"Host": "10.0.0.7:8080"})).status == 200


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what the client wrote itself stands left
        ("203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("", "127.0.0.1"),
    ],
)
async def test_the_address_is_the_right_most_untrusted_one(
    start: Start, tmp_path: Path, forwarded: str, address: str
) -> None:
    policy = Policy("0.0.0.0", trusted_proxies=("127.0.0.0/8", "10.0.0.0/8"))
    door = Door(policy, keys.KeyFile(tmp_path / "none"))
    seen: list[str] = []

    async def look(request: web.Request) -> web.Response:
        seen.append(door.address(request))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", look)
    async with TestClient(TestServer(app)) as client:
        await client.get("/", headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert seen == [address]


async def test_too_many_requests_are_told_when_to_come_back(start: Start) -> None:
    client = await start(Policy("127.0.0.1"), rate="3/minute")
    statuses = [(await client.post("/")).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    answer = await client.post("/")
    assert int(answer.headers["Retry-After"]) >= 1
    assert (await answer.json())["code"] == "rate_limited"


async def test_an_oversized_body_is_refused_with_the_failure_body(start: Start) -> None:
    client = await start(Policy("127.0.0.1"))
    answer = await client.post("/", data=b"x" * 5000)
    assert answer.status == 413
    assert (await answer.json())["code"] == "too_large"


async def test_a_fault_of_ours_tells_nothing(start: Start) -> None:
    client = await start(Policy("127.0.0.1"))
    answer = await client.get("/broken")
    text = await answer.text()
    assert answer.status == 500
    assert "secret" not in text
    assert "Traceback" not in text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_thousand_unknown_paths_and_ids_add_two_series(start: Start) -> None:
    client = await start(Policy("127.0.0.1"))
    for number in range(500):
        await client.get(f"/nothing/{number}")
        await client.get(f"/tasks/{number}")
    text = await (await client.get("/metrics")).text()
    series = [line for line in text.splitlines() if line.startswith("http_requests_total{")]
    assert len(series) == 2
    assert 'code="404",endpoint="unmatched"' in text
    assert 'code="200",endpoint="/tasks/{id}"' in text


async def test_not_ready_is_503_and_says_why(start: Start) -> None:
    client = await start(Policy("127.0.0.1"))
    health = client.app[health_routes.HEALTH]  # type: ignore[index]
    assert (await client.get("/health/ready")).status == 200
    health.register("mcp", lambda: Check(False, 1.0, {"phase": "starting"}), required=True)
    health.register("llm", lambda: Check(False), required=False)
    answer = await client.get("/health/ready")
    body = await answer.json()
    assert answer.status == 503
    assert body["status"] == "not_ready"
    assert body["checks"] == {"mcp": False, "llm": False}


async def test_guessing_keys_is_limited_by_address(start: Start, tmp_path: Path) -> None:
    make_key(tmp_path, scopes={"extract"})
    client = await start(Policy("127.0.0.1"), rate="3/minute")
    statuses = [
        (await client.post("/", headers={"Authorization": f"Bearer dea_guess{number}"})).status for number in range(5)
    ]
    assert statuses == [401, 401, 401, 429, 429]


async def test_a_refusal_is_audited_under_the_address_behind_a_trusted_proxy(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_key(tmp_path, scopes={"extract"})
    client = await start(Policy("127.0.0.1", trusted_proxies=("127.0.0.1/32",)))
    await client.post("/", headers={"X-Forwarded-For": "203.0.113.9"})
    (record,) = [one for one in caplog.records if one.name == "agent.audit"]
    assert vars(record)["address"] == "203.0.113.9"
