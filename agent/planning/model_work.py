"""The work with a model: what the rules can do they do; the model plans what they cannot and reads what they doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.errors import AgentError, Failure
from agent.model.account import Account
from agent.model.chain import ModelChain
from agent.model.trace import Trace
from agent.pdf_client.session import PdfClient
from agent.planning import result as results
from agent.planning.embedded import DOCUMENT_S, EmbeddedWork, Run, ask, done
from agent.planning.kept import Kept
from agent.planning.model_reader import PASSING, ModelReader
from agent.planning.planner import Planner, Scope
from agent.planning.reader import Listing, is_locked
from agent.planning.request import Question, Request, choose, read_request
from agent.task import Message, Outcome, Part, State
from agent.telemetry.metrics import Metrics

LEAST_WORDS = 3  # fewer are a greeting, not a question

OpenAccount = Callable[[str, str, Trace], Account]


@dataclass(frozen=True, slots=True)
class Means:
    """What a task with a model needs: the models, how a task's account is opened, the mode where none is asked for."""

    chain: ModelChain
    account: OpenAccount
    mode: str = "auto"


class ModelWork:
    """Works on tasks with both engines."""

    def __init__(
        self,
        client: PdfClient,
        means: Means,
        *,
        listing: Listing,
        metrics: Metrics | None = None,
        kept: Kept | None = None,
    ) -> None:
        self._client = client
        self._means = means
        self._metrics = metrics
        self._listing = listing
        self._embedded = EmbeddedWork(client, metrics=metrics, listing=listing, kept=kept)

    def reply(self, message: Message) -> Message | None:
        """Every request of this agent becomes a task."""
        del message
        return None

    async def __call__(self, run: Run) -> Outcome:
        """A failure's status message carries the trace, as an artifact does after success."""
        request = read_request(m for m in run.task.history if m.role == "user")
        mode = request.mode or self._means.mode
        if mode == "embedded":
            return await self._embedded(run)
        trace = Trace(with_text=request.trace_text)
        account = self._means.account(run.caller.id, run.task.id, trace)
        attempt = _Attempt(self._client, self._means.chain, account, mode, metrics=self._metrics, listing=self._listing)
        try:
            outcome = await attempt(run)
        except AgentError as fault:
            message = run.message(Part(text=fault.message), results.data_part(fault.body()))
            outcome = Outcome(State.FAILED, results.traced(message, trace.record()))
        await self._means.chain.forget(run.task.id)  # not when cancelled: the task may be taken up again
        return outcome


class _Attempt(EmbeddedWork):
    """One task's work: the embedded one, with a second reader and a planner."""

    def __init__(
        self,
        client: PdfClient,
        chain: ModelChain,
        account: Account,
        mode: str,
        *,
        metrics: Metrics | None,
        listing: Listing,
    ) -> None:
        super().__init__(client, metrics=metrics, listing=listing)
        self._chain = chain
        self._account = account
        self._mode = mode
        self._reader = ModelReader(client, chain)

    def check_mode(self, request: Request) -> None:
        """Every mode is served."""

    async def result(self, run: Run, request: Request, doc: str) -> dict[str, Any]:
        found = await self._reader.extract(
            doc,
            request.wish,
            mode=self._mode,
            account=self._account,
            timeout_s=DOCUMENT_S,
            password=run.secrets.get("password"),
            progress=lambda words: run.progress(words, document=request.uploads.get(doc, doc)),
        )
        self.count(found)
        return found | {"trace": self._account.trace.record()}

    async def unclear(self, run: Run, request: Request, seen: list[str], question: Question) -> Outcome:
        """What the rules do not understand is planned; a document that was named and is not there is asked for."""
        if question.code in ("not_found", "ambiguous_document") or not request.text:
            return ask(run, question)
        return await self._plan(run, request, seen, question)

    async def extract(self, run: Run, request: Request, chosen: list[str]) -> Outcome:
        """Words that the rules took for an extraction only because a document came with them are planned."""
        if request.guessed and len(request.text.split()) >= LEAST_WORDS:
            return await self._plan(run, request, chosen, None)
        return await super().extract(run, request, chosen)

    async def ask(self, run: Run, request: Request, chosen: list[str]) -> Outcome:
        """A question for one value of one document is looked up; any other is planned."""
        if self._mode == "model" or len(chosen) > 1 or not request.wish.get("fields"):
            return await self._plan(run, request, chosen, None)
        return await super().ask(run, request, chosen)

    async def _plan(self, run: Run, request: Request, seen: list[str], question: Question | None) -> Outcome:
        named = await self._named(run, request, seen)
        scope = Scope(frozenset(named or seen), tuple(named), run.secrets.get("password"))
        planner = Planner(self._client, self._chain, self._account, scope, run.progress)
        before = self._account.usage
        try:
            answer = await planner.answer(request.text)
        except Failure as fault:
            if question is None or self._mode == "model" or is_locked(fault) or fault.code not in PASSING:
                raise
            return ask(run, question)
        if answer is None:
            return ask(run, question or Question("Nothing was found to answer from. Which document?", "no_document"))
        citations = [
            {**one, "document": request.uploads.get(one["document"], one["document"])} for one in answer.citations
        ]
        facts = {"citations": citations, "warnings": answer.warnings, "usage": self._account.usage.since(before)}
        await run.artifact(results.answer(answer.text, facts, trace=self._account.trace.record()))
        return done(run, answer.text)

    async def _named(self, run: Run, request: Request, seen: list[str]) -> list[str]:
        """The documents the message names or attaches, of those that are the caller's; none named: all that is seen."""
        if not request.documents and not request.uploads:
            return []
        library = await self._listing.ids(request.documents)
        chosen = choose(request, [doc for doc in library if run.caller.may_see(doc)])
        found = [] if isinstance(chosen, Question) else chosen
        own = [d for d in found if not d.startswith("upload/") or await run.owns(d.removeprefix("upload/"))]
        return own or [doc for doc in seen if doc in found]
