"""Operations in a real browser: what a person sees is what the service says, and every deed is asked about first."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.console.conftest import Guarded, Open, admit
from tests.service import Service


def test_the_state_shows_every_part_with_the_age_of_what_is_known(service: Service, look: Open) -> None:
    page = look("/operations").page
    readiness = page.get_by_role("region", name="Readiness")
    for part in ("PDF server", "Model", "Memory", "Event loop"):
        expect(readiness.locator("summary", has_text=part)).to_be_visible()
    expect(readiness.locator("summary", has_text="PDF server").locator(".age")).to_contain_text("ago")
    readiness.locator("summary", has_text="PDF server").click()
    expect(readiness).to_contain_text(str(service.mcp_pid()))
    expect(page.get_by_role("region", name="PDF server")).to_contain_text("ready")
    expect(page.get_by_role("region", name="Tasks", exact=True)).to_contain_text("0 of 64")
    expect(page.get_by_role("region", name="Limits and pools")).to_contain_text("600/minute")
    expect(page.get_by_role("img", name="Requests:")).to_be_visible()


def test_the_pdf_server_is_restarted_after_a_question(service: Service, look: Open) -> None:
    page = look("/operations").page
    before = service.mcp_pid()
    page.get_by_role("button", name="Restart").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    assert service.mcp_pid() == before
    page.get_by_role("button", name="Restart").click()
    page.get_by_role("dialog").get_by_role("button", name="Restart").click()
    expect(page.get_by_role("region", name="PDF server")).to_contain_text("1 requested")
    service.wait(lambda: service.get("/health/ready")[0] == 200)


def test_a_document_in_quarantine_is_named_and_released(service: Service, look: Open) -> None:
    page = look("/operations").page
    page.get_by_role("tab", name="Quarantine").click()
    row = page.get_by_role("row", name="quarantined.pdf")
    expect(row).to_contain_text("memory")
    page.get_by_role("button", name="Release quarantined.pdf").click()
    page.get_by_role("dialog").get_by_role("button", name="Release").click()
    expect(page.locator(".state")).to_contain_text("Nothing is in quarantine")
    assert service.get("/documents/quarantined.pdf")[0] == 200


def test_the_configuration_tells_sources_and_masks_secrets(look: Open) -> None:
    page = look("/operations").page
    page.get_by_role("tab", name="Configuration").click()
    expect(page.get_by_role("row", name="METRICS_TOKEN")).to_contain_text("***")
    page.get_by_label("set by you alone").check()
    expect(page.get_by_role("row", name="RATE_LIMIT")).to_have_count(0)
    expect(page.get_by_role("row", name="DATA_DIR")).to_contain_text("environment")


def test_without_the_scope_readiness_alone_is_shown(guarded: Guarded, look: Open) -> None:
    service, keys = guarded
    page = look("/operations", at=service).page
    admit(page, keys["reader"])
    expect(page.get_by_role("region", name="Readiness")).to_contain_text("Ready")
    expect(page.locator(".state-denied")).to_contain_text("needs the scope admin")
    page.get_by_role("tab", name="Configuration").click()
    expect(page.get_by_role("tabpanel").locator(".state-denied")).to_be_visible()
