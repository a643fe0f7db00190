"""What is wrong between settings that are each right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.settings import missing

if TYPE_CHECKING:
    from agent.config import Config


def conflicts(config: Config) -> list[str]:
    """Each in one line that names the variables."""
    found = []
    if config.workers > 1 and not config.shared_store_url:
        found.append(
            f"WORKERS={config.workers}: more than one process needs a shared task store: set STORE_URL=redis://…"
        )
    if config.mcp_pdf_transport == "http" and not config.mcp_pdf_url:
        found.append("MCP_PDF_TRANSPORT=http: set MCP_PDF_URL")
    if bool(config.tls_cert_file) != bool(config.tls_key_file):
        found.append("TLS_CERT_FILE and TLS_KEY_FILE go together")
    if bool(config.oidc_issuer) != bool(config.oidc_audience):
        found.append("OIDC_ISSUER and OIDC_AUDIENCE go together")
    if config.extraction_mode == "model" and not config.has_model_source:
        found.append("EXTRACTION_MODE=model needs a key: GOOGLE_API_KEY, GOOGLE_API_KEY_FILE or USE_AWS_SECRETS")
    for variable, file in (
        ("TLS_CERT_FILE", config.tls_cert_file),
        ("TLS_KEY_FILE", config.tls_key_file),
        ("CARD_SIGNING_KEY_FILE", config.card_signing_key_file),
        ("GEMINI_PRICES_FILE", config.gemini_prices_file),
    ):
        if file and not file.is_file():
            found.append(f"{variable}: no such file: {file}")
    return found + [f"MCP_PDF_SERVER_ARGS: no such file: {word}" for word in missing(config.mcp_pdf_server_args)]
