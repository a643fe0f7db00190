"""Every setting of the service: parsed once, all problems in one message.

A setting is one field of `Config`; its row (variable, default, meaning) prints the README's table and `config`.
Only `cli` and `app` import this module: every part gets plain values.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agent.conflicts import conflicts
from agent.errors import ConfigError
from agent.settings import (
    MOUNTED,
    arguments,
    flag,
    given_value,
    is_placeholder,
    names,
    networks,
    one_of,
    path,
    rate,
    rows,
    seconds,
    setting,
    spell,
    text,
    url,
    whole,
)

LOOPBACK = ("127.0.0.1", "localhost", "::1")


_web_url = partial(url, schemes=("http", "https"))
_redis_url = partial(url, schemes=("redis", "rediss", "redis+sentinel", "rediss+sentinel", "unix"))
_store_url = partial(url, schemes=("sqlite", "redis", "rediss", "redis+sentinel", "rediss+sentinel"))
_positive = partial(whole, least=1)
_port = partial(whole, least=0, most=65535)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The effective configuration. Paths are absolute, times are seconds, sizes say their unit."""

    google_api_key: str | None = setting(
        "GOOGLE_API_KEY",
        None,
        text,
        "Gemini key (`GEMINI_API_KEY` is read too); without one the embedded engine does all",
        secret=True,
    )
    google_api_key_file: Path | None = setting(
        "GOOGLE_API_KEY_FILE", None, path, "File that holds the Gemini key; read again when it changes"
    )
    use_aws_secrets: bool = setting(
        "USE_AWS_SECRETS", False, flag, "Take the Gemini key from AWS Secrets Manager (extra `aws`)"
    )
    aws_secret_id: str = setting(
        "AWS_SECRET_ID", "google-api-key", text, "Name of that secret; `name#key` picks a key of a JSON secret"
    )
    gemini_model: str = setting("GEMINI_MODEL", "gemini-3.8-flash", text, "Model that plans and reads")
    gemini_fallback_models: tuple[str, ...] = setting(
        "GEMINI_FALLBACK_MODELS", (), names, "Models tried when the first is not to be had"
    )
    gemini_base_url: str | None = setting(
        "GEMINI_BASE_URL", None, _web_url, "Another endpoint that speaks the Gemini REST API"
    )
    google_genai_use_vertexai: bool = setting(
        "GOOGLE_GENAI_USE_VERTEXAI",
        False,
        flag,
        "Vertex AI in place of a key: project, location and credentials come from the SDK's own environment",
    )
    gemini_rpm: int | None = setting(
        "GEMINI_RPM", None, _positive, "Requests a minute to each model; without it what 429 answers teach"
    )
    gemini_tpm: int | None = setting("GEMINI_TPM", None, _positive, "Input tokens a minute to each model")
    gemini_concurrency: int = setting("GEMINI_CONCURRENCY", 64, _positive, "Model calls at once")
    gemini_prices_file: Path | None = setting(
        "GEMINI_PRICES_FILE", None, path, "TOML price table (USD per million tokens) in place of the built-in one"
    )
    extraction_mode: str = setting(
        "EXTRACTION_MODE",
        "auto",
        partial(one_of, choices=("auto", "embedded", "model")),
        "`embedded`: no model ever; `model`: it reads; `auto`: only where the embedded engine is unsure",
    )
    token_budget: int = setting("TOKEN_BUDGET", 200_000, _positive, "Model tokens one task may spend")
    daily_token_budget: int = setting(
        "DAILY_TOKEN_BUDGET", 5_000_000, _positive, "Model tokens one caller may spend a day"
    )
    llm_timeout_s: float = setting("LLM_TIMEOUT", 30.0, seconds, "One attempt of a model call, seconds")

    mcp_pdf_server_dir: Path = setting(
        "MCP_PDF_SERVER_DIR",
        Path("data/pdfs").absolute(),
        path,
        "Directory of PDFs that requests may name",
        shown="./data/pdfs",
    )
    mcp_pdf_server_command: str = setting(
        "MCP_PDF_SERVER_COMMAND", sys.executable, text, "Program that serves MCP", shown="this Python"
    )
    mcp_pdf_server_args: tuple[str, ...] = setting(
        "MCP_PDF_SERVER_ARGS", ("-m", "mcp_pdf"), arguments, "Its arguments, in shell quoting", shown="-m mcp_pdf"
    )
    mcp_pdf_transport: str = setting(
        "MCP_PDF_TRANSPORT",
        "stdio",
        partial(one_of, choices=("stdio", "http")),
        "`stdio` (a supervised subprocess) or `http` (at `MCP_PDF_URL`)",
    )
    mcp_pdf_url: str | None = setting("MCP_PDF_URL", None, _web_url, "Address of an `mcp-pdf --transport http` server")
    mcp_pdf_token: str | None = setting("MCP_PDF_TOKEN", None, text, "Bearer token for that server", secret=True)
    mcp_pdf_cache_dir: Path | None = setting(
        "MCP_PDF_CACHE_DIR",
        None,
        path,
        "Page words by content hash, the search index, the quarantine list",
        shown="`DATA_DIR`/mcp_pdf",
    )
    mcp_pdf_workers: int = setting(
        "MCP_PDF_WORKERS",
        os.cpu_count() or 1,
        partial(whole, least=1, most=256),
        "PDF worker processes",
        shown="number of cores",
    )
    max_pdf_size_kb: int = setting(
        "MAX_PDF_SIZE_KB",
        25_600,
        partial(whole, least=1, most=1_048_576),
        "Largest PDF, KB; the HTTP body limit follows from it",
    )
    max_pdf_pages: int = setting("MAX_PDF_PAGES", 2_000, _positive, "Most pages of a PDF")

    host: str = setting("HOST", "127.0.0.1", text, "Address to listen on (0.0.0.0 in the image)")
    port: int = setting("PORT", 8080, _port, "Port to listen on; 0 takes a free one")
    workers: int = setting(
        "WORKERS", 1, partial(whole, least=1, most=64), "HTTP processes; more than one needs a Redis store"
    )
    public_url: str | None = setting("PUBLIC_URL", None, _web_url, "Address that callers use; stands in the agent card")
    allowed_hosts: tuple[str, ...] = setting(
        "ALLOWED_HOSTS",
        (),
        names,
        "Host names a keyless service answers to",
        shown="loopback names and that of `PUBLIC_URL`",
    )
    trusted_proxies: tuple[str, ...] = setting(
        "TRUSTED_PROXIES", (), networks, "Addresses or networks whose forwarded headers count"
    )
    tls_cert_file: Path | None = setting(
        "TLS_CERT_FILE", None, path, "Certificate chain: the service speaks TLS itself"
    )
    tls_key_file: Path | None = setting("TLS_KEY_FILE", None, path, "Its private key")

    api_keys_file: Path | None = setting(
        "API_KEYS_FILE", None, path, "API keys, hashed (command `keys`)", shown="`DATA_DIR`/api-keys.json"
    )
    allow_anonymous: bool = setting("ALLOW_ANONYMOUS", False, flag, "Serve without keys although bound beyond loopback")
    oidc_issuer: str | None = setting("OIDC_ISSUER", None, _web_url, "Issuer whose bearer tokens are accepted")
    oidc_audience: str | None = setting("OIDC_AUDIENCE", None, text, "Audience such a token must carry")
    metrics_token: str | None = setting(
        "METRICS_TOKEN", None, text, "Bearer token that `/metrics` then asks for", secret=True
    )
    metrics_port: int | None = setting(
        "METRICS_PORT", None, _port, "Serve `/metrics` and `/health` on a port of their own as well"
    )
    card_signing_key_file: Path | None = setting(
        "CARD_SIGNING_KEY_FILE", None, path, "Private key (PEM or JWK) that signs the agent card and webhooks"
    )

    request_timeout_s: float = setting(
        "REQUEST_TIMEOUT", 60.0, seconds, "A blocking request waits at most this long; the task goes on"
    )
    task_timeout_s: float = setting("TASK_TIMEOUT", 900.0, seconds, "A task runs at most this long")
    task_ttl_s: float = setting(
        "TASK_TTL", 7 * 86400.0, seconds, "Ended tasks, uploads and push configurations are kept this long"
    )
    task_max: int = setting("TASK_MAX", 100_000, _positive, "Ended tasks kept at most")
    max_concurrent_tasks: int = setting("MAX_CONCURRENT_TASKS", 64, _positive, "Tasks that run at once")
    task_queue_limit: int = setting("TASK_QUEUE_LIMIT", 1_000, _positive, "Tasks that may wait; beyond it: 503")
    rate_limit: str = setting("RATE_LIMIT", "600/minute", rate, "Requests per caller and per address; none on loopback")
    max_connections: int = setting(
        "MAX_CONNECTIONS_PER_ADDRESS", 512, _positive, "Open connections of one address; any number on loopback"
    )
    shutdown_timeout_s: float = setting(
        "SHUTDOWN_TIMEOUT", 30.0, seconds, "After SIGTERM, running tasks have this long to end"
    )

    data_dir: Path = setting(
        "DATA_DIR",
        Path("data").absolute(),
        path,
        "Everything the service keeps (/var/lib/agent in the image)",
        shown="./data",
    )
    store_url: str | None = setting(
        "STORE_URL",
        None,
        _store_url,
        "Task store: `redis://…` where processes share it",
        shown="SQLite in `DATA_DIR`",
        secret=True,
    )
    run_tasks: bool = setting(
        "RUN_TASKS", True, flag, "With a shared store: `serve` runs tasks too; false leaves them to `worker`"
    )
    task_lease_s: float = setting(
        "TASK_LEASE", 10.0, seconds, "With a shared store: a dead process's tasks are taken up after so long"
    )
    upload_dir: Path | None = setting(
        "UPLOAD_DIR", None, path, "Uploads; must be shared in cluster mode", shown="`DATA_DIR`/uploads"
    )
    enable_cache: bool = setting(
        "ENABLE_CACHE", True, flag, "Keep results in memory, and in Redis when `CACHE_URL` is set"
    )
    cache_url: str | None = setting(
        "CACHE_URL",
        None,
        _redis_url,
        "Redis for the cache; with `WORKERS` > 1 and no `STORE_URL` for the tasks too",
        secret=True,
    )
    cache_ttl_s: float = setting("CACHE_TTL", 600.0, seconds, "A cached result is used this long")

    push_allow_private: bool = setting("PUSH_ALLOW_PRIVATE", False, flag, "Webhooks may go to private addresses")
    fetch_allow_private: bool = setting(
        "FETCH_ALLOW_PRIVATE", False, flag, "Files may be fetched from private addresses"
    )

    enable_metrics: bool = setting("ENABLE_METRICS", True, flag, "Serve `/metrics`")
    log_level: str = setting(
        "LOG_LEVEL",
        "INFO",
        partial(one_of, choices=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), upper=True),
        "Least level that is logged",
    )
    log_format: str = setting(
        "LOG_FORMAT",
        "auto",
        partial(one_of, choices=("json", "text", "auto")),
        "`json`, `text`, or `auto`: text on a terminal",
    )
    otel_endpoint: str | None = setting("OTEL_EXPORTER_OTLP_ENDPOINT", None, _web_url, "Where traces go (extra `otel`)")

    sources: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_env(cls, environment: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> Config:
        """Parse it all; `overrides` (from the command line) win. Raises ConfigError with every problem."""
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        problems: list[str] = []
        for row in rows(Config):
            given = None
            try:
                given, source = given_value(row["name"], environment, overrides or {})
                if given is None:
                    continue
                sources[row["name"]] = source
                values[row["field"]] = row["parse"](given)
            except (ValueError, ImportError) as exc:
                shown = "***" if row["secret"] else given
                problems.append(f"{row['name']}={shown!r}: {exc}")
        config = cls(**values, sources=sources)
        problems += conflicts(config)
        if problems:
            raise ConfigError("the configuration cannot be used:\n  " + "\n  ".join(problems))
        return config

    @property
    def has_model_source(self) -> bool:
        named = self.google_api_key and not is_placeholder(self.google_api_key)
        kept = self.google_api_key_file or self.use_aws_secrets or MOUNTED.is_file()
        return bool(named or kept or self.google_genai_use_vertexai)

    @property
    def uses_model(self) -> bool:
        """Whether any request may reach a model."""
        return self.has_model_source and self.extraction_mode != "embedded"

    @property
    def shared_store_url(self) -> str | None:
        """The Redis the tasks live in, when there is one."""
        if self.store_url and not self.store_url.startswith("sqlite"):
            return self.store_url
        return self.cache_url if self.workers > 1 and not self.store_url else None

    @property
    def loopback(self) -> bool:
        return self.host in LOOPBACK or self.host.startswith("127.")

    @property
    def uploads(self) -> Path:
        return self.upload_dir or self.data_dir / "uploads"

    @property
    def pdf_cache(self) -> Path:
        return self.mcp_pdf_cache_dir or self.data_dir / "mcp_pdf"

    @property
    def keys_file(self) -> Path:
        return self.api_keys_file or self.data_dir / "api-keys.json"

    @property
    def max_body_bytes(self) -> int:
        """A PDF of the largest size in base64, and room for the message round it."""
        return self.max_pdf_size_kb * 1024 * 4 // 3 + 1024 * 1024

    def effective(self) -> list[tuple[str, str, str]]:
        """(variable, value, source) of every setting, secrets masked."""
        out = []
        for row in rows(Config):
            value = getattr(self, row["field"])
            if row["secret"] and value:
                value = "***"
            out.append((row["name"], spell(value), self.sources.get(row["name"], "default")))
        return out
