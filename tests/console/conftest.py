"""One service and one browser for all tests of the console; each test has a page of its own, which is watched."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from agent import keys
from tests.console.documents import fill
from tests.console.wire import Wire
from tests.service import Service, running

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURES = Path(__file__).parents[2] / "build" / "pictures"  # ignored by git
WAIT_MS = 45_000
expect.set_options(timeout=WAIT_MS)  # two cores may be busy with other things


@dataclass
class Watched:
    """A page and what it did: requests, refusals of the policy, scripts' faults, dialogs."""

    page: Page
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    library = tmp_path_factory.mktemp("console-library")
    fill(library)
    held = (library / "receipt.pdf").read_bytes() + b"% as one that ended its reader\n"
    (library / "quarantined.pdf").write_bytes(held)
    data = tmp_path_factory.mktemp("console") / "data"
    (data / "mcp_pdf").mkdir(parents=True)
    entry = {"kills": 2, "reason": "memory", "at": int(time.time()) - 3600}
    listed = json.dumps({hashlib.sha256(held).hexdigest(): entry})
    (data / "mcp_pdf" / "quarantine.json").write_text(listed, encoding="ascii")
    with running(data, library=library, settings={"METRICS_TOKEN": "token-of-metrics"}) as started:
        yield started


Guarded = tuple[Service, dict[str, str]]


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A service that wants keys, and the keys by name."""
    library = tmp_path_factory.mktemp("guarded-library")
    fill(library)
    data = tmp_path_factory.mktemp("guarded") / "data"
    data.mkdir()
    worker = ("extract", "read", "review")
    scopes = {"ann": worker, "leaving": worker, "many": worker, "reader": ("read",), "ops": ("admin", "read")}
    made = {name: keys.add(data / "api-keys.json", name, scopes=given)[0] for name, given in scopes.items()}
    with running(data, library=library) as started:
        yield started, made


@pytest.fixture
def wire(service: Service) -> Iterator[Wire]:
    made = Wire(service.port)
    yield made
    made.end()


def admit(page: Page, key: str) -> None:
    """Gives the key that the page asks for."""
    page.get_by_label("API key or bearer token").fill(key)
    page.get_by_role("button", name="Continue").click()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "ops/servers installs chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


Open = Callable[..., Watched]


@pytest.fixture
def look(browser: Browser, service: Service) -> Iterator[Open]:
    """Opens `#/…` of the console in a page of its own; afterwards nothing may have gone wrong or left the origin."""
    opened: list[tuple[Watched, str]] = []

    def start(
        place: str,
        *,
        at: Service | Wire = service,
        dark: bool = False,
        width: int = 1360,
        height: int = 860,
        path: str = "/",
    ) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", accept_downloads=True
        )
        context.set_default_timeout(WAIT_MS)
        watched = Watched(context.new_page())
        page = watched.page
        page.on("request", lambda request: watched.requests.append(request.url))
        page.on("pageerror", lambda fault: watched.faults.append(f"error: {fault}"))
        page.on("dialog", lambda dialog: (watched.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda said: _heard(watched, said))
        page.goto(f"{at.url}{path}#{place}")
        opened.append((watched, at.url))
        return watched

    yield start
    for watched, origin in opened:
        watched.page.context.close()
        assert not watched.faults
        strange = [url for url in watched.requests if not url.startswith((origin + "/", f"blob:{origin}/"))]
        assert not strange, "a request left the origin"


def _heard(watched: Watched, said: Any) -> None:
    """The browser tells of refused policies on the console; a status is no fault of the page."""
    if said.type == "error" and not said.text.startswith("Failed to load resource"):
        watched.faults.append(said.text)


@pytest.fixture(scope="package")
def pictures() -> Path:
    """Where screenshots go, for people to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


def asked(service: Service, name: str, **wish: Any) -> str:
    """The id of an ended task that extracts from a document of the library."""
    task = service.send({"data": {"documents": [name], **wish}})
    assert task["status"]["state"] == "TASK_STATE_COMPLETED", task["status"]
    return str(task["id"])
