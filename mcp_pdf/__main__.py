"""`mcp-pdf` (= `python -m mcp_pdf`): serves one directory of PDFs over stdio or streamable HTTP.

The forkserver is started first: it loads the engines while this process loads the protocol.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mcp_pdf import __version__
from mcp_pdf.isolation import die_with_parent, undumpable
from mcp_pdf.settings import Settings, SettingsError, parse

if TYPE_CHECKING:
    from mcp_pdf.desk import Desk


def main(argv: Sequence[str] | None = None) -> int:
    """Exit codes: 0 the client left, 2 wrong usage or settings."""
    try:
        settings = parse(sys.argv[1:] if argv is None else argv, os.environ)
    except SettingsError as exc:
        print(exc, file=sys.stderr)
        return 2
    if settings is None:
        print(f"mcp-pdf {__version__}")
        return 0
    from mcp_pdf.processes import start_forkserver

    started = start_forkserver(settings.job_s)
    undumpable()
    if settings.transport == "stdio":
        die_with_parent()
    import asyncio

    from mcp_pdf import log_lines, tracing

    log_lines.setup(settings.log_level)
    spans = tracing.export(os.environ)
    try:
        asyncio.run(_serve(settings, started))
    finally:
        if spans is not None:
            spans.shutdown()
    return 0


async def _serve(settings: Settings, started: Any) -> None:
    from mcp_pdf.server import adopted, open_desk

    async with open_desk(settings, adopted(started, settings)) as desk:
        if settings.transport == "stdio":
            await _stdio(desk)
        else:
            from mcp_pdf.http import serve_http

            await serve_http(desk, settings)


async def _stdio(desk: Desk) -> None:
    from mcp.server.stdio import stdio_server

    from mcp_pdf.server import make_server

    server = make_server(desk)
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


if __name__ == "__main__":
    raise SystemExit(main())
