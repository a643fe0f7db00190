"""Review in a real browser: what is doubtful is decided beside its page, by mouse and by key, and kept."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.console.conftest import Guarded, Open, admit, asked
from tests.service import Service

FIELDS = [
    {"name": "seller_name", "type": "name"},
    {"name": "total", "type": "amount"},
    {"name": "line_items", "type": "items"},
]
SELLER = ".field[data-pointer='/seller_name']"
TOTAL = ".field[data-pointer='/total']"


def reviewed(service: Service, look: Open, place: str = "") -> tuple[str, Page]:
    task = asked(service, "invoice.pdf", fields=FIELDS)
    page = look(f"/task/{task}{place}").page
    page.locator(".reviewbar .chip").wait_for()
    return task, page


def test_the_queue_leads_to_the_first_doubtful_field_and_empties(service: Service, look: Open) -> None:
    task = asked(service, "invoice.pdf", fields=FIELDS)
    page = look("/review").page
    link = page.locator(f"a[href^='#/task/{task}']")
    expect(page.get_by_role("row").filter(has=link)).to_contain_text("1")
    link.click()
    expect(page.locator(".field.chosen")).to_have_attribute("data-pointer", "/seller_name")
    page.keyboard.press("a")
    expect(page.locator(f"{SELLER} .verdict")).to_have_text("Accepted · local")
    expect(page.locator(".reviewbar")).to_contain_text("nothing left to look at")
    page.get_by_role("link", name="Review").click()
    page.locator(".tasks").wait_for()
    expect(link).to_have_count(0)
    page.get_by_label("Which results").select_option("settled")
    expect(link).to_be_visible()


def test_a_correction_by_keys_is_kept_with_the_old_value_and_taken_back(service: Service, look: Open) -> None:
    task, page = reviewed(service, look, "?field=/total")
    page.keyboard.press("e")
    page.keyboard.type("1191.00")
    page.keyboard.press("Enter")
    expect(page.locator(f"{TOTAL} .verdict")).to_have_text("Corrected to 1191.00 · local")
    page.reload()
    expect(page.locator(f"{TOTAL} .decide")).to_contain_text("Extracted: 1190.00")
    page.locator(f"{TOTAL} .row").focus()
    page.keyboard.press("z")
    expect(page.locator(f"{TOTAL} .verdict")).to_be_hidden()
    said = service.get(f"/reviews/{task}")[1]["decisions"]
    assert [(one["verdict"], one["old"]) for one in said] == [("correct", "1190.00"), ("undo", "1190.00")]


def test_a_value_that_its_type_forbids_is_refused_in_words(service: Service, look: Open) -> None:
    _, page = reviewed(service, look, "?field=/total")
    page.get_by_role("button", name="Correct").click()
    page.get_by_label("The right value of Total").fill("a lot")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("alert")).to_contain_text("no number")


def test_a_cell_of_a_table_is_explained_and_decided(service: Service, look: Open) -> None:
    task, page = reviewed(service, look)
    page.get_by_role("tab", name="Table").click()
    page.locator(".cell[data-pointer='/line_items/1/amount']").click()
    expect(page.locator(".cellwhy")).to_contain_text("page layout, page 1")
    page.locator(".cellwhy").get_by_role("button", name="Reject").click()
    expect(page.locator(".cell[data-pointer='/line_items/1/amount']")).to_have_attribute("data-verdict", "reject")
    assert service.get(f"/reviews/{task}")[1]["results"][0]["values"]["line_items"][1]["amount"] is None


def test_a_whole_result_is_accepted_and_exported_as_a_case(service: Service, look: Open) -> None:
    task, page = reviewed(service, look, "?field=/seller_name")
    page.get_by_role("button", name="Accept", exact=True).click()
    page.get_by_role("button", name="Accept all others").click()
    expect(page.locator(".reviewbar")).to_contain_text("decided")
    expect(page.get_by_role("button", name="Accept all others")).to_have_count(0)
    page.get_by_role("link", name="Review").click()
    with page.expect_download() as waited:
        page.get_by_role("button", name="Export cases").click()
    cases = [json.loads(line) for line in waited.value.path().read_text(encoding="utf-8").splitlines()]
    (case,) = [one for one in cases if one["case_id"].startswith(task)]
    assert case["expected"]["total"] == "1190.00"
    assert len(case["expected"]["line_items"]) == 3


def test_without_the_scope_nothing_is_shown_to_decide(guarded: Guarded, look: Open) -> None:
    service, keys = guarded
    page = look("/review", at=service).page
    admit(page, keys["reader"])
    expect(page.locator(".state-denied")).to_contain_text("needs the scope review")
