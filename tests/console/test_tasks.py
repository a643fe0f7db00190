"""The list of tasks in a real browser: filtered, page by page, up to date by itself; dead letters asked again."""

from __future__ import annotations

import contextlib
import re
import sqlite3

from playwright.sync_api import expect

from tests.console.conftest import Guarded, Open, admit, asked
from tests.service import Service


def test_the_list_tells_state_type_pages_and_doubts_and_leads_to_the_task(service: Service, look: Open) -> None:
    task = asked(service, "receipt.pdf", document_type="receipt")
    page = look("/tasks").page
    line = page.locator(f"tr[data-task='{task}']")
    expect(line.locator("td")).to_have_text(["completed", "receipt.pdf", "Receipt", "1", "2", re.compile("ago"), ""])
    line.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("receipt.pdf")


def test_filters_narrow_the_list_and_the_address_keeps_the_state(service: Service, look: Open) -> None:
    done = asked(service, "invoice.pdf", document_type="invoice")
    asking = service.send({"data": {"documents": ["invoic.pdf"], "document_type": "invoice"}})["id"]
    page = look("/tasks").page
    page.get_by_label("State").select_option("INPUT_REQUIRED")
    expect(page.locator(f"tr[data-task='{asking}']")).to_be_visible()
    expect(page.locator(f"tr[data-task='{done}']")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("State")).to_have_value("INPUT_REQUIRED")
    page.get_by_label("Filter this page").fill("nothing like this")
    expect(page.locator(".state")).to_contain_text("No task is like this")


def test_new_tasks_and_new_states_appear_by_themselves(service: Service, look: Open) -> None:
    page = look("/tasks").page
    page.locator("tr[data-task]").first.wait_for()
    task = service.send({"data": {"documents": ["invoic.pdf"], "document_type": "invoice"}})["id"]
    line = page.locator(f"tr[data-task='{task}']")
    expect(line.locator(".pill")).to_have_text("asks")
    line.get_by_role("button", name="Cancel").click()
    expect(line.locator(".pill")).to_have_text("cancelled")
    line.get_by_role("button", name="Run again").click()
    expect(page.locator("h1")).to_have_text("invoic.pdf")


def test_more_tasks_than_a_page_are_reached_one_page_after_the_other(guarded: Guarded, look: Open) -> None:
    service, keys = guarded
    headers = {"Authorization": f"Bearer {keys['many']}"}
    for number in range(51):
        message = {"messageId": str(number), "role": "ROLE_USER", "parts": [{"text": "Which PDFs are there?"}]}
        params = {"message": message, "configuration": {"returnImmediately": True}}
        service.post("/", {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": params}, headers)
    page = look("/tasks", at=service).page
    admit(page, keys["many"])
    expect(page.locator("tr[data-task]")).to_have_count(50)
    expect(page.get_by_role("status").filter(has_text="51 tasks")).to_be_visible()
    page.get_by_role("button", name="Older").click()
    expect(page.locator("tr[data-task]")).to_have_count(1)
    page.get_by_role("button", name="Newer").click()
    expect(page.locator("tr[data-task]")).to_have_count(50)


def test_a_dead_letter_is_asked_again_as_a_new_task(service: Service, look: Open) -> None:
    task = asked(service, "invoice.pdf", document_type="invoice")
    with contextlib.closing(sqlite3.connect(service.data_dir / "tasks.db")) as store, store:
        store.execute("INSERT INTO dead VALUES (?)", (task,))
    page = look("/tasks?tab=dead").page
    page.get_by_role("button", name=f"Replay {task}").click()
    page.get_by_role("status").get_by_role("link").click()
    expect(page.locator(".pill")).to_have_text("completed")
    assert task not in page.url
    page.goto(f"{service.url}/#/tasks?tab=dead")
    expect(page.locator(".state")).to_contain_text("No dead letters")


def test_dead_letters_need_the_scope(guarded: Guarded, look: Open) -> None:
    service, keys = guarded
    page = look("/tasks?tab=dead", at=service).page
    admit(page, keys["reader"])
    expect(page.locator(".state-denied")).to_contain_text("needs the scope admin")
