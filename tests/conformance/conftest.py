"""The four dialects and the scripted agent, as the tests of the protocol have them."""

from tests.a2a.conftest import client, dialect

__all__ = ["client", "dialect"]
