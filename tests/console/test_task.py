"""The task view in a real browser: boxes and fields are one thing; what documents hold stays text."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Open, asked
from tests.console.documents import HOSTILE, MARKUP, PAGES, SECRET
from tests.service import Service

TOTAL = "[data-pointer='/total']"
BOX = ".box[data-pointers~='/total']"
PAINTS = """() => new Promise(done => {
    const found = {shell: performance.getEntriesByName('first-contentful-paint')[0].startTime};
    new PerformanceObserver(list => {
        for (const one of list.getEntries()) found[one.identifier] ??= one.renderTime || one.loadTime;
        if (found.fields && found['page-1']) done(found);
    }).observe({type: 'element', buffered: true});
    setTimeout(() => done(found), 5000);
})"""


def test_pointing_at_either_side_lights_the_other(service: Service, look: Open) -> None:
    page = look(f"/task/{asked(service, 'invoice.pdf', document_type='invoice')}").page
    box, field = page.locator(BOX), page.locator(f".field{TOTAL}")
    field.hover()
    expect(box).to_have_class("box normalised lit")
    box.hover()
    expect(field).to_have_class("field normalised lit")
    expect(page.locator(".field[data-pointer='/amount_due']")).to_have_class("field normalised lit")  # the same place
    page.locator(".legend").hover()
    expect(page.locator(".lit")).to_have_count(0)


def test_a_box_stands_where_its_words_are_printed(service: Service, look: Open) -> None:
    task = service.task(asked(service, "invoice.pdf", document_type="invoice"))
    proof = task["artifacts"][0]["parts"][1]["data"]["evidence"]["/total"]
    page = look(f"/task/{task['id']}").page
    page.locator(".page img").wait_for()
    sheet = page.locator(".page").bounding_box()
    box = page.locator(BOX).bounding_box()
    assert sheet is not None
    assert box is not None
    scale = sheet["width"] / proof["page_size"][0]
    x0, y0, x1, y1 = (side * scale for side in proof["boxes"][0])
    assert abs((box["x"] - sheet["x"] + box["width"] / 2) - (x0 + x1) / 2) < 1
    assert abs((box["y"] - sheet["y"] + box["height"] / 2) - (y0 + y1) / 2) < 1


def test_a_click_chooses_a_field_tells_why_and_the_address_keeps_it(service: Service, look: Open) -> None:
    page = look(f"/task/{asked(service, 'invoice.pdf', document_type='invoice')}").page
    page.locator(BOX).click()
    why = page.locator(f".field{TOTAL} .why")
    expect(why).to_contain_text("1,190.00")
    expect(why).to_contain_text("page layout, page 1")
    expect(why).to_contain_text("net plus tax is total")
    page.reload()
    expect(page.locator(f".field{TOTAL} .row")).to_have_attribute("aria-expanded", "true")
    expect(page.locator(BOX)).to_have_class("box normalised chosen")


def test_keys_go_through_fields_and_to_doubtful_ones(service: Service, look: Open) -> None:
    page = look(f"/task/{asked(service, 'receipt.pdf', document_type='receipt')}").page
    rows = page.locator(".field")
    rows.first.wait_for()
    page.keyboard.press("j")
    expect(rows.nth(0).locator(".row")).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1).locator(".row")).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0).locator(".row")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("n")
    expect(page.locator(".field.chosen")).to_have_class("field exact doubtful chosen lit")


def test_rows_are_one_table_over_pages_with_their_sum_beside_what_is_stated(service: Service, look: Open) -> None:
    page = look(f"/task/{asked(service, 'purchase_order.pdf', document_type='purchase_order')}").page
    page.get_by_role("tab", name="Table").click()
    expect(page.locator(".sheet tbody tr:not(.pagemark)")).to_have_count(60)
    expect(page.locator(".pagemark")).to_have_text(["Page 1", "Page 2"])
    expect(page.locator(".sheet tfoot")).to_contain_text("9794.00")
    expect(page.locator(".sheet tfoot")).to_contain_text("the sum is the stated total")
    cell = "[data-pointer='/line_items/59/amount']"
    page.locator(f".cell{cell}").click()
    expect(page.locator(".box[data-pointers='/line_items/59/amount']")).to_be_in_viewport()


def test_values_from_a_file_that_stand_nowhere_are_listed_apart(service: Service, look: Open) -> None:
    page = look(f"/task/{asked(service, 'invoice_facturx.pdf', document_type='invoice')}").page
    apart = page.get_by_role("region", name="Not on the pages")
    expect(apart.locator(".field")).to_have_count(3)
    expect(page.get_by_role("region", name="Left empty").locator(".field").first).to_contain_text("not found")


def test_where_xml_and_page_differ_both_are_shown_and_the_page_is_pointed_at(service: Service, look: Open) -> None:
    page = look(f"/task/{asked(service, 'differs.pdf', document_type='invoice')}").page
    row = page.get_by_role("region", name="Sources differ").get_by_role("row", name="Invoice number")
    expect(row).to_contain_text("INV-2026-0024 e-invoice XML")
    expect(row).to_contain_text("INV-2026-0042 page layout")
    row.get_by_role("button", name="page 1").click()
    expect(page.locator(".box.ghost")).to_be_in_viewport()


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("JSON", '"invoice_number": "INV-2026-0042"'),
        ("Text", "Pressure sensor PS-200"),
        ("Trace", "none: the embedded engine alone"),
        ("curl", "A2A-Version: 1.0"),
    ],
)
def test_the_other_tabs_show_the_result_in_other_ways(service: Service, look: Open, tab: str, words: str) -> None:
    page = look(f"/task/{asked(service, 'invoice.pdf', document_type='invoice')}").page
    page.get_by_role("tab", name=tab).click()
    expect(page.get_by_role("tabpanel")).to_contain_text(words)


def test_downloads_hold_the_result(service: Service, look: Open) -> None:
    page = look(f"/task/{asked(service, 'invoice.pdf', document_type='invoice')}").page
    with page.expect_download() as waited:
        page.get_by_role("button", name="JSON").click()
    assert json.loads(waited.value.path().read_bytes())["values"]["total"] == "1190.00"
    with page.expect_download() as waited:
        page.get_by_role("button", name="CSV").click()
    lines = waited.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[0] == "document,field,value,page,match,confidence"
    assert "invoice.pdf,/total,1190.00,1,normalised,high" in lines


def test_of_many_pages_only_those_in_view_are_fetched(service: Service, look: Open) -> None:
    watched = look(f"/task/{asked(service, 'long.pdf', fields=['invoice_number', 'total'])}")
    page = watched.page
    page.locator(".page img").first.wait_for()
    expect(page.locator(".page")).to_have_count(PAGES)
    fetched = {url for url in watched.requests if "/pages/" in url}
    assert 1 <= len(fetched) <= 4
    paints = page.evaluate(PAINTS)  # told, not judged: machines differ
    print(f"task view of {PAGES} pages: shell {paints['shell']:.0f} ms, fields {paints['fields']:.0f} ms, ", end="")
    print(f"first page {paints['page-1']:.0f} ms after navigation")
    page.locator(f".field{TOTAL} .row").click()
    page.locator(f".page[data-page='{PAGES}'] img").wait_for()
    expect(page.locator(BOX)).to_be_in_viewport()
    assert len({url for url in watched.requests if "/pages/" in url}) < 14


LEFT_AND_BACK = """async () => {
    const {Viewer} = await import('/console/viewer.js');
    let asked = 0;
    const picture = (page, dpi, signal) => {
        asked += 1;
        if (asked > 1) return Promise.resolve('/console/mark.svg');
        return new Promise((done, refuse) => signal.addEventListener('abort', () => refuse(signal.reason)));
    };
    const viewer = new Viewer({pages: 1, picture, named: 'a.pdf'});
    document.getElementById('main').replaceChildren(viewer.element);
    const target = viewer.frames[0].holder;
    while (!asked) await new Promise(requestAnimationFrame);
    viewer.appeared([{target, isIntersecting: false}, {target, isIntersecting: true}]);
}"""


def test_a_page_that_leaves_the_view_and_comes_back_at_once_is_fetched_again(look: Open) -> None:
    page = look("/tasks").page
    page.locator(".tasks").wait_for()
    page.evaluate(LEFT_AND_BACK)
    expect(page.locator(".page img")).to_have_attribute("src", "/console/mark.svg")


def test_a_scan_is_shown_with_the_warning_that_it_has_no_text(service: Service, look: Open) -> None:
    task = service.send({"data": {"documents": ["scan.pdf"], "fields": ["invoice_number"]}})
    page = look(f"/task/{task['id']}").page
    page.locator(".page img").wait_for()
    warnings = task["artifacts"][0]["parts"][1]["data"]["warnings"]
    for warning in warnings:
        expect(page.get_by_role("list", name="Warnings")).to_contain_text(warning["message"])
    page.get_by_role("tab", name="Text").click()
    expect(page.get_by_role("tabpanel")).not_to_contain_text("Reading the text")


def test_nothing_a_document_holds_is_run(service: Service, look: Open) -> None:
    watched = look(f"/task/{asked(service, HOSTILE, fields=['invoice_number', 'seller_name', 'total'])}")
    page = watched.page
    expect(page.locator("h1")).to_have_text(HOSTILE)
    page.locator(".page img").wait_for()
    for tab in ("Text", "JSON", "curl", "Trace", "Fields"):
        page.get_by_role("tab", name=tab).click()
    page.get_by_role("tab", name="Text").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(MARKUP)
    assert page.evaluate("window.pwned") is None
    assert page.locator("#app script, #app [onclick], #app [onerror]").count() == 0


def test_markup_cannot_be_made_even_by_a_fault_of_the_page(service: Service, look: Open) -> None:
    watched = look("/tasks")
    page = watched.page
    page.locator(".tasks").wait_for()
    refused = page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return false; } catch { return true; } }"
    )
    assert refused
    assert "requires 'TrustedHTML'" in watched.faults.pop()


def test_a_locked_document_is_asked_about_and_then_shown(service: Service, look: Open) -> None:
    task = service.send({"data": {"documents": ["locked.pdf"], "document_type": "invoice"}})
    page = look(f"/task/{task['id']}").page
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator(".state-title")).to_have_text("The password is wrong")
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator(f".field{TOTAL}")).to_contain_text("1190.00")
    page.get_by_label("Password of the document").fill(SECRET)
    page.get_by_role("button", name="Show the pages").click()
    page.locator(".page img").wait_for()


def test_a_question_is_answered_with_a_click(service: Service, look: Open) -> None:
    task = service.send({"data": {"documents": ["invoic.pdf"], "document_type": "invoice"}})
    page = look(f"/task/{task['id']}").page
    page.get_by_role("button", name="invoice.pdf", exact=True).click()
    expect(page.locator(f".field{TOTAL}")).to_contain_text("1190.00")


def test_a_task_that_is_not_there_says_so(look: Open) -> None:
    page = look("/task/none").page
    expect(page.locator(".state")).to_contain_text("Not found")
