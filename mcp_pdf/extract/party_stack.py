"""The segments that a role label owns: the one beside it, then the stack below either."""

from __future__ import annotations

from collections.abc import Iterator

from mcp_pdf.extract.candidates import Reader
from mcp_pdf.extract.layout import Line, Segment

_LINES = 14
_GAP = 2.6  # heights of a line that may stand empty inside a block
_FAR = 260.0  # points; what stands further right of a label is another column
_CENTRED = 6.0  # twice the distance of two middles that are one
_INDENT = (-12.0, 45.0)  # where a line may start from the block's edge


class Stack:
    """A block while it is collected. `owned` are the segments that are role labels themselves."""

    def __init__(self, reader: Reader, label: Segment, owned: set[int]) -> None:
        self._reader = reader
        self._label = label
        self._owned = owned
        self._beside = self._right_of_label()
        self._edge = (self._beside or label).box[0]
        self._left, self._right = label.box[0], label.box[2]
        self._values_x = -1.0
        self._whole = self._in_the_middle()

    def segments(self) -> list[Segment]:
        """The block in reading order, without its label."""
        return list(self._collect())

    def _in_the_middle(self) -> bool:
        """Whether the label is a heading in the middle of its box or page: it owns whole lines then."""
        layout, label = self._reader.layout, self._label
        under = layout.lines[label.line + 1 : label.line + 2]
        if len(layout.lines[label.line].segments) > 1 or not under or under[0].page != label.page:
            return False
        first = under[0].segments[0].box
        overlaps = first[2] > label.box[0]
        centred = abs(label.box[0] + label.box[2] - layout.sizes[label.page][0]) < 4 * _CENTRED
        return first[0] < label.box[0] + _INDENT[0] and (overlaps or centred)

    def _right_of_label(self) -> Segment | None:
        layout, label = self._reader.layout, self._label
        beside = next(iter(layout.right_of(label)), None)
        if beside is None or beside.index in self._owned or self._reader.is_label(beside):
            return None
        if beside.box[0] - label.box[2] >= _FAR:
            return None
        below = list(layout.below(label, lines=1))
        if any(abs(s.box[0] - label.box[0]) <= 3 and not s.text.rstrip().endswith(":") for s in below):
            return None
        free = bool(below) and below[0].index not in self._owned
        return None if free and not label.text.rstrip().endswith(":") else beside

    def _collect(self) -> Iterator[Segment]:
        layout, label = self._reader.layout, self._label
        if self._beside is not None:
            yield self._beside
        bottom, taken = self._beside or label, 0
        noted = label.text.count("(") > label.text.count(")")  # a note in brackets goes on below the label
        for line in layout.lines[label.line + 1 :]:
            gap = line.box[1] - bottom.box[3]
            if line.page != label.page or taken >= _LINES or gap > _GAP * max(label.height, bottom.height):
                return
            here = self._on(line)
            if here is None:
                continue
            if here.index in self._owned or (self._whole and self._is_heading(line)):
                return
            bottom, taken = here, taken + 1
            if noted:
                noted = ")" not in here.text
                continue
            yield from self._with_value(here)

    def _is_heading(self, line: Line) -> bool:
        """Whether a line stands alone in the middle of the box, as the label does."""
        left, right = line.box[0] + line.box[2], self._label.box[0] + self._label.box[2]
        return len(line.segments) == 1 and abs(left - right) < _CENTRED and ":" not in line.text

    def _on(self, line: Line) -> Segment | None:
        """The segment of a line that goes on with the block."""
        if self._whole:
            return line.segments[0]
        low, high = _INDENT
        for segment in line.segments:
            if low <= segment.box[0] - self._edge <= high:
                return segment
        if self._beside is None:  # centred: what overlaps the block so far
            for segment in line.segments:
                if segment.box[0] < self._right and segment.box[2] > self._left:
                    self._left, self._right = min(self._left, segment.box[0]), max(self._right, segment.box[2])
                    return segment
        first = line.segments[0]
        return first if abs(first.box[0] - self._values_x) <= 3 else None

    def _with_value(self, here: Segment) -> Iterator[Segment]:
        """The segment and what belongs to it on its line: the value of a key, all of it under a middle heading."""
        after = self._reader.layout.right_of(here)
        if after and after[0].text.startswith(":"):
            return
        yield here
        if self._whole:
            yield from after
        elif after and here.text.rstrip().endswith(":") and not after[0].text.rstrip().endswith(":"):
            self._values_x = after[0].box[0]
            yield after[0]
