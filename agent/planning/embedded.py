"""The work without a model: what was asked is looked up, read and extracted by `mcp_pdf`; every step is told.

One artifact per document, committed as soon as it is ready: a new attempt leaves out what is there already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from agent.caller import Caller
from agent.errors import Failure, NotFound
from agent.pdf_client.session import PdfClient
from agent.planning import result as results
from agent.planning.kept import Kept
from agent.planning.reader import Listing, extract_document, is_locked
from agent.planning.request import Question, Request, choose, read_request
from agent.task import Artifact, Message, Outcome, Part, State, Task
from agent.telemetry.metrics import Metrics

CALL_S = 30.0
DOCUMENT_S = 300.0
READ_CHARACTERS = 20_000


class Run(Protocol):
    """What this work needs of an attempt."""

    task: Task
    caller: Caller
    secrets: Mapping[str, str]

    async def progress(self, text: str, **metadata: Any) -> None: ...
    async def artifact(self, artifact: Artifact, *, append: bool = False, last_chunk: bool = True) -> None: ...
    async def referenced(self) -> list[Task]: ...
    async def owns(self, sha256: str) -> bool: ...
    def message(self, *parts: Part) -> Message: ...


Answer = Callable[["EmbeddedWork", Run, Request, list[str]], Awaitable[Outcome]]


class EmbeddedWork:
    """Works on tasks with the PDF server alone. Between tasks it keeps the library's listing, briefly."""

    def __init__(
        self,
        client: PdfClient,
        *,
        metrics: Metrics | None = None,
        listing: Listing | None = None,
        kept: Kept | None = None,
    ) -> None:
        self._client = client
        self._metrics = metrics
        self._listing = listing or Listing(client)
        self._kept = kept

    def reply(self, message: Message) -> Message | None:
        """Every request of this agent becomes a task."""
        del message
        return None

    async def __call__(self, run: Run) -> Outcome:
        request = read_request(m for m in run.task.history if m.role == "user")
        self.check_mode(request)
        if not request.wish:
            request = await self._as_before(run, request)
        library = await self._listing.ids(request.documents)
        seen = [doc for doc in library if run.caller.may_see(doc)]
        if request.kind == "list":
            return await self._list(run, seen)
        if request.kind is None:
            what = Question("What should be done? For example: extract data from a document.", "no_wish")
            return await self.unclear(run, request, seen, what)
        chosen = choose(request, seen)
        if isinstance(chosen, Question):
            return await self.unclear(run, request, seen, chosen)
        for doc in chosen:
            if doc.startswith("upload/") and not await run.owns(doc.removeprefix("upload/")):
                raise NotFound(f"there is no document {doc}")
        try:
            return await ANSWERS[request.kind](self, run, request, chosen)
        except Failure as exc:
            if is_locked(exc):
                return unlock(run, exc)
            raise

    def check_mode(self, request: Request) -> None:
        """Raises Failure for a mode that this work cannot serve."""
        if request.mode == "model":
            raise Failure("model_unavailable", "No model is configured.", hint="Use the mode auto or embedded.")

    async def unclear(self, run: Run, request: Request, seen: list[str], question: Question) -> Outcome:
        """What to do with a request that rules do not understand: ask back."""
        del request, seen
        return ask(run, question)

    async def _as_before(self, run: Run, request: Request) -> Request:
        """ "The same fields from this other document": the wish of a task that the message refers to."""
        for task in await run.referenced():
            earlier = read_request(m for m in task.history if m.role == "user")
            if earlier.wish:
                return Request("extract", request.documents, request.uploads, earlier.wish, request.mode, request.text)
        return request

    async def _list(self, run: Run, seen: list[str]) -> Outcome:
        text = "\n".join(seen) if seen else "There are no documents."
        await run.artifact(results.answer(text, {"documents": seen}))
        return done(run, f"{len(seen)} document{'s' * (len(seen) != 1)} available.")

    async def extract(self, run: Run, request: Request, chosen: list[str]) -> Outcome:
        ready = {(a.artifact_id, a.name) for a in run.task.artifacts}  # a follow-up may have named other documents
        failures: list[Failure] = []
        kinds: set[str] = set()
        for number, doc in enumerate(chosen, 1):
            name = request.uploads.get(doc, doc)
            if (f"extraction-{number}", name) in ready:
                continue
            await run.progress(f"reading {name}" + (f" ({number} of {len(chosen)})" if len(chosen) > 1 else ""))
            try:
                result = await self._once(run, request, doc)
            except Failure as exc:
                if len(chosen) == 1 or is_locked(exc):
                    raise
                failures.append(exc)
                await run.artifact(results.failed(number, name, exc.body()))
                continue
            for one in (result, *result.get("more", ())):
                one["document"]["id"] = name if doc in request.uploads else doc
            kinds.add(str(result["document"].get("document_type") or "unknown"))
            await run.artifact(results.extraction(number, result))
        if len(failures) == len(chosen):
            raise failures[0]
        said = (
            f"{len(chosen) - len(failures)} of {len(chosen)} documents extracted." if len(chosen) > 1 else "Extracted."
        )
        return done(run, said, document_type=kinds.pop() if len(kinds) == 1 else "several" if kinds else "unknown")

    async def _once(self, run: Run, request: Request, doc: str) -> dict[str, Any]:
        """A kept result where there is one; nothing is kept of a locked document."""
        if self._kept is None or run.secrets.get("password"):
            return await self.result(run, request, doc)
        make = partial(self.result, run, request, doc)
        return await self._kept.once(run.caller.id, doc, request, make=make)

    async def result(self, run: Run, request: Request, doc: str) -> dict[str, Any]:
        """One document's result; counts its values."""
        found = await extract_document(
            self._client,
            doc,
            request.wish,
            timeout_s=DOCUMENT_S,
            password=run.secrets.get("password"),
            progress=lambda words: run.progress(words, document=request.uploads.get(doc, doc)),
        )
        self.count(found)
        return found

    def count(self, found: dict[str, Any]) -> None:
        """Counts the values of a result."""
        if self._metrics is not None:
            for proof in found["evidence"].values():
                if "match" in proof:
                    self._metrics.extraction_fields_total.labels(proof["source"], proof["match"]).inc()

    async def ask(self, run: Run, request: Request, chosen: list[str]) -> Outcome:
        """A question for one value: the value in words, its place as citation."""
        if not request.wish.get("fields"):
            return ask(run, Question("Which value is asked for?", "no_wish"))
        lines, citations = [], []
        for doc in chosen:
            result = await self.result(run, request, doc)
            name = request.uploads.get(doc, doc)
            for field in request.wish["fields"]:
                value = result["values"].get(field["name"])
                proof = result["evidence"].get("/" + field["name"], {})
                said = "not found" if value is None else value
                lines.append(f"{name}: {field['name'].replace('_', ' ')}: {said}")
                citations.append({"document": name, "field": field["name"], "value": value, **proof})
        await run.artifact(results.answer("\n".join(lines), {"citations": citations}))
        return done(run, lines[0])

    async def classify(self, run: Run, request: Request, chosen: list[str]) -> Outcome:
        lines, citations = [], []
        for doc in chosen:
            found = await self._client.call("classify_document", _call(run, doc), timeout_s=CALL_S)
            name = request.uploads.get(doc, doc)
            lines.append(f"{name}: {str(found['document_type']).replace('_', ' ')}")
            citations.append({"document": name, **found})
        await run.artifact(results.answer("\n".join(lines), {"citations": citations}))
        return done(run, lines[0])

    async def read(self, run: Run, request: Request, chosen: list[str]) -> Outcome:
        texts, citations = [], []
        for doc in chosen:
            arguments = _call(run, doc) | ({"pages": request.wish["pages"]} if request.wish.get("pages") else {})
            found = await self._client.call("read_doc_contents", arguments, timeout_s=DOCUMENT_S)
            pages = found["pages"]
            texts.append("\n\n".join(page["text"] for page in pages))
            citations.append(
                {"document": request.uploads.get(doc, doc), "pages": [page["page"] for page in pages],
                 "truncated": bool(found.get("truncated")) or len(texts[-1]) > READ_CHARACTERS}
            )  # fmt: skip
        await run.artifact(
            results.answer("\n\n".join(text[:READ_CHARACTERS] for text in texts), {"citations": citations})
        )
        return done(run, f"Read {len(chosen)} document{'s' * (len(chosen) != 1)}.")


