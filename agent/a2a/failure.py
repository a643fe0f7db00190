"""Errors as each binding spells them, all from the one wire table. Pure."""

from __future__ import annotations

from typing import Any

from agent.a2a.operations import V03
from agent.errors import AgentError, ExtensionSupportRequired, Internal, VersionNotSupported, wire_error

DOMAIN = "a2a-protocol.org"
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def told(exc: BaseException) -> AgentError:
    """What a caller may hear of it: our own words, or none."""
    return exc if isinstance(exc, AgentError) else Internal("The service failed on this request", hint="Try again")


def details(error: AgentError) -> list[dict[str, Any]]:
    """ErrorInfo, and for a wrong field BadRequest (A2A 1.0 §9.5, §11.6)."""
    metadata = {"code": error.code, "retryable": "true" if error.retryable else "false"}
    if error.hint:
        metadata["hint"] = error.hint
    info = {"@type": _ERROR_INFO, "reason": wire_error(error).reason, "domain": DOMAIN, "metadata": metadata}
    if error.field is None:
        return [info]
    return [info, {"@type": _BAD_REQUEST, "fieldViolations": [{"field": error.field, "description": error.message}]}]


def jsonrpc_error(exc: BaseException, version: str) -> dict[str, Any]:
    """The `error` member of a JSON-RPC answer."""
    error = told(exc)
    code = wire_error(error).jsonrpc
    if version == V03:
        if isinstance(error, (ExtensionSupportRequired, VersionNotSupported)):
            code = -32603  # 0.3 does not know the two codes that 1.0 added
        return {"code": code, "message": error.message, "data": error.body()}
    return {"code": code, "message": error.message, "data": details(error)}


def status_error(exc: BaseException) -> dict[str, Any]:
    """The body of a REST error, AIP-193 (A2A 1.0 §11.6)."""
    error = told(exc)
    wire = wire_error(error)
    return {"error": {"code": wire.http, "status": wire.status, "message": error.message, "details": details(error)}}
