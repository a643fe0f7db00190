"""Names of the keys in Redis. The scripts make the same ones from the prefix; both are listed here.

task:ID            hash: head, version, attempt, state, at, caller, context, made; artifact:N (JSON, or @DIGEST)
journal:ID         stream: entry VERSION-0 holds the event (and, by digest, an artifact too large to stand in it)
blob:ID:DIGEST     a large artifact, compressed; written once
named:ID           set: what must go with the task: `document:…`, `claim:…`, `blob:…`
decisions:ID       list: what was said of the task's results, oldest first
push:ID            hash: CONFIG (as registered), CONFIG/state (how far it is)
all:STATE          sorted set of tasks by the time of their status; so are by:CALLER, by-state:STATE:CALLER and
                   by-context:N:CALLER:CONTEXT
document:ID        set of the tasks that name a document
claim:N:CALLER:KEY hash of an idempotency key
upload:SHA:CALLER  a caller's file; owners:SHA, uploads:CALLER and uploads (by expiry) find them
dead               sorted set of the tasks that were given up; pushing: tasks with webhooks; lease:NAME: who has it
told:ID            channel: the version of each commit, or `gone`

Every key has a time to live, renewed by each commit; N is the length of what follows, so that no name holds another.
"""

from __future__ import annotations

PREFIX = "extraction:"


def task(task_id: str) -> str:
    return f"{PREFIX}task:{task_id}"


def journal(task_id: str) -> str:
    return f"{PREFIX}journal:{task_id}"


def blob(task_id: str, digest: str) -> str:
    return f"{PREFIX}blob:{task_id}:{digest}"


def push(task_id: str) -> str:
    return f"{PREFIX}push:{task_id}"


def decisions(task_id: str) -> str:
    return f"{PREFIX}decisions:{task_id}"


def state(name: str) -> str:
    return f"{PREFIX}all:{name}"


def caller(name: str) -> str:
    return f"{PREFIX}by:{name}"


def document(name: str) -> str:
    return f"{PREFIX}document:{name}"


def claim(caller_id: str, key: str) -> str:
    return f"{PREFIX}claim:{len(caller_id)}:{caller_id}:{key}"


def upload(sha256: str, caller_id: str) -> str:
    return f"{PREFIX}upload:{sha256}:{caller_id}"


def owners(sha256: str) -> str:
    return f"{PREFIX}owners:{sha256}"


def uploads(caller_id: str) -> str:
    return f"{PREFIX}uploads:{caller_id}"


def told(task_id: str) -> str:
    return f"{PREFIX}told:{task_id}"


UPLOADS = f"{PREFIX}uploads"
PUSHING = f"{PREFIX}pushing"
DEAD = f"{PREFIX}dead"
ERASURES = f"{PREFIX}erasures"
