"""`/openapi.json`: the HTTP+JSON binding of A2A 1.0 as OpenAPI 3.1, made from the operations table. No I/O.

Paths, verbs and summaries come from the table; SHAPES adds what each operation takes and gives. The components spell
the messages of A2A 1.0 §4 as this service answers them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent import __version__
from agent.a2a import operations as ops
from agent.a2a.card import CardFacts, openapi_schemes
from agent.a2a.v1 import STATE_NAMES

Json = dict[str, Any]


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: Json, optional: Json | None = None, *, closed: bool = False) -> Json:
    made: Json = {"type": "object", "properties": required | (optional or {}), "required": list(required)}
    return made | {"additionalProperties": False} if closed else made


def _list(items: Json, least: int = 0) -> Json:
    return {"type": "array", "items": items} | ({"minItems": least} if least else {})


TEXT: Json = {"type": "string"}
NAME: Json = {"type": "string", "minLength": 1}
FLAG: Json = {"type": "boolean"}
FREE: Json = {"type": "object"}
TIME: Json = {"type": "string", "format": "date-time"}
LENGTH: Json = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
PAGE_SIZE: Json = {"type": "integer", "minimum": 1, "maximum": ops.MAX_PAGE_SIZE, "default": ops.PAGE_SIZE}
_ABOUT: Json = {"metadata": FREE}
_PART: Json = {"filename": TEXT, "mediaType": TEXT} | _ABOUT

COMPONENTS: Json = {
    "State": {"enum": sorted(STATE_NAMES.values())},
    "Part": {
        "oneOf": [
            _object({"text": TEXT}, _PART),
            _object({"raw": {"type": "string", "contentEncoding": "base64"}}, _PART),
            _object({"url": TEXT}, _PART),
            _object({"data": {}}, _PART),
        ]
    },
    "Message": _object(
        {"messageId": NAME, "role": {"enum": ["ROLE_USER", "ROLE_AGENT"]}, "parts": _list(_ref("Part"), 1)},
        {"contextId": TEXT, "taskId": TEXT, "extensions": _list(TEXT), "referenceTaskIds": _list(TEXT)} | _ABOUT,
    ),
    "Artifact": _object(
        {"artifactId": TEXT, "parts": _list(_ref("Part"), 1)},
        {"name": TEXT, "description": TEXT, "extensions": _list(TEXT)} | _ABOUT,
    ),
    "Status": _object({"state": _ref("State"), "timestamp": TIME}, {"message": _ref("Message")}),
    "Task": _object(
        {"id": TEXT, "contextId": TEXT, "status": _ref("Status")},
        {"artifacts": _list(_ref("Artifact")), "history": _list(_ref("Message"))} | _ABOUT,
        closed=True,
    ),
    "Push": _object(
        {"url": {"type": "string", "format": "uri"}},
        {
            "id": TEXT,
            "token": TEXT,
            "authentication": _object({"scheme": NAME}, {"credentials": TEXT}),
        },
    ),
    "TaskPush": _object(
        {"taskId": TEXT, "id": TEXT, "url": TEXT},
        {"token": TEXT, "authentication": _object({"scheme": TEXT}, {"credentials": TEXT})},
        closed=True,
    ),
    "Send": _object(
        {"message": _ref("Message")},
        {
            "configuration": _object(
                {},
                {
                    "acceptedOutputModes": _list(TEXT),
                    "historyLength": LENGTH,
                    "returnImmediately": FLAG,
                    "taskPushNotificationConfig": _ref("Push"),
                },
            )
        }
        | _ABOUT,
    ),
    "Sent": {"oneOf": [_object({"task": _ref("Task")}), _object({"message": _ref("Message")})]},
    "Cancel": _object({}, _ABOUT),
    "Nothing": _object({}, closed=True),
    "Tasks": _object(
        {"tasks": _list(_ref("Task")), "nextPageToken": TEXT, "pageSize": PAGE_SIZE, "totalSize": LENGTH}, closed=True
    ),
    "Pushes": _object({"configs": _list(_ref("TaskPush")), "nextPageToken": TEXT}, closed=True),
    "Card": _object(
        {
            "name": TEXT,
            "description": TEXT,
            "version": TEXT,
            "supportedInterfaces": _list(FREE, 1),
            "capabilities": FREE,
            "defaultInputModes": _list(TEXT),
            "defaultOutputModes": _list(TEXT),
            "skills": _list(FREE, 1),
        }
    ),
    "Error": _object(
        {"error": _object({"code": {"type": "integer"}, "status": TEXT, "message": TEXT, "details": _list(FREE)})}
    ),
    "Failure": _object({"code": TEXT, "message": TEXT, "hint": {"type": ["string", "null"]}, "retryable": FLAG}),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Components: the body an operation takes (None: no body), its query, and what it answers."""

    gives: str
    takes: str | None = None
    query: Mapping[str, Json] = field(default_factory=dict)


