"""The SDK's types as they are asked here. Imported late: loading the SDK takes seconds.

While it spells a request, the SDK asks each of its models `key in model` some hundred times. Pydantic answers by
walking all fields, and the answer is always no (it walks pairs): these two say so at once, which halves a call's cost.
"""

from __future__ import annotations

from google.genai import types


class Config(types.GenerateContentConfig):
    def __contains__(self, key: object) -> bool:
        return False


class Part(types.Part):
    def __contains__(self, key: object) -> bool:
        return False
