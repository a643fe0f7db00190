"""`healthcheck`: what Docker's HEALTHCHECK runs. Standard library only, so that it costs little."""

from __future__ import annotations

import argparse
import http.client
import os
import ssl
import sys


def healthcheck(options: argparse.Namespace) -> int:
    """0 when the service answers 200 on /health/live (or /health/ready), else 1 with the reason on stderr."""
    host = os.environ.get("HOST", "").strip() or "127.0.0.1"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # a wildcard is asked over loopback
    port = int(os.environ.get("PORT", "").strip() or 8080)
    path = "/health/ready" if options.ready else "/health/live"
    connection: http.client.HTTPConnection
    if os.environ.get("TLS_CERT_FILE", "").strip():
        # The certificate names the public host, not this one; only life is asked for here.
        context = ssl._create_unverified_context()  # noqa: S323, SLF001
        connection = http.client.HTTPSConnection(host, port, timeout=5, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(2000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as exc:
        print(f"no answer from {host}:{port}{path}: {exc}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if answer.status != 200:
        print(f"{path} answered {answer.status}: {body}", file=sys.stderr)
        return 1
    return 0
