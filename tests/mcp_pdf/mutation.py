"""Mutated documents for fuzzing: bytes, numbers, names, references and whole pieces changed, from a seed."""

from __future__ import annotations

import random
import re
import zlib
from pathlib import Path

from tests.mcp_pdf.hostile import FAMILIES

SAMPLES = Path(__file__).parents[2] / "agent" / "samples"
LARGEST = 200_000  # bytes of a seed
NUMBERS = (0, -1, 1, 2**16, 2**31 - 1, 2**31, 2**63, 10**30)
_NUMBER = re.compile(rb"(?<![\w.])\d{1,10}(?![\w.])")
_NAME = re.compile(rb"/[A-Za-z]\w*")
_REFERENCE = re.compile(rb"\d+ 0 R\b")
_STREAM = re.compile(rb"(<<[^<>]*?)/Filter\s*/FlateDecode([^<>]*?>>\s*stream\r?\n)(.*?)(\r?\nendstream)", re.DOTALL)


def seeds() -> list[bytes]:
    """Samples as they are and with their streams unpacked, so that mutations reach the content; small hostile files."""
    samples = [path.read_bytes() for path in sorted(SAMPLES.glob("*.pdf"))]
    hostile = [family.make() for family in FAMILIES.values() if not family.is_costly]
    return samples + [_unpacked(data) for data in samples] + [data for data in hostile if 50 < len(data) <= LARGEST]


def _unpacked(data: bytes) -> bytes:
    def plain(match: re.Match[bytes]) -> bytes:
        try:
            return match[1] + match[2] + zlib.decompress(match[3]) + match[4]
        except zlib.error:
            return match[0]

    return _STREAM.sub(plain, data)  # lengths are wrong now: readers look for `endstream`


def mutated(corpus: list[bytes], chance: random.Random) -> bytes:
    """One of the corpus with one to twelve changes; the header stays, so that it is opened at all."""
    out = bytearray(chance.choice(corpus))
    for _ in range(chance.randint(1, 12)):
        _change(out, corpus, chance)
    return b"%PDF-" + bytes(out[5:])


def _change(out: bytearray, corpus: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(out)) if out else 0
    match chance.randrange(8):
        case 0 if out:
            out[at] = chance.randrange(256)
        case 1:
            del out[at : at + chance.randint(1, 64)]
        case 2:
            out[at:at] = out[at : at + chance.randint(1, 256)]
        case 3:
            _replace(out, _NUMBER, str(chance.choice(NUMBERS)).encode(), chance)
        case 4:
            _replace(out, _REFERENCE, b"%d 0 R" % chance.randint(0, 12), chance)
        case 5:
            names = _NAME.findall(bytes(out[at : at + 2_000])) or [b"/Kids"]
            _replace(out, _NAME, chance.choice(names), chance)
        case 6:
            other = chance.choice(corpus)
            start = chance.randrange(len(other))
            out[at:at] = other[start : start + chance.randint(1, 2_000)]
        case 7 if chance.randrange(4) == 0:
            del out[at:]


def _replace(out: bytearray, what: re.Pattern[bytes], by: bytes, chance: random.Random) -> None:
    """One occurrence near a random place."""
    at = chance.randrange(len(out)) if out else 0
    found = what.search(bytes(out[at : at + 4_000]))
    if found:
        out[at + found.start() : at + found.end()] = by
