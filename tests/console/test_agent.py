"""The agent view in a real browser: the card is judged by rules that can fail, both versions are asked live."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Open
from tests.console.documents import SECRET
from tests.service import Service

CARD = "**/.well-known/agent-card.json"


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_the_card_holds_all_rules_of_a_version_and_the_version_is_spoken(look: Open, version: str) -> None:
    page = look("/agent").page
    judged = page.get_by_role("region", name=f"A2A {version}")
    expect(judged.locator(".chip.check")).to_contain_text("rules hold")
    expect(judged).to_contain_text("answers in this version (TaskNotFound, -32001) holds")
    expect(judged.locator(".fails")).to_have_count(0)


@pytest.mark.parametrize(
    ("change", "version", "words"),
    [
        ({"supportedInterfaces": []}, "1.0", "supportedInterfaces is there"),
        ({"skills": [{"id": "a"}]}, "1.0", "every skill has id, name, description and tags"),
        ({"url": "/relative"}, "0.3", "url is absolute"),
        ({"protocolVersion": "1.0"}, "0.3", "protocolVersion is 0.3"),
        ({"security": [{"nowhere": []}]}, "0.3", "required security names declared schemes"),
    ],
)
def test_a_card_that_breaks_a_rule_is_told_which(
    service: Service, look: Open, change: dict[str, Any], version: str, words: str
) -> None:
    page = look("/tasks").page
    card = service.get("/.well-known/agent-card.json")[1]
    page.route(CARD, lambda route: route.fulfill(body=json.dumps(card | change), content_type="application/json"))
    page.get_by_role("link", name="Agent", exact=True).click()
    expect(page.get_by_role("region", name=f"A2A {version}").locator(".fails", has_text=words)).to_be_visible()


def test_every_exchange_is_logged_and_passwords_are_masked(service: Service, look: Open) -> None:
    task = service.send({"data": {"documents": ["locked.pdf"], "document_type": "invoice"}})
    page = look(f"/task/{task['id']}").page
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Unlock").click()
    page.locator(".field").first.wait_for()
    exchange = opened(page, "SendMessage")
    expect(exchange).to_contain_text('"password": "***"')
    expect(page.locator(".log")).not_to_contain_text(SECRET)
    expect(page.locator(".log")).to_contain_text("SubscribeToTask")


def test_a_call_by_hand_is_answered_and_logged(look: Open) -> None:
    page = look("/agent").page
    page.get_by_role("tab", name="JSON-RPC log").click()
    by_hand = page.get_by_role("region", name="A call by hand")
    by_hand.get_by_role("button", name="Send").click()
    expect(by_hand).to_contain_text('"totalSize"')
    by_hand.get_by_label("Version").select_option("0.3")
    by_hand.get_by_label("Parameters").fill('{"id": "none"}')
    by_hand.get_by_role("button", name="Send").click()
    expect(by_hand.get_by_role("alert")).to_contain_text("no task")
    expect(page.locator(".log li", has_text="ListTasks").first).to_contain_text("A2A 1.0")
    expect(page.locator(".log li", has_text="tasks/get").first).to_contain_text("-32001")


def opened(page: Page, method: str) -> Any:
    """The latest exchange of this method in the log, unfolded."""
    page.get_by_role("link", name="Agent", exact=True).click()
    page.get_by_role("tab", name="JSON-RPC log").click()
    exchange = page.locator(".log li", has_text=method).first
    exchange.locator("summary").click()
    return exchange