ANSWERS: Mapping[str, Answer] = {
    "extract": lambda work, *asked: work.extract(*asked),
    "ask": lambda work, *asked: work.ask(*asked),
    "classify": lambda work, *asked: work.classify(*asked),
    "read": lambda work, *asked: work.read(*asked),
}


def _call(run: Run, doc: str) -> dict[str, Any]:
    password = run.secrets.get("password")
    return {"doc_id": doc} | ({"password": password} if password else {})


def done(run: Run, words: str, **metadata: Any) -> Outcome:
    return Outcome(State.COMPLETED, run.message(Part(text=words)), metadata)


def ask(run: Run, question: Question) -> Outcome:
    """INPUT_REQUIRED: the question in words, the candidates as data."""
    data = {"code": question.code, "candidates": list(question.candidates)}
    return Outcome(State.INPUT_REQUIRED, run.message(Part(text=question.text), results.data_part(data)))


def unlock(run: Run, failure: Failure) -> Outcome:
    """AUTH_REQUIRED: the document wants a password, or another one."""
    wrong = failure.code == "wrong_password"
    fault = "The password is wrong. Send the right one" if wrong else "The document is locked. Send its password"
    words = fault + ' in a data part: {"password": …}.'
    return Outcome(State.AUTH_REQUIRED, run.message(Part(text=words), results.data_part(failure.body())))
