"""OpenID Connect: who a signed bearer token speaks for.

The issuer's keys are fetched once and kept; an unknown key id fetches them again, at most once a minute, so that a
made-up id cannot turn callers into a flood on the issuer. When the issuer is down, known keys go on to count.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jwk import KeySet

from agent.caller import SCOPES, Caller
from agent.errors import Overloaded, Unauthenticated

log = logging.getLogger(__name__)

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
_DEFAULT_SCOPES = frozenset({"extract", "read"})  # of a token that names none of ours
_LEEWAY_S = 30
_MAX_TOKEN = 8_192
_MAX_DOCUMENT = 524_288
_TIMEOUT_S = 5.0
_KEYS_FOR_S = 3_600.0
_AGAIN_AFTER_S = 60.0
_FAILED_FOR_S = 10.0
_KNOWN_TOKENS = 1_024
_KNOWN_FOR_S = 300.0


class Oidc:
    """Turns tokens of one issuer for one audience into callers. `session` is shared and not closed here."""

    def __init__(self, issuer: str, audience: str, session: aiohttp.ClientSession) -> None:
        self.issuer = issuer.rstrip("/")
        self._session = session
        self._claims = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "values": [self.issuer, f"{self.issuer}/"]},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        self._keys: KeySet | None = None
        self._fetched_at = self._failed_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    @staticmethod
    def is_token(token: str) -> bool:
        """Whether this looks like a signed token at all."""
        return token.count(".") == 2 and token.startswith("eyJ")  # header.payload.signature

    async def caller(self, token: str) -> Caller:
        """Raises Unauthenticated, or Overloaded when the issuer's keys are not to be had."""
        if len(token) > _MAX_TOKEN:
            raise Unauthenticated("The bearer token is too long.")
        name = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(name)
        if known and known[0] > time.monotonic():
            return known[1]
        claims = await self._verified(token)
        caller = _caller(claims)
        lives_s = min(_KNOWN_FOR_S, float(claims["exp"]) - time.time())
        self._known[name] = (time.monotonic() + lives_s, caller)
        if len(self._known) > _KNOWN_TOKENS:
            self._known.popitem(last=False)
        return caller

    async def _verified(self, token: str) -> dict[str, Any]:
        keys = await self._key_set(again=False)
        try:
            claims = self._decoded(token, keys)
        except ClaimError as fault:
            raise _refused(fault) from None
        except (JoseError, ValueError) as first:
            # The key may have been rotated in since: look again, if that was not done just now.
            fresh = await self._key_set(again=True)
            if fresh is keys:
                raise _refused(first) from None
            try:
                claims = self._decoded(token, fresh)
            except (JoseError, ValueError) as second:
                raise _refused(second) from None
        return claims

    def _decoded(self, token: str, keys: KeySet) -> dict[str, Any]:
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        self._claims.validate(claims)
        return claims

    async def _key_set(self, *, again: bool) -> KeySet:
        fresh_s = _AGAIN_AFTER_S if again else _KEYS_FOR_S
        if self._keys is not None and time.monotonic() - self._fetched_at < fresh_s:
            return self._keys
        async with self._fetching:
            if self._keys is not None and time.monotonic() - self._fetched_at < fresh_s:
                return self._keys
            if time.monotonic() - self._failed_at < _FAILED_FOR_S:
                return self._stale()
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    self._keys = await self._fetch()
            except (aiohttp.ClientError, TimeoutError, JoseError, ValueError, KeyError, TypeError) as fault:
                self._failed_at = time.monotonic()
                log.warning("oidc.keys_not_fetched", extra={"issuer": self.issuer, "cause": repr(fault)})
                return self._stale()
            self._fetched_at = time.monotonic()
            return self._keys

    def _stale(self) -> KeySet:
        if self._keys is None:
            raise Overloaded("The identity provider does not answer.", retry_after_s=_FAILED_FOR_S)
        return self._keys

    async def _fetch(self) -> KeySet:
        found = await self._document(f"{self.issuer}/.well-known/openid-configuration")
        if str(found["issuer"]).rstrip("/") != self.issuer:
            raise ValueError("the discovery document names another issuer")
        keys = str(found["jwks_uri"])
        if urlsplit(keys).scheme != "https" and urlsplit(self.issuer).scheme == "https":
            raise ValueError("jwks_uri without TLS")
        return KeySet.import_key_set(await self._document(keys))

    async def _document(self, url: str) -> Any:
        async with self._session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as answer:
            if answer.status != 200:  # the status that carries a document
                raise ValueError(f"{url}: HTTP {answer.status}")
            content = await answer.content.read(_MAX_DOCUMENT + 1)
            while not answer.content.at_eof() and len(content) <= _MAX_DOCUMENT:
                content += await answer.content.read(_MAX_DOCUMENT)
            if len(content) > _MAX_DOCUMENT:
                raise ValueError(f"{url}: larger than {_MAX_DOCUMENT} bytes")
            return orjson.loads(content)


def _caller(claims: dict[str, Any]) -> Caller:
    named = claims.get("scope", claims.get("scp", ""))
    words = named.split() if isinstance(named, str) else [str(word) for word in named]
    scopes = SCOPES & frozenset(words)
    documents = claims.get("documents")
    if documents is not None and not (isinstance(documents, list) and all(isinstance(p, str) for p in documents)):
        raise Unauthenticated("The token's claim 'documents' is no list of patterns.")
    return Caller(
        f"oidc:{str(claims['sub'])[:255]}",
        scopes or _DEFAULT_SCOPES,
        tuple(documents) if documents is not None else None,
    )


def _refused(fault: Exception) -> Unauthenticated:
    """What a caller may know: that a token has expired; other faults are told alike."""
    if isinstance(fault, ExpiredTokenError):
        return Unauthenticated("The bearer token has expired.")
    log.info("oidc.token_refused", extra={"cause": type(fault).__name__})
    return Unauthenticated("The bearer token is not valid here.")
