"""Mutated sample documents: a result or a stable code for each, the same server throughout, no worker left over."""

from __future__ import annotations

import json
import random
from pathlib import Path

from mcp_pdf.errors import CODES
from tests.mcp_pdf.serving import SAMPLES, alive, eventually, serving

INPUTS = 300


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, a piece cut out or doubled."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(out))
        kind = chance.randrange(4)
        if kind == 0:
            out[at] = chance.randrange(256)
        elif kind == 1:
            del out[at : at + chance.randint(1, 64)]
        elif kind == 2:
            out[at:at] = out[at : at + chance.randint(1, 256)]
        else:
            out[at : at + 4] = str(chance.choice([0, -1, 2**31, 2**63])).encode()
    return b"%PDF-" + bytes(out[5:])


def test_no_mutated_document_ends_the_server_or_leaks_a_worker(tmp_path: Path) -> None:
    chance = random.Random(20261124)  # noqa: S311  repeatable, not secret
    samples = [path.read_bytes() for path in sorted(SAMPLES.glob("*.pdf"))]
    with serving(tmp_path) as server:
        first = server.call("server_status")
        for number in range(INPUTS):
            (tmp_path / "fuzz.pdf").write_bytes(mutated(chance.choice(samples), chance))
            tool = chance.choice(["read_doc_contents", "extract_fields", "get_document_info", "read_form_fields"])
            result = server.raw(tool, doc_id="fuzz.pdf")
            body = json.loads(result.content[0].text)
            assert not result.is_error or body["code"] in CODES - {"internal"}, (number, tool, body)
        last = server.call("server_status")
        assert last["forkserver_pid"] == first["forkserver_pid"]
        assert len(last["workers"]["pids"]) <= last["workers"]["size"]
    assert eventually(lambda: not any(map(alive, last["workers"]["pids"])))
