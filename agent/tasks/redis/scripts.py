"""The scripts beside this file, run by digest and loaded when the server does not know them (any more)."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from agent.tasks.redis.keys import PREFIX

if TYPE_CHECKING:
    from redis.asyncio import Redis

_FOLDER = files("agent.tasks.redis") / "lua"


class Script:
    """One script; its first argument is always the prefix of all keys."""

    def __init__(self, name: str) -> None:
        self.text = (_FOLDER / f"{name}.lua").read_text(encoding="utf-8")
        self.digest = hashlib.sha1(self.text.encode()).hexdigest()  # noqa: S324  # how Redis names scripts

    async def __call__(self, redis: Redis, *arguments: str | bytes | int) -> Any:
        from redis.exceptions import NoScriptError

        try:
            return await redis.evalsha(self.digest, 0, PREFIX, *arguments)
        except NoScriptError:
            return await redis.eval(self.text, 0, PREFIX, *arguments)


COMMIT = Script("commit")
PAGE = Script("page")
DROP = Script("drop")
PUT_PUSH = Script("put_push")
MARK_PUSH = Script("mark_push")
PUT_DECISIONS = Script("put_decisions")
HOLD = Script("hold")
