"""What holds for the whole console: its policy and size, who may use it, lost connections, keyboard, narrow screens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from agent import keys as api_keys
from agent.web import console
from tests.console.conftest import Guarded, Open, admit, asked
from tests.console.wire import Wire
from tests.service import Service

VIEWS = ["/try", "/tasks", "/task", "/review", "/agent", "/operations"]
PICTURED = {"/task": "task", "/try": "try", "/operations": "operations"}
SERIOUS = ("serious", "critical")


def opened(service: Service, look: Open, view: str, **more: int) -> Page:
    """A view with something in it."""
    task = asked(service, "invoice.pdf", document_type="invoice")
    place = f"/task/{task}?field=/total" if view == "/task" else view
    page = look(place, **more).page
    if view == "/try":
        page.locator(".pick[data-id='invoice.pdf']").click()
        page.locator(".entry .grades").wait_for()
    page.locator(
        {
            "/task": ".page img",
            "/tasks": "tr[data-task]",
            "/review": "tbody tr",
            "/agent": ".rules .holds",
            "/operations": ".sparks",
        }.get(view, "main > *")
    ).first.wait_for()
    return page


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_has_a_serious_fault_of_accessibility_in_light_or_dark(
    service: Service, look: Open, view: str, pictures: Path
) -> None:
    page = opened(service, look, view)
    for theme in ("light", "dark"):
        if name := PICTURED.get(view):
            page.screenshot(path=pictures / f"{name}-{theme}.png")
        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in SERIOUS]
        assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]
        page.get_by_role("button", name="Light or dark").click()


@pytest.mark.parametrize("view", VIEWS)
def test_a_narrow_screen_shows_every_view_without_scrolling_sideways(service: Service, look: Open, view: str) -> None:
    page = opened(service, look, view, width=360, height=740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.querySelector('main').scrollWidth") <= 360


def test_the_page_is_small_and_holds_neither_script_nor_style_of_its_own(service: Service) -> None:
    own = [path for path in console.FILES.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in own) < 200_000
    markup = (console.FILES / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|<script(?![^>]*src=)|\son\w+=|style=|https?://", markup)
    assert "unsafe" not in console.POLICY
    assert service.get("/console")[0] == 200


def test_all_is_done_by_keyboard_alone(look: Open) -> None:
    page = look("/try").page
    page.locator(".pick").first.wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.locator(".pick[data-id='invoice.pdf']").focus()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Document type").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Fields")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("total")
    expect(page.locator("#fields")).to_have_value("total")
    expect(page.get_by_role("button", name="Extract")).to_be_enabled()
    page.get_by_role("button", name="Extract").focus()
    page.keyboard.press("Enter")
    page.locator(".field").wait_for()
    page.keyboard.press("j")
    expect(page.locator(".field .row")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_a_key_is_asked_for_kept_in_memory_and_asked_for_again_when_it_was_revoked(
    guarded: Guarded, look: Open
) -> None:
    service, keys = guarded
    page = look("/try", at=service).page
    admit(page, keys["leaving"])
    expect(page.locator(".pick").first).to_be_visible()
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    api_keys.revoke(service.data_dir / "api-keys.json", "leaving")
    page.get_by_role("link", name="Tasks").click()
    expect(page.get_by_role("dialog")).to_contain_text("The key is not accepted")
    admit(page, keys["ann"])
    expect(page.locator(".state")).to_contain_text("No tasks yet")
    page.reload()
    expect(page.get_by_role("dialog")).to_contain_text("A key, please")


def test_a_key_without_the_scope_is_told_so(guarded: Guarded, look: Open) -> None:
    service, keys = guarded
    page = look("/try", at=service).page
    admit(page, keys["reader"])
    page.locator(".pick[data-id='invoice.pdf']").click()
    page.get_by_role("button", name="Extract").click()
    expect(page.get_by_role("alert")).to_contain_text("needs the scope extract")


def test_a_stream_that_drops_is_taken_up_where_it_was(service: Service, look: Open, wire: Wire) -> None:
    task = service.send({"data": {"documents": ["invoic.pdf"], "document_type": "invoice"}})
    page = look(f"/task/{task['id']}", at=wire).page
    expect(page.locator(".pill")).to_have_text("asks")
    resumed: list[str] = []
    page.on("request", lambda one: resumed.extend(one.headers[name] for name in one.headers if name == "last-event-id"))
    for _ in range(20):  # a cut that comes before the page has read an event leaves it nothing to go on from
        wire.cut()
        page.wait_for_timeout(1000)
        if resumed:
            break
    assert resumed
    service.send({"data": {"documents": ["invoice.pdf"]}}, task=task["id"], wait=False)
    expect(page.locator(".pill")).to_have_text("completed")
    expect(page.locator(".field[data-pointer='/total']")).to_contain_text("1190.00")


def test_a_service_that_is_gone_is_told_and_tried_again(service: Service, look: Open, wire: Wire) -> None:
    page = look("/tasks", at=wire).page
    page.locator(".tasks").wait_for()
    wire.close()
    page.get_by_role("link", name="Try it").click()
    expect(page.locator(".state-error")).to_contain_text("cannot be reached")
    wire.open()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".pick").first).to_be_visible()
