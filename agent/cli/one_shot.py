"""The pipeline without a server: a PDF process and a temporary spool, for files of this machine."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.cli.pdf_server import pdf_server
from agent.config import Config
from agent.errors import ConfigError, Failure
from agent.pdf_client.session import PdfClient
from agent.planning.reader import Tell, extract_document

START_S = 60.0
DOCUMENT_S = 300.0


class OneShot:
    """Extracts from files: each is copied into the spool, so that only the PDF process opens it as a PDF."""

    def __init__(self, client: PdfClient, spool: Path, *, max_bytes: int) -> None:
        self._client = client
        self._spool = spool
        self._max_bytes = max_bytes

    async def extract(
        self, path: Path, wish: Mapping[str, Any], *, password: str | None = None, progress: Tell | None = None
    ) -> dict[str, Any]:
        """The result of contract shape. Raises Failure with a stable code."""
        sha256 = await asyncio.to_thread(self._take, path)
        result = await extract_document(
            self._client, f"upload/{sha256}", wish, timeout_s=DOCUMENT_S, password=password, progress=progress
        )
        for one in (result, *result.get("more", ())):
            one["document"]["id"] = path.name
        return result

    def _take(self, path: Path) -> str:
        try:
            size_bytes = path.stat().st_size
            if size_bytes > self._max_bytes:
                raise Failure("too_large", f"{path.name} has {size_bytes // 1024} KB.", hint="Raise MAX_PDF_SIZE_KB.")
            content = path.read_bytes()
        except OSError as exc:
            raise Failure("not_found", f"{path.name} cannot be read: {exc.strerror}.") from exc
        sha256 = hashlib.sha256(content).hexdigest()
        (self._spool / sha256).write_bytes(content)
        return sha256


@asynccontextmanager
async def one_shot(config: Config) -> AsyncIterator[OneShot]:
    """Ready to extract; nothing temporary is left afterwards. Raises ConfigError when no PDF server starts."""
    with tempfile.TemporaryDirectory(prefix="extraction-") as folder:
        root = Path(folder)
        for name in ("library", "uploads", "cache"):
            (root / name).mkdir()
        own = replace(
            config, mcp_pdf_server_dir=root / "library", upload_dir=root / "uploads", mcp_pdf_cache_dir=root / "cache"
        )
        async with PdfClient(pdf_server(own)) as client:
            try:
                await asyncio.wait_for(client.ready.wait(), START_S)
            except TimeoutError:
                fault = client.report().start_error or {}
                raise ConfigError(f"the PDF server does not start: {fault.get('message', 'no answer')}") from None
            yield OneShot(client, root / "uploads", max_bytes=config.max_pdf_size_kb * 1024)
