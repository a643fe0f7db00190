"""The settings of the server, read once from arguments and environment; every problem in one message."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_pdf.limits import LIMITS, PDF_WORKER, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OCR_PACKAGES = {"rapidocr": ("rapidocr", "onnxruntime"), "tesseract": ("tesserocr",)}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(Exception):
    """The server cannot start; the text lists every reason."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this server runs."""

    directory: Path
    transport: str = "stdio"
    upload_dir: Path | None = None
    cache_dir: Path | None = None
    workers: int = 2
    job_s: int = PDF_WORKER.cpu_s
    ocr: str | None = None  # the engine, with languages after a colon; None: pages without text stay unread
    host: str = "127.0.0.1"
    port: int = 8090
    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    log_level: str = "INFO"
    limits: Limits = LIMITS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mcp-pdf",
        description="An MCP server that reads, searches and extracts from the PDFs of one directory.",
        epilog="MCP_PDF_OCR chooses how pages without text are read: auto (RapidOCR when it is installed), rapidocr, "
        "tesseract (with MCP_PDF_OCR_LANGUAGES, eng) or off.",
    )
    parser.add_argument("--dir", help="directory of PDFs (MCP_PDF_SERVER_DIR)")
    parser.add_argument("--transport", choices=("stdio", "http"), help="how clients connect (MCP_PDF_TRANSPORT)")
    parser.add_argument("--host", help="address of the http transport (MCP_PDF_HOST, 127.0.0.1)")
    parser.add_argument("--port", help="port of the http transport (MCP_PDF_PORT, 8090; 0 takes a free one)")
    parser.add_argument("--upload-dir", help="directory of uploads named upload/{sha256} (UPLOAD_DIR)")
    parser.add_argument("--cache-dir", help="directory of the page cache and the quarantine list (MCP_PDF_CACHE_DIR)")
    parser.add_argument("--workers", help="PDF processes (MCP_PDF_WORKERS, one a core)")
    parser.add_argument("--job-seconds", help="processor time of one job (MCP_PDF_JOB_SECONDS, 10)")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    return parser


@dataclass(slots=True)
class _Reader:
    """Takes values from arguments first, then the environment, and collects what is wrong with them."""

    args: argparse.Namespace
    env: Mapping[str, str]
    problems: list[str]

    def text(self, argument: str, variable: str) -> str | None:
        given = getattr(self.args, argument, None)
        return given if given is not None else self.env.get(variable) or None

    def number(self, argument: str, variable: str, default: int, least: int = 1) -> int:
        given = self.text(argument, variable)
        if given is None:
            return default
        try:
            value = int(given)
        except ValueError:
            value = least - 1
        if value < least:
            self.problems.append(f"{variable}={given!r}: not a whole number of at least {least}")
            return default
        return value

    def ocr(self) -> str | None:
        """The OCR engine to load: the one named, else RapidOCR where it is installed."""
        wanted = self.text("", "MCP_PDF_OCR") or "auto"
        if wanted == "auto":
            return "rapidocr" if _are_installed(OCR_PACKAGES["rapidocr"]) else None
        if wanted == "off":
            return None
        if wanted not in OCR_PACKAGES:
            self.problems.append(f"MCP_PDF_OCR={wanted!r}: must be auto, off, {' or '.join(OCR_PACKAGES)}")
        elif not _are_installed(OCR_PACKAGES[wanted]):
            self.problems.append(f"MCP_PDF_OCR={wanted!r}: needs the package {' and '.join(OCR_PACKAGES[wanted])}")
        languages = self.text("", "MCP_PDF_OCR_LANGUAGES") or "eng"
        return f"{wanted}:{languages}" if wanted == "tesseract" else wanted

    def directory(self, argument: str, variable: str, *, create: bool) -> Path | None:
        given = self.text(argument, variable)
        if given is None:
            return None
        path = Path(given)
        try:
            if create:
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
            resolved = path.resolve(strict=True)
        except OSError as exc:
            self.problems.append(f"{variable}={given!r}: {exc.strerror or exc}")
            return None
        if not resolved.is_dir():
            self.problems.append(f"{variable}={given!r}: not a directory")
        return resolved


def _are_installed(packages: Sequence[str]) -> bool:
    return all(find_spec(package) is not None for package in packages)


def parse(argv: Sequence[str], env: Mapping[str, str]) -> Settings | None:
    """The settings, or None when only the version was asked for. Raises SettingsError."""
    args = _parser().parse_args(argv)
    if args.version:
        return None
    read = _Reader(args, env, [])
    directory = read.directory("dir", "MCP_PDF_SERVER_DIR", create=False)
    if directory is None and not read.problems:
        read.problems.append("MCP_PDF_SERVER_DIR is not set (or give --dir): the directory of PDFs")
    transport = read.text("transport", "MCP_PDF_TRANSPORT") or "stdio"
    if transport not in ("stdio", "http"):
        read.problems.append(f"MCP_PDF_TRANSPORT={transport!r}: must be stdio or http")
    host = read.text("host", "MCP_PDF_HOST") or "127.0.0.1"
    token = read.text("token", "MCP_PDF_TOKEN")
    if transport == "http" and host not in LOOPBACK and token is None:
        read.problems.append(f"MCP_PDF_HOST={host!r} is reachable from outside: set MCP_PDF_TOKEN")
    limits = replace(
        LIMITS,
        pdf_bytes=1024 * read.number("", "MAX_PDF_SIZE_KB", LIMITS.pdf_bytes // 1024),
        pages=read.number("", "MAX_PDF_PAGES", LIMITS.pages),
        cache_bytes=(1 << 20) * read.number("", "MCP_PDF_CACHE_MB", LIMITS.cache_bytes >> 20, least=0),
    )
    settings = Settings(
        directory=directory or Path(),
        transport=transport,
        upload_dir=read.directory("upload_dir", "UPLOAD_DIR", create=True),
        cache_dir=read.directory("cache_dir", "MCP_PDF_CACHE_DIR", create=True),
        workers=read.number("workers", "MCP_PDF_WORKERS", os.cpu_count() or 1),
        job_s=read.number("job_seconds", "MCP_PDF_JOB_SECONDS", PDF_WORKER.cpu_s),
        ocr=read.ocr(),
        host=host,
        port=read.number("port", "MCP_PDF_PORT", 8090, least=0),
        token=token,
        allowed_hosts=tuple(part for part in (env.get("ALLOWED_HOSTS") or "").split(",") if part),
        log_level=(env.get("LOG_LEVEL") or "INFO").upper(),
        limits=limits,
    )
    if read.problems:
        raise SettingsError("mcp-pdf cannot start:\n" + "\n".join(f"  {problem}" for problem in read.problems))
    return settings
