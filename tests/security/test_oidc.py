"""Bearer tokens of an issuer: a real issuer on loopback, and every way a token can be wrong."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from agent import keys
from agent.caller import Caller
from agent.errors import Overloaded, Unauthenticated
from agent.oidc import Oidc
from agent.telemetry.metrics import Metrics
from agent.web.door import Policy, open_door, require
from agent.web.keys import CALLER
from agent.web.middleware import make_middleware
from tests.service import running

AUDIENCE = "pdf-agent"


class Issuer:
    """Its discovery document and its keys; counts who asks."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.asked = 0
        self.down = False
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self.discovery)
        app.router.add_get("/keys", self.keys)
        return app

    async def discovery(self, request: web.Request) -> web.Response:
        if self.down:
            raise web.HTTPServiceUnavailable
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

    async def keys(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(KeySet([self.key]).as_dict(private=False))

    def token(self, *, key: Any = None, alg: str = "RS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        body = {"iss": self.url, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 300} | claims
        body = {name: value for name, value in body.items() if value is not None}
        used = key or self.key
        return jwt.encode({"alg": alg, "kid": "one"} | (header or {}), body, used, algorithms=[alg])


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    async with TestServer(issuer.app()) as server:
        issuer.url = str(server.make_url("")).rstrip("/")
        yield issuer


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with issuing() as found:
        yield found


@pytest.fixture
async def oidc(issuer: Issuer) -> AsyncIterator[Oidc]:
    async with aiohttp.ClientSession() as session:
        yield Oidc(issuer.url, AUDIENCE, session)


async def test_a_token_names_its_caller_with_scopes_and_documents(issuer: Issuer, oidc: Oidc) -> None:
    plain = await oidc.caller(issuer.token())
    assert plain == Caller("oidc:ann", frozenset({"extract", "read"}), None)
    narrow = await oidc.caller(issuer.token(scope="openid read", documents=["acme/**"]))
    assert narrow == Caller("oidc:ann", frozenset({"read"}), ("acme/**",))
    listed = await oidc.caller(issuer.token(scp=["admin", "made-up"]))
    assert listed.scopes == {"admin"}


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"{head}.{token.split('.')[1]}."


def altered(token: str) -> str:
    head, claims, tail = token.split(".")
    found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps(found | {"sub": "bob"}).encode()).decode().rstrip("=")
    return f"{head}.{changed}.{tail}"


def keyed_by_the_public_half(issuer: Issuer) -> str:
    """The classic: the public key, which everybody has, taken for the secret of HS256."""
    head, claims, _ = issuer.token(header={"alg": "RS256"}).split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').decode().rstrip("=")
    tag = hmac.digest(issuer.key.as_pem(private=False), f"{head}.{claims}".encode(), "sha256")
    return f"{head}.{claims}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"


WRONG: dict[str, Callable[[Issuer], str]] = {
    "another issuer": lambda issuer: issuer.token(iss="https://evil.example"),
    "another audience": lambda issuer: issuer.token(aud="another"),
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - 60),
    "without expiry": lambda issuer: issuer.token(exp=None),
    "without subject": lambda issuer: issuer.token(sub=None),
    "not yet valid": lambda issuer: issuer.token(nbf=int(time.time()) + 600),
    "unsigned": lambda issuer: unsigned(issuer.token()),
    "altered": lambda issuer: altered(issuer.token()),
    "signed by another": lambda issuer: issuer.token(key=RSAKey.generate_key(2048, {"kid": "one"})),
    "signed with the public key": keyed_by_the_public_half,
    "unknown key": lambda issuer: issuer.token(key=ECKey.generate_key("P-256"), alg="ES256", header={"kid": "two"}),
    "nonsense": lambda _: "eyJhbGciOiJSUzI1NiJ9.e30.x",
    "too long": lambda issuer: issuer.token(more="x" * 9000),
    "documents that are no list": lambda issuer: issuer.token(documents="**"),
}


@pytest.mark.parametrize("fault", WRONG)
async def test_a_token_that_is_wrong_opens_nothing(issuer: Issuer, oidc: Oidc, fault: str) -> None:
    with pytest.raises(Unauthenticated):
        await oidc.caller(WRONG[fault](issuer))


async def test_made_up_key_ids_do_not_turn_callers_into_a_flood_on_the_issuer(issuer: Issuer, oidc: Oidc) -> None:
    await oidc.caller(issuer.token())
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await oidc.caller(issuer.token(key=ECKey.generate_key("P-256"), alg="ES256", header={"kid": f"k{number}"}))
    assert issuer.asked == 1


async def test_known_keys_go_on_to_count_when_the_issuer_is_down(
    issuer: Issuer, oidc: Oidc, monkeypatch: pytest.MonkeyPatch
) -> None:
    await oidc.caller(issuer.token())
    monkeypatch.setattr("agent.oidc._KEYS_FOR_S", 0.0)
    issuer.down = True
    assert (await oidc.caller(issuer.token(sub="bob"))).id == "oidc:bob"


async def test_without_any_keys_the_caller_is_told_to_come_again(issuer: Issuer, oidc: Oidc) -> None:
    issuer.down = True
    with pytest.raises(Overloaded) as told:
        await oidc.caller(issuer.token())
    assert told.value.retry_after_s


async def test_keys_and_tokens_open_the_same_door(issuer: Issuer, tmp_path: Path) -> None:
    async def who(request: web.Request) -> web.Response:
        return web.Response(text=request[CALLER].id)

    async def admin(request: web.Request) -> web.Response:
        return web.Response(text=require(request, "admin").id)

    key, _ = keys.add(tmp_path / "keys.json", "bob")
    door = open_door(Policy("0.0.0.0", oidc=True), keys_file=tmp_path / "keys.json", data_dir=tmp_path)
    app = web.Application(middlewares=[make_middleware(door, Metrics())])
    app.router.add_post("/", who)
    app.router.add_get("/admin", admin)
    async with TestClient(TestServer(app)) as client, aiohttp.ClientSession() as session:
        door.oidc = Oidc(issuer.url, AUDIENCE, session)
        seen = {}
        for name, token in (("token", issuer.token()), ("key", key), ("expired", issuer.token(exp=1)), ("none", "x")):
            answer = await client.post("/", headers={"Authorization": f"Bearer {token}"})
            seen[name] = await answer.text() if answer.status == 200 else answer.status
        assert seen == {"token": "oidc:ann", "key": "bob", "expired": 401, "none": 401}
        for scope, status in (("admin", 200), ("read", 403)):
            headers = {"Authorization": f"Bearer {issuer.token(scope=scope)}"}
            assert (await client.get("/admin", headers=headers)).status == status
    assert not (tmp_path / "api-key").exists()  # an issuer is enough: no key is made


async def test_the_service_asks_for_a_token_once_an_issuer_is_configured(issuer: Issuer, tmp_path: Path) -> None:
    def ask() -> tuple[int, int, Any]:
        settings = {"OIDC_ISSUER": issuer.url, "OIDC_AUDIENCE": AUDIENCE}
        with running(tmp_path / "data", settings=settings) as service:
            body = {"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {}}
            refused, _ = service.post("/", body)
            known, _ = service.post("/", body, {"Authorization": f"Bearer {issuer.token()}"})
            _, card = service.get("/.well-known/agent-card.json")
            return refused, known, card

    refused, known, card = await asyncio.to_thread(ask)
    assert (refused, known) == (401, 200)
    assert card["securitySchemes"]["oidc"]["openIdConnectUrl"] == f"{issuer.url}/.well-known/openid-configuration"
