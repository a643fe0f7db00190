"""What is left to a person of a result: which values are doubtful, what holds after decisions, what they prove.

`settled` are the values that hold by decisions, by JSON Pointer: the given one where it was accepted, another where
it was corrected, null where it was rejected.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.planning.values import Invalid, leaves, pointer, typed
from agent.planning.wished import wanted_of
from agent.planning.wording import type_of
from agent.task import Task

Settled = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One result of a task: the artifact it stands in and its place there (further documents of a file follow it)."""

    artifact: str
    part: int
    body: Mapping[str, Any]

    @property
    def values(self) -> Mapping[str, Any]:
        values: Mapping[str, Any] = self.body["values"]
        return values

    def doubtful(self) -> list[str]:
        """Pointers of the values that a person should look at."""
        evidence = self.body["evidence"]
        return [at for at, value in leaves(self.values) if is_doubtful(value, evidence.get(at) or {})]


def results_of(task: Task) -> Iterator[Reviewed]:
    """Every result in a task's artifacts, in their order."""
    for artifact in task.artifacts:
        if not artifact.artifact_id.startswith("extraction-") or len(artifact.parts) != 2:
            continue
        rest = artifact.parts[1].data
        if "evidence" not in rest:
            continue
        first = {"values": artifact.parts[0].data, **rest}
        for part, body in enumerate([first, *rest.get("more", ())]):
            yield Reviewed(artifact.artifact_id, part, body)


def is_doubtful(value: Any, proof: Mapping[str, Any]) -> bool:
    """The console marks fields by the same rule (result.js)."""
    if value is None:
        return proof.get("reason") in ("doubtful", "invalid")
    if not proof.get("match"):
        return False
    unproven = proof["match"] == "unlocated" and proof.get("confidence") != "high"
    return unproven or proof.get("confidence") == "low" or bool(proof.get("conflicts"))


def wish_of(task: Task) -> dict[str, Any]:
    """What the caller asked for: its data parts, the later ones over the earlier."""
    wish: dict[str, Any] = {}
    for message in task.history:
        for part in message.parts if message.role == "user" else ():
            if isinstance(part.data, Mapping):
                wish |= part.data
    return wish


def spelled(at: str, value: Any, wish: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """A correction as the contract spells its type. Raises Invalid."""
    if isinstance(value, dict | list):
        raise Invalid("a correction is one value: text, a number, true, false or null")
    path = at.split("/")[1:]
    kinds = {one.name: one.type for one in wanted_of(wish, values)}
    kind = kinds.get(path[0]) if len(path) == 1 else type_of(path[-1])
    return typed(kind if kind not in (None, "items", "namelist") else "string", value)


def corrected(values: Mapping[str, Any], settled: Settled) -> dict[str, Any]:
    """The values as they are after decisions."""
    found = copy.deepcopy(dict(values))
    for at, value in settled.items():
        node: Any = found
        *path, last = [key.replace("~1", "/").replace("~0", "~") for key in at.split("/")[1:]]
        for key in path:
            node = node[int(key)] if isinstance(node, list) else node[key]
        node[int(last) if isinstance(node, list) else last] = value
    return found


def case(task: Task, result: Reviewed, settled: Settled) -> dict[str, Any] | None:
    """The result as a case of the benchmark's form: the fields all of whose values were decided, and their truth.

    None when nothing was decided as a whole. A library document is named by its id: relative to the library.
    """
    wish, document = wish_of(task), result.body["document"]
    truth = corrected(result.values, settled)
    whole = [one for one in wanted_of(wish, result.values) if _decided(one.name, result.values, settled)]
    if not whole:
        return None
    kind = document.get("document_type") or "unknown"
    case_id = f"{task.id}/{result.artifact}/{result.part}"
    return {
        "case_id": case_id,
        "file": document["id"],
        "family": kind,
        "variant": "reviewed",
        "lang": document.get("language"),
        "template": document["id"],
        "synthetic": False,
        "fields": [one.field() for one in whole],
        "expected": {one.name: truth[one.name] for one in whole},
    }


def _decided(name: str, values: Mapping[str, Any], settled: Settled) -> bool:
    return name in values and all(at in settled for at, _ in leaves(values[name], pointer(name)))
