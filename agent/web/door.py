"""Who may come in: keys and bearer tokens when there are any, loopback alone without them.

A key configured is a key required. Without any, a service on loopback answers `local`, but only under a Host name it
knows (a foreign page cannot rebind its name to 127.0.0.1) and only when nobody forwarded the request.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from agent.caller import LOCAL, SCOPES, Caller
from agent.errors import ConfigError, Forbidden, Unauthenticated
from agent.keys import KeyFile
from agent.oidc import Oidc
from agent.web.keys import CALLER

log = logging.getLogger(__name__)

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded")
PUBLIC_PREFIXES = ("/.well-known/", "/health", "/console", "/a2a/v1/.well-known/")
PUBLIC_PATHS = frozenset({"/openapi.json", "/metrics"})  # /metrics asks for its own token


@dataclass(frozen=True, slots=True)
class Policy:
    """What the configuration says about the door."""

    host: str
    allow_anonymous: bool = False
    allowed_hosts: tuple[str, ...] = ()
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    oidc: bool = False  # bearer tokens of an issuer are accepted

    @property
    def loopback(self) -> bool:
        return self.host in LOOPBACK_NAMES or self.host.startswith("127.")

    @property
    def public_host(self) -> str | None:
        return urlsplit(self.public_url).hostname if self.public_url else None


class Door:
    """Turns a request into its caller, or refuses it."""

    def __init__(self, policy: Policy, keys: KeyFile, *, own_key: str | None = None) -> None:
        self._policy = policy
        self._keys = keys
        self.oidc: Oidc | None = None  # set when the pools are open: it fetches the issuer's keys
        self._own_key = own_key
        self._proxies = [ip_network(name, strict=False) for name in policy.trusted_proxies]
        names = {*LOOPBACK_NAMES, *policy.allowed_hosts, policy.public_host}
        self._hosts = frozenset(name.casefold() for name in names if name)

    def reload(self) -> None:
        """Looks at the file of keys again."""
        self._keys.reload()

    @property
    def needs_key(self) -> bool:
        """Whether a caller has to show a key: what the agent card declares."""
        if self._keys.configured or self._policy.oidc:
            return True
        public = self._policy.public_host
        exempt = self._policy.loopback and (public is None or public in LOOPBACK_NAMES)
        return not (exempt or self._policy.allow_anonymous)

    def is_public(self, request: web.Request) -> bool:
        """Cards, health and the console's files are anybody's, under any Host."""
        if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            return False
        path = request.path
        return path == "/" or path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIXES)

    async def caller(self, request: web.Request) -> Caller:
        """Raises Unauthenticated or Forbidden."""
        token = _token(request)
        if token is not None and (caller := await self._known(token)) is not None:
            return caller
        if self.needs_key:
            if token is not None:
                raise Unauthenticated("The key is unknown.", hint="Ask the operator for one.")
            raise Unauthenticated("A key is needed.", hint="Send it as Authorization: Bearer KEY.")
        if not self._policy.allow_anonymous:
            self._check_local(request)
        return LOCAL

    async def _known(self, token: str) -> Caller | None:
        """Whose it is. A keyless service asks for none: one sent anyway opens nothing and shuts nothing."""
        if self._own_key is not None and hmac.compare_digest(self._own_key.encode(), token.encode("utf-8", "replace")):
            return Caller("api-key", SCOPES)
        if self.oidc is not None and self.oidc.is_token(token):
            return await self.oidc.caller(token)
        return self._keys.caller(token)

    def _check_local(self, request: web.Request) -> None:
        name = _host(request.headers.get(hdrs.HOST, ""))
        if name not in self._hosts:
            raise Forbidden(f"This service does not answer to the host {name[:80]!r}.", hint="See ALLOWED_HOSTS.")
        if any(header in request.headers for header in FORWARDED):
            raise Unauthenticated("Forwarded requests need a key.", hint="Make one: extraction-agent keys add NAME.")

    def address(self, request: web.Request) -> str:
        """The client's address: behind trusted proxies the right-most one that is not theirs."""
        peer = request.remote or ""
        if not self.is_proxy(peer):
            return peer
        for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            if not self.is_proxy(hop.strip()):
                return hop.strip() or peer
        return peer

    def is_proxy(self, address: str) -> bool:
        """Whether the address is one of TRUSTED_PROXIES."""
        try:
            return any(ip_address(address) in network for network in self._proxies)
        except ValueError:
            return False


def _token(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if token and scheme.casefold() == "bearer":
        return token.strip()
    return request.headers.get("X-API-Key")


@lru_cache(256)
def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    return (urlsplit("//" + header).hostname or "").casefold()


def require(request: web.Request, scope: str) -> Caller:
    """The caller, when it has the scope. Raises Forbidden."""
    caller = request[CALLER]
    if scope not in caller.scopes:
        raise Forbidden(f"This needs the scope {scope}.")
    return caller


def open_door(policy: Policy, *, keys_file: Path, data_dir: Path, shared: bool = False) -> Door:
    """The door for this configuration. Raises ConfigError where an open one would be an accident.

    Bound beyond loopback without keys, one is made into `data_dir/api-key`; several processes would each make their
    own, so `shared` (a Redis store, or more than one process) refuses instead.
    """
    keys = KeyFile(keys_file)
    own_key = None
    if not (policy.loopback or policy.allow_anonymous or keys.configured or policy.oidc):
        if shared:
            raise ConfigError("bound beyond loopback with a shared store: make keys first (extraction-agent keys add)")
        own_key = _own_key(data_dir / "api-key")
    return Door(policy, keys, own_key=own_key)


def _own_key(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    key = "dea_" + secrets.token_urlsafe(32)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    log.warning("door.key_made", extra={"path": str(path)})
    return key
