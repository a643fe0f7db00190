"""Tasks and commits as Redis holds them. Pure."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import orjson

from agent.task import Artifact, ArtifactChanged, Event, Task
from agent.tasks.record import (
    dump,
    millis,
    moment,
    read_artifact,
    read_event,
    read_head,
    write_artifact,
    write_event,
    write_head,
)
from agent.tasks.redis import keys
from agent.tasks.store import JOURNAL_EVENTS, Commit, PushConfig, UploadRow

_LARGE_BYTES = 8192  # an artifact from here on stands in a blob of its own: snapshot and journal name it by its digest

Blobs = dict[str, bytes]
Fetch = Callable[[str], bytes]  # content of a blob by digest
_STATE = ("delivered", "failures", "gave_up", "last_error")


def write_commit(commit: Commit, ttl_ms: int) -> tuple[list[str | bytes], int]:
    """The arguments of the commit script after its prefix, and the size of the record in bytes."""
    task, blobs = commit.task, Blobs()
    head = dump(write_head(task))
    event, by_digest, artifact = b"", "", b""
    facts = _facts(commit, ttl_ms)
    if isinstance(commit.event, ArtifactChanged):
        place, whole = _whole(task, commit.event)
        facts["place"] = str(place)
        artifact = _field(dump(write_artifact(whole)), blobs)
    if commit.event is not None:
        record = write_event(commit.event)
        if isinstance(commit.event, ArtifactChanged):
            field = _field(dump(record["artifact"]), blobs)
            if field.startswith(b"@"):
                by_digest = field[1:].decode()
                del record["artifact"]
        event = dump(record)
    size_bytes = len(head) + len(event) + len(artifact) + sum(map(len, blobs.values()))
    stored = [piece for pair in blobs.items() for piece in pair]
    return [dump(facts), head, event, by_digest, artifact, *stored], size_bytes


def _facts(commit: Commit, ttl_ms: int) -> dict[str, Any]:
    """Numbers as text: the script's own would lose their last digits on the way into a key."""
    task, before = commit.task, commit.before
    facts: dict[str, Any] = {
        "id": task.id,
        "caller": task.caller,
        "context": task.context_id,
        "state": task.state.value,
        "at": str(millis(task.timestamp)),
        "version": str(task.version),
        "attempt": str(task.attempt),
        "token": secrets.token_hex(8),
        "ttl": str(ttl_ms),
        "journal": str(JOURNAL_EVENTS),
        "documents": list(commit.documents),
        "dead": commit.dead,
    }
    if before is not None:
        facts |= {"before_version": str(before.version), "before_attempt": str(before.attempt)}
    if (claim := commit.claim) is not None:
        name = keys.claim(task.caller, claim.key).removeprefix(keys.PREFIX)
        facts |= {"claim": name, "digest": claim.digest.hex(), "claim_ends": str(millis(claim.expires))}
    if (push := commit.push) is not None:
        config, state = write_push(push)
        facts |= {"push": push.id, "push_config": config.decode(), "push_state": state.decode()}
    return facts


def _whole(task: Task, event: ArtifactChanged) -> tuple[int, Artifact]:
    at = [artifact.artifact_id for artifact in task.artifacts].index(event.artifact.artifact_id)
    return at, task.artifacts[at]


def _field(body: bytes, blobs: Blobs) -> bytes:
    """The body itself, or `@` and the digest of the blob it was put into."""
    if len(body) < _LARGE_BYTES:
        return body
    digest = blake2b(body, digest_size=16).hexdigest()
    blobs[digest] = zlib.compress(body, 1)
    return b"@" + digest.encode()


def digests(fields: Mapping[bytes, bytes]) -> list[str]:
    """The blobs that a task's fields name."""
    return [value[1:].decode() for name, value in fields.items() if name.startswith(b"artifact:") and value[:1] == b"@"]


def read_task(fields: Mapping[bytes, bytes], blob: Fetch) -> Task:
    places = sorted(int(name[9:]) for name in fields if name.startswith(b"artifact:"))
    bodies = [fields[b"artifact:%d" % place] for place in places]
    artifacts = [body if body[:1] != b"@" else _opened(blob(body[1:].decode())) for body in bodies]
    return read_head(orjson.loads(fields[b"head"]), tuple(read_artifact(orjson.loads(body)) for body in artifacts))


def read_entry(fields: Mapping[bytes, bytes], blob: Fetch) -> Event:
    record = orjson.loads(fields[b"event"])
    if (digest := fields.get(b"artifact")) is not None:
        record["artifact"] = orjson.loads(_opened(blob(digest.decode())))
    return read_event(record)


def _opened(blob: bytes) -> bytes:
    return zlib.decompress(blob)


def write_push(config: PushConfig) -> tuple[bytes, bytes]:
    """What was registered, and how far it is."""
    record = {name: getattr(config, name) for name in PushConfig.__slots__ if name not in _STATE}
    return dump(record), push_state(config)


def push_state(config: PushConfig) -> bytes:
    return dump({name: getattr(config, name) for name in _STATE})


def read_pushes(fields: Mapping[bytes, bytes]) -> list[PushConfig]:
    """In the order of their ids."""
    found = [
        replace(PushConfig(**orjson.loads(body)), **orjson.loads(fields[name + b"/state"]))
        for name, body in fields.items()
        if name + b"/state" in fields
    ]
    return sorted(found, key=lambda config: config.id)


def write_upload(row: UploadRow) -> bytes:
    times = {"created": millis(row.created), "expires": millis(row.expires)}
    return dump({"size_bytes": row.size_bytes, "filename": row.filename, **times})


def read_upload(sha256: str, caller: str, body: bytes) -> UploadRow:
    known = orjson.loads(body)
    return UploadRow(
        sha256, caller, known["size_bytes"], known["filename"], moment(known["created"]), moment(known["expires"])
    )
