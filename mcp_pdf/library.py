"""The directory of PDFs and the directory of uploads: document ids, the path jail, listing, content hashes.

A document id is the path below the root with `/` between the parts. A name that is not UTF-8 is spelled with its
bytes (and its `%`) percent-encoded. Opening never trusts a name: every symlink is resolved first, each part of the
resolved path is opened from the root without following links, only a regular file is accepted, and the place the
kernel reports for the open descriptor must lie below the root.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
import unicodedata
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from mcp_pdf.errors import PdfError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from mcp_pdf.limits import Limits

UPLOAD: Final = re.compile(r"upload/([0-9a-f]{64})")
MAX_ID_LENGTH: Final = 4_096
HASHES_KEPT: Final = 100_000  # as many as a library lists: with fewer each listing would hash them all anew
LISTING_KEPT_S: Final = 5.0  # for the pages that follow a first one
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One PDF of the listing."""

    doc_id: str
    status: os.stat_result


@dataclass(slots=True)
class OpenFile:
    """A regular file inside the jail, open for reading; closes its descriptor on exit."""

    doc_id: str
    descriptor: int
    status: os.stat_result
    sha256: str = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)

    def unchanged(self) -> bool:
        """Whether the file still has the content that was hashed, as far as its times and size tell."""
        return _identity(os.fstat(self.descriptor)) == _identity(self.status)


def _identity(status: os.stat_result) -> tuple[int, int, int, int, int]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _order(doc_id: str) -> bytes:
    return doc_id.encode("utf-8", "replace")


def _not_found() -> PdfError:
    return PdfError("not_found", "There is no such document.", "list_available_pdfs names the documents.")


def _outside() -> PdfError:
    return PdfError(
        "outside_library", "The document id leads out of the library.", "Use an id from list_available_pdfs."
    )


