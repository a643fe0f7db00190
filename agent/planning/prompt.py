"""The system instructions: versioned files. No text of a document ever becomes part of one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("prompts")


@dataclass(frozen=True, slots=True)
class Prompt:
    """`label` (`read@1`) stands in traces and cache keys: a changed text needs a new version."""

    name: str
    version: int
    text: str

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"


@cache
def prompt(name: str) -> Prompt:
    """The file `prompts/{name}.md`: a line `version: N`, an empty line, the text."""
    head, _, text = (FOLDER / f"{name}.md").read_text(encoding="utf-8").partition("\n\n")
    return Prompt(name, int(head.removeprefix("version:")), text.strip())


def fence(title: str, content: str) -> tuple[str, str]:
    """The lines round data: with a mark that the data cannot know."""
    mark = secrets.token_hex(8)
    while mark in content:
        mark = secrets.token_hex(8)
    return f"{title} {mark} begins", f"{title} {mark} ends"


def fenced(title: str, content: str) -> str:
    begins, ends = fence(title, content)
    return f"{begins}\n{content}\n{ends}"
