"""The PDF server dies while it reads: the task that waits for it still completes, with the whole document read."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas

from tests.service import running

PAGES = 250


def long_document(path: Path) -> None:
    page = Canvas(str(path), invariant=1)
    for number in range(1, PAGES + 1):
        page.drawString(60, 780, "Invoice number: INV-4711" if number == 1 else f"Page {number}")
        for line in range(55):
            page.drawString(60, 750 - 12 * line, f"Clause {number}.{line}: the parties agree on all that stands here.")
        page.showPage()
    page.save()


def test_a_server_killed_during_a_request_costs_nothing_but_time(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    long_document(library / "long.pdf")
    fields = [{"name": "invoice_number", "type": "id", "description": "Invoice number"}]
    with running(tmp_path / "data", library=library) as service:
        task = service.send({"data": {"documents": ["long.pdf"], "fields": fields}}, wait=False)
        service.wait(lambda: "reading page" in str(service.task(task["id"])["status"].get("message", "")))
        os.kill(service.mcp_pid(), signal.SIGKILL)
        service.wait(lambda: service.task(task["id"])["status"]["state"] == "TASK_STATE_COMPLETED")
        values, proof = (part["data"] for part in service.task(task["id"])["artifacts"][0]["parts"])
        assert values == {"invoice_number": "INV-4711"}
        assert proof["usage"]["pages"] == PAGES
        assert sum(service.get("/health/ready")[1]["details"]["mcp"]["restarts"].values()) == 1
