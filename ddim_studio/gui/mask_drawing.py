"""A mask that can be drawn on and undone. Arithmetic only: no Qt here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Point = tuple[int, int]

MOST_UNDONE = 200


class MaskDrawing:
    """Which pixels of a picture are to be filled, and the way it got there.

    A stroke is `begin`, any number of `line` and `box`, and `commit`; it is undone as one.

    Args:
        height: Of the picture, in pixels.
        width: Of the picture, in pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self._mask: Mask = np.zeros((height, width), np.bool_)
        self._before: Mask | None = None
        self._past: list[Mask] = []
        self._future: list[Mask] = []

    @property
    def mask(self) -> Mask:
        """A copy of the mask, (H, W), True where the picture is to be filled."""
        return self._mask.copy()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self._mask.shape
        return height, width

    @property
    def count(self) -> int:
        """How many pixels are to be filled."""
        return int(self._mask.sum())

    def begin(self) -> None:
        """A stroke begins; one that was under way ends."""
        self.commit()
        self._before = self._mask.copy()

    def commit(self) -> bool:
        """The stroke is over: whether it changed anything."""
        before, self._before = self._before, None
        if before is None or np.array_equal(before, self._mask):
            return False
        self._past.append(before)
        del self._past[:-MOST_UNDONE]
        self._future.clear()
        return True

    def line(self, start: Point, end: Point, size: int, fill: bool) -> None:
        """Draw with a round brush along a line.

        Args:
            start: x and y of the first pixel; it may lie outside, as far as one likes.
            end: x and y of the last.
            size: Diameter of the brush in pixels, at least 1.
            fill: Whether to add to the mask, or to take away from it.
        """
        stamp = disc(size)
        for x, y in _between(start, end):
            self._stamp(stamp, x, y, fill)

    def box(self, corner: Point, opposite: Point, fill: bool) -> None:
        """Fill a box, or take it away."""
        self._mask = self.with_box(corner, opposite, fill)

    def with_box(self, corner: Point, opposite: Point, fill: bool) -> Mask:
        """The mask as it would be with a box, both corners included; what lies outside is cut."""
        (left, right), (top, bottom) = (sorted(pair) for pair in zip(corner, opposite, strict=True))
        mask = self._mask.copy()
        mask[max(0, top) : max(0, bottom + 1), max(0, left) : max(0, right + 1)] = fill
        return mask

    def replace(self, mask: Mask) -> bool:
        """Take another mask of the same shape, as one stroke: whether that changed anything.

        Raises:
            ValueError: It has another shape.
        """
        if mask.shape != self._mask.shape:
            raise ValueError(f"The mask must be {self._mask.shape}, not {mask.shape}.")
        self.begin()
        self._mask = mask.astype(np.bool_)
        return self.commit()

    def can_undo(self) -> bool:
        """Whether there is a stroke to undo."""
        return bool(self._past)

    def can_redo(self) -> bool:
        """Whether there is an undone stroke."""
        return bool(self._future)

    def undo(self) -> bool:
        """Take the last stroke back: whether there was one."""
        return self._travel(self._past, self._future)

    def redo(self) -> bool:
        """Do the stroke again that was undone last: whether there was one."""
        return self._travel(self._future, self._past)

    def _travel(self, source: list[Mask], target: list[Mask]) -> bool:
        self.commit()
        if not source:
            return False
        target.append(self._mask)
        self._mask = source.pop()
        return True

    def _stamp(self, stamp: Mask, x: int, y: int, fill: bool) -> None:
        height, width = self._mask.shape
        top, left = y - (stamp.shape[0] - 1) // 2, x - (stamp.shape[1] - 1) // 2
        rows = slice(max(0, top), min(height, top + stamp.shape[0]))
        columns = slice(max(0, left), min(width, left + stamp.shape[1]))
        if rows.start < rows.stop and columns.start < columns.stop:
            part = stamp[
                rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
            ]
            self._mask[rows, columns][part] = fill


def disc(size: int) -> Mask:
    """The pixels under a round brush, (size, size): those whose centre lies within its rim."""
    away = np.arange(size) - (size - 1) / 2
    inside: Mask = away[:, None] ** 2 + away[None, :] ** 2 <= (size / 2) ** 2
    # A brush of two pixels would lose its corners to rounding, and one of three looks like a plus.
    return inside if size > 3 else np.ones((size, size), np.bool_)


def _between(start: Point, end: Point) -> Iterator[Point]:
    """The pixels of a line from one to the other, both included, without gaps."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    for step in range(steps + 1):
        share = step / steps
        yield (
            round(start[0] + share * (end[0] - start[0])),
            round(start[1] + share * (end[1] - start[1])),
        )
