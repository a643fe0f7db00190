"""API keys: random tokens, kept as hashes in one file that the command line writes and the service watches.

A token is `dea_<id>_<secret>`: the id finds the row, the secret has 256 random bits, so a plain SHA-256 cannot be
searched and no slow hash is needed. A file that was there once never opens the door by vanishing or breaking.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from agent.caller import SCOPES, Caller
from agent.errors import ConfigError, Unauthenticated

log = logging.getLogger(__name__)

DEFAULT_SCOPES = frozenset({"extract", "read"})
_LOOK_EVERY_S = 1.0
_NO_DIGEST = hashlib.sha256(b"").hexdigest()
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_TOKEN_PARTS = 3


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the file. `name` is the caller's id: several keys of one name are one caller."""

    id: str
    name: str
    sha256: str
    scopes: tuple[str, ...]
    documents: tuple[str, ...] | None = None
    created: str = ""
    expires: str | None = None
    revoked: str | None = None

    @property
    def caller(self) -> Caller:
        return Caller(self.name, frozenset(self.scopes), self.documents)

    def ended(self, now: datetime) -> str | None:
        """Why this key opens nothing any more; None while it does."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and datetime.fromisoformat(self.expires) <= now else None


def new_token() -> tuple[str, str, str]:
    """(token, id, hash of the token)."""
    key_id = secrets.token_hex(4)
    token = f"dea_{key_id}_{secrets.token_urlsafe(32)}"
    return token, key_id, digest(token)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def add(
    path: Path,
    name: str,
    *,
    scopes: Sequence[str] = tuple(sorted(DEFAULT_SCOPES)),
    documents: Sequence[str] | None = None,
    expires: datetime | None = None,
) -> tuple[str, Key]:
    """Makes a key and returns its token, which is shown once and kept nowhere. Raises ConfigError."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"key name {name!r}: letters, digits and . _ @ - only, at most 64")
    if not scopes or (unknown := set(scopes) - SCOPES):
        raise ConfigError(f"key scopes: {', '.join(sorted(unknown)) if scopes else 'none'}: use {_listed(SCOPES)}")
    if expires is not None and expires.tzinfo is None:
        raise ConfigError("key expiry: give a time zone")
    token, key_id, hashed = new_token()
    row = Key(
        key_id,
        name,
        hashed,
        tuple(sorted(set(scopes))),
        tuple(documents) if documents is not None else None,
        created=_now().isoformat(timespec="seconds"),
        expires=expires.astimezone(UTC).isoformat(timespec="seconds") if expires else None,
    )
    with _rewriting(path) as rows:
        rows.append(row)
    return token, row


def revoke(path: Path, id_or_name: str) -> list[Key]:
    """Ends the key of this id, or all of this name; returns those ended. The rows stay, so that the door stays shut."""
    stamp = _now().isoformat(timespec="seconds")
    ended = []
    with _rewriting(path) as rows:
        for at, row in enumerate(rows):
            if id_or_name in (row.id, row.name) and not row.revoked:
                rows[at] = replace(row, revoked=stamp)
                ended.append(rows[at])
    return ended


def read(path: Path) -> list[Key]:
    """All rows, ended ones too. Raises ConfigError when there is a file that cannot be read as keys."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as fault:
        raise ConfigError(f"{path}: {fault.strerror}") from fault
    try:
        return [_parsed(row) for row in orjson.loads(content)["keys"]]
    except (ValueError, KeyError, TypeError) as fault:
        raise ConfigError(f"{path}: no file of API keys: {fault}") from fault


class KeyFile:
    """The keys the service accepts now.

    Looks at the file's stamp once a second, and at once for a token it does not know or after `reload`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._look_at = 0.0
        self._rows: dict[str, Key] = {}
        self._configured = False
        self._stamp = _stamp(path)
        self._take(read(path))

    @property
    def configured(self) -> bool:
        """Whether there is a key, or ever was one: from the first on, everybody needs one."""
        self.refresh()
        return self._configured

    def reload(self) -> None:
        """Looks again at the next question (SIGHUP)."""
        self._look_at = 0.0
        self._stamp = None

    def caller(self, token: str) -> Caller | None:
        """Whose token this is; None for an unknown one. Raises Unauthenticated for one that has ended."""
        self.refresh()
        known = self._known(token)
        if known is None and self._look():  # a key made within the last second opens with its first request
            known = self._known(token)
        return known

    def _known(self, token: str) -> Caller | None:
        parts = token.split("_", 2)
        row = self._rows.get(parts[1]) if len(parts) == _TOKEN_PARTS else None
        # Compared even without a row, so that time does not tell which ids exist.
        if not hmac.compare_digest(row.sha256 if row else _NO_DIGEST, digest(token)) or row is None:
            return None
        if reason := row.ended(_now()):
            raise Unauthenticated(
                f"This API key has been {reason}." if reason == "revoked" else "This API key expired."
            )
        return row.caller

    def refresh(self) -> None:
        """Looks, when a second has passed since it last looked."""
        if time.monotonic() >= self._look_at:
            self._look()

    def _look(self) -> bool:
        """Whether it took a changed file. One that broke or vanished leaves the known keys as they are."""
        self._look_at = time.monotonic() + _LOOK_EVERY_S
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        if stamp is None:
            log.error("keys.vanished", extra={"path": str(self._path), "kept": len(self._rows)})
            return False
        try:
            self._take(read(self._path))
        except ConfigError as fault:
            log.error("keys.unreadable", extra={"cause": str(fault), "kept": len(self._rows)})  # noqa: TRY400  # the cause is whole, a traceback adds nothing
            return False
        log.info("keys.loaded", extra={"count": len(self._rows)})
        return True

    def _take(self, rows: list[Key]) -> None:
        self._rows = {row.id: row for row in rows}
        self._configured = self._configured or bool(rows)


def _parsed(row: Mapping[str, object]) -> Key:
    known = Key(**row)  # type: ignore[arg-type]  # checked below; unknown and missing names raise TypeError
    if not all(isinstance(text, str) for text in (known.id, known.name, known.sha256)):
        raise ValueError("id, name and sha256 are text")
    for stamp in (known.expires, known.revoked):
        if stamp is not None and datetime.fromisoformat(stamp).tzinfo is None:
            raise ValueError(f"key {known.id}: a time without its zone")
    if unknown := set(known.scopes) - SCOPES:
        raise ValueError(f"key {known.id}: unknown scopes {_listed(unknown)}")
    return replace(known, scopes=tuple(known.scopes), documents=known.documents and tuple(known.documents))


@contextmanager
def _rewriting(path: Path) -> Iterator[list[Key]]:
    """The rows, written back whole: readers see the old file or the new one, two writers wait for each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = read(path)
        yield rows
        _write(path, orjson.dumps({"keys": [asdict(row) for row in rows]}, option=orjson.OPT_INDENT_2))
    finally:
        os.close(lock)


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        known = path.stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_ino, known.st_size


def _now() -> datetime:
    return datetime.now(UTC)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
