"""The four dialects, as the tests of the protocol have them."""

from tests.a2a.conftest import dialect

__all__ = ["dialect"]
