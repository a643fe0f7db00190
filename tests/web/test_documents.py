"""Documents over HTTP: what a caller may see is there, everything else is not; pages come as pictures and text."""

from __future__ import annotations

import io
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from PIL import Image

from agent import keys
from tests.pdf.papers import changed
from tests.service import SAMPLES, Service, running

INVOICE = (SAMPLES / "invoice.pdf").read_bytes()
SECRET = "pass wörd"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    library = tmp_path_factory.mktemp("library")
    for folder in ("acme", "umbra"):
        (library / folder).mkdir()
        shutil.copy(SAMPLES / "invoice.pdf", library / folder / "invoice.pdf")
    locked = changed(INVOICE, lambda writer: writer.encrypt(SECRET, algorithm="AES-256"))
    (library / "acme" / "locked.pdf").write_bytes(locked)
    with running(tmp_path_factory.mktemp("documents") / "data", library=library) as started:
        yield started


@pytest.fixture(scope="module")
def known(service: Service) -> dict[str, dict[str, str]]:
    """Headers of callers by name."""
    file = service.data_dir / "api-keys.json"
    made = {
        "ann": keys.add(file, "ann", scopes=("extract", "read"), documents=("acme/**",))[0],
        "bob": keys.add(file, "bob", scopes=("extract", "read"))[0],
        "ops": keys.add(file, "ops", scopes=("admin", "metrics"))[0],
    }
    return {name: {"Authorization": f"Bearer {key}"} for name, key in made.items()}


