"""Encrypted documents: every standard handler with and without a user password, and handlers nobody here has."""

from __future__ import annotations

import io

from pypdf import PdfReader, PdfWriter

from tests.mcp_pdf.hostile.objects import GOOD, REPAIRED, TEXT, Family, Make, page, pdf

PASSWORD = "pässword 7"
HANDLERS = ("RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256")
ENCRYPT = b"/Root 1 0 R/Encrypt 7 0 R/ID[(aaaaaaaaaaaaaaaa)(aaaaaaaaaaaaaaaa)]"
UNSUPPORTED = frozenset({"unsupported_encryption"})
LOCKED = frozenset({"password_required"})


def encrypted(handler: str, user: str, owner: str = "owner") -> bytes:
    """GOOD under this handler."""
    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(GOOD)))
    writer.encrypt(user, owner, algorithm=handler)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def under(dictionary: bytes) -> Make:
    """GOOD, said to be encrypted by this dictionary."""
    return lambda: pdf(page(o7=dictionary), ENCRYPT)


def _families(handler: str) -> dict[str, Family]:
    locked = encrypted(handler, PASSWORD)
    return {
        f"{handler} with an empty password": Family(lambda: encrypted(handler, ""), TEXT),
        f"{handler} locked": Family(lambda: locked, LOCKED),
        f"{handler} with the wrong password": Family(lambda: locked, frozenset({"wrong_password"}), password="no"),
        f"{handler} with the right password": Family(lambda: locked, TEXT, password=PASSWORD),
        f"{handler} with the owner's password": Family(lambda: locked, TEXT, password="owner"),
    }


STANDARD = b"<</Filter/Standard/V 2/R 3/Length 128/P -44/O(%b)/U(%b)>>"
PUBLIC_KEY = (
    b"<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5/V 4/R 4/CF<</DefaultCryptFilter<</CFM/AESV2/Recipients[(x)]>>>>"
    b"/StmF/DefaultCryptFilter/StrF/DefaultCryptFilter>>"
)
REFUSED = UNSUPPORTED | LOCKED | REPAIRED - TEXT

FAMILIES = {name: family for handler in HANDLERS for name, family in _families(handler).items()} | {
    "unknown security handler": Family(under(b"<</Filter/Acme.Locks/V 9/R 9/O(x)/U(x)/P -1>>"), UNSUPPORTED),
    "locked by public keys": Family(under(PUBLIC_KEY), UNSUPPORTED),
    "locked without keys": Family(under(STANDARD % (b"", b"")), REFUSED),
    "locked with keys of the wrong length": Family(under(STANDARD % (b"x" * 5_000, b"x")), REFUSED),
    "locked by a revision to come": Family(under(b"<</Filter/Standard/V 9/R 99/P 0/O(x)/U(x)>>"), REFUSED),
    "locked with a key of minus one bits": Family(
        under(b"<</Filter/Standard/V 2/R 3/Length -1/P -44/O(%b)/U(%b)>>" % (b"x" * 32, b"x" * 32)), REFUSED
    ),
    "locked by itself": Family(under(b"7 0 R"), REFUSED | TEXT),
    "crypt filter loop": Family(
        under(b"<</Filter/Standard/V 4/R 4/P -44/O(x)/U(x)/CF 7 0 R/StmF/CF/StrF/CF>>"), REFUSED
    ),
}
