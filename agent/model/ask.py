"""What a model is asked and what it replies: plain nouns, free of the SDK.

`Ask.contents` are the turns of a conversation. A turn of ours is a tuple of pieces; a turn of the model's is the
opaque `Reply.said`, which goes back as it came (thought signatures included).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.errors import Failure


class ModelUnavailable(Failure):
    """No model is to be had within the time: unreachable, overloaded, its key refused, its breaker open."""

    def __init__(self, message: str, *, retryable: bool = True, hint: str | None = None) -> None:
        super().__init__("model_unavailable", message, retryable=retryable, hint=hint)


class ModelRefused(Failure):
    """The model will not answer this: blocked, or stopped for safety, recitation and the like."""

    def __init__(self, reason: str) -> None:
        super().__init__("model_refused", f"The model refused: {reason}.", hint="Use the mode embedded.")


class ModelTruncated(Failure):
    """The answer was longer than allowed: ask for less, never for the same again."""

    def __init__(self) -> None:
        super().__init__("model_truncated", "The model's answer was cut off.", hint="Ask for fewer fields or pages.")


class OverBudget(Failure):
    """Refused before it was spent."""

    def __init__(self, whose: str, limit: int) -> None:
        super().__init__(
            "budget_exceeded", f"This would exceed the {whose} of {limit} model tokens.", hint="Use the mode embedded."
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as an image."""

    jpeg: bytes


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model wants called."""

    name: str
    arguments: Mapping[str, Any]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call."""

    call: ToolCall
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of the model, as the SDK gave it."""

    content: Any


Piece = str | Picture | ToolResult
Turn = tuple[Piece, ...] | Said


@dataclass(frozen=True, slots=True)
class Declaration:
    """A tool the model may call; `parameters` is a JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a model. `prompt` names the system instruction's file and version.

    With `schema` the answer is JSON of that shape; with `tools` it may be calls. Its answer may be kept and used again
    for the same `subject`: what is asked about, free of random marks. Without one it is kept nowhere. With `lasting`
    it also outlives the process, until its task ends: for one of several questions of a task.
    """

    prompt: str
    system: str
    contents: Sequence[Turn]
    max_output_tokens: int
    schema: Mapping[str, Any] | None = None
    tools: Sequence[Declaration] = ()
    subject: Sequence[str | Picture] = ()
    lasting: bool = False

    @property
    def pieces(self) -> list[Piece]:
        return [piece for turn in self.contents if not isinstance(turn, Said) for piece in turn]

    @property
    def input_tokens(self) -> int:
        """An estimate from above: what is counted before anything is sent."""
        found = tokens_of(self.system) + tokens_of(str(self.schema or "")) + tokens_of(str(list(self.tools) or ""))
        for turn in self.contents:
            found += tokens_of(str(turn.content)) if isinstance(turn, Said) else sum(map(_piece_tokens, turn))
        return found


PICTURE_TOKENS = 1_120  # a page picture at the high resolution of Gemini 3 (258 a tile before)


def tokens_of(text: str) -> int:
    """Tokens of a text, from above: a token has about four Latin characters, of other scripts about one."""
    plain = len(text) if text.isascii() else len(text.encode("ascii", "ignore"))
    return plain // 3 + (len(text) - plain) + 1


def _piece_tokens(piece: Piece) -> int:
    if isinstance(piece, Picture):
        return PICTURE_TOKENS
    return tokens_of(piece if isinstance(piece, str) else str(piece.result))


@dataclass(frozen=True, slots=True)
class Tokens:
    """As the model counts them; thoughts are output, `cached` is the part of the input that its cache served."""

    input: int = 0
    output: int = 0
    cached: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.input + other.input, self.output + other.output, self.cached + other.cached)


NOTHING = Tokens()


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer: `data` when a schema was given, `calls` when the model wants tools, else `text`."""

    model: str
    text: str = ""
    data: Any = None
    calls: tuple[ToolCall, ...] = ()
    said: Said | None = None
    tokens: Tokens = NOTHING
