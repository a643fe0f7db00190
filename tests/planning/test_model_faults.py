"""A task with a model through crashes, cancellation, budgets, pictures and Vertex AI: the real service and SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gemini_server import KEY, GeminiServer, Seen, Turn, after, answer, in_thread, too_many
from tests.planning.papers import invoice, report, scan, table
from tests.service import running
from tests.token_endpoint import service_account, token_endpoint

CODE = {"fields": [{"name": "closing_code", "type": "id"}], "mode": "model"}


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with in_thread() as serving:
        yield serving


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "report.pdf").write_bytes(report(40))
    (folder / "scan.pdf").write_bytes(scan())
    (folder / "odd.pdf").write_bytes(invoice())
    (folder / "table.pdf").write_bytes(table(90))
    return folder


def settings(server: GeminiServer, **more: str) -> dict[str, str]:
    return {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": server.url, "MCP_PDF_WORKERS": "1", **more}


def code(seen: Seen) -> Turn:
    return answer({"closing_code": "ZX-7781" if "ZX-7781" in seen.text else None})


def pages_of(seen: Seen) -> tuple[str, ...]:
    return tuple(line for line in seen.text.splitlines() if line.startswith("=== page"))


def all_asked(server: GeminiServer) -> bool:
    """Whether every page of the report has been asked about."""
    seen = {line for one in server.requests for line in pages_of(one) if "context" not in line}
    return len(seen) == 40


def test_chunks_that_were_read_before_a_crash_are_not_paid_again(
    tmp_path: Path, server: GeminiServer, library: Path
) -> None:
    """The last chunk is never answered; the process is killed; the next one asks for that chunk alone."""
    server.script = lambda seen: after(60, code(seen)) if "=== page 40 ===" in seen.text else code(seen)
    with running(tmp_path / "data", library=library, settings=settings(server)) as service:
        task = service.send({"data": {"documents": ["report.pdf"], **CODE}}, wait=False)
        kept = tmp_path / "data" / "model" / "answers" / task["id"]
        service.wait(lambda: all_asked(server) and len(list(kept.glob("*[0-9a-f]"))) == len(server.requests) - 1)
        first = [pages_of(seen) for seen in server.requests]
        service.kill()
        server.requests.clear()
        server.script = code
        service.start()
        service.wait(lambda: service.task(task["id"])["status"]["state"] == "TASK_STATE_COMPLETED")
        done = service.task(task["id"])
        assert not kept.exists()
    again = [pages_of(seen) for seen in server.requests]
    assert again == [pages for pages in first if "=== page 40 ===" in pages]
    assert done["artifacts"][0]["parts"][0]["data"] == {"closing_code": "ZX-7781"}


def test_a_429_in_the_middle_loses_no_chunk(tmp_path: Path, server: GeminiServer, library: Path) -> None:
    refused: set[tuple[str, ...]] = set()

    def script(seen: Seen) -> Turn:
        if pages_of(seen) not in refused:
            refused.add(pages_of(seen))
            return too_many(0.05)
        return code(seen)

    server.script = script
    with running(tmp_path / "data", library=library, settings=settings(server)) as service:
        task = service.send({"data": {"documents": ["report.pdf"], **CODE}})
    assert task["artifacts"][0]["parts"][0]["data"] == {"closing_code": "ZX-7781"}
    assert task["artifacts"][0]["parts"][1]["data"]["warnings"] == []


def test_a_cancelled_task_hangs_up_on_the_model(tmp_path: Path, server: GeminiServer, library: Path) -> None:
    server.script = lambda seen: after(60, code(seen))
    with running(tmp_path / "data", library=library, settings=settings(server)) as service:
        task = service.send({"data": {"documents": ["odd.pdf"], **CODE}}, wait=False)
        service.wait(lambda: server.in_flight == 1)
        assert service.call("CancelTask", {"id": task["id"]})["status"]["state"] == "TASK_STATE_CANCELED"
        service.wait(lambda: server.in_flight == 0)
    assert server.requests[0].cancelled


@pytest.mark.parametrize("budget", ["TOKEN_BUDGET", "DAILY_TOKEN_BUDGET"])
def test_a_budget_is_kept_before_it_is_spent(tmp_path: Path, server: GeminiServer, library: Path, budget: str) -> None:
    with running(tmp_path / "data", library=library, settings=settings(server, **{budget: "900"})) as service:
        task = service.send({"data": {"documents": ["odd.pdf"], **CODE}})
        calm = service.send({"data": {"documents": ["odd.pdf"], **CODE, "mode": "auto"}})
    assert task["status"]["message"]["parts"][1]["data"]["code"] == "budget_exceeded"
    warnings = calm["artifacts"][0]["parts"][1]["data"]["warnings"]
    assert [w["code"] for w in warnings] == ["budget_exceeded"]
    assert server.requests == []


def test_a_scanned_page_that_nothing_reads_goes_as_a_picture_and_its_values_are_never_high(
    tmp_path: Path, server: GeminiServer, library: Path
) -> None:
    server.script = lambda _: answer({"total": "1190.00"})
    with running(tmp_path / "data", library=library, settings=settings(server, MCP_PDF_OCR="off")) as service:
        wish = {"fields": [{"name": "total", "type": "amount"}], "mode": "model"}
        task = service.send({"data": {"documents": ["scan.pdf"], **wish}})
    (seen,) = server.requests
    assert len(seen.pictures) == 1
    values, rest = (part["data"] for part in task["artifacts"][0]["parts"])
    assert values["total"] == "1190.00"
    proof = rest["evidence"]["/total"]
    assert (proof["match"], proof["confidence"], proof["source"]) == ("unlocated", "low", "model")


def test_rows_over_ninety_pages_are_joined_in_order_and_each_is_found_on_its_page(
    tmp_path: Path, server: GeminiServer, library: Path
) -> None:
    def script(seen: Seen) -> Turn:
        rows = []
        own = True
        for line in seen.text.splitlines():
            own = "(context" not in line if line.startswith("=== page") else own
            words = line.split()
            if own and words[:1] == ["Part"]:
                rows.append(
                    {"description": " ".join(words[:2]), "quantity": 1, "unit_price": "2.00", "amount": words[-1]}
                )
        return answer({"line_items": rows})

    server.script = script
    with running(tmp_path / "data", library=library, settings=settings(server)) as service:
        wish = {"fields": [{"name": "line_items", "type": "items"}], "mode": "model"}
        task = service.send({"data": {"documents": ["table.pdf"], **wish}})
    assert task["status"]["state"] == "TASK_STATE_COMPLETED", task["status"]
    values, rest = (part["data"] for part in task["artifacts"][0]["parts"])
    assert len(server.requests) > 1
    assert [row["description"] for row in values["line_items"]] == [f"Part {n:03}" for n in range(1, 91)]
    assert {w["code"] for w in rest["warnings"]} == set()
    pages = [rest["evidence"][f"/line_items/{n}/description"]["page"] for n in range(90)]
    assert pages == list(range(1, 91))


def test_vertex_ai_is_reached_by_the_sdks_own_environment(tmp_path: Path, server: GeminiServer, library: Path) -> None:
    server.keys = {"vertex-express-key"}
    server.script = lambda _: answer({"closing_code": None})
    vertex = {"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_API_KEY": "vertex-express-key"}
    with running(tmp_path / "data", library=library, settings=settings(server) | vertex) as service:
        service.send({"data": {"documents": ["odd.pdf"], **CODE}})
    (seen,) = server.requests
    assert seen.verb == "generateContent"
    assert "/publishers/google/" in seen.path


def test_vertex_ai_with_a_project_takes_a_token_for_its_service_account(
    tmp_path: Path, server: GeminiServer, library: Path
) -> None:
    server.keys = set()  # no key counts: the bearer token alone
    server.script = lambda _: answer({"closing_code": None})
    with token_endpoint() as (url, assertions):
        account = tmp_path / "account.json"
        account.write_text(json.dumps(service_account(url)))
        vertex = {"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_APPLICATION_CREDENTIALS": str(account)}
        vertex |= {"GOOGLE_CLOUD_PROJECT": "project-7", "GOOGLE_CLOUD_LOCATION": "europe-west4"}
        own = {k: v for k, v in settings(server).items() if k != "GOOGLE_API_KEY"}
        with running(tmp_path / "data", library=library, settings=own | vertex) as service:
            task = service.send({"data": {"documents": ["odd.pdf"], **CODE}})
    assert task["status"]["state"] == "TASK_STATE_COMPLETED", task["status"]
    (seen,) = server.requests
    assert "/projects/project-7/locations/europe-west4/publishers/google/models/" in seen.path
    assert seen.headers["Authorization"] == "Bearer token-of-the-account"
    assert "x-goog-api-key" not in {name.lower() for name in seen.headers}
    assert assertions[0]["iss"] == "agent@project-7.iam.gserviceaccount.com"


def test_a_key_file_that_changes_is_used_by_the_running_service(
    tmp_path: Path, server: GeminiServer, library: Path
) -> None:
    server.keys, server.script = {"AIzaFirst", "AIzaSecond"}, lambda _: answer({"closing_code": None})
    file = tmp_path / "key"
    file.write_text("AIzaFirst")
    own = {k: v for k, v in settings(server).items() if k != "GOOGLE_API_KEY"}
    own |= {"GOOGLE_API_KEY_FILE": str(file), "ENABLE_CACHE": "false"}

    def used() -> str:
        service.send({"data": {"documents": ["odd.pdf"], **CODE}})
        return server.requests[-1].headers["x-goog-api-key"]

    with running(tmp_path / "data", library=library, settings=own) as service:
        assert used() == "AIzaFirst"
        fresh = tmp_path / "fresh"
        fresh.write_text("AIzaSecond")
        fresh.replace(file)
        service.wait(lambda: used() == "AIzaSecond", within_s=10)
        assert "AIzaSecond" not in service.log.read_text(encoding="utf-8")


def test_a_models_row_that_contradicts_itself_is_low(tmp_path: Path, server: GeminiServer, library: Path) -> None:
    rows = [{"description": "Part 001", "quantity": 3, "unit_price": "2.00", "amount": "2.00"}]
    server.script = lambda _: answer({"line_items": rows})
    with running(tmp_path / "data", library=library, settings=settings(server)) as service:
        wish = {"fields": [{"name": "line_items", "type": "items"}], "mode": "model", "pages": "1"}
        task = service.send({"data": {"documents": ["table.pdf"], **wish}})
    values, rest = (part["data"] for part in task["artifacts"][0]["parts"])
    assert values["line_items"] == rows
    proof = rest["evidence"]["/line_items/0/amount"]
    assert (proof["match"], proof["checks"], proof["confidence"]) == (
        "exact",
        {"quantity_times_price_is_amount": False},
        "low",
    )
