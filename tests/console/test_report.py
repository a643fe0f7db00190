"""The one-file report: the same view without a service, opened from disk; what documents hold stays text in it too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from agent.web import report
from tests.console.conftest import Open
from tests.console.documents import HOSTILE, MARKUP
from tests.service import SAMPLES, Service
from tests.test_cli import run


@pytest.fixture
def downloaded(service: Service, look: Open, tmp_path: Path) -> Path:
    """The report that the console makes of a task over an ordinary and over an attacking document."""
    wish = {"documents": ["invoice.pdf", HOSTILE], "fields": ["invoice_number", "seller_name", "total"]}
    task = service.send({"data": wish})
    page = look(f"/task/{task['id']}").page
    with page.expect_download() as waited:
        page.get_by_role("button", name="Report").click()
    kept = tmp_path / "report.html"
    waited.value.save_as(kept)
    return kept


@pytest.fixture
def offline(browser: Browser) -> Iterator[Page]:
    """A page of a browser without a network; nothing may be asked of anybody, nothing refused."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    requests: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert not faults
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requests)


def test_the_report_shows_the_result_on_its_pages_without_a_network(downloaded: Path, offline: Page) -> None:
    offline.goto(downloaded.as_uri())
    offline.locator(".page img").wait_for()
    offline.locator(".box[data-pointers~='/total']").click()
    expect(offline.locator(".field[data-pointer='/total'] .why")).to_contain_text("1,190.00")
    offline.get_by_role("tab", name="JSON").click()
    expect(offline.get_by_role("tabpanel")).to_contain_text('"total": "1190.00"')


def test_the_report_runs_nothing_that_a_document_holds(downloaded: Path, offline: Page) -> None:
    offline.goto(downloaded.as_uri())
    offline.get_by_role("combobox").select_option(index=1)
    expect(offline.locator("h1")).to_have_text(HOSTILE)
    offline.locator(".page img").wait_for()
    offline.get_by_role("tab", name="JSON").click()
    expect(offline.get_by_role("tabpanel")).to_contain_text(MARKUP)
    assert offline.evaluate("window.pwned") is None
    assert offline.locator("#report script, #report [onclick], #report [onerror]").count() == 0


def test_extract_writes_the_report_of_several_files_without_a_service(tmp_path: Path, offline: Page) -> None:
    one, two = tmp_path / "one" / "bill.pdf", tmp_path / "two" / "bill.pdf"
    for place, sample in ((one, "invoice.pdf"), (two, "facture.pdf")):
        place.parent.mkdir()
        place.write_bytes((SAMPLES / sample).read_bytes())
    out = tmp_path / "report.html"
    shown = run("extract", one, two, "--document-type", "invoice", "--html", out)
    assert shown.returncode == 0, shown.stderr
    values = [json.loads(line)["values"] for line in shown.stdout.splitlines()]
    offline.goto(out.as_uri())
    for at, (name, total) in enumerate(((one.name, values[0]["total"]), (str(two), values[1]["total"]))):
        offline.get_by_role("combobox").select_option(index=at)
        expect(offline.locator("h1")).to_have_text(name)
        offline.locator(".page img").first.wait_for()
        field = offline.locator(".field[data-pointer='/total']")
        expect(field).to_contain_text(total)
        field.hover()
        expect(offline.locator(".box.lit[data-pointers~='/total']")).to_be_visible()
        offline.locator(".box[data-pointers~='/total']").click()
        expect(field.locator(".why")).to_be_visible()


def test_colours_and_lines_tell_how_a_value_was_found(offline: Page, tmp_path: Path) -> None:
    matches = ("exact", "normalised", "fuzzy", "unlocated")
    evidence = {
        f"/{match}": {"text": match, "page": 1, "boxes": [[10, 20 * at, 90, 20 * at + 9]], "match": match}
        for at, match in enumerate(matches, 1)
    }
    del evidence["/unlocated"]["page"], evidence["/unlocated"]["boxes"]
    result = {"values": dict.fromkeys(matches, "7"), "document": {"id": "a.pdf", "pages": 1}, "evidence": evidence}
    kept = tmp_path / "colours.html"
    kept.write_text(report.page([result], {}), encoding="utf-8")
    offline.goto(kept.as_uri())
    styles = [
        offline.locator(f".box.{match}").evaluate(
            "one => [getComputedStyle(one).borderStyle, getComputedStyle(one).borderColor]"
        )
        for match in matches[:3]
    ]
    assert [style for style, _ in styles] == ["solid", "solid", "dashed"]
    assert len({colour for _, colour in styles}) == 3
    apart = offline.get_by_role("region", name="Not on the pages")
    expect(apart.locator(".field")).to_have_attribute("data-pointer", "/unlocated")


def test_of_many_pages_a_report_holds_those_with_values(offline: Page, tmp_path: Path) -> None:
    proof = {"text": "7", "page": 200, "boxes": [[10, 10, 20, 20]], "match": "exact", "confidence": "high"}
    result = {
        "values": {"total": "7"},
        "document": {"id": "long.pdf", "pages": 200},
        "evidence": {"/total": proof},
        "checks": [],
        "warnings": [],
    }
    pages = report.pages_shown(result)
    assert pages == [*range(1, report.MOST_PAGES), 200]
    kept = tmp_path / "long.html"
    kept.write_text(report.page([result], {}), encoding="utf-8")
    offline.goto(kept.as_uri())
    expect(offline.locator(".page[data-page='1']")).to_contain_text("not in the report")