def fetch(service: Service, path: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, str, bytes]:
    request = urllib.request.Request(service.url + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["Content-Type"], refused.read()


def put(service: Service, headers: dict[str, str], content: bytes = INVOICE, name: str = "mine.pdf") -> dict[str, str]:
    typed = {"Content-Type": "application/pdf", **headers}
    status, _, body = fetch(service, f"/documents?filename={quote(name)}", typed, content)
    assert status == 201
    found: dict[str, str] = json.loads(body)
    return found


def test_the_listing_holds_what_the_key_may_see_and_own_uploads(
    service: Service, known: dict[str, dict[str, str]]
) -> None:
    own = put(service, known["ann"])
    ann, bob = (service.get("/documents", known[name])[1] for name in ("ann", "bob"))
    assert [one["id"] for one in ann["documents"]] == ["acme/invoice.pdf", "acme/locked.pdf"]
    assert [one["id"] for one in ann["uploads"]] == [own["id"]]
    assert ann["uploads"][0]["filename"] == "mine.pdf"
    assert "umbra/invoice.pdf" in [one["id"] for one in bob["documents"]]
    assert bob["uploads"] == []


@pytest.mark.parametrize("more", ["", "/pages/1", "/pages/1/text"])
def test_a_foreign_document_is_not_there(service: Service, known: dict[str, dict[str, str]], more: str) -> None:
    own = put(service, known["ann"], INVOICE + b"\n% of ann")
    for doc_id, caller in (("umbra/invoice.pdf", "ann"), (own["id"], "bob"), ("acme/none.pdf", "ann")):
        status, body = service.get(f"/documents/{quote(doc_id, safe='')}{more}", known[caller])
        assert (status, body["code"]) == (404, "not_found")


def test_without_a_scope_for_documents_nothing_is_shown(service: Service, known: dict[str, dict[str, str]]) -> None:
    for path in ("/documents", "/documents/acme%2Finvoice.pdf", "/documents/acme%2Finvoice.pdf/pages/1"):
        assert service.get(path, known["ops"])[0] == 403
        assert service.get(path)[0] == 401
    assert fetch(service, "/documents", {**known["ops"], "Content-Type": "application/pdf"}, INVOICE)[0] == 403


def test_a_page_is_a_jpeg_of_the_asked_resolution_and_is_not_kept_on_the_way(
    service: Service, known: dict[str, dict[str, str]]
) -> None:
    path = "/documents/acme%2Finvoice.pdf/pages/1"
    for dpi in (72, 144):
        status, kind, body = fetch(service, f"{path}?dpi={dpi}", known["ann"])
        assert (status, kind) == (200, "image/jpeg")
        width, height = Image.open(io.BytesIO(body)).size
        assert abs(width - 595.28 * dpi / 72) < 2
        assert abs(height - 841.89 * dpi / 72) < 2
    request = urllib.request.Request(service.url + path, headers=known["ann"])
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("dpi", ["0", "5", "9999", "nan", "inf", "x", ""])
def test_a_resolution_out_of_bounds_is_named(service: Service, known: dict[str, dict[str, str]], dpi: str) -> None:
    status, body = service.get(f"/documents/acme%2Finvoice.pdf/pages/1?dpi={dpi}", known["ann"])
    assert status == 400
    assert "dpi" in body["message"]


@pytest.mark.parametrize(("page", "status"), [("0", 404), ("2", 400), ("999999999", 404), ("x", 404)])
def test_a_page_that_is_not_there_is_refused(
    service: Service, known: dict[str, dict[str, str]], page: str, status: int
) -> None:
    assert service.get(f"/documents/acme%2Finvoice.pdf/pages/{page}", known["ann"])[0] == status


def test_a_pages_text_comes_in_reading_order(service: Service, known: dict[str, dict[str, str]]) -> None:
    status, body = service.get("/documents/acme%2Finvoice.pdf/pages/1/text", known["ann"])
    assert status == 200
    assert "INV-2026-0042" in body["text"]
    assert (body["page"], body["grade"]) == (1, "text")


def test_a_locked_document_opens_with_its_password_in_a_header(
    service: Service, known: dict[str, dict[str, str]]
) -> None:
    path = "/documents/acme%2Flocked.pdf/pages/1"
    assert service.get(path, known["ann"]) == (422, service.get(path, known["ann"])[1])
    assert service.get(path, known["ann"])[1]["code"] == "password_required"
    wrong = {**known["ann"], "X-Document-Password": "no"}
    assert service.get(path, wrong)[1]["code"] == "wrong_password"
    status, kind, _ = fetch(service, path, {**known["ann"], "X-Document-Password": quote(SECRET)})
    assert (status, kind) == (200, "image/jpeg")


def test_an_upload_is_read_back_as_it_came_or_told_about(service: Service, known: dict[str, dict[str, str]]) -> None:
    own = put(service, known["bob"])
    path = f"/documents/{quote(own['id'], safe='')}"
    assert fetch(service, path, known["bob"])[::2] == (200, INVOICE)
    assert service.get(path, {**known["bob"], "Accept": "application/json"})[1]["pages"] == 1


def test_an_uploads_own_address_stands_for_it_in_a_message(service: Service, known: dict[str, dict[str, str]]) -> None:
    own = put(service, known["bob"], INVOICE + b"\n% of bob", name="invoice of bob.pdf")
    ask = {"messageId": "m", "role": "ROLE_USER", "parts": [{"url": own["url"]}, {"data": {"fields": ["total"]}}]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": ask}}
    task = service.post("/", call, known["bob"])[1]["result"]["task"]
    values, proof = (part["data"] for part in task["artifacts"][0]["parts"])
    assert values == {"total": "1190.00"}
    assert proof["document"]["id"] == "invoice of bob.pdf"
    refused = service.post("/", call, known["ann"])[1]
    assert refused["error"]["code"] == -32001


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [(b"", "application/pdf", 400), (b"%PDF-1.7", "text/html", 400), (b"x" * (26 * 2**20), "application/pdf", 413)],
)
def test_what_cannot_be_kept_is_refused(
    service: Service, known: dict[str, dict[str, str]], content: bytes, kind: str, status: int
) -> None:
    assert fetch(service, "/documents", {**known["bob"], "Content-Type": kind}, content)[0] == status
