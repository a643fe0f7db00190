"""How the PDF server is started, and the ways in which that can fail. Light: imported before anything heavy."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# What a server process needs of the agent's environment. Never the model key, never tokens of the agent.
_PASSED = frozenset(
    {"HOME", "LANG", "LOGNAME", "OMP_NUM_THREADS", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "UPLOAD_DIR", "USER"}
    | {"LOG_LEVEL", "LOG_FORMAT", "VIRTUAL_ENV", "TESSDATA_PREFIX"}
)
_PASSED_PREFIXES = ("LC_", "MAX_PDF_", "MCP_PDF_", "OTEL_", "PYTHON")
_KEPT_BACK = frozenset({"MCP_PDF_TOKEN", "MCP_PDF_URL", "MCP_PDF_SERVER_COMMAND", "MCP_PDF_SERVER_ARGS"})


class StartError(Exception):
    """The server did not come up. `code` is stable, `detail` holds its last words on stderr."""

    def __init__(self, code: str, message: str, *, detail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code  # command_not_found | file_missing | dir_missing | dir_unreadable | exits_at_once | no_answer
        self.message = message
        self.detail = detail

    def body(self) -> dict[str, object]:
        return {"code": self.code, "message": self.message, "stderr": list(self.detail)}


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """A server on pipes: its argument list, its whole environment and the library it serves."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    library: Path | None = None


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """A server reached by streamable HTTP."""

    url: str
    token: str | None = None


def child_environment(own: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The server's environment: what it needs of ours, and `settings` over it."""
    passed = {
        name: value
        for name, value in own.items()
        if name not in _KEPT_BACK and (name in _PASSED or name.startswith(_PASSED_PREFIXES))
    }
    return passed | dict(settings)


def launch(command: ServerCommand) -> subprocess.Popen[bytes]:
    """Starts the process in a session of its own, with three pipes. Raises StartError."""
    _check(command)
    try:
        return subprocess.Popen(
            command.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(command.environment),
            start_new_session=True,
            bufsize=0,
        )
    except FileNotFoundError:
        raise StartError("command_not_found", f"There is no command {command.argv[0]!r}.") from None
    except OSError as exc:
        raise StartError("command_not_found", f"{command.argv[0]!r} cannot be run: {exc.strerror}.") from None


def _check(command: ServerCommand) -> None:
    for argument in command.argv[1:]:
        if argument.endswith(".py") and not Path(argument).is_file():
            raise StartError("file_missing", f"The server's argument {argument!r} names a file that is not there.")
    if command.library is None:
        return
    if not command.library.is_dir():
        raise StartError("dir_missing", f"The document directory {str(command.library)!r} is not there.")
    if not os.access(command.library, os.R_OK | os.X_OK):
        raise StartError("dir_unreadable", f"The document directory {str(command.library)!r} cannot be read.")
