"""What a task asks for: its messages, parsed and put together; or the question that has to be asked back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.errors import InvalidParams
from agent.planning.schema import check_schema
from agent.planning.wording import alike, resolve, understand
from agent.task import Message

WISH_KEYS = ("fields", "schema", "document_type", "pages", "strictness", "effective_schema")
KEYS = frozenset({*WISH_KEYS, "documents", "mode", "password", "question", "trace"})
STRICTNESS = ("precise", "balanced", "eager")
MODES = ("auto", "embedded", "model")
TRACES = ("steps", "text")
MAX_DOCUMENTS = 100


@dataclass(frozen=True, slots=True)
class Request:
    """`documents` as named by the caller, not yet looked up; `uploads` are documents of the message itself."""

    kind: str | None = None  # list | read | classify | ask | extract
    documents: tuple[str, ...] = ()
    uploads: Mapping[str, str] = field(default_factory=dict)  # doc id -> file name
    wish: Mapping[str, Any] = field(default_factory=dict)
    mode: str | None = None
    text: str = ""
    trace_text: bool = False  # the trace shall hold what was sent to a model and what it answered
    guessed: bool = False  # the words did not tell the kind


@dataclass(frozen=True, slots=True)
class Question:
    """What is unclear, in words and as data: `candidates` are documents the caller may have meant."""

    text: str
    code: str
    candidates: tuple[str, ...] = ()


def read_request(messages: Iterable[Message]) -> Request:
    """The request of a task's user messages: a later one replaces what it says anew. Raises InvalidParams."""
    kind: str | None = None
    documents: tuple[str, ...] = ()
    uploads: dict[str, str] = {}
    wish: dict[str, Any] = {}
    mode: str | None = None
    trace_text = False
    texts = []
    for message in messages:
        said = _read(message)
        kind = said.kind or kind
        if said.uploads or said.documents:
            documents, uploads = said.documents, dict(said.uploads)
        if any(key in said.wish for key in ("fields", "schema", "document_type")):
            wish = {key: value for key, value in wish.items() if key not in ("fields", "schema", "document_type")}
        wish |= said.wish
        mode = said.mode or mode
        trace_text = trace_text or said.trace_text
        texts.append(said.text)
    guessed = kind is None and not wish
    if kind is None and (wish or documents or uploads):
        kind = "extract"
    return Request(kind, documents, uploads, wish, mode, "\n".join(filter(None, texts)), trace_text, guessed)


def _read(message: Message) -> Request:
    documents: list[str] = []
    uploads: dict[str, str] = {}
    wish: dict[str, Any] = {}
    kind = mode = None
    trace_text = False
    texts = []
    for at, part in enumerate(message.parts):
        if part.upload is not None:
            uploads[f"upload/{part.upload}"] = part.filename or "document.pdf"
        elif part.has_data:
            data = check_data(part.data, f"message.parts[{at}].data")
            documents += data.get("documents", ())
            wish |= {key: data[key] for key in WISH_KEYS if data.get(key) is not None}
            mode = data.get("mode") or mode
            trace_text = trace_text or data.get("trace") == "text"
            kind = kind or ("extract" if wish else None)
            texts += [data["question"]] if data.get("question") else []
        elif part.text:
            texts.append(part.text)
    if texts:
        said = understand("\n".join(texts))
        kind = kind or said.kind
        documents += [name for name in said.mentions if name not in documents]
        if said.fields and not any(key in wish for key in ("fields", "schema", "document_type")):
            wish["fields"] = list(said.fields)
    return Request(kind, tuple(documents), uploads, wish, mode, "\n".join(texts), trace_text)


def check_data(data: Any, where: str) -> dict[str, Any]:
    """The data part of a request, checked; the error names the key that is wrong."""
    if not isinstance(data, dict):
        raise InvalidParams("the data part must be an object", field=where)
    for key in data:
        if key not in KEYS:
            raise InvalidParams(f"unknown key {key!r}; known are {', '.join(sorted(KEYS))}", field=f"{where}.{key}")
    documents = data.get("documents")
    if documents is not None and not _names(documents):
        raise InvalidParams(f"documents is a list of 1 to {MAX_DOCUMENTS} document ids", field=f"{where}.documents")
    _check_choices(data, where)
    if not isinstance(data.get("effective_schema", False), bool):
        raise InvalidParams("effective_schema is true or false", field=f"{where}.effective_schema")
    if data.get("fields") is not None:
        _check_fields(data["fields"], f"{where}.fields")
    if data.get("schema") is not None:
        check_schema(data["schema"], f"{where}.schema")
    return data


def _check_choices(data: dict[str, Any], where: str) -> None:
    asked = [key for key in ("fields", "schema", "document_type") if data.get(key) is not None]
    if len(asked) > 1:
        raise InvalidParams(f"give one of {' and '.join(asked)}, not both", field=f"{where}.{asked[1]}")
    for key, choices in (("strictness", STRICTNESS), ("mode", MODES), ("trace", TRACES)):
        if data.get(key) is not None and data[key] not in choices:
            raise InvalidParams(f"{key} is one of {', '.join(choices)}", field=f"{where}.{key}")
    for key in ("pages", "password", "document_type", "question"):
        if data.get(key) is not None and not isinstance(data[key], str):
            raise InvalidParams(f"{key} is a string", field=f"{where}.{key}")


def _names(documents: Any) -> bool:
    return (
        isinstance(documents, list)
        and 0 < len(documents) <= MAX_DOCUMENTS
        and all(isinstance(name, str) and name for name in documents)
    )


def _check_fields(fields: Any, where: str) -> None:
    if not isinstance(fields, list) or not fields:
        raise InvalidParams("fields is a list of names or of {name, type, description}", field=where)
    for at, one in enumerate(fields):
        name = one.get("name") if isinstance(one, dict) else one
        if not isinstance(name, str) or not name:
            raise InvalidParams("a field has a name", field=f"{where}[{at}]")


def choose(request: Request, library: Sequence[str]) -> list[str] | Question:
    """The documents meant, among those the caller may see; or the question to ask."""
    chosen = list(request.uploads)
    for mention in request.documents:
        if mention.startswith("upload/"):
            chosen.append(mention)
            continue
        found = resolve(mention, library)
        if len(found) > 1:
            return Question(
                f"{mention} may mean several documents. Which one?", "ambiguous_document", tuple(found[:20])
            )
        if not found:
            near = tuple(alike(mention, library))
            offer = f" Did you mean {', '.join(near)}?" if near else ""
            return Question(f"There is no document {mention}.{offer}", "not_found", near or tuple(library[:20]))
        chosen.append(found[0])
    if not chosen:
        return Question("Which document? Name one of the library, or attach a PDF.", "no_document", tuple(library[:20]))
    return list(dict.fromkeys(chosen))
