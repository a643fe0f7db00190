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
from agent.means import open_cache, open_means
from agent.model.trace import Trace
from agent.pdf_client.session import PdfClient
from agent.planning.model_reader import ModelReader
from agent.planning.model_work import Means
from agent.planning.reader import Tell, extract_document
from agent.pools import Pools
from agent.task import new_id
from agent.telemetry.metrics import Metrics

START_S = 60.0
DOCUMENT_S = 300.0
PICTURE_S = 30.0


class OneShot:
    """Extracts from files: each is copied into the spool, so that only the PDF process opens it as a PDF."""

    def __init__(self, client: PdfClient, spool: Path, *, max_bytes: int, means: Means | None = None) -> None:
        self._client = client
        self._spool = spool
        self._max_bytes = max_bytes
        self._means = means

    async def extract(
        self, path: Path, wish: Mapping[str, Any], *, password: str | None = None, progress: Tell | None = None
    ) -> dict[str, Any]:
        """The result of contract shape. Raises Failure with a stable code."""
        doc_id = f"upload/{await asyncio.to_thread(self._take, path)}"
        mode = wish.get("mode") or (self._means.mode if self._means else "embedded")
        options: dict[str, Any] = {"timeout_s": DOCUMENT_S, "password": password, "progress": progress}
        if mode == "model" and self._means is None:
            raise Failure("model_unavailable", "No model is configured.", hint="Use the mode auto or embedded.")
        if mode == "embedded" or self._means is None:
            result = await extract_document(self._client, doc_id, wish, **options)
        else:
            account = self._means.account("local", f"{path.name}-{new_id()}", Trace())
            reader = ModelReader(self._client, self._means.chain)
            result = await reader.extract(doc_id, wish, mode=mode, account=account, **options)
        for one in (result, *result.get("more", ())):
            one["document"]["id"] = path.name
        return result

    async def picture(self, result: Mapping[str, Any], page: int, *, dpi: int, password: str | None = None) -> str:
        """A page of an extracted file as the data URL of a JPEG. Raises Failure."""
        asked = {"doc_id": f"upload/{result['document']['sha256']}", "page": page, "dpi": dpi}
        given = asked | ({"password": password} if password else {})
        shown = await self._client.call("render_page", given, timeout_s=PICTURE_S)
        return f"data:image/jpeg;base64,{shown['base64']}"

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
        metrics = Metrics()
        async with (
            PdfClient(pdf_server(own), metrics=metrics) as client,
            Pools() as pools,
            open_means(config, pools, metrics, kept=None, cache=open_cache(config, pools, metrics)) as means,
        ):
            try:
                await asyncio.wait_for(client.ready.wait(), START_S)
            except TimeoutError:
                fault = client.report().start_error or {}
                raise ConfigError(f"the PDF server does not start: {fault.get('message', 'no answer')}") from None
            yield OneShot(client, root / "uploads", max_bytes=config.max_pdf_size_kb * 1024, means=means)