_PAGED = {"pageSize": PAGE_SIZE, "pageToken": TEXT}
SHAPES: Mapping[str, Shape] = {
    "send": Shape("Sent", takes="Send"),
    "stream": Shape("Sent", takes="Send"),
    "get": Shape("Task", query={"historyLength": LENGTH}),
    "list": Shape(
        "Tasks",
        query={
            "contextId": TEXT,
            "status": _ref("State"),
            "historyLength": LENGTH,
            "statusTimestampAfter": TIME,
            "includeArtifacts": FLAG,
            **_PAGED,
        },
    ),
    "cancel": Shape("Task", takes="Cancel"),
    "subscribe": Shape("Sent"),
    "push_create": Shape("TaskPush", takes="Push"),
    "push_get": Shape("TaskPush"),
    "push_list": Shape("Pushes", query=_PAGED),
    "push_delete": Shape("Nothing"),
    "extended_card": Shape("Card"),
}
_VERSION: Json = {"name": "A2A-Version", "in": "header", "required": True, "schema": {"const": "1.0"}}
_SEGMENT: Json = {"type": "string", "pattern": r"^[\w.\-]+$", "maxLength": 200}
_ERROR: Json = {
    "description": "What went wrong: a protocol error, or (from the door) the failure that every surface shares",
    "content": {"application/json": {"schema": {"anyOf": [_ref("Error"), _ref("Failure")]}}},
}


def document(facts: CardFacts) -> Json:
    """The whole description of the service that the card tells of."""
    paths: dict[str, Json] = {}
    for operation in ops.OPERATIONS:
        for number, route in enumerate(operation.rest_v1):
            paths.setdefault(route.path, {})[route.verb.lower()] = _operation(operation, route, number)
    made: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Document Extraction Agent, A2A 1.0 over HTTP+JSON", "version": __version__},
        "servers": [{"url": facts.public_url}],
        "paths": paths,
        "components": {"schemas": COMPONENTS},
    }
    if facts.needs_key:
        made["components"]["securitySchemes"] = openapi_schemes(facts)
        made["security"] = [{name: []} for name in made["components"]["securitySchemes"]]
    return made


def _operation(operation: ops.Operation, route: ops.Route, number: int) -> Json:
    shape = SHAPES[operation.name]
    media = "text/event-stream" if operation.streams else "application/json"
    answer = {"schema": {"type": "string"} if operation.streams else _ref(shape.gives)}
    made: Json = {
        "operationId": operation.v1 + ("" if number == 0 else f"By{route.verb.title()}"),
        "summary": operation.summary,
        "parameters": [
            _VERSION,
            *({"name": name, "in": "path", "required": True, "schema": _SEGMENT} for name in _names(route.path)),
            *({"name": name, "in": "query", "schema": schema} for name, schema in shape.query.items()),
        ],
        "responses": {"200": {"description": operation.summary, "content": {media: answer}}, "default": _ERROR},
    }
    if shape.takes is not None:
        body = {"application/json": {"schema": _ref(shape.takes)}}
        made["requestBody"] = {"required": shape.takes != "Cancel", "content": body}
    return made


def _names(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)
