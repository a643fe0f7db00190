from __future__ import annotations

from dataclasses import replace
from itertools import product

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from agent.task import (
    MOVES,
    Artifact,
    ArtifactChanged,
    AttemptStarted,
    Event,
    IllegalMove,
    Message,
    MessageReceived,
    Part,
    State,
    StatusChanged,
    Task,
    apply,
    new_id,
    now,
    state_after,
)
from agent.tasks.fair_queue import FairQueue
from agent.tasks.record import dump, read_artifact, read_event, read_head, write_artifact, write_event, write_head
from agent.tasks.withhold import WITHHELD, withhold

TASK = Task("t", "c", "ann", State.SUBMITTED, now())

json = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=8,
)
metadata = some.dictionaries(some.text(), json, max_size=2)
parts = some.one_of(
    some.builds(Part, text=some.text(), metadata=metadata),
    some.builds(Part, raw=some.binary(max_size=20), filename=some.text()),
    some.builds(Part, data=json, has_data=some.just(True), media_type=some.text()),
    some.builds(Part, upload=some.text(min_size=1), url=some.text()),
)
bodies = some.lists(parts, min_size=1, max_size=3).map(tuple)
messages = some.builds(Message, some.text(), some.sampled_from(["user", "agent"]), bodies, metadata=metadata)
times = some.builds(now)
artifacts = some.builds(Artifact, some.sampled_from("ab"), bodies, metadata=metadata)
events: some.SearchStrategy[Event] = some.one_of(
    some.builds(StatusChanged, some.sampled_from(State), times, some.none() | messages, metadata, some.booleans()),
    some.builds(ArtifactChanged, artifacts, some.booleans(), some.booleans(), metadata),
    some.builds(MessageReceived, messages, times, some.booleans()),
    some.builds(AttemptStarted, times),
)


@pytest.mark.parametrize(("old", "new"), list(product(State, State)))
def test_only_the_tables_moves_are_made(old: State, new: State) -> None:
    task = replace(TASK, state=old)
    if new in MOVES.get(old, ()):
        assert apply(task, StatusChanged(new, now())).state is new
    else:
        with pytest.raises(IllegalMove):
            apply(task, StatusChanged(new, now()))


@pytest.mark.parametrize("state", State)
def test_messages_go_to_asking_tasks_and_attempts_to_the_others(state: State) -> None:
    message = MessageReceived(Message("m", "user", (Part(text="x"),)), now())
    for event, fine in ((message, state.interrupted), (AttemptStarted(now()), not state.interrupted)):
        if fine and not state.terminal:
            assert apply(replace(TASK, state=state), event).version == 1
        else:
            with pytest.raises(IllegalMove):
                apply(replace(TASK, state=state), event)


@given(some.lists(events, max_size=12))
def test_whatever_happens_versions_rise_by_one_history_is_kept_and_the_end_is_the_end(happened: list[Event]) -> None:
    task = TASK
    for event in happened:
        try:
            after = apply(task, event)
        except IllegalMove:
            continue
        assert not task.state.terminal
        assert after.version == task.version + 1
        assert after.history[: len(task.history)] == task.history
        assert after.attempt - task.attempt == isinstance(event, AttemptStarted)
        assert state_after(event) in (None, after.state)
        task = after
    kept = tuple(read_artifact(orjson.loads(dump(write_artifact(artifact)))) for artifact in task.artifacts)
    assert read_head(orjson.loads(dump(write_head(task))), kept) == task


@given(events)
def test_every_event_comes_back_from_its_record(event: Event) -> None:
    assert read_event(orjson.loads(dump(write_event(event)))) == event


def test_progress_is_never_history_and_a_status_message_becomes_it_when_superseded() -> None:
    said = Message("m", "agent", (Part(text="x"),))
    task = apply(TASK, StatusChanged(State.WORKING, now(), said, progress=True))
    task = apply(task, StatusChanged(State.WORKING, now(), said))
    assert task.history == ()
    assert apply(task, StatusChanged(State.COMPLETED, now())).history == (said,)


def test_ids_are_uuids_in_the_order_of_time() -> None:
    ids = [new_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(len(each) == 36 and each[14] == "7" and each[19] in "89ab" for each in ids)
    assert [each[:13] for each in ids] == sorted(each[:13] for each in ids)


def test_callers_take_turns() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.put("ann", f"a{number}")
    queue.put("bob", "b0")
    queue.put("bob", "b1")
    queue.discard("bob", "b1")
    assert [queue.take() for _ in range(len(queue))] == ["a0", "b0", "a1", "a2"]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("The password is s3cret.", "s3cret."),
        ("password: s3cret", "s3cret"),
        ("Read a.pdf with password s3cret", "s3cret"),
        ("Das Passwort lautet s3cret", "s3cret"),
        ("mot de passe : s3cret", "s3cret"),
        ('use the password "s3cret"', "s3cret"),
        ("password for a.pdf is s3cret", "s3cret"),
        ("Is a.pdf password protected?", None),
        ("Extract user name, password, email", None),
        ("The password is required", None),
    ],
)
def test_a_password_in_words_is_withheld(text: str, secret: str | None) -> None:
    kept, secrets = withhold(Message("m", "user", (Part(text=text),)), awaited=False)
    assert secrets.get("password") == secret
    if secret:
        assert secret not in str(kept)
        assert WITHHELD in str(kept)
    else:
        assert kept.parts[0].text == text


def test_a_password_in_data_is_withheld_and_a_field_of_that_name_is_not() -> None:
    data = {"documents": ["a.pdf"], "password": "s3cret", "fields": [{"name": "password", "type": "string"}]}
    schema = {"schema": {"properties": {"password": {"type": "string"}}}}
    kept, secrets = withhold(Message("m", "user", (Part(data=data), Part(data=schema))), awaited=False)
    assert secrets == {"password": "s3cret"}
    assert kept.parts[0].data == {key: value for key, value in data.items() if key != "password"}
    assert kept.parts[1].data == schema
