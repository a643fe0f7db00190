"""`keys`: make, list and revoke API keys. A running service takes the changes within a second."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta

from agent import keys as keyring
from agent.config import Config
from agent.errors import ConfigError
from agent.settings import names, seconds


def keys(options: argparse.Namespace) -> int:
    """One of `add`, `list`, `revoke` on the file of API_KEYS_FILE."""
    actions = {"add": _add, "list": _list, "revoke": _revoke}
    return actions[options.action](options, Config.from_env(os.environ))


def _add(options: argparse.Namespace, config: Config) -> int:
    wish: dict[str, object] = {}
    if options.scopes:
        wish["scopes"] = names(options.scopes)
    if options.documents:
        wish["documents"] = names(options.documents)
    if options.expires:
        try:
            wish["expires"] = datetime.now(UTC) + timedelta(seconds=seconds(options.expires))
        except ValueError as exc:
            raise ConfigError(f"--expires {options.expires!r}: {exc}") from exc
    config.keys_file.parent.mkdir(parents=True, exist_ok=True)
    token, row = keyring.add(config.keys_file, options.name, **wish)  # type: ignore[arg-type]  # parsed above
    print(token)
    print(f"Key {row.id} of {row.name} with {' '.join(row.scopes)}. It is shown this once.", file=sys.stderr)
    return 0


def _list(options: argparse.Namespace, config: Config) -> int:
    del options
    now = datetime.now(UTC)
    for row in keyring.read(config.keys_file):
        documents = " ".join(row.documents) if row.documents is not None else "all documents"
        print(f"{row.id}  {row.name:24} {row.ended(now) or 'valid':8} {' '.join(row.scopes):32} {documents}")
    return 0


def _revoke(options: argparse.Namespace, config: Config) -> int:
    ended = keyring.revoke(config.keys_file, options.name)
    for row in ended:
        print(f"revoked {row.id} of {row.name}")
    if not ended:
        print(f"there is no valid key {options.name}", file=sys.stderr)
    return 0 if ended else 1
