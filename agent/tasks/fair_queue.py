"""Tasks that wait for their turn in this process: one after the other of each caller, callers in turn."""

from __future__ import annotations

from collections import OrderedDict, deque


class FairQueue:
    """A caller with a thousand waiting tasks delays another caller's first by one turn, not by a thousand."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, deque[str]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, caller: str, task_id: str) -> None:
        self._callers.setdefault(caller, deque()).append(task_id)
        self._size += 1

    def take(self) -> str:
        """The next in turn. Raises IndexError when nothing waits."""
        if not self._callers:
            raise IndexError("nothing waits")
        caller, waiting = self._callers.popitem(last=False)
        task_id = waiting.popleft()
        if waiting:
            self._callers[caller] = waiting
        self._size -= 1
        return task_id

    def discard(self, caller: str, task_id: str) -> None:
        """Takes a task out, if it waits."""
        waiting = self._callers.get(caller)
        if waiting is None or task_id not in waiting:
            return
        waiting.remove(task_id)
        self._size -= 1
        if not waiting:
            del self._callers[caller]
