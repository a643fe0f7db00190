"""What callers send, read once for every version: both dialects of parts, roles and webhooks are understood.

A wrong field raises `InvalidParams` that names it; unknown fields are ignored (A2A 1.0 §5.7).
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

from agent.a2a.fields import Fields
from agent.a2a.operations import PushWish
from agent.errors import InvalidParams
from agent.task import Message, Part, State

MAX_PARTS = 100

ROLES: Mapping[object, str] = {
    "ROLE_USER": "user",
    "ROLE_AGENT": "agent",
    "user": "user",
    "agent": "agent",
    1: "user",
    2: "agent",
}

# Names of every version, and the numbers of the 1.0 proto: ProtoJSON takes both.
STATES: Mapping[object, State] = {
    **{f"TASK_STATE_{state.name}": state for state in State},
    "TASK_STATE_CANCELLED": State.CANCELED,
    **{state.value: state for state in State},
    1: State.SUBMITTED,
    2: State.WORKING,
    3: State.COMPLETED,
    4: State.FAILED,
    5: State.CANCELED,
    6: State.INPUT_REQUIRED,
    7: State.REJECTED,
    8: State.AUTH_REQUIRED,
}
_NO_STATE = (None, "", 0, "0", "TASK_STATE_UNSPECIFIED")


def read_state(fields: Fields, name: str) -> State | None:
    value = fields.get(name)
    if value in _NO_STATE:
        return None
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    state = STATES.get(value) if isinstance(value, (str, int)) else None
    if state is None:
        raise fields.wrong(name, "is no task state")
    return state


def read_history_length(fields: Fields) -> int | None:
    length = fields.integer("historyLength")
    if length is not None and length < 0:
        raise fields.wrong("historyLength", "must not be negative")
    return length


def read_message(fields: Fields, *, wrapped_data: bool = False) -> Message:
    """`wrapped_data`: the 0.3 REST dialect, where a data part is `{"data": {"data": {…}}}`."""
    role = fields.get("role")
    if role is None or role == "":
        raise fields.wrong("role", "is required")
    if not isinstance(role, (str, int)) or role not in ROLES:
        raise fields.wrong("role", "must be ROLE_USER or ROLE_AGENT")
    name = "parts" if fields.get("parts") is not None else "content"
    raw_parts = fields.items(name)
    if not raw_parts:
        raise fields.wrong("parts", "must hold at least one part")
    if len(raw_parts) > MAX_PARTS:
        raise fields.wrong("parts", f"must hold at most {MAX_PARTS} parts")
    parts = tuple(
        read_part(Fields(raw, f"{fields.at(name)}[{i}]"), wrapped_data=wrapped_data) for i, raw in enumerate(raw_parts)
    )
    return Message(
        message_id=fields.need("messageId"),
        role=ROLES[role],
        parts=parts,
        context_id=fields.text("contextId"),
        task_id=fields.text("taskId"),
        metadata=fields.mapping("metadata"),
        extensions=fields.strings("extensions"),
        reference_task_ids=fields.strings("referenceTaskIds"),
    )


def read_part(fields: Fields, *, wrapped_data: bool = False) -> Part:
    """Exactly one of text, raw, url, data (1.0), or the 0.3 kinds text, file, data."""
    json = fields.json
    kind = json.get("kind")
    given = [name for name in ("text", "raw", "url", "file", "data") if _given(json, name)]
    if len(given) != 1 or (kind is not None and kind not in _kinds(given[0])):
        raise InvalidParams(
            f"{fields.path} must hold exactly one of text, raw, url, data", field=fields.path, hint=f"kind: {kind}"
        )
    if given[0] == "file":
        return _file(fields)
    metadata = fields.mapping("metadata")
    media_type, filename = fields.text("mediaType") or fields.text("mimeType"), fields.text("filename")
    value = json[given[0]]
    if given[0] == "data":
        value, metadata = _data(fields, value, metadata, wrapped=wrapped_data and kind is None)
        return Part(data=value, has_data=True, filename=filename, media_type=media_type, metadata=metadata)
    if not isinstance(value, str):
        raise fields.wrong(given[0], "must be a string")
    if given[0] == "raw":
        return Part(raw=_bytes(fields, "raw", value), filename=filename, media_type=media_type, metadata=metadata)
    if given[0] == "url":
        return Part(url=value, filename=filename, media_type=media_type, metadata=metadata)
    return Part(text=value, filename=filename, media_type=media_type, metadata=metadata)


def _given(json: Mapping[str, Any], name: str) -> bool:
    """Null is a value of `data` and nothing elsewhere."""
    return name in json and (name == "data" or json[name] is not None)


def _kinds(content: str) -> tuple[str, ...]:
    return ("file",) if content in ("raw", "url", "file") else (content,)


def _data(
    fields: Fields, value: object, metadata: Mapping[str, Any], *, wrapped: bool
) -> tuple[Any, Mapping[str, Any]]:
    """The data and its metadata; 0.3 marks what is no object, and so stands in one, in the metadata."""
    if wrapped and isinstance(value, dict) and value.keys() == {"data"}:
        value = value["data"]
    if fields.json.get("kind") == "data" and not isinstance(value, dict):
        raise fields.wrong("data", "must be an object")
    if metadata.get("data_part_compat") is True and isinstance(value, dict) and value.keys() == {"value"}:
        return value["value"], {key: more for key, more in metadata.items() if key != "data_part_compat"}
    return value, metadata


def _file(fields: Fields) -> Part:
    """A 0.3 file: `bytes`/`uri` in JSON-RPC, `fileWithBytes`/`fileWithUri` in REST."""
    file = fields.need_child("file")
    media_type = file.text("mimeType") or file.text("mediaType")
    filename = file.text("name") or file.text("filename")
    metadata = fields.mapping("metadata")
    url = file.text("uri") or file.text("fileWithUri")
    name = "bytes" if file.has("bytes") else "fileWithBytes"
    encoded = file.get(name)
    if (url is None) == (encoded is None):
        raise InvalidParams(f"{file.path} must hold exactly one of bytes, uri", field=file.path)
    if url is not None:
        return Part(url=url, filename=filename, media_type=media_type, metadata=metadata)
    if not isinstance(encoded, str):
        raise file.wrong(name, "must be a string")
    raw = _bytes(file, name, encoded)
    if name == "fileWithBytes" and raw.startswith(b"JVBERi"):
        raw = _bytes(file, name, raw.decode("latin-1"))  # the 0.3 SDK's REST client encodes twice; JVBERi is %PDF
    return Part(raw=raw, filename=filename, media_type=media_type, metadata=metadata)


def _bytes(fields: Fields, name: str, encoded: str) -> bytes:
    """Standard and URL-safe base64, padded or not."""
    if "-" in encoded or "_" in encoded:
        encoded = encoded.replace("-", "+").replace("_", "/")
    if len(encoded) % 4:
        encoded += "=" * (-len(encoded) % 4)
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except (binascii.Error, ValueError):
        raise fields.wrong(name, "must be base64") from None


def read_push(fields: Fields) -> PushWish:
    """A webhook; 1.0 names one `scheme`, 0.3 several `schemes`, of which the first is used."""
    token, credentials, scheme = fields.text("token"), None, None
    auth = fields.child("authentication")
    if auth is not None:
        schemes = auth.strings("schemes")
        scheme = auth.text("scheme") or (schemes[0] if schemes else None)
        credentials = auth.text("credentials")
        if scheme is None:
            raise auth.wrong("scheme", "is required")
    url = fields.need("url")
    return PushWish(url=url, id=fields.text("id"), token=token, scheme=scheme, credentials=credentials)
