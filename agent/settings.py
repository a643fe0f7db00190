"""A setting: its row beside the field that holds it, and how it is read from text.

Each reading function returns the value or raises ValueError with what was expected.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PLACEHOLDERS = ("your", "changeme", "change-me", "change_me", "replace", "<", "xxx", "placeholder", "todo", "example")

MOUNTED = Path("/var/run/secrets/api-key")  # where the guide's manifests mount the model's key


def setting(
    name: str,
    default: Any,
    parse: Callable[[str], Any],
    meaning: str,
    *,
    secret: bool = False,
    shown: str | None = None,
) -> Any:
    """A dataclass field with its row: variable, how it is parsed, what it means, what stands for its default."""
    row = {"name": name, "parse": parse, "meaning": meaning, "secret": secret, "shown": shown}
    return dataclasses.field(default=default, metadata=row)


def rows(of: Any) -> list[dict[str, Any]]:
    """One row a setting of a dataclass: field, name, parse, meaning, secret, default, shown."""
    return [
        {**f.metadata, "field": f.name, "default": f.default} for f in dataclasses.fields(of) if "name" in f.metadata
    ]


def table(of: Any) -> str:
    """The README's table of settings, as Markdown."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for row in rows(of):
        default = row["shown"] or (f"`{spell(row['default'])}`" if spell(row["default"]) else "")
        lines.append(f"| `{row['name']}` | {default} | {row['meaning']} |")
    return "\n".join(lines)


def text(value: str) -> str:
    return value


def flag(value: str) -> bool:
    folded = value.casefold()
    if folded in ("1", "true", "yes", "on"):
        return True
    if folded in ("0", "false", "no", "off"):
        return False
    raise ValueError("expected true or false")


def whole(value: str, *, least: int = 0, most: int = 1_000_000_000) -> int:
    try:
        number = int(value)
    except ValueError:
        raise ValueError("expected a whole number") from None
    if not least <= number <= most:
        raise ValueError(f"expected {least} to {most}")
    return number


def seconds(value: str) -> float:
    """`30`, `30s`, `5m`, `2h` or `7d` in seconds."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number, unit = (value[:-1], units[value[-1]]) if value[-1:] in units else (value, 1)
    try:
        seconds = float(number) * unit
    except ValueError:
        raise ValueError("expected seconds, or a number with s, m, h or d") from None
    if not 0 < seconds < 1e10:
        raise ValueError("expected more than 0 seconds")
    return seconds


def one_of(value: str, *, choices: tuple[str, ...], upper: bool = False) -> str:
    spelled = value.upper() if upper else value.casefold()
    if spelled not in choices:
        raise ValueError("expected one of " + ", ".join(choices))
    return spelled


def names(value: str) -> tuple[str, ...]:
    return tuple(part for part in value.replace(",", " ").split() if part)


def networks(value: str) -> tuple[str, ...]:
    found = names(value)
    for name in found:
        ip_network(name, strict=False)
    return found


def arguments(value: str) -> tuple[str, ...]:
    return tuple(shlex.split(value))


def url(value: str, *, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes or not (parts.netloc or parts.path):
        raise ValueError("expected a URL with " + ", ".join(f"{s}://" for s in schemes))
    return value.rstrip("/")


def missing(words: tuple[str, ...]) -> list[str]:
    """Arguments of a command that look like files and are none: the guide's own example has such."""
    return [word for word in words if word.endswith(".py") and not Path(word).is_file()]


def path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def rate(value: str) -> str:
    """`600/minute`; the `limits` library's own notation."""
    from limits import parse

    parse(value)
    return value


def is_placeholder(secret: str) -> bool:
    """Whether this is what a template left in place of a secret."""
    return secret.strip().casefold().startswith(PLACEHOLDERS)


# What NAME_FILE may hold: secrets, read once at the start, and the log level, read again at SIGHUP. The model's key has
# a setting of its own.
FROM_FILE = frozenset({"CACHE_URL", "LOG_LEVEL", "MCP_PDF_TOKEN", "METRICS_TOKEN", "STORE_URL"})

ALIASES = {"GOOGLE_API_KEY": ("GEMINI_API_KEY",), "HOST": ("A2A_HOST",), "PORT": ("A2A_PORT",)}


def given_value(name: str, environment: Mapping[str, str], overrides: Mapping[str, str]) -> tuple[str | None, str]:
    """What is set for a variable, and where; None when nothing is. Raises ValueError for a file that cannot be read."""
    if overrides.get(name):
        return overrides[name], "command line"
    for spelled in (name, *ALIASES.get(name, ())):
        found = environment.get(spelled, "").strip()
        if found:
            return found, f"environment {spelled}"
    file = environment.get(f"{name}_FILE", "").strip() if name in FROM_FILE else ""
    if file:
        return _held(Path(file)), f"file of {name}_FILE"
    return None, "default"


def _held(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as fault:
        raise ValueError(f"its file cannot be read: {fault}") from None


def spell(value: object) -> str:
    """A setting's value as it would be written."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(str(v) for v in value)
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)
