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

from agent.a2a.card import SIGNED_PUSH, CardFacts, canonical
from agent.a2a.skills import DOCUMENT_TYPES, SKILLS
from agent.errors import ConfigError
from agent.planning.wording import understand
from agent.signature import SigningKey
from agent.web.keys import CARD
from mcp_pdf.extract.types import TYPES
from tests.conformance.scripted_agent import scripted_app
from tests.service import SAMPLES

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


async def card_of(tmp_path: Path, facts: CardFacts, path: str = CARDS[0]) -> Any:
    async with scripted_app(tmp_path, URL) as app:
        app[CARD] = facts
        async with TestClient(TestServer(app)) as client:
            return await got(client, path)


async def test_the_issuer_of_tokens_is_declared_in_the_shapes_of_both_versions(tmp_path: Path) -> None:
    card = await card_of(tmp_path, CardFacts(URL, needs_key=True, oidc_issuer="https://login.example"))
    discovery = "https://login.example/.well-known/openid-configuration"
    assert card["securitySchemes"]["oidc"] == {
        "openIdConnectSecurityScheme": {"openIdConnectUrl": discovery},
        "type": "openIdConnect",
        "openIdConnectUrl": discovery,
    }
    assert card["security"] == [{"bearer": []}, {"oidc": []}]
    read = ParseDict(card, AgentCard(), ignore_unknown_fields=True)
    assert read.security_schemes["oidc"].open_id_connect_security_scheme.open_id_connect_url == discovery
    assert [list(one.schemes) for one in read.security_requirements] == [["bearer"], ["oidc"]]


async def test_the_pure_card_holds_nothing_that_1_0_does_not_know(tmp_path: Path, key: SigningKey) -> None:
    facts = CardFacts(URL, needs_key=True, oidc_issuer="https://login.example", model=True, signing_key=key)
    ParseDict(await card_of(tmp_path, facts, CARDS[1]), AgentCard())  # raises for an unknown field


@pytest.mark.parametrize("model", [False, True])
async def test_free_questions_are_a_skill_only_with_a_model(tmp_path: Path, model: bool) -> None:
    card = await card_of(tmp_path, CardFacts(URL, model=model))
    assert ("ask" in {skill["id"] for skill in card["skills"]}) is model
    assert all(skill["inputModes"] and skill["outputModes"] for skill in card["skills"])
    assert {mode for skill in card["skills"] for mode in skill["inputModes"]} == set(card["defaultInputModes"])
    assert {mode for skill in card["skills"] for mode in skill["outputModes"]} == set(card["defaultOutputModes"])


def test_the_document_types_of_the_card_are_those_that_the_pdf_server_knows() -> None:
    assert tuple(sorted(TYPES)) == DOCUMENT_TYPES


@pytest.mark.parametrize(
    ("skill", "example"),
    [(skill.id, example) for skill in SKILLS for example in skill.examples if not skill.model],
)
def test_each_example_is_understood_as_its_skill_and_names_documents_that_are_there(skill: str, example: str) -> None:
    understood = understand(example)
    assert understood.kind == {"look-up": "ask"}.get(skill, skill)
    assert {SAMPLES / name for name in understood.mentions} <= set(SAMPLES.iterdir())


async def test_only_what_works_is_declared_as_an_extension(tmp_path: Path, key: SigningKey) -> None:
    def uris(card: Any) -> set[str]:
        return {one["uri"] for one in card["capabilities"]["extensions"]}

    unsigned = uris(await card_of(tmp_path, CardFacts(URL)))
    assert uris(await card_of(tmp_path, CardFacts(URL, signing_key=key))) - unsigned == {SIGNED_PUSH}


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
