"""TLS in the service: what a client is told over it, and what it is not told without."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conformance.scripted_agent import scripted_app


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server and of a client who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agent")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "agent.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=file)


async def test_over_tls_a_client_is_told_to_stay_with_it(
    tmp_path: Path, certified: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    served, trusting = certified
    async with scripted_app(tmp_path, "https://127.0.0.1") as app:
        server = TestServer(app, scheme="https")
        await server.start_server(ssl=served)
        async with TestClient(server) as client:
            answer = await client.get("/.well-known/agent-card.json", ssl=trusting)
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_without_tls_nothing_is_said_of_it(tmp_path: Path) -> None:
    async with scripted_app(tmp_path, "http://127.0.0.1") as app, TestClient(TestServer(app)) as client:
        answer = await client.get("/.well-known/agent-card.json")
        assert "Strict-Transport-Security" not in answer.headers
