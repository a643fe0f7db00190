"""The wish on a command line: fields, a schema file, a document type or words, as the keys of a request."""

from __future__ import annotations

import argparse
from typing import Any

import orjson

from agent.errors import AgentError, ConfigError
from agent.planning.request import check_data
from agent.planning.wording import field_of, type_of, understand


def wish_of(options: argparse.Namespace) -> dict[str, Any]:
    """Raises ConfigError that names what cannot be used."""
    wish: dict[str, Any] = {}
    if options.fields:
        names = [name.strip() for name in options.fields.split(",") if name.strip()]
        wish["fields"] = [{"name": n, "type": type_of(n), "description": n.replace("_", " ")} for n in names]
    if options.schema:
        wish["schema"] = _schema(options)
    if options.document_type:
        wish["document_type"] = options.document_type
    for key in ("strictness", "mode", "pages"):
        if getattr(options, key, None):
            wish[key] = getattr(options, key)
    if not wish.keys() & {"fields", "schema", "document_type"} and getattr(options, "ask", None):
        wish["fields"] = _asked(options.ask)
    try:
        return check_data(wish, "options")
    except AgentError as exc:
        raise ConfigError(f"{exc.field}: {exc.message}") from exc


def _schema(options: argparse.Namespace) -> Any:
    try:
        return orjson.loads(options.schema.read_bytes())
    except OSError as exc:
        raise ConfigError(f"--schema {options.schema}: {exc.strerror}") from exc
    except orjson.JSONDecodeError as exc:
        raise ConfigError(f"--schema {options.schema}: no JSON: {exc}") from exc


def _asked(words: str) -> list[dict[str, str]]:
    found = list(understand(words).fields) or list(understand("extract " + words).fields)
    if not found and (one := field_of(words)):
        found = [one]
    if not found:
        raise ConfigError(f"--ask {words!r}: no field is named; say for example 'the invoice number and the total'")
    return found
