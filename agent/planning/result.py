"""A document's result as an artifact, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.task import EMPTY, Artifact, Message, Part

JSON = "application/json"


def data_part(data: Any) -> Part:
    return Part(data=data, has_data=True, media_type=JSON)


def extraction(number: int, result: dict[str, Any]) -> Artifact:
    """`extraction-N`: the values alone, then everything that proves them. Its metadata holds the trace, if any."""
    rest = {key: value for key, value in result.items() if key not in ("values", "trace")}
    document = result.get("document") or {}
    return Artifact(
        f"extraction-{number}",
        (data_part(result.get("values") or {}), data_part(rest)),
        name=document.get("id"),
        metadata={"trace": result["trace"]} if "trace" in result else EMPTY,
    )


def failed(number: int, document: str, error: dict[str, object]) -> Artifact:
    """The place of a document that could not be read, among others that could."""
    return Artifact(
        f"extraction-{number}",
        (data_part({}), data_part({"document": {"id": document}, "error": error})),
        name=document,
    )


def answer(text: str, citations: Any, *, trace: dict[str, Any] | None = None) -> Artifact:
    """`answer`: words for a person, and what they rest on."""
    parts = (Part(text=text, media_type="text/plain"), data_part(citations))
    return Artifact("answer", parts, name="answer", metadata={"trace": trace} if trace is not None else EMPTY)


def traced(message: Message, trace: dict[str, Any]) -> Message:
    """A status message with the trace of what failed."""
    return replace(message, metadata={**message.metadata, "trace": trace})
