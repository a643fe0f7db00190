"""Files that ended their worker twice are not opened again until somebody releases them."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from mcp_pdf.errors import PdfError

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("mcp_pdf.quarantine")
MAX_ENTRIES = 10_000


@dataclass(slots=True)
class Quarantine:
    """Counts kills by content hash; kept in a file when there is one, so that a restart forgets nothing."""

    path: Path | None
    kills_allowed: int
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            found = orjson.loads(self.path.read_bytes()) if self.path else {}
        except FileNotFoundError:
            found = {}
        except (OSError, ValueError) as exc:
            log.warning("quarantine.unreadable", extra={"cause": repr(exc)})
            found = {}
        if isinstance(found, dict):
            self.entries = {sha: entry for sha, entry in found.items() if isinstance(entry, dict)}

    def held(self) -> list[dict[str, Any]]:
        """`{sha256, kills, reason, at}` of every file that is refused, the latest first; `at` is a Unix time."""
        return [
            {"sha256": sha256, "kills": entry["kills"], "reason": entry.get("reason"), "at": entry.get("at")}
            for sha256, entry in reversed(self.entries.items())
            if entry.get("kills", 0) >= self.kills_allowed
        ]

    def refuse(self, sha256: str) -> None:
        """Raises PdfError for a file in quarantine."""
        if self.entries.get(sha256, {}).get("kills", 0) >= self.kills_allowed:
            raise PdfError(
                "quarantined",
                "The document ended its reader twice and is not opened again.",
                "An administrator can release it by its sha256.",
            )

    def count(self, sha256: str, reason: str) -> None:
        """Notes that the file ended a worker."""
        if not sha256:
            return
        kills = self.entries.get(sha256, {}).get("kills", 0) + 1
        self.entries.pop(sha256, None)
        self.entries[sha256] = {"kills": kills, "reason": reason, "at": int(time.time())}
        while len(self.entries) > MAX_ENTRIES:
            del self.entries[next(iter(self.entries))]
        self._save()

    def release(self, sha256: str) -> bool:
        """Lets the file be opened again; False when nothing was counted against it."""
        if self.entries.pop(sha256, None) is None:
            return False
        self._save()
        return True

    def _save(self) -> None:
        if self.path is None:
            return
        fresh = self.path.with_suffix(".new")
        try:
            fresh.write_bytes(orjson.dumps(self.entries))
            fresh.replace(self.path)
        except OSError as exc:
            log.warning("quarantine.not_saved", extra={"cause": repr(exc)})
