"""The service's signing key: detached JWS over what it says (agent card, webhooks), and its public half as a JWKS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from agent.errors import ConfigError

_ALGORITHMS = {"RSA": "RS256", "OKP": "Ed25519"}
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}  # RFC 7518 §3.4: the curve decides


class SigningKey:
    """A private key; `kid` is the one it carries, or its thumbprint (RFC 7638)."""

    def __init__(self, key: ECKey | RSAKey | OKPKey) -> None:
        key.ensure_kid()
        self._key = key
        curve = key.as_dict(private=False).get("crv")
        self._algorithm = _CURVES.get(str(curve)) or _ALGORITHMS[key.key_type]
        # `iat` and `jti` are claims' names: the strict registry knows no such header, the standard lets any be there.
        self._registry = jws.JWSRegistry(algorithms=[self._algorithm], strict_check_header=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The key in a PEM or JWK file. Raises ConfigError."""
        try:
            raw = path.read_bytes()
            for kind in (ECKey, RSAKey, OKPKey):
                try:
                    key = kind.import_key(orjson.loads(raw) if raw.lstrip().startswith(b"{") else raw)
                except (JoseError, ValueError, TypeError, KeyError, AttributeError):
                    continue
                if key.is_private:
                    return cls(key)
        except OSError as fault:
            raise ConfigError(f"CARD_SIGNING_KEY_FILE: {fault.strerror}") from None
        raise ConfigError("CARD_SIGNING_KEY_FILE: no private EC, RSA or Ed25519 key in PEM or JWK form")

    def jwks(self) -> dict[str, Any]:
        """The key set that verifies every signature made here (RFC 7517 §5)."""
        public = self._key.as_dict(private=False)
        return {"keys": [public | {"kid": self._key.kid, "use": "sig", "alg": self._algorithm}]}

    def detached(self, payload: bytes, header: Mapping[str, Any]) -> tuple[str, str]:
        """(protected header, signature) in base64url over `payload`, which is sent apart (RFC 7515 appendix F)."""
        protected = {"alg": self._algorithm, "typ": "JOSE", "kid": self._key.kid, **header}
        signed = jws.serialize_compact(protected, payload, self._key, registry=self._registry)
        head, _, signature = signed.split(".")
        return head, signature
