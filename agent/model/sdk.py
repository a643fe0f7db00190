"""The SDK's types as they are asked here. Imported late: loading the SDK takes seconds.

While it spells a request, the SDK asks each of its models `key in model` some hundred times. Pydantic answers by
walking all fields, and the answer is always no (it walks pairs): these two say so at once. It also copies the whole
configuration, schema and all, several times a call, lest it be shared; here each attempt has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from google.genai import types


class Config(types.GenerateContentConfig):
    """Made anew for each attempt, so a copy of it needs no second one."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        return super().model_copy(update=update, deep=deep) if update else self

    def __contains__(self, key: object) -> bool:
        return False


class Part(types.Part):
    def __contains__(self, key: object) -> bool:
        return False
