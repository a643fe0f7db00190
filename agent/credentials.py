"""Where secrets come from: the environment, a file, a mounted file, AWS Secrets Manager.

The first source that is configured answers; what a template left there counts as no key. A file is read again when
it changes, so that a rotated key is used without a restart. Nothing here ever logs a secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import orjson

from agent.errors import ConfigError
from agent.settings import MOUNTED, is_placeholder

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_AWS_TIMEOUT_S = 5.0
_AWS_AGAIN_S = 300.0
_MAX_SECRET = 65_536


class Source(Protocol):
    """One place a secret may be. `read` gives None when it has none, and raises ConfigError when it is broken."""

    name: str

    async def read(self) -> str | None: ...


class Fixed:
    """A value given at the start (an environment variable)."""

    def __init__(self, name: str, value: str | None) -> None:
        self.name = name
        self._value = value

    async def read(self) -> str | None:
        return self._value


class SecretFile:
    """A file that holds the secret and nothing else; read again when its stamp changes."""

    def __init__(self, name: str, path: Path, *, required: bool = True) -> None:
        self.name = name
        self._path = path
        self._required = required
        self._stamp: tuple[int, int, int] | None = None
        self._value: str | None = None
        self._look_at = 0.0

    async def read(self) -> str | None:
        if time.monotonic() < self._look_at:
            return self._value
        self._look_at = time.monotonic() + _LOOK_EVERY_S
        return await asyncio.to_thread(self._refreshed)

    def _refreshed(self) -> str | None:
        try:
            known = self._path.stat()
            stamp = (known.st_mtime_ns, known.st_ino, known.st_size)
            if stamp != self._stamp:
                if known.st_size > _MAX_SECRET:
                    raise ConfigError(f"{self.name}: {self._path}: too large for a secret")
                self._value = self._path.read_text().strip() or None
                self._stamp = stamp
        except (OSError, UnicodeDecodeError) as fault:
            if self._value is not None:  # rotation may replace the file in two steps: the old value still counts
                return self._value
            if self._required:
                raise ConfigError(f"{self.name}: {self._path}: {fault}") from fault
            return None
        return self._value


class AwsSecret:
    """AWS Secrets Manager (extra `aws`). `name#key` picks a key of a JSON secret; asked again after `again_s`."""

    name = "AWS_SECRET_ID"

    def __init__(self, secret_id: str, *, timeout_s: float = _AWS_TIMEOUT_S, again_s: float = _AWS_AGAIN_S) -> None:
        self._id, _, self._key = secret_id.partition("#")
        self._timeout_s = timeout_s
        self._again_s = again_s
        self._value: str | None = None
        self._ask_at = 0.0
        self._asking = asyncio.Lock()

    async def read(self) -> str | None:
        async with self._asking:
            if time.monotonic() < self._ask_at:
                return self._value
            try:
                async with asyncio.timeout(2 * self._timeout_s):
                    self._value = self._picked(await asyncio.to_thread(self._fetched))
            except TimeoutError as fault:
                self._stale(ConfigError(f"{self.name}: no answer within {2 * self._timeout_s:g} s"), fault)
            except ConfigError as fault:
                self._stale(fault, fault)
            self._ask_at = time.monotonic() + self._again_s
            return self._value

    def _stale(self, problem: ConfigError, cause: Exception) -> None:
        """An outage of the store does not take away a secret that is known."""
        if self._value is None:
            raise problem from cause
        log.warning("credentials.refresh_failed", extra={"source": self.name, "cause": str(problem)})

    def _fetched(self) -> str:
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as fault:
            raise ConfigError(f"{self.name}: install the extra `aws` for AWS Secrets Manager") from fault
        limits = Config(
            connect_timeout=self._timeout_s, read_timeout=self._timeout_s, retries={"total_max_attempts": 2}
        )
        try:
            client = boto3.client("secretsmanager", config=limits)
            with contextlib.closing(client):
                found = client.get_secret_value(SecretId=self._id)
        except (BotoCoreError, ClientError) as fault:
            raise ConfigError(f"{self.name}: {self._id}: {fault}") from fault
        text = found.get("SecretString") or (found.get("SecretBinary") or b"").decode("utf-8", "replace")
        return str(text)

    def _picked(self, text: str) -> str | None:
        """The secret itself, or one key of a JSON object; an object of one key needs no name."""
        try:
            fields = orjson.loads(text)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            if self._key:
                raise ConfigError(f"{self.name}: {self._id} is no JSON object: no key {self._key!r}")
            return text.strip() or None
        if not self._key and len(fields) != 1:
            raise ConfigError(f"{self.name}: {self._id} has several keys: name one as {self._id}#KEY")
        value = fields.get(self._key) if self._key else next(iter(fields.values()))
        if not isinstance(value, str):
            raise ConfigError(f"{self.name}: {self._id} has no text under {self._key!r}")
        return value.strip() or None


class Credentials:
    """One secret. `learnt` is told every new value, so that logs can mask it."""

    def __init__(self, sources: tuple[Source, ...], *, learnt: Callable[[str], None] = lambda _: None) -> None:
        self._sources = sources
        self._learnt = learnt
        self._value: str | None = None
        self._warned: set[str] = set()
        self.source: str | None = None

    @property
    def tried(self) -> tuple[str, ...]:
        """The names of all sources, for the message that says there is no secret."""
        return tuple(source.name for source in self._sources)

    async def value(self) -> str | None:
        """The secret now, or None when no source has one. Raises ConfigError for a source that is broken."""
        for source in self._sources:
            value = await source.read()
            if value is None:
                continue
            if is_placeholder(value):
                self._warn(source.name)
                continue
            if value != self._value:
                self._learnt(value)
                log.info("credentials.loaded", extra={"source": source.name, "rotated": self._value is not None})
            self._value, self.source = value, source.name
            return value
        self._value = self.source = None
        return None

    def _warn(self, name: str) -> None:
        if name not in self._warned:
            self._warned.add(name)
            log.warning("credentials.placeholder", extra={"source": name})


def model_key(
    *,
    value: str | None,
    file: Path | None,
    aws_secret_id: str | None,
    mounted: Path = MOUNTED,
    learnt: Callable[[str], None] = lambda _: None,
) -> Credentials:
    """The model's key: a named file before the environment, then AWS, then the file a cluster mounts."""
    sources: list[Source] = []
    if file is not None:
        sources.append(SecretFile("GOOGLE_API_KEY_FILE", file))
    sources.append(Fixed("GOOGLE_API_KEY", value))
    if aws_secret_id is not None:
        sources.append(AwsSecret(aws_secret_id))
    sources.append(SecretFile(str(mounted), mounted, required=False))
    return Credentials(tuple(sources), learnt=learnt)
