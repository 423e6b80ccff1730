"""Where everything stands in a figure of many pictures, in pixels of 1/300 inch.

The pictures are enlarged by whole numbers and stand on whole pixels, so that they print crisply.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Measure = Callable[[str, float], float]

DPI: Final = 300
POINT: Final = DPI / 72
PAGE: Final = (7 * DPI, 9 * DPI)
"""Width and height that a matrix keeps to unless its cells would become too small to see."""
LABEL, SMALL, TITLE = 8.0, 7.0, 9.0
"""Sizes of type, in points."""
LEADING: Final = 1.25
PICTURE_GAP: Final = 4
CELL_GAP: Final = round(5 * POINT)
TEXT_GAP: Final = round(2.5 * POINT)
MARGIN: Final = round(2 * POINT)
SMALLEST_BOX: Final = 90
LARGEST_PICTURE: Final = 450
LABEL_WIDTH: Final = 300


class Shape(NamedTuple):
    """The pictures of a cell: how many, how high and how wide."""

    images: int
    height: int
    width: int


@dataclass(frozen=True)
class Texts:
    """All that is written in a figure; several lines where there are line feeds."""

    rows: Sequence[str]
    columns: Sequence[str]
    captions: Sequence[Sequence[str]]
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Layout:
    """Places and sizes, in pixels from the top left.

    Attributes:
        size: Width and height of the figure.
        label_edge: Right edge of the labels of rows.
        lefts: Left edge of each column of boxes.
        tops: Top edge of each row of boxes.
        box: Width and height of every cell's box for its pictures.
        across: How many pictures stand side by side in a cell.
        texts: The texts, broken into lines that fit.
        stacked: Whether the parts of a caption stand below each other.
    """

    size: tuple[int, int]
    label_edge: int
    lefts: list[int]
    tops: list[int]
    box: tuple[int, int]
    across: int
    texts: Texts
    stacked: bool

    def scale(self, shape: Shape) -> float:
        """By how much the pictures of a cell are enlarged, a whole number where at least 1."""
        return scale_in(shape, self.across, self.box)


def text_height(text: str, size: float) -> int:
    """Height in pixels of lines of type."""
    return math.ceil((text.count("\n") + 1) * size * LEADING * POINT) if text else 0


def wrapped(text: str, width: float, size: float, measure: Measure) -> str:
    """Text with line feeds where it would become wider than ``width``.

    Lines end between words, or after hyphens and the like in names; a piece that is wider than a
    line by itself is broken anywhere.
    """
    lines = [""]
    for piece in re.findall(r"\s*[^\s/_-]*[/_-]?", text):
        if measure(lines[-1] + piece, size) <= width:
            lines[-1] += piece
            continue
        if lines[-1]:
            lines.append("")
        for letter in piece.lstrip():
            if lines[-1] and measure(lines[-1] + letter, size) > width:
                lines.append("")
            lines[-1] += letter
    return "\n".join(lines)


def scale_in(shape: Shape, across: int, room: tuple[float, float]) -> float:
    """The scale at which pictures fit a room, ``across`` of them side by side."""
    columns = min(across, shape.images)
    rows = math.ceil(shape.images / columns)
    scale = min(
        (room[0] - (columns - 1) * PICTURE_GAP) / (columns * shape.width),
        (room[1] - (rows - 1) * PICTURE_GAP) / (rows * shape.height),
        max(1.0, LARGEST_PICTURE / max(shape.height, shape.width)),
    )
    side = max(shape.height, shape.width)
    return float(math.floor(scale)) if scale >= 1 else max(scale, 1 / side)


def sheet_size(shape: Shape, across: int, scale: float) -> tuple[int, int]:
    """Width and height of the pictures of a cell."""
    columns = min(across, shape.images)
    rows = math.ceil(shape.images / columns)
    return (
        columns * scaled(shape.width, scale) + (columns - 1) * PICTURE_GAP,
        rows * scaled(shape.height, scale) + (rows - 1) * PICTURE_GAP,
    )


def scaled(side: int, scale: float) -> int:
    """A side of a picture after scaling."""
    return max(1, round(side * scale))


def laid_out(shapes: Sequence[Shape], texts: Texts, measure: Measure) -> Layout:
    """The layout of a matrix.

    Args:
        shapes: Of the cells that have pictures.
        texts: What is written.
        measure: The width in pixels of a line of text, given its size in points.
    """
    rows, columns = len(texts.rows), len(texts.columns)
    labels = [wrapped(text, LABEL_WIDTH, LABEL, measure) for text in texts.rows]
    left = MARGIN + _widest(labels, LABEL, measure)
    left += TEXT_GAP if left > MARGIN else 0
    parts = _widest([part for caption in texts.captions for part in caption], SMALL, measure)
    cell = max((PAGE[0] - left - MARGIN) // columns - CELL_GAP, SMALLEST_BOX, parts)
    joined = _widest([" · ".join(caption) for caption in texts.captions], SMALL, measure)
    heads = [wrapped(text, cell, LABEL, measure) for text in texts.columns]
    header = max(text_height(head, LABEL) for head in heads)
    lines = max((len(caption) for caption in texts.captions), default=0)
    stacked = joined > cell
    caption = text_height("\n" * (lines - 1 if stacked else 0) + " ", SMALL) if lines else 0
    around = sum(
        text_height(wrapped(text, PAGE[0] - 2 * MARGIN, size, measure), size) + 3 * TEXT_GAP
        for text, size in ((texts.title, TITLE), (texts.note, SMALL))
    )
    high = (PAGE[1] - header - around) // rows - caption - TEXT_GAP - CELL_GAP
    across, box = _boxes(shapes, (cell, max(min(high, cell), SMALLEST_BOX)))
    # Columns are no wider than what stands in them.
    pitch = CELL_GAP + max(
        box[0], parts if stacked else joined, *(_widest([h], LABEL, measure) for h in heads)
    )
    width = left + columns * pitch - CELL_GAP + MARGIN
    title = wrapped(texts.title, width - 2 * MARGIN, TITLE, measure)
    note = wrapped(texts.note, width - 2 * MARGIN, SMALL, measure)
    top = MARGIN + text_height(title, TITLE) + (TEXT_GAP if title else 0) + header + TEXT_GAP
    step = box[1] + (TEXT_GAP + caption if caption else 0) + CELL_GAP
    bottom = top + rows * step - CELL_GAP + (3 * TEXT_GAP if note else 0)
    return Layout(
        (width, bottom + text_height(note, SMALL) + MARGIN),
        left - TEXT_GAP,
        [left + column * pitch + (pitch - CELL_GAP - box[0]) // 2 for column in range(columns)],
        [top + row * step for row in range(rows)],
        box,
        across,
        Texts(labels, heads, texts.captions, title, note),
        stacked,
    )


def _widest(texts: Iterable[str], size: float, measure: Measure) -> int:
    lines = (line for text in texts for line in text.split("\n"))
    return math.ceil(max((measure(line, size) for line in lines), default=0.0))


def _boxes(shapes: Sequence[Shape], room: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """How many pictures stand side by side, and the box that all cells then need.

    Large pictures are worth some places left over, but not many.
    """
    if not shapes:
        return 1, (SMALLEST_BOX, SMALLEST_BOX)
    fullest = max(shapes, key=lambda shape: (shape.images, shape.height * shape.width))

    def worth(across: int) -> float:
        filled = fullest.images / (across * math.ceil(fullest.images / across))
        return scale_in(fullest, across, room) * filled**6

    across = max(range(fullest.images, 0, -1), key=worth)
    sizes = [sheet_size(shape, across, scale_in(shape, across, room)) for shape in shapes]
    return across, (max(width for width, _ in sizes), max(height for _, height in sizes))
