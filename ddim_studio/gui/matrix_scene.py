"""What a matrix of pictures shows, cell by cell, and how it is painted. No widget yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt

from ddim_studio.gui.matrix_painting import (
    CellLook,
    paint_caption,
    paint_empty,
    paint_labels,
    paint_outline,
    paint_sheet,
    paint_state,
    sheet_image,
)
from ddim_studio.gui.theme import current_colors
from ddim_studio.jobs.matrix import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QFont, QFontMetrics, QImage, QPainter

    from ddim_studio.gui.matrix_layout import MatrixLayout

    Pixels = NDArray[np.uint8]

TYPICAL_CAPTION = "0.000 · 000 ms"
_LABEL_PLACES = 64
_CAPTION_SPACE = 4


class MatrixScene:
    """Cells with their pictures, captions and marks.

    Attributes:
        labels: Of the rows and of the columns.
        corner: What the captions say, above the labels of the rows.
        selected: The cell that the user is at.
        partner: The second cell of two, or None.
        reference: The cell that the others are measured against, or None.
    """

    def __init__(self) -> None:
        self.labels: tuple[Sequence[str], Sequence[str]] = ((), ())
        self.corner = ""
        self.selected = Place(0, 0)
        self.partner: Place | None = None
        self.reference: Place | None = None
        self._looks: dict[Place, CellLook] = {}
        self._pixels: dict[Place, Pixels] = {}
        self._sheets: dict[Place, QImage] = {}

    def begin(self, rows: Sequence[str], columns: Sequence[str]) -> None:
        """Only empty cells, under new labels."""
        self.labels = tuple(rows), tuple(columns)
        self.selected, self.partner, self.reference = Place(0, 0), None, None
        self._looks.clear()
        self._pixels.clear()
        self._sheets.clear()

    def set_cell(self, place: Place, look: CellLook, pixels: Pixels | None) -> None:
        """Change a cell; see `MatrixView.set_cell`."""
        self._looks[place] = look
        if self._pixels.get(place) is not pixels:
            self._sheets.pop(place, None)
            self._pixels.pop(place, None)
            if pixels is not None:
                self._pixels[place] = pixels

    def forget_sheets(self) -> None:
        """The layout changed: compose all sheets anew when they are painted."""
        self._sheets.clear()

    def look(self, place: Place) -> CellLook:
        """What a cell says."""
        return self._looks.get(place, CellLook())

    def pictures(self, place: Place) -> Pixels | None:
        """The pictures of a cell, (N, H, W, C)."""
        return self._pixels.get(place)

    def extent(self) -> tuple[tuple[int, int], int] | None:
        """Width and height of the largest picture, and how many a cell has; None without any."""
        if not self._pixels:
            return None
        shapes = [pixels.shape for pixels in self._pixels.values()]
        tile = max(shape[2] for shape in shapes), max(shape[1] for shape in shapes)
        return tile, max(shape[0] for shape in shapes)

    def places(self) -> list[Place]:
        """All cells, row by row."""
        rows, columns = len(self.labels[0]), len(self.labels[1])
        return [Place(row, column) for row in range(rows) for column in range(columns)]

    def longest_labels(self) -> tuple[list[str], list[str]]:
        """Some of the labels that need most room, of the rows and of the columns."""
        rows, columns = (sorted(texts, key=len)[-_LABEL_PLACES:] for texts in self.labels)
        return rows, columns

    def paint(
        self,
        painter: QPainter,
        layout: MatrixLayout,
        dirty: QRect,
        fonts: tuple[QFont, QFont],
        *,
        ratio: float,
        focused: bool,
    ) -> None:
        """Paint the cells in sight, then the labels over them.

        Args:
            painter: Counts device pixels.
            layout: Where everything is.
            dirty: What has to be painted.
            fonts: Of labels and of captions.
            ratio: Device pixels per pixel of a widget.
            focused: Whether keys go to the matrix.
        """
        painter.setFont(fonts[1])
        tier = self._caption_tier(painter.fontMetrics(), layout.cell[0])
        reach = layout.gap
        for place in self.places():
            box = QRect(*layout.box(place))
            if dirty.intersects(box.adjusted(-reach, -reach, reach, reach)):
                sheet = QRect(*layout.sheet_box(place))
                self._paint_pictures(painter, layout, place, sheet, ratio)
                self._paint_marks(painter, place, sheet, ratio, focused=focused)
                top = round(_CAPTION_SPACE * ratio)
                line = QRect(box.left(), sheet.bottom() + 1, box.width(), layout.caption)
                self._paint_words(painter, place, line.adjusted(0, top, 0, 0), tier)
        painter.setFont(fonts[0])
        paint_labels(painter, layout, self.labels, self.corner, self.selected)

    def _caption_tier(self, metrics: QFontMetrics, width: int) -> int:
        """Which of the captions, from long to short, fits all cells."""
        looks = [look for look in self._looks.values() if look.captions]
        tiers = max((len(look.captions) for look in looks), default=1)
        for tier in range(tiers - 1):
            words = (look.captions[min(tier, len(look.captions) - 1)] for look in looks)
            if all(metrics.horizontalAdvance(text) <= width for text in words):
                return tier
        return tiers - 1

    def _paint_pictures(
        self, painter: QPainter, layout: MatrixLayout, place: Place, sheet: QRect, ratio: float
    ) -> None:
        look, pixels = self.look(place), self._pixels.get(place)
        if pixels is not None:
            if place not in self._sheets:
                self._sheets[place] = sheet_image(pixels, layout)
            paint_sheet(painter, sheet, self._sheets[place])
        elif look.state != "failed":
            paint_empty(painter, sheet, ratio)
        paint_state(painter, sheet, look, ratio)

    def _paint_marks(
        self, painter: QPainter, place: Place, sheet: QRect, ratio: float, *, focused: bool
    ) -> None:
        now, width = current_colors(), max(2, round(2 * ratio))
        if place == self.selected:
            color = now.accent_ink if focused else now.accent
            paint_outline(painter, sheet, color, width, Qt.PenStyle.SolidLine)
        elif place == self.partner:
            paint_outline(painter, sheet, now.series[1], width, Qt.PenStyle.DashLine)

    def _paint_words(self, painter: QPainter, place: Place, line: QRect, tier: int) -> None:
        captions = self.look(place).captions
        text = captions[min(tier, len(captions) - 1)] if captions else ""
        paint_caption(painter, line, text, reference=place == self.reference)
