"""Try it in a real browser: a document, a wish, what is known before, and the run itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Open
from tests.console.documents import SECRET
from tests.service import SAMPLES, Service

TOTAL = ".field[data-pointer='/total']"


def pick(page: Page, name: str) -> None:
    page.locator(f".pick[data-id='{name}']").click()


def extract(page: Page) -> None:
    page.get_by_role("button", name="Extract").click()


def test_a_chosen_file_is_looked_at_and_extracted_and_the_address_holds_the_task(look: Open) -> None:
    page = look("/try").page
    page.locator("#file").set_input_files(SAMPLES / "invoice.pdf")
    expect(page.locator(".entry")).to_contain_text("1 page · 2.3 KB · en · PDF 1.3")
    expect(page.locator(".entry")).to_contain_text("all text")
    page.get_by_text("Invoice", exact=True).click()
    extract(page)
    expect(page.locator(TOTAL)).to_contain_text("1190.00")
    assert "#/task/" in page.url
    page.reload()
    expect(page.locator(TOTAL)).to_contain_text("1190.00")


def test_a_file_is_dropped(look: Open) -> None:
    page = look("/try").page
    carried = page.evaluate_handle(
        """bytes => { const carried = new DataTransfer();
           carried.items.add(new File([new Uint8Array(bytes)], 'dropped.pdf', {type: 'application/pdf'}));
           return carried; }""",
        list((SAMPLES / "receipt.pdf").read_bytes()),
    )
    page.locator(".drop").dispatch_event("drop", {"dataTransfer": carried})
    expect(page.locator(".entry")).to_contain_text("dropped.pdf")
    expect(page.locator(".entry")).to_contain_text("1 page")


def test_what_is_no_pdf_is_refused_before_anything_runs(look: Open, tmp_path: Path) -> None:
    wrong = tmp_path / "letter.pdf"
    wrong.write_bytes(b"Dear all")
    page = look("/try").page
    page.locator("#file").set_input_files(wrong)
    expect(page.locator(".entry [role=alert]")).to_contain_text("PDF")
    expect(page.get_by_role("button", name="Extract")).to_be_disabled()


def test_warnings_and_passwords_come_before_the_run(look: Open) -> None:
    page = look("/try").page
    pick(page, "scan.pdf")
    expect(page.locator(".entry")).to_contain_text("pages without text need recognition")
    pick(page, "scan.pdf")
    pick(page, "locked.pdf")
    page.get_by_label("Password of locked.pdf").fill(SECRET)
    page.get_by_role("tab", name="Fields").click()
    page.locator("#fields").fill("invoice_number, total: amount")
    extract(page)
    expect(page.locator(TOTAL)).to_contain_text("1190.00")


def test_a_schema_is_judged_while_it_is_written(look: Open) -> None:
    page = look("/try").page
    pick(page, "invoice.pdf")
    page.get_by_role("tab", name="JSON Schema").click()
    page.locator("#schema").fill("{")
    expect(page.get_by_text("No JSON yet")).to_be_visible()
    page.locator("#schema").fill('{"type": "object", "properties": {"total": {"type": "number"}}}')
    expect(page.get_by_text("1 property: total")).to_be_visible()
    extract(page)
    page.get_by_role("tab", name="JSON").click()
    expect(page.get_by_role("tabpanel")).to_contain_text('"total": 1190')


@pytest.mark.parametrize(
    ("name", "command"), [("curl", ["bash", "-c"]), ("Python", [sys.executable, "-c"])], ids=["curl", "python"]
)
def test_the_shown_code_is_the_same_request(look: Open, name: str, command: list[str], tmp_path: Path) -> None:
    page = look("/try").page
    page.locator("#file").set_input_files(SAMPLES / "invoice.pdf")
    page.get_by_text("Invoice", exact=True).click()
    page.get_by_text("The same request as").click()
    expect(page.get_by_role("button", name="Extract")).to_be_enabled()
    code = page.locator(".snippet", has_text=name).locator("pre").inner_text()
    (tmp_path / "invoice.pdf").write_bytes((SAMPLES / "invoice.pdf").read_bytes())
    done = subprocess.run([*command, code], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    told = json.loads(done.stdout)
    values = told if name == "Python" else told["result"]["task"]["artifacts"][0]["parts"][0]["data"]
    assert values["total"] == "1190.00"


def test_progress_is_live_and_a_cancel_tells_how_long_it_took(service: Service, look: Open) -> None:
    page = look("/try").page
    pick(page, "slow.pdf")
    extract(page)
    expect(page.locator(".progress")).to_contain_text("reading slow.pdf")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".taskhead")).to_contain_text("stopped after")
    expect(page.locator(".pill")).to_have_text("cancelled")
    task = page.url.rpartition("/")[2]
    assert service.task(task)["status"]["state"] == "TASK_STATE_CANCELED"
