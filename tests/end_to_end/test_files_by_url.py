"""A PDF named by its URL is fetched under guard: never from a private address unless that is allowed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.service import SAMPLES, running


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        del format, args


@pytest.fixture
def files() -> Iterator[str]:
    """Where a local server serves the sample documents."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SAMPLES)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def part(url: str) -> dict[str, str]:
    return {"url": url, "filename": "remote.pdf", "mediaType": "application/pdf"}


def test_a_file_is_fetched_where_that_is_allowed_and_refused_elsewhere(tmp_path: Path, files: str) -> None:
    wish = {"data": {"fields": [{"name": "total", "type": "amount", "description": "Total"}]}}
    with running(tmp_path / "open", settings={"FETCH_ALLOW_PRIVATE": "true"}) as service:
        task = service.send(part(f"{files}/invoice.pdf"), wish)
        assert task["artifacts"][0]["parts"][0]["data"] == {"total": "1190.00"}
    with running(tmp_path / "shut") as service:
        for url in (f"{files}/invoice.pdf", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd"):
            message = {"messageId": "1", "role": "ROLE_USER", "parts": [part(url)]}
            refused = service.call("SendMessage", {"message": message})
            assert refused["code"] < 0
            assert "invoice" not in str(refused.get("message"))
