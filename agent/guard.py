"""Which addresses the service may dial for a caller. Checked where the socket is made, so that no name can lie."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from agent.errors import InvalidParams

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_RESOLVING = ThreadPoolExecutor(8, "resolver")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
# Never, whatever is configured: link-local (cloud metadata), "this network", metadata services outside it.
_NEVER = tuple(
    ipaddress.ip_network(net)
    for net in ("169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "::/128", "100.100.100.200/32", "fd00:ec2::254/128")
)
_RESERVED = tuple(
    ipaddress.ip_network(net)
    for net in (
        *("100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64"),
        *("2001::/23", "2001:db8::/32", "fc00::/7", "fec0::/10", "5f00::/16"),
    )
)


def allowed(text: str, *, private: bool) -> bool:
    """Whether an address may be dialled; `private` opens private networks and loopback."""
    address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_multicast or any(address in net for net in _NEVER):
        return False
    return private or (address.is_global and not any(address in net for net in _RESERVED))


def _unwrapped(address: Address) -> Address:
    """The IPv4 address an IPv6 one leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and (address in _NAT64 or (address in _COMPATIBLE and int(address) > 1)):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def check_url(url: str, *, private: bool, field: str = "url") -> None:
    """Refuses at once what could never be dialled; names are judged when they are. Raises InvalidParams."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidParams("this is no URL", field=field) from None
    if len(url) > 2048 or any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise InvalidParams("the URL is too long or has blanks or control characters", field=field)
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise InvalidParams("the URL must be http(s) with a host and without credentials", field=field)
    try:
        fine = allowed(host, private=private)
    except ValueError:
        fine = private or not (host == "localhost" or host.endswith(".localhost"))
    if not fine:
        raise InvalidParams("the URL leads into a network the service does not dial", field=field)


class Resolver(AbstractResolver):
    """Resolves names in threads apart: a caller's name that hangs keeps no file and no store from its thread."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError."""
        ask = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(_RESOLVING, ask)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is held: the threads are the process's."""


def connector(*, private: bool, limit: int = 32) -> aiohttp.TCPConnector:
    """Dials only what `allowed` lets pass: each address as it is dialled, literal or resolved."""

    def make(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not allowed(str(address[0]), private=private):
            raise OSError("the address is in a network the service does not dial")
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        limit=limit, socket_factory=make, resolver=Resolver(), use_dns_cache=False, force_close=True
    )


def session(*, private: bool, timeout_s: float) -> aiohttp.ClientSession:
    """A session that keeps no cookies and asks no proxy; callers pass `allow_redirects=False`."""
    timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(timeout_s, 10))
    jar = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(connector=connector(private=private), timeout=timeout, cookie_jar=jar, trust_env=False)
