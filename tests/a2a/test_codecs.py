"""What is written is read as it was meant: events by the types of the reference SDK, messages by our own readers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from a2a.compat.v0_3 import a2a_v0_3_pb2 as old_proto
from a2a.compat.v0_3 import types as old
from a2a.types import StreamResponse
from a2a.types import Task as NewTask
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agent.a2a.codec import Codec
from agent.a2a.fields import Fields
from agent.a2a.incoming import STATES, read_message, read_part, read_state
from agent.a2a.v03 import V03
from agent.a2a.v03_rest import V03Rest
from agent.a2a.v1 import V1
from agent.task import (
    Artifact,
    ArtifactChanged,
    AttemptStarted,
    Event,
    Message,
    MessageReceived,
    Part,
    State,
    StatusChanged,
    Task,
)
from agent.web.answers import dump

BASE = "https://agent.example"
Json = dict[str, Any]

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
names = words.filter(bool)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
leaves = st.none() | st.booleans() | numbers | words
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(names, values, max_size=3)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)
)


def _part(content: Mapping[str, Any], more: Mapping[str, Any]) -> Part:
    return Part(**content, **more)


contents = st.one_of(
    st.fixed_dictionaries({"text": words}),
    st.fixed_dictionaries({"raw": st.binary(max_size=12)}),
    st.fixed_dictionaries({"url": names}),
    st.fixed_dictionaries({"data": values, "has_data": st.just(True)}),
)
extras = st.fixed_dictionaries({}, optional={"filename": names, "media_type": names, "metadata": objects})
parts = st.builds(_part, contents, extras)
messages = st.builds(
    Message,
    names,
    st.sampled_from(["user", "agent"]),
    st.lists(parts, min_size=1, max_size=3).map(tuple),
    st.none() | names,
    st.none() | names,
    objects,
    st.lists(names, max_size=2).map(tuple),
    st.lists(names, max_size=2).map(tuple),
)
artifacts = st.builds(
    Artifact,
    names,
    st.lists(parts, min_size=1, max_size=3).map(tuple),
    st.none() | names,
    st.none() | names,
    objects,
    st.lists(names, max_size=2).map(tuple),
)
states = st.sampled_from(State)
events: st.SearchStrategy[Event | None] = st.one_of(
    st.none(),  # the snapshot
    st.builds(StatusChanged, states, times, st.none() | messages, objects, st.booleans()),
    st.builds(ArtifactChanged, artifacts, st.booleans(), st.booleans(), objects),
    st.builds(MessageReceived, messages, times, st.booleans()),
    st.builds(AttemptStarted, times),
)
tasks = st.builds(
    Task,
    names,
    names,
    names,
    states,
    times,
    st.none() | messages,
    st.booleans(),
    st.lists(artifacts, max_size=2, unique_by=lambda a: a.artifact_id).map(tuple),
    st.lists(messages, max_size=2).map(tuple),
    objects,
)
many = settings(max_examples=60, deadline=None)


def wired(value: object) -> Any:
    """As it arrives."""
    return json.loads(dump(value))


def bare(value: Any) -> Any:
    """Without what the protobuf mapping leaves out: empty lists and objects, false, empty text. Inside data, all.

    The mapping spells times without the zeros at their end.
    """
    if isinstance(value, dict):
        kept = {key: inner if key in ("data", "metadata") else bare(inner) for key, inner in value.items()}
        if "timestamp" in kept:
            kept["timestamp"] = datetime.fromisoformat(kept["timestamp"])
        return {
            key: inner
            for key, inner in kept.items()
            if key in ("data", "text", "raw", "url", "fileWithBytes") or (inner or (inner == 0 and inner is not False))
        }
    return [bare(inner) for inner in value] if isinstance(value, list) else value


@many
@given(tasks, events)
def test_the_types_of_1_0_read_every_event_as_it_was_written(task: Task, event: Event | None) -> None:
    told = wired(V1(BASE).event(task, event, None, final=False))
    read = ParseDict(told, StreamResponse())  # raises for an unknown field
    assert bare(MessageToDict(read)) == bare(told)


@many
@given(tasks)
def test_the_types_of_1_0_read_every_task_as_it_was_written(task: Task) -> None:
    told = wired(V1(BASE).task(task))
    assert bare(MessageToDict(ParseDict(told, NewTask()))) == bare(told)


_OLD: TypeAdapter[Any] = TypeAdapter(old.Task | old.TaskStatusUpdateEvent | old.TaskArtifactUpdateEvent)


@many
@given(tasks, events, st.booleans())
def test_the_types_of_0_3_read_every_event_as_it_was_written(task: Task, event: Event | None, final: bool) -> None:
    told = wired(V03(BASE).event(task, event, None, final=final))
    read = _OLD.validate_python(told)
    assert _without_null(read.model_dump(mode="json", by_alias=True, exclude_none=False)) == _without_null(told)


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        opaque = ("metadata", "data")
        return {k: v if k in opaque else _without_null(v) for k, v in value.items() if v is not None}
    return [_without_null(inner) for inner in value] if isinstance(value, list) else value


@many
@given(tasks, events, st.booleans())
def test_the_proto_of_0_3_reads_every_event_as_it_was_written(task: Task, event: Event | None, final: bool) -> None:
    told = wired(V03Rest(BASE).event(task, event, None, final=final))
    read = ParseDict(told, old_proto.StreamResponse())
    assert bare(MessageToDict(read)) == bare(told)


def _as_0_3_keeps_it(message: Message, *, rest: bool) -> Message:
    """What 0.3 has no place for: names and types of text and data, and over REST names of files and references."""

    def kept(part: Part) -> Part:
        is_file = part.raw is not None or part.url is not None
        return replace(
            part,
            filename=part.filename if is_file and not rest else None,
            media_type=part.media_type if is_file else None,
        )

    references = () if rest else message.reference_task_ids
    return replace(message, parts=tuple(kept(part) for part in message.parts), reference_task_ids=references)


def _plain(message: Message) -> Message:
    """Metadata that is empty is none."""
    return replace(message, metadata=dict(message.metadata), parts=tuple(map(_plain_part, message.parts)))


def _plain_part(part: Part) -> Part:
    return replace(part, metadata=dict(part.metadata))


@many
@given(messages)
def test_a_message_is_read_as_it_was_written_in_1_0(message: Message) -> None:
    assert _plain(read_message(Fields(wired(V1(BASE).message(message))))) == _plain(message)


@many
@given(messages)
def test_a_message_is_read_as_0_3_can_carry_it(message: Message) -> None:
    read = read_message(Fields(wired(V03(BASE).message(message))))
    assert _plain(read) == _plain(_as_0_3_keeps_it(message, rest=False))


def _encoded_twice(message: Message) -> bool:
    """Whether bytes look like those that the SDK of 0.3 encodes twice over REST, which are read as it means them."""
    return any((part.raw or b"").startswith(b"JVBERi") for part in message.parts)


@many
@given(messages.filter(lambda message: not _encoded_twice(message)))
def test_a_message_is_read_as_the_proto_of_0_3_can_carry_it(message: Message) -> None:
    read = read_message(Fields(wired(V03Rest(BASE).message(message))), wrapped_data=True)
    assert _plain(read) == _plain(_as_0_3_keeps_it(message, rest=True))


@pytest.mark.parametrize("codec", [V1(BASE), V03(BASE), V03Rest(BASE)], ids=lambda codec: type(codec).__name__)
@pytest.mark.parametrize("state", State)
def test_each_state_is_spelled_and_read_back(codec: Codec, state: State) -> None:
    task = Task("t", "c", "me", state, datetime(2026, 1, 31, 9, 30, 0, 7000, UTC))
    told = codec.task(task, None)["status"]
    assert told["timestamp"] == "2026-01-31T09:30:00.007Z"
    assert STATES[told["state"]] is state


@pytest.mark.parametrize(("number", "state"), [(n, s) for n, s in STATES.items() if isinstance(n, int)])
def test_a_state_may_be_asked_for_by_its_number(number: int, state: State) -> None:
    assert read_state(Fields({"status": number}), "status") is state
    assert read_state(Fields({"status": str(number)}), "status") is state


@pytest.mark.parametrize("encoded", ["+/8=", "-_8=", "-_8", "+/8"])
def test_base64_is_taken_in_both_alphabets_with_and_without_padding(encoded: str) -> None:
    assert read_part(Fields({"raw": encoded})).raw == b"\xfb\xff"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"text": "a", "mediaType": "text/markdown"}, Part(text="a", media_type="text/markdown")),
        ({"kind": "text", "text": "a"}, Part(text="a")),
        ({"raw": "YQ==", "filename": "a"}, Part(raw=b"a", filename="a")),
        ({"kind": "file", "file": {"bytes": "YQ==", "name": "a"}}, Part(raw=b"a", filename="a")),
        ({"file": {"fileWithBytes": "YQ==", "mimeType": "t"}}, Part(raw=b"a", media_type="t")),
        ({"file": {"file_with_uri": "u", "mime_type": "t"}}, Part(url="u", media_type="t")),
        ({"url": "u", "media_type": "t"}, Part(url="u", media_type="t")),
        ({"kind": "file", "file": {"uri": "u"}}, Part(url="u")),
        ({"data": None}, Part(data=None, has_data=True)),
        ({"data": [1]}, Part(data=[1], has_data=True)),
        ({"kind": "data", "data": {"a": 1}}, Part(data={"a": 1}, has_data=True)),
    ],
    ids=str,
)  # fmt: skip
def test_a_part_is_understood_in_each_spelling(given: Json, expected: Part) -> None:
    assert read_part(Fields(given)) == expected