def document_id(name: bytes) -> str:
    """The id of a path below the root."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return quote_from_bytes(name, safe=b"/ !#$&'()*+,:;=?@[]~")


def _spellings(doc_id: str) -> Iterator[bytes]:
    """The file names an id may stand for, the likeliest first."""
    try:
        literal = doc_id.encode("utf-8")
    except UnicodeEncodeError:  # lone surrogates, as Python itself spells undecodable names
        yield os.fsencode(doc_id)
        return
    yield literal
    if "%" in doc_id:
        decoded = unquote_to_bytes(doc_id)
        if document_id(decoded) == doc_id:
            yield decoded
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, doc_id).encode("utf-8")
        if other != literal:
            yield other


@dataclass(slots=True)
class Library:
    """The documents a caller may name."""

    root: Path
    uploads: Path | None
    limits: Limits
    _hashes: OrderedDict[tuple[int, int, int, int, int], str] = field(default_factory=OrderedDict)
    _listed_at: float = float("-inf")
    _entries: list[Entry] = field(default_factory=list)

    def open(self, doc_id: str) -> OpenFile:
        """The document, open. Raises PdfError: not_found, outside_library, empty_file, too_large, not_a_pdf."""
        upload = UPLOAD.fullmatch(doc_id)
        if upload is not None:
            if self.uploads is None:
                raise _not_found()
            return self._checked(doc_id, _open_below(self.uploads, upload[1].encode()))
        if not doc_id or len(doc_id) > MAX_ID_LENGTH or "\0" in doc_id:
            raise _not_found()
        return self._checked(doc_id, self._open_named(doc_id))

    def _open_named(self, doc_id: str) -> int:
        refused: PdfError | None = None
        for name in _spellings(doc_id):
            try:
                return _open_below(self.root, name)
            except PdfError as exc:
                refused = refused if refused is not None and refused.code == "outside_library" else exc
        raise refused or _not_found()

    def _checked(self, doc_id: str, descriptor: int) -> OpenFile:
        file = OpenFile(doc_id, descriptor, os.fstat(descriptor))
        try:
            self._check(file)
        except BaseException:
            os.close(descriptor)
            raise
        return file

    def _check(self, file: OpenFile) -> None:
        if not stat.S_ISREG(file.status.st_mode):
            raise _not_found()
        size, most = file.status.st_size, self.limits.pdf_bytes
        if size == 0:
            raise PdfError("empty_file", "The document is an empty file.", "Send a complete PDF.")
        if size > most:
            raise PdfError(
                "too_large",
                f"The document has {size} bytes, more than the {most} allowed.",
                "Split it, or raise MAX_PDF_SIZE_KB.",
            )
        if b"%PDF-" not in os.pread(file.descriptor, 1024, 0):
            raise PdfError("not_a_pdf", "The file is not a PDF.", "Send a PDF file.")

    def hash(self, file: OpenFile) -> str:
        """SHA-256 of the content; remembered while inode, size and times stay the same."""
        key = _identity(file.status)
        known = self._hashes.get(key)
        if known is not None:
            self._hashes.move_to_end(key)
            return known
        digest = hashlib.sha256()
        position = 0
        while block := os.pread(file.descriptor, _BLOCK, position):
            digest.update(block)
            position += len(block)
        self._hashes[key] = digest.hexdigest()
        while len(self._hashes) > HASHES_KEPT:
            self._hashes.popitem(last=False)
        return self._hashes[key]

    def listing(self) -> list[Entry]:
        """Every PDF of the library, sorted by id; read from the disk now, so new and removed files show at once."""
        found = list(self._walk(os.fsencode(self.root), b"", 0))
        return sorted(found[: self.limits.library_files], key=lambda entry: _order(entry.doc_id))

    def page(self, after: str | None) -> tuple[list[Entry], int, str | None]:
        """The entries that follow this id, as many as one answer holds; the number of all; and where to go on.

        The first page reads the disk; those that follow it within seconds go through what it found.
        """
        if after is None or time.monotonic() - self._listed_at > LISTING_KEPT_S:  # not the whole disk for every page
            self._entries, self._listed_at = self.listing(), time.monotonic()
        entries = self._entries
        start = 0 if after is None else bisect_right(entries, _order(after), key=lambda entry: _order(entry.doc_id))
        shown = entries[start : start + self.limits.listing_page]
        more = start + len(shown) < len(entries)
        return shown, len(entries), shown[-1].doc_id if more else None

    def _walk(self, directory: bytes, prefix: bytes, depth: int) -> Iterator[Entry]:
        try:
            with os.scandir(directory) as entries:
                children = list(entries)
        except OSError:
            return
        for child in children:
            name = prefix + child.name
            if child.is_dir(follow_symlinks=False):
                hidden_or_reserved = child.name.startswith(b".") or name == b"upload"
                if not hidden_or_reserved and depth < self.limits.library_depth:
                    yield from self._walk(child.path, name + b"/", depth + 1)
            elif child.name.lower().endswith(b".pdf"):
                status = self._listed(child)
                if status is not None:
                    yield Entry(document_id(name), status)

    def _listed(self, child: os.DirEntry[bytes]) -> os.stat_result | None:
        """The status of a regular file; of a symlink only when it stays inside."""
        try:
            if child.is_symlink() and not _is_below(os.path.realpath(child.path, strict=True), self.root):
                return None
            status = child.stat()
        except OSError:
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    def describe(self, entry: Entry) -> dict[str, Any]:
        """The listing's row: the hash says which documents have the same content."""
        status = entry.status
        row: dict[str, Any] = {"doc_id": entry.doc_id, "size_bytes": status.st_size, "modified": int(status.st_mtime)}
        known = self._hashes.get(_identity(status))
        if known is not None:  # it was opened before and is the same file still
            return row | {"sha256": known}
        try:
            with self.open(entry.doc_id) as file:
                row["sha256"] = self.hash(file)
        except PdfError as exc:
            row["problem"] = exc.code
        return row


def _is_below(path: bytes, root: Path) -> bool:
    base = os.fsencode(root)
    return path.startswith(base if base.endswith(b"/") else base + b"/")


def _open_below(root: Path, name: bytes) -> int:
    """Opens a file below the root, symlinks resolved ahead. Raises PdfError."""
    if name.startswith(b"/") or b".." in name.split(b"/"):
        raise _outside()
    try:
        resolved = os.path.realpath(os.path.join(os.fsencode(root), name), strict=True)  # noqa: PTH118  Path holds no bytes
        if not _is_below(resolved, root):
            raise _outside()
        descriptor = _open_parts(root, os.path.relpath(resolved, os.fsencode(root)).split(b"/"))
    except (OSError, ValueError):
        raise _not_found() from None
    place = os.fsencode(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115  the kernel's word, not a path
    if not _is_below(place, root):
        os.close(descriptor)
        raise _outside()
    return descriptor


def _open_parts(root: Path, parts: list[bytes]) -> int:
    directory = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts[:-1]:
        try:
            following = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        finally:
            os.close(directory)
        directory = following
    try:
        return _open_regular(parts[-1], directory)
    finally:
        os.close(directory)


def _open_regular(name: bytes, directory: int) -> int:
    """Looks before it opens: opening a device or a FIFO can have effects of its own."""
    if not stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
        raise _not_found()
    return os.open(name, _READ, dir_fd=directory)
