"""Where the cells of a matrix stand, in device pixels. Arithmetic only: no Qt here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from ddim_studio.gui.tiles import MAX_SCALE, whole_scale
from ddim_studio.jobs.matrix import Place

_LEGIBLE = 48
"""Side in device pixels below which images are not shrunk any further: the matrix scrolls then."""


class Box(NamedTuple):
    """A rectangle."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class MatrixLayout:
    """Rows and columns of sheets, with labels that stay at the left and at the top.

    A cell is a sheet of images with a caption under it. All lengths are device pixels, except the
    images' own size, which is the model's.

    Attributes:
        rows: Rows of the matrix.
        columns: Columns of the matrix.
        images: Images of a cell.
        tile: Width and height of the largest image, in its own pixels.
        pane: Width and height of what is seen at a time.
        across: Images in a row of a sheet.
        scale: Device pixels per pixel of an image: a whole number from 1 up, a fraction below.
        label_width: Kept free at the left for the labels of rows.
        label_height: Kept free at the top for the labels of columns.
        caption: Height of a cell's caption.
        gap: Space between cells.
        narrowest: Width that a cell has at least, for its caption.
        scrolled: How far the cells are moved to the left and up.
    """

    rows: int
    columns: int
    images: int
    tile: tuple[int, int]
    pane: tuple[int, int]
    across: int = 1
    scale: float = 1.0
    label_width: int = 0
    label_height: int = 0
    caption: int = 0
    gap: int = 0
    narrowest: int = 0
    scrolled: tuple[int, int] = (0, 0)

    @property
    def down(self) -> int:
        """Images in a column of a sheet."""
        return -(-self.images // self.across)

    @property
    def inner_gap(self) -> int:
        """Space between the images of a sheet, in their own pixels."""
        return 1 if self.scale >= 1 else max(1, round(1 / self.scale))

    @property
    def own_sheet(self) -> tuple[int, int]:
        """Width and height of a sheet in the images' own pixels."""
        width, height = self.tile
        gap = self.inner_gap
        return self.across * (width + gap) - gap, self.down * (height + gap) - gap

    @property
    def sheet(self) -> tuple[int, int]:
        """Drawn width and height of a sheet."""
        width, height = self.own_sheet
        return max(1, round(width * self.scale)), max(1, round(height * self.scale))

    @property
    def cell(self) -> tuple[int, int]:
        """Width and height of a cell: its sheet and its caption."""
        width, height = self.sheet
        return max(width, self.narrowest), height + self.caption

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole, labels included."""
        width, height = self.cell
        return (
            self.label_width + self.columns * (width + self.gap),
            self.label_height + self.rows * (height + self.gap),
        )

    @property
    def room(self) -> tuple[int, int]:
        """How far the cells may be moved."""
        width, height = self.size
        return max(0, width - self.pane[0]), max(0, height - self.pane[1])

    @property
    def corner(self) -> tuple[int, int]:
        """Where the labels begin: the whole is centred where it is smaller than the pane."""
        width, height = self.size
        return max(0, (self.pane[0] - width) // 2), max(0, (self.pane[1] - height) // 2)

    def box(self, place: Place) -> Box:
        """Where a cell is in the pane, sheet and caption."""
        left, top = self.corner
        width, height = self.cell
        return Box(
            left + self.label_width + place.column * (width + self.gap) - self.scrolled[0],
            top + self.label_height + place.row * (height + self.gap) - self.scrolled[1],
            width,
            height,
        )

    def sheet_box(self, place: Place) -> Box:
        """Where a cell's sheet is in the pane."""
        box, (width, height) = self.box(place), self.sheet
        return Box(box.left + (box.width - width) // 2, box.top, width, height)

    def hit(self, x: float, y: float) -> Place | None:
        """The cell under a point of the pane; None between cells, on labels and outside."""
        left, top = self.corner
        if x < left + self.label_width or y < top + self.label_height:
            return None
        width, height = self.cell
        column, across = divmod(x - self.box(Place(0, 0)).left, width + self.gap)
        row, down = divmod(y - self.box(Place(0, 0)).top, height + self.gap)
        inside = 0 <= row < self.rows and 0 <= column < self.columns
        return Place(int(row), int(column)) if inside and across < width and down < height else None

    def moved_to(self, x: float, y: float) -> MatrixLayout:
        """With the cells moved so far to the left and up, as far as there is room."""
        across, down = self.room
        return replace(self, scrolled=(max(0, min(across, round(x))), max(0, min(down, round(y)))))

    def zoomed(self, scale: float, x: float, y: float) -> MatrixLayout:
        """At another scale, with the cell under the point (x, y) of the pane about where it was."""
        larger = replace(self, scale=min(MAX_SCALE, scale))
        share = [
            (point - corner - label + moved) / max(1, size - label)
            for point, corner, label, moved, size in zip(
                (x, y), self.corner, self._labels, self.scrolled, self.size, strict=True
            )
        ]
        target = [
            part * (size - label) - (point - label)
            for part, size, label, point in zip(
                share, larger.size, self._labels, (x, y), strict=True
            )
        ]
        return larger.moved_to(*target)

    def showing(self, place: Place) -> MatrixLayout:
        """Moved no further than it takes to see a cell whole."""
        box, (left, top) = self.box(place), self.corner
        x = self.scrolled[0] + _shift(box.left, box.width, left + self.label_width, self.pane[0])
        y = self.scrolled[1] + _shift(box.top, box.height, top + self.label_height, self.pane[1])
        return self.moved_to(x, y)

    @property
    def _labels(self) -> tuple[int, int]:
        return self.label_width, self.label_height


def fit(layout: MatrixLayout) -> MatrixLayout:
    """The layout that shows all cells largest, unscrolled.

    Images are not made smaller than can be recognised: then the matrix is larger than the pane.
    """

    def quality(across: int) -> tuple[float, int, int]:
        laid = replace(layout, across=across, scale=1.0)
        down = laid.down
        scale = _largest(laid)
        return whole_scale(scale), layout.images - across * down, -abs(across - down)

    best = max(range(1, layout.images + 1), key=quality)
    laid = replace(layout, across=best, scale=1.0)
    smallest = min(1.0, _LEGIBLE / max(layout.tile))
    scale = whole_scale(max(smallest, min(MAX_SCALE, _largest(laid))))
    return replace(laid, scale=scale, scrolled=(0, 0))


def enlargement(tile: tuple[int, int], largest: tuple[int, int]) -> int:
    """By what whole number pictures smaller than the largest ones of a matrix are enlarged."""
    return max(1, min(largest[0] // tile[0], largest[1] // tile[1]))


def _largest(layout: MatrixLayout) -> float:
    """The scale at which the matrix just fits its pane, not yet whole."""
    width, height = layout.own_sheet
    across = (layout.pane[0] - layout.label_width) / layout.columns - layout.gap
    down = (layout.pane[1] - layout.label_height) / layout.rows - layout.gap - layout.caption
    return max(1 / max(layout.tile), min(across / width, down / height))


def _shift(start: int, length: int, low: int, high: int) -> int:
    """How far to move on so that what begins at ``start`` is seen between ``low`` and ``high``."""
    if start < low or length > high - low:
        return start - low
    return max(0, math.ceil(start + length - high))
