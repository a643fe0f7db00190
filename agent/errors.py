"""The one error tree and the one wire table.

Raise what happened, with words a person can act on; only the edge (`web`, `a2a`) knows codes.
JSON-RPC codes, HTTP statuses and reasons follow A2A 1.0 §5.4; the codes of `Failure` are this product's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class AgentError(Exception):
    """Something a caller may be told. `code` is stable; `message` names no path and no internals."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, hint: str | None = None, field: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, object]:
        """The failure shape every surface shares: code, message, hint, retryable."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "retryable": self.retryable}


class ConfigError(Exception):
    """The configuration cannot be used; one message lists every problem. Exit code 2."""


class InvalidRequest(AgentError):
    code = "invalid_request"


class ParseError(InvalidRequest):
    """The body is no JSON."""


class InvalidParams(InvalidRequest):
    """A parameter is missing or wrong; `field` names it."""


class InvalidSchema(InvalidParams):
    code = "invalid_schema"


class MethodNotFound(InvalidRequest):
    pass


class ContentTypeNotSupported(InvalidRequest):
    code = "unsupported_media_type"


class VersionNotSupported(InvalidRequest):
    pass


class ExtensionSupportRequired(InvalidRequest):
    pass


class UnsupportedOperation(InvalidRequest):
    pass


class PushNotificationNotSupported(InvalidRequest):
    pass


class ExtendedCardNotConfigured(InvalidRequest):
    pass


class TaskNotCancelable(InvalidRequest):
    pass


class NotFound(AgentError):
    code = "not_found"


class TaskNotFound(NotFound):
    """No such task, or none of this caller's: both look alike."""


class InvalidAgentResponse(AgentError):
    pass


class Internal(AgentError):
    pass


class Unauthenticated(AgentError):
    code = "unauthenticated"


class Forbidden(AgentError):
    code = "forbidden"


class TooLarge(AgentError):
    code = "too_large"


class RateLimited(AgentError):
    code = "rate_limited"
    retryable = True


class Overloaded(AgentError):
    code = "overloaded"
    retryable = True


class Failure(AgentError):
    """A document, a model or a tool failed with one of the product's codes (`password_required`, `timeout`, …)."""

    def __init__(self, code: str, message: str, *, hint: str | None = None, retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.code = code  # type: ignore[misc]  # an instance's own code: the set is open towards mcp_pdf
        self.retryable = retryable  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Wire:
    """How one error is spelled: JSON-RPC code, HTTP status of the REST binding, gRPC status name, ErrorInfo reason."""

    jsonrpc: int
    http: int
    status: str
    reason: str


INTERNAL = Wire(-32603, 500, "INTERNAL", "INTERNAL_ERROR")

WIRE: dict[type[BaseException], Wire] = {
    ParseError: Wire(-32700, 400, "INVALID_ARGUMENT", "PARSE_ERROR"),
    InvalidRequest: Wire(-32600, 400, "INVALID_ARGUMENT", "INVALID_REQUEST"),
    MethodNotFound: Wire(-32601, 404, "NOT_FOUND", "METHOD_NOT_FOUND"),
    InvalidParams: Wire(-32602, 400, "INVALID_ARGUMENT", "INVALID_PARAMS"),
    NotFound: Wire(-32001, 404, "NOT_FOUND", "NOT_FOUND"),
    TaskNotFound: Wire(-32001, 404, "NOT_FOUND", "TASK_NOT_FOUND"),
    TaskNotCancelable: Wire(-32002, 400, "FAILED_PRECONDITION", "TASK_NOT_CANCELABLE"),
    PushNotificationNotSupported: Wire(-32003, 400, "FAILED_PRECONDITION", "PUSH_NOTIFICATION_NOT_SUPPORTED"),
    UnsupportedOperation: Wire(-32004, 400, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION"),
    ContentTypeNotSupported: Wire(-32005, 400, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED"),
    InvalidAgentResponse: Wire(-32006, 500, "INTERNAL", "INVALID_AGENT_RESPONSE"),
    ExtendedCardNotConfigured: Wire(-32007, 400, "FAILED_PRECONDITION", "EXTENDED_AGENT_CARD_NOT_CONFIGURED"),
    ExtensionSupportRequired: Wire(-32008, 400, "FAILED_PRECONDITION", "EXTENSION_SUPPORT_REQUIRED"),
    VersionNotSupported: Wire(-32009, 400, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED"),
    TooLarge: Wire(-32600, 413, "INVALID_ARGUMENT", "TOO_LARGE"),
    Unauthenticated: Wire(-32600, 401, "UNAUTHENTICATED", "UNAUTHENTICATED"),
    Forbidden: Wire(-32600, 403, "PERMISSION_DENIED", "FORBIDDEN"),
    RateLimited: Wire(-32603, 429, "RESOURCE_EXHAUSTED", "RATE_LIMITED"),
    Overloaded: Wire(-32603, 503, "UNAVAILABLE", "OVERLOADED"),
}


def wire_error(exc: BaseException) -> Wire:
    """The row of the nearest ancestor; what has none is internal."""
    return next((WIRE[c] for c in type(exc).__mro__ if c in WIRE), INTERNAL)
