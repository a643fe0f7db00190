"""ops/guide.md answers for every item of the deployment guide, and what it points at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ITEMS = 175
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "ops" / "guide.md").read_text(encoding="utf-8"))


def located(cell: str) -> list[tuple[Path, list[str]]]:
    """Paths, each with the words that must stand in it."""
    places: list[tuple[Path, list[str]]] = []
    for token in re.findall(r"`([^`]+)`", cell):
        if (ROOT / token).exists() and not token.startswith("/"):
            places.append((ROOT / token, []))
        else:
            assert places, f"{token!r} is no path of the repository"
            places[-1][1].append(token)
    return places


def test_every_item_of_the_guide_has_one_row() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, ITEMS + 1))


@pytest.mark.parametrize(("number", "item", "where"), [row[:3] for row in ROWS], ids=[row[0] for row in ROWS])
def test_an_item_lives_where_the_table_says(number: str, item: str, where: str) -> None:
    places = located(where)
    assert places, f"{number} {item}: no place"
    for path, words in places:
        assert not words or path.is_file(), f"{number} {item}: {path.name} is no file that could hold {words}"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        assert [word for word in words if word not in text] == [], f"{number} {item}: not in {path.relative_to(ROOT)}"
