"""What can be wrong with a document or a wish: one exception, the contract's codes, one JSON spelling."""

from __future__ import annotations

import json
from typing import Any, Final

CODES: Final = frozenset(
    [
        "not_found",
        "outside_library",
        "empty_file",
        "not_a_pdf",
        "damaged_pdf",
        "password_required",
        "wrong_password",
        "unsupported_encryption",
        "too_large",
        "too_many_pages",
        "limit_exceeded",
        "timeout",
        "quarantined",
        "ocr_unavailable",
        "invalid_schema",
        "invalid_request",
        "overloaded",
        "cancelled",
        "internal",
    ]
)


class PdfError(Exception):
    """A failure the caller is told about. The message never holds a path of the machine or a stack trace."""

    def __init__(self, code: str, message: str, hint: str | None = None, *, retryable: bool = False) -> None:
        if code not in CODES:
            raise ValueError(f"unknown error code {code!r}")
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable

    def body(self) -> dict[str, Any]:
        """The contract's failure object."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "retryable": self.retryable}

    def text(self) -> str:
        """The failure as the JSON text of a tool result."""
        return json.dumps(self.body(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> PdfError:
        """The failure that a worker reported; an unknown code is an internal fault."""
        code = body.get("code")
        return cls(
            code if code in CODES else "internal",
            str(body.get("message", "")),
            body.get("hint"),
            retryable=bool(body.get("retryable")),
        )


INTERNAL: Final = PdfError("internal", "The server failed on this request.", "Try again; the log has the cause.")
