"""The agent card: one for both versions (1.0 and 0.3 fields side by side), and a pure 1.0 one. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from agent import __version__
from agent.a2a.skills import JSON, PDF, SKILLS, TEXT
from agent.signature import SigningKey

Json = dict[str, Any]

NAME = "Document Extraction Agent"
DESCRIPTION = (
    "Extracts typed values with proof (page, box, printed words, checks) from PDF documents: "
    "invoices, receipts, purchase orders, bills of lading, contracts and forms."
)
INPUT_MODES = [TEXT, JSON, PDF]
OUTPUT_MODES = [JSON, TEXT]
SIGNED_PUSH = "urn:document-extraction-agent:signed-push:v1"
# Ours beside the protocol; none is required, and each works without being asked for.
EXTENSIONS = {
    "urn:document-extraction-agent:idempotency-key:v1": (
        "The header Idempotency-Key: a send repeated with it and the same body answers the task of the first one."
    ),
    "urn:document-extraction-agent:event-replay:v1": (
        "Stream events carry ids; a subscription with Last-Event-ID goes on after that one, even if the task has ended."
    ),
    SIGNED_PUSH: "Webhooks carry X-A2A-Notification-Signature: a detached JWS over body and time, by a key of ours.",
}


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What the card depends on: the address callers use, how they prove who they are, what works, what signs it."""

    public_url: str
    needs_key: bool = False
    oidc_issuer: str | None = None
    extended: bool = True
    model: bool = False
    signing_key: SigningKey | None = None


def union_card(facts: CardFacts) -> Json:
    """Both versions read this one: 1.0 ignores the 0.3 fields, 0.3 those of 1.0."""
    card = seen_by_v1(facts)
    card |= {
        "url": facts.public_url,
        "preferredTransport": "JSONRPC",
        "additionalInterfaces": [
            {"url": facts.public_url, "transport": "JSONRPC"},
            {"url": facts.public_url, "transport": "HTTP+JSON"},
        ],
        "protocolVersion": "0.3.0",
        "supportsAuthenticatedExtendedCard": facts.extended,
    }
    card["capabilities"] = card["capabilities"] | {"stateTransitionHistory": False}
    if facts.needs_key:
        old = openapi_schemes(facts)
        card["securitySchemes"] = {name: scheme | old[name] for name, scheme in card["securitySchemes"].items()}
        card["security"] = [{name: []} for name in old]
    return card


def seen_by_v1(facts: CardFacts) -> Json:
    """What a 1.0 reader sees of the union card, and checks signed: it names the 0.3 interfaces too."""
    interfaces = [*_interfaces(facts.public_url, "1.0"), *_interfaces(facts.public_url, "0.3")]
    return pure_card(facts, facts.public_url) | {"supportedInterfaces": interfaces}


def canonical(card: Json) -> bytes:
    """The bytes that a signature covers (A2A 1.0 §8.4): JCS of the card without its signatures.

    Sorted keys and no blanks are all of RFC 8785 that applies: keys are ASCII, and a card holds no numbers. It holds no
    empty list or object either, which the proto form would leave out.
    """
    return orjson.dumps({key: value for key, value in card.items() if key != "signatures"}, option=orjson.OPT_SORT_KEYS)


def pure_card(facts: CardFacts, url: str) -> Json:
    """The card of A2A 1.0 §4.4 and nothing else, for the interfaces at `url`."""
    card: Json = {
        "name": NAME,
        "description": DESCRIPTION,
        "version": __version__,
        "supportedInterfaces": _interfaces(url, "1.0"),
        "capabilities": {
            "streaming": True,
            "pushNotifications": True,
            "extensions": [{"uri": uri, "description": EXTENSIONS[uri]} for uri in extensions(facts)],
            "extendedAgentCard": facts.extended,
        },
        "defaultInputModes": INPUT_MODES,
        "defaultOutputModes": OUTPUT_MODES,
        "skills": [skill.told() for skill in SKILLS if facts.model or not skill.model],
    }
    if facts.needs_key:
        card["securitySchemes"] = _schemes_v1(facts)
        card["securityRequirements"] = [{"schemes": {name: {"list": ["extract"]}}} for name in card["securitySchemes"]]
    return card


def extensions(facts: CardFacts) -> list[str]:
    """The extensions that are active: webhooks are signed only where there is a key."""
    return [uri for uri in EXTENSIONS if facts.signing_key is not None or uri != SIGNED_PUSH]


def _schemes_v1(facts: CardFacts) -> Json:
    """Any one of them admits a caller."""
    schemes: Json = {"bearer": {"httpAuthSecurityScheme": {"scheme": "bearer"}}}
    if facts.oidc_issuer is not None:
        schemes["oidc"] = {"openIdConnectSecurityScheme": {"openIdConnectUrl": _discovery(facts.oidc_issuer)}}
    return schemes


def openapi_schemes(facts: CardFacts) -> Json:
    """The same in the form of OpenAPI, which 0.3 took over (A2A 0.3 §5.5.3)."""
    schemes: Json = {"bearer": {"type": "http", "scheme": "bearer"}}
    if facts.oidc_issuer is not None:
        schemes["oidc"] = {"type": "openIdConnect", "openIdConnectUrl": _discovery(facts.oidc_issuer)}
    return schemes


def _discovery(issuer: str) -> str:
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def _interfaces(url: str, version: str) -> list[Json]:
    return [
        {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": version},
        {"url": url, "protocolBinding": "HTTP+JSON", "protocolVersion": version},
    ]
