"""Where the tiles of a grid stand, in device pixels. Arithmetic only: no Qt here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

MAX_SCALE = 64.0


@dataclass(frozen=True)
class TileGrid:
    """N equal tiles in rows, all drawn at one scale, centred in a pane.

    All lengths are device pixels, except the tiles' own size, which is the model's.

    Attributes:
        count: N.
        tile_width: Width of a tile in its own pixels.
        tile_height: Height of a tile in its own pixels.
        pane_width: Width of the pane.
        pane_height: Height of the pane.
        columns: Tiles in a row.
        scale: Device pixels per pixel of a tile: a whole number from 1 up, a fraction below.
        gap: Space between tiles.
        caption: Height kept for a caption under every tile.
        left: Where the grid begins, measured from the pane's left edge.
        top: Where the grid begins, measured from the pane's top edge.
    """

    count: int
    tile_width: int
    tile_height: int
    pane_width: int
    pane_height: int
    columns: int
    scale: float
    gap: int = 0
    caption: int = 0
    left: int = 0
    top: int = 0

    @property
    def rows(self) -> int:
        """Rows of the grid."""
        return -(-self.count // self.columns)

    @property
    def cell(self) -> tuple[int, int]:
        """Drawn width and height of one tile, without gap and caption."""
        return (
            max(1, round(self.tile_width * self.scale)),
            max(1, round(self.tile_height * self.scale)),
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole grid."""
        width, height = self.cell
        return (
            self.columns * (width + self.gap) - self.gap,
            self.rows * (height + self.caption + self.gap) - self.gap,
        )

    def rect(self, tile: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a tile in the pane."""
        row, column = divmod(tile, self.columns)
        width, height = self.cell
        left = self.left + column * (width + self.gap)
        top = self.top + row * (height + self.caption + self.gap)
        return left, top, width, height

    def hit(self, x: float, y: float) -> tuple[int, int, int] | None:
        """The tile under a point of the pane, and the pixel of it; None between and outside."""
        width, height = self.cell
        column, across = divmod(x - self.left, width + self.gap)
        row, down = divmod(y - self.top, height + self.caption + self.gap)
        tile = int(row) * self.columns + int(column)
        inside = 0 <= column < self.columns and row >= 0 and 0 <= tile < self.count
        if not inside or across >= width or down >= height:
            return None
        pixel_x = min(self.tile_width - 1, int(across * self.tile_width / width))
        pixel_y = min(self.tile_height - 1, int(down * self.tile_height / height))
        return tile, pixel_x, pixel_y

    def moved(self, dx: float, dy: float) -> TileGrid:
        """Panned, but never so far that part of the pane is empty for nothing."""
        width, height = self.size
        return replace(
            self,
            left=_clamped(round(self.left + dx), width, self.pane_width),
            top=_clamped(round(self.top + dy), height, self.pane_height),
        )

    def zoomed(self, scale: float, x: float, y: float) -> TileGrid:
        """At another scale, with what lies under the point (x, y) of the pane kept there."""
        width, height = self.cell
        column, across = divmod(x - self.left, width + self.gap)
        row, down = divmod(y - self.top, height + self.caption + self.gap)
        larger = replace(self, scale=min(MAX_SCALE, scale))
        new_width, new_height = larger.cell
        # Gaps and captions keep their size, so only the part inside the tile is scaled.
        left = x - column * (new_width + self.gap) - across * new_width / width
        top = y - row * (new_height + self.caption + self.gap) - down * new_height / height
        return replace(larger, left=0, top=0).moved(left, top)

    def centred(self) -> TileGrid:
        """In the middle of the pane."""
        width, height = self.size
        return replace(
            self, left=(self.pane_width - width) // 2, top=(self.pane_height - height) // 2
        )

    def whole(self) -> TileGrid:
        """Not cut by any pane, and never shrunk: for a picture of the whole grid."""
        grid = replace(self, scale=max(1.0, self.scale), left=0, top=0)
        width, height = grid.size
        return replace(grid, pane_width=width, pane_height=height)


def _clamped(start: int, length: int, pane: int) -> int:
    if length <= pane:
        return (pane - length) // 2
    return min(0, max(pane - length, start))


def whole_scale(scale: float) -> float:
    """The scale to draw at: whole from 1 up, as it is below."""
    return float(math.floor(scale)) if scale >= 1 else scale


def next_scale(scale: float, direction: int) -> float:
    """One notch of zoom in (+1) or out (−1): by a fifth, but always to another whole number."""
    if direction > 0:
        if scale < 1:
            return min(1.0, scale * 1.25)
        return float(max(math.floor(scale) + 1, round(scale * 1.2)))
    if scale <= 1:
        return scale / 1.25
    return float(max(1, min(math.ceil(scale) - 1, round(scale / 1.2))))


def fitted(
    count: int,
    tile: tuple[int, int],
    pane: tuple[int, int],
    *,
    gap: int = 0,
    caption: int = 0,
    margin: int = 0,
    columns: int | None = None,
) -> TileGrid:
    """The centred grid that shows all tiles largest.

    Among the numbers of columns that allow the largest scale, the one that leaves the fewest
    empty places is taken, and of equals the one nearest to a square.

    Args:
        count: Number of tiles, at least 1.
        tile: Width and height of a tile in its own pixels.
        pane: Width and height of the pane in device pixels.
        gap: Space between tiles.
        caption: Height kept under each tile.
        margin: Space kept free around the grid.
        columns: Tiles in a row where that is not to be chosen, at least 1.
    """
    room = max(1, pane[0] - 2 * margin), max(1, pane[1] - 2 * margin)

    def quality(columns: int) -> tuple[float, int, int]:
        rows = -(-count // columns)
        across = (room[0] - (columns - 1) * gap) / (columns * tile[0])
        down = (room[1] - (rows - 1) * gap - rows * caption) / (rows * tile[1])
        scale = whole_scale(max(1 / max(tile), min(across, down)))
        return scale, -(columns * rows - count), -abs(columns - rows)

    best = max(range(1, count + 1), key=quality) if columns is None else min(columns, count)
    scale = quality(best)[0]
    grid = TileGrid(count, *tile, *pane, columns=best, scale=scale, gap=gap, caption=caption)
    return grid.centred()
