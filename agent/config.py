"""Every setting of the service: parsed once, all problems in one message.

A setting is one field of `Config`; its row (variable, default, meaning) prints the README's table and `config`.
Only `cli` and `app` import this module: every part gets plain values.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agent.errors import ConfigError
from agent.settings import (
    MOUNTED,
    arguments,
    flag,
    given_value,
    is_placeholder,
    missing,
    names,
    networks,
    one_of,
    path,
    rate,
    seconds,
    spell,
    text,
    url,
    whole,
)

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _setting(
    name: str,
    default: Any,
    parse: Callable[[str], Any],
    meaning: str,
    *,
    secret: bool = False,
    shown: str | None = None,
) -> Any:
    row = {"name": name, "parse": parse, "meaning": meaning, "secret": secret, "shown": shown}
    return dataclasses.field(default=default, metadata=row)


_web_url = partial(url, schemes=("http", "https"))
_redis_url = partial(url, schemes=("redis", "rediss", "redis+sentinel", "rediss+sentinel", "unix"))
_store_url = partial(url, schemes=("sqlite", "redis", "rediss", "redis+sentinel", "rediss+sentinel"))
_positive = partial(whole, least=1)
_port = partial(whole, least=0, most=65535)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The effective configuration. Paths are absolute, times are seconds, sizes say their unit."""

    google_api_key: str | None = _setting(
        "GOOGLE_API_KEY",
        None,
        text,
        "Gemini key (`GEMINI_API_KEY` is read too); without one the embedded engine does all",
        secret=True,
    )
    google_api_key_file: Path | None = _setting(
        "GOOGLE_API_KEY_FILE", None, path, "File that holds the Gemini key; read again when it changes"
    )
    use_aws_secrets: bool = _setting(
        "USE_AWS_SECRETS", False, flag, "Take the Gemini key from AWS Secrets Manager (extra `aws`)"
    )
    aws_secret_id: str = _setting(
        "AWS_SECRET_ID", "google-api-key", text, "Name of that secret; `name#key` picks a key of a JSON secret"
    )
    gemini_model: str = _setting("GEMINI_MODEL", "gemini-3.8-flash", text, "Model that plans and reads")
    gemini_fallback_models: tuple[str, ...] = _setting(
        "GEMINI_FALLBACK_MODELS", (), names, "Models tried when the first is not to be had"
    )
    gemini_base_url: str | None = _setting(
        "GEMINI_BASE_URL", None, _web_url, "Another endpoint that speaks the Gemini REST API"
    )
    google_genai_use_vertexai: bool = _setting(
        "GOOGLE_GENAI_USE_VERTEXAI",
        False,
        flag,
        "Vertex AI in place of a key: project, location and credentials come from the SDK's own environment",
    )
    gemini_rpm: int | None = _setting(
        "GEMINI_RPM", None, _positive, "Requests a minute to each model; without it what 429 answers teach"
    )
    gemini_tpm: int | None = _setting("GEMINI_TPM", None, _positive, "Input tokens a minute to each model")
    gemini_concurrency: int = _setting("GEMINI_CONCURRENCY", 64, _positive, "Model calls at once")
    gemini_prices_file: Path | None = _setting(
        "GEMINI_PRICES_FILE", None, path, "TOML price table (USD per million tokens) in place of the built-in one"
    )
    extraction_mode: str = _setting(
        "EXTRACTION_MODE",
        "auto",
        partial(one_of, choices=("auto", "embedded", "model")),
        "`embedded`: no model ever; `model`: it reads; `auto`: only where the embedded engine is unsure",
    )
    token_budget: int = _setting("TOKEN_BUDGET", 200_000, _positive, "Model tokens one task may spend")
    daily_token_budget: int = _setting(
        "DAILY_TOKEN_BUDGET", 5_000_000, _positive, "Model tokens one caller may spend a day"
    )
    llm_timeout_s: float = _setting("LLM_TIMEOUT", 30.0, seconds, "One attempt of a model call, seconds")

    mcp_pdf_server_dir: Path = _setting(
        "MCP_PDF_SERVER_DIR",
        Path("data/pdfs").absolute(),
        path,
        "Directory of PDFs that requests may name",
        shown="./data/pdfs",
    )
    mcp_pdf_server_command: str = _setting(
        "MCP_PDF_SERVER_COMMAND", sys.executable, text, "Program that serves MCP", shown="this Python"
    )
    mcp_pdf_server_args: tuple[str, ...] = _setting(
        "MCP_PDF_SERVER_ARGS", ("-m", "mcp_pdf"), arguments, "Its arguments, in shell quoting", shown="-m mcp_pdf"
    )
    mcp_pdf_transport: str = _setting(
        "MCP_PDF_TRANSPORT",
        "stdio",
        partial(one_of, choices=("stdio", "http")),
        "`stdio` (a supervised subprocess) or `http` (at `MCP_PDF_URL`)",
    )
    mcp_pdf_url: str | None = _setting("MCP_PDF_URL", None, _web_url, "Address of an `mcp-pdf --transport http` server")
    mcp_pdf_token: str | None = _setting("MCP_PDF_TOKEN", None, text, "Bearer token for that server", secret=True)
    mcp_pdf_cache_dir: Path | None = _setting(
        "MCP_PDF_CACHE_DIR",
        None,
        path,
        "Page words by content hash, the search index, the quarantine list",
        shown="`DATA_DIR`/mcp_pdf",
    )
    mcp_pdf_workers: int = _setting(
        "MCP_PDF_WORKERS",
        os.cpu_count() or 1,
        partial(whole, least=1, most=256),
        "PDF worker processes",
        shown="number of cores",
    )
    max_pdf_size_kb: int = _setting(
        "MAX_PDF_SIZE_KB",
        25_600,
        partial(whole, least=1, most=1_048_576),
        "Largest PDF, KB; the HTTP body limit follows from it",
    )
    max_pdf_pages: int = _setting("MAX_PDF_PAGES", 2_000, _positive, "Most pages of a PDF")

    host: str = _setting("HOST", "127.0.0.1", text, "Address to listen on (0.0.0.0 in the image)")
    port: int = _setting("PORT", 8080, _port, "Port to listen on; 0 takes a free one")
    workers: int = _setting(
        "WORKERS", 1, partial(whole, least=1, most=64), "HTTP processes; more than one needs a Redis store"
    )
    public_url: str | None = _setting(
        "PUBLIC_URL", None, _web_url, "Address that callers use; stands in the agent card"
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "ALLOWED_HOSTS",
        (),
        names,
        "Host names a keyless service answers to",
        shown="loopback names and that of `PUBLIC_URL`",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        "TRUSTED_PROXIES", (), networks, "Addresses or networks whose forwarded headers count"
    )
    tls_cert_file: Path | None = _setting(
        "TLS_CERT_FILE", None, path, "Certificate chain: the service speaks TLS itself"
    )
    tls_key_file: Path | None = _setting("TLS_KEY_FILE", None, path, "Its private key")

    api_keys_file: Path | None = _setting(
        "API_KEYS_FILE", None, path, "API keys, hashed (command `keys`)", shown="`DATA_DIR`/api-keys.json"
    )
    allow_anonymous: bool = _setting(
        "ALLOW_ANONYMOUS", False, flag, "Serve without keys although bound beyond loopback"
    )
    oidc_issuer: str | None = _setting("OIDC_ISSUER", None, _web_url, "Issuer whose bearer tokens are accepted")
    oidc_audience: str | None = _setting("OIDC_AUDIENCE", None, text, "Audience such a token must carry")
    metrics_token: str | None = _setting(
        "METRICS_TOKEN", None, text, "Bearer token that `/metrics` then asks for", secret=True
    )
    metrics_port: int | None = _setting(
        "METRICS_PORT", None, _port, "Serve `/metrics` and `/health` on a port of their own as well"
    )
    card_signing_key_file: Path | None = _setting(
        "CARD_SIGNING_KEY_FILE", None, path, "Private key (PEM or JWK) that signs the agent card and webhooks"
    )

    request_timeout_s: float = _setting(
        "REQUEST_TIMEOUT", 60.0, seconds, "A blocking request waits at most this long; the task goes on"
    )
    task_timeout_s: float = _setting("TASK_TIMEOUT", 900.0, seconds, "A task runs at most this long")
    task_ttl_s: float = _setting(
        "TASK_TTL", 7 * 86400.0, seconds, "Ended tasks, uploads and push configurations are kept this long"
    )
    task_max: int = _setting("TASK_MAX", 100_000, _positive, "Ended tasks kept at most")
    max_concurrent_tasks: int = _setting("MAX_CONCURRENT_TASKS", 64, _positive, "Tasks that run at once")
    task_queue_limit: int = _setting("TASK_QUEUE_LIMIT", 1_000, _positive, "Tasks that may wait; beyond it: 503")
    rate_limit: str = _setting(
        "RATE_LIMIT", "600/minute", rate, "Requests per caller and per address; none on loopback"
    )
    max_connections: int = _setting(
        "MAX_CONNECTIONS_PER_ADDRESS", 512, _positive, "Open connections of one address; any number on loopback"
    )
    shutdown_timeout_s: float = _setting(
        "SHUTDOWN_TIMEOUT", 30.0, seconds, "After SIGTERM, running tasks have this long to end"
    )

    data_dir: Path = _setting(
        "DATA_DIR",
        Path("data").absolute(),
        path,
        "Everything the service keeps (/var/lib/agent in the image)",
        shown="./data",
    )
    store_url: str | None = _setting(
        "STORE_URL",
        None,
        _store_url,
        "Task store: `redis://…` where processes share it",
        shown="SQLite in `DATA_DIR`",
        secret=True,
    )
    run_tasks: bool = _setting(
        "RUN_TASKS", True, flag, "With a shared store: `serve` runs tasks too; false leaves them to `worker`"
    )
    task_lease_s: float = _setting(
        "TASK_LEASE", 10.0, seconds, "With a shared store: a dead process's tasks are taken up after so long"
    )
    upload_dir: Path | None = _setting(
        "UPLOAD_DIR", None, path, "Uploads; must be shared in cluster mode", shown="`DATA_DIR`/uploads"
    )
    enable_cache: bool = _setting(
        "ENABLE_CACHE", True, flag, "Keep results in memory, and in Redis when `CACHE_URL` is set"
    )
    cache_url: str | None = _setting(
        "CACHE_URL",
        None,
        _redis_url,
        "Redis for the cache; with `WORKERS` > 1 and no `STORE_URL` for the tasks too",
        secret=True,
    )
    cache_ttl_s: float = _setting("CACHE_TTL", 600.0, seconds, "A cached result is used this long")

    push_allow_private: bool = _setting("PUSH_ALLOW_PRIVATE", False, flag, "Webhooks may go to private addresses")
    fetch_allow_private: bool = _setting(
        "FETCH_ALLOW_PRIVATE", False, flag, "Files may be fetched from private addresses"
    )

    enable_metrics: bool = _setting("ENABLE_METRICS", True, flag, "Serve `/metrics`")
    log_level: str = _setting(
        "LOG_LEVEL",
        "INFO",
        partial(one_of, choices=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), upper=True),
        "Least level that is logged",
    )
    log_format: str = _setting(
        "LOG_FORMAT",
        "auto",
        partial(one_of, choices=("json", "text", "auto")),
        "`json`, `text`, or `auto`: text on a terminal",
    )
    otel_endpoint: str | None = _setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT", None, _web_url, "Where traces go (extra `otel`)"
    )

    sources: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_env(cls, environment: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> Config:
        """Parse it all; `overrides` (from the command line) win. Raises ConfigError with every problem."""
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        problems: list[str] = []
        for row in rows():
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
        problems += config.conflicts()
        if problems:
            raise ConfigError("the configuration cannot be used:\n  " + "\n  ".join(problems))
        return config

    def conflicts(self) -> list[str]:
        """What is wrong between settings, each in one line."""
        found = []
        if self.workers > 1 and not self.shared_store_url:
            found.append(
                f"WORKERS={self.workers}: more than one process needs a shared task store: set STORE_URL=redis://…"
            )
        if self.mcp_pdf_transport == "http" and not self.mcp_pdf_url:
            found.append("MCP_PDF_TRANSPORT=http: set MCP_PDF_URL")
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            found.append("TLS_CERT_FILE and TLS_KEY_FILE go together")
        if bool(self.oidc_issuer) != bool(self.oidc_audience):
            found.append("OIDC_ISSUER and OIDC_AUDIENCE go together")
        if self.extraction_mode == "model" and not self.has_model_source:
            found.append("EXTRACTION_MODE=model needs a key: GOOGLE_API_KEY, GOOGLE_API_KEY_FILE or USE_AWS_SECRETS")
        for variable, file in (
            ("TLS_CERT_FILE", self.tls_cert_file),
            ("TLS_KEY_FILE", self.tls_key_file),
            ("CARD_SIGNING_KEY_FILE", self.card_signing_key_file),
            ("GEMINI_PRICES_FILE", self.gemini_prices_file),
        ):
            if file and not file.is_file():
                found.append(f"{variable}: no such file: {file}")
        return found + [f"MCP_PDF_SERVER_ARGS: no such file: {word}" for word in missing(self.mcp_pdf_server_args)]

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
        for row in rows():
            value = getattr(self, row["field"])
            if row["secret"] and value:
                value = "***"
            out.append((row["name"], spell(value), self.sources.get(row["name"], "default")))
        return out


def rows() -> list[dict[str, Any]]:
    """One row a setting: field, name, parse, meaning, secret, default, shown."""
    return [
        {**f.metadata, "field": f.name, "default": f.default}
        for f in dataclasses.fields(Config)
        if "name" in f.metadata
    ]


def table() -> str:
    """The README's table of settings, as Markdown."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for row in rows():
        default = row["shown"] or (f"`{spell(row['default'])}`" if spell(row["default"]) else "")
        lines.append(f"| `{row['name']}` | {default} | {row['meaning']} |")
    return "\n".join(lines)
