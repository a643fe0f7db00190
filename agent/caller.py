"""Who asks. Every task, upload and configuration row carries a caller's id from the first day."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

SCOPES = frozenset({"extract", "read", "review", "metrics", "admin"})


@dataclass(frozen=True, slots=True)
class Caller:
    """`documents` are patterns of library ids the caller may see (`acme/**`); None means all of them."""

    id: str
    scopes: frozenset[str] = SCOPES
    documents: tuple[str, ...] | None = None

    def may_see(self, doc_id: str) -> bool:
        """Whether a library document is this caller's to know of. `*` crosses `/`, so `acme/**` is all below acme."""
        return self.documents is None or any(fnmatchcase(doc_id, pattern) for pattern in self.documents)


LOCAL = Caller("local")  # the one-shot commands, and a keyless service on loopback
