"""How the PDF server of this configuration is started. Light: it is started before anything else is loaded."""

from __future__ import annotations

import os

from agent.config import Config
from agent.pdf_client.command import RemoteServer, ServerCommand, child_environment


def pdf_server(config: Config) -> ServerCommand | RemoteServer:
    """How the PDF server is reached, or started with exactly the environment it needs: never the model's key."""
    if config.mcp_pdf_transport == "http":
        return RemoteServer(config.mcp_pdf_url or "", config.mcp_pdf_token)
    settings = {
        "MCP_PDF_SERVER_DIR": str(config.mcp_pdf_server_dir),
        "MCP_PDF_CACHE_DIR": str(config.pdf_cache),
        "MCP_PDF_WORKERS": str(config.mcp_pdf_workers),
        "MCP_PDF_TRANSPORT": "stdio",
        "MAX_PDF_SIZE_KB": str(config.max_pdf_size_kb),
        "MAX_PDF_PAGES": str(config.max_pdf_pages),
        "UPLOAD_DIR": str(config.uploads),
        "LOG_LEVEL": config.log_level,
    }
    return ServerCommand(
        (config.mcp_pdf_server_command, *config.mcp_pdf_server_args),
        child_environment(os.environ, settings),
        config.mcp_pdf_server_dir,
    )
