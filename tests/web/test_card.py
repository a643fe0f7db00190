"""The card's signatures and the key set, as readers of others check them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from a2a.types import AgentCard
from a2a.utils.signing import InvalidSignaturesError, create_signature_verifier
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from google.protobuf.json_format import ParseDict
from joserfc import jws
from joserfc.jwk import ECKey, KeySet
from jwt.api_jwk import PyJWK

from agent.a2a.card import canonical
from agent.errors import ConfigError
from agent.signature import SigningKey
from agent.web.keys import CARD, CardFacts
from tests.conformance.scripted_agent import scripted_app

Client = TestClient[web.Request, web.Application]
CARDS = ("/.well-known/agent-card.json", "/a2a/v1/.well-known/agent-card.json")
URL = "https://agent.example"


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    file = tmp_path / "card.pem"
    file.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    return SigningKey.read(file)


@pytest.fixture
async def client(tmp_path: Path, key: SigningKey) -> AsyncIterator[Client]:
    async with scripted_app(tmp_path, URL) as app:
        app[CARD] = CardFacts(URL, needs_key=True, signing_key=key)
        async with TestClient(TestServer(app)) as opened:
            yield opened


async def got(client: Client, path: str) -> Any:
    return json.loads(await (await client.get(path)).text())


@pytest.mark.parametrize("path", CARDS)
async def test_a_reader_of_the_reference_sdk_verifies_the_card_by_the_key_set(client: Client, path: str) -> None:
    keys = {key["kid"]: PyJWK(key) for key in (await got(client, "/.well-known/jwks.json"))["keys"]}
    asked = []

    def provided(kid: str | None, jku: str | None) -> PyJWK:
        asked.append(jku)
        return keys[kid or ""]

    verify = create_signature_verifier(provided, ["ES256"])
    card = ParseDict(await got(client, path), AgentCard(), ignore_unknown_fields=True)
    verify(card)
    assert asked == [f"{URL}/.well-known/jwks.json"]
    card.name = "Another Agent"
    with pytest.raises(InvalidSignaturesError):
        verify(card)


async def test_the_pure_card_is_signed_as_it_stands(client: Client) -> None:
    card = await got(client, CARDS[1])
    (entry,) = card["signatures"]
    keys = KeySet.import_key_set(await got(client, "/.well-known/jwks.json"))
    detached = f"{entry['protected']}..{entry['signature']}".encode()
    registry = jws.JWSRegistry(algorithms=["ES256"])
    assert jws.deserialize_compact(detached, keys.keys[0], payload=canonical(card), registry=registry)


async def test_the_key_set_holds_no_private_half(client: Client) -> None:
    (told,) = (await got(client, "/.well-known/jwks.json"))["keys"]
    assert told.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


async def test_without_a_key_nothing_is_signed(tmp_path: Path) -> None:
    async with scripted_app(tmp_path, URL) as app, TestClient(TestServer(app)) as client:
        assert "signatures" not in await got(client, CARDS[0])
        assert await got(client, "/.well-known/jwks.json") == {"keys": []}


@pytest.mark.parametrize("content", ["nonsense", "{}", "public"])
def test_a_file_without_a_private_key_is_a_configuration_error(tmp_path: Path, content: str) -> None:
    public = ECKey.generate_key("P-256").as_pem(private=False).decode()
    (tmp_path / "key").write_text(public if content == "public" else content)
    with pytest.raises(ConfigError, match="CARD_SIGNING_KEY_FILE"):
        SigningKey.read(tmp_path / "key")


def test_a_signing_key_that_is_missing_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        SigningKey.read(tmp_path / "none")
