"""A canvas of equal pictures in a grid, or one of them alone: what it shows and where."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddim_studio.gui.canvas import (
    paint_captions,
    paint_placeholder,
    paint_selection,
    paint_tiles,
    to_device_pixels,
)
from ddim_studio.gui.painting import to_qimage
from ddim_studio.gui.theme import SPACE, current_colors, is_restyle, sized_font
from ddim_studio.gui.tiles import TileGrid, fitted, next_scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QFont, QPaintEvent, QResizeEvent


class TileCanvas(QWidget):
    """N pictures in a grid, each pixel a whole number of device pixels wide.

    Pictures larger than the pane are shrunk smoothly. A subclass adds what the user can do.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._pixels: NDArray[np.uint8] | None = None
        self._images: list[QImage] = []
        self._captions: list[str] = []
        self._columns: int | None = None
        self._gap = SPACE
        self._placeholder = ("No pictures yet", "")
        self._selected = 0
        self._single = False
        self._grid: TileGrid | None = None
        self._zoomed = False

    def sizeHint(self) -> QSize:
        """A good part of a window."""
        return QSize(480, 400)

    def minimumSizeHint(self) -> QSize:
        """Enough for one small picture."""
        return QSize(160, 120)

    def set_pixels(self, pixels: NDArray[np.uint8] | None) -> None:
        """Show pictures, or none. They are converted when painted, so calling often is cheap.

        Args:
            pixels: Shape (N, H, W, C) with C = 1 or 3. The view keeps a reference: the caller
                must not change the array afterwards.

        Raises:
            ValueError: The array has another shape, or no pictures.
        """
        if pixels is not None and (pixels.ndim != 4 or pixels.size == 0):
            raise ValueError(f"Pictures must be (N, H, W, C), not {pixels.shape}.")
        before = None if self._pixels is None else self._pixels.shape[:3]
        after = None if pixels is None else pixels.shape[:3]
        self._pixels = pixels
        self._images = []
        if before != after:
            self._selected = min(self._selected, after[0] - 1) if after else 0
            self._fit()
        self.update()

    def set_placeholder(self, title: str, hint: str) -> None:
        """What to say while there are no pictures."""
        self._placeholder = (title, hint)
        self.update()

    def set_captions(self, captions: list[str]) -> None:
        """A small line under each tile; an empty list removes them."""
        layout_changes = bool(captions) != bool(self._captions)
        self._captions = list(captions)
        if layout_changes:
            self._fit()
        self.update()

    def set_columns(self, columns: int | None, gap: int = SPACE) -> None:
        """Lay tiles out in rows of so many, or as it fits best, with ``gap`` pixels between."""
        if (columns, gap) != (self._columns, self._gap):
            self._columns, self._gap = columns, gap
            self._fit()

    def selected(self) -> int:
        """Number of the selected tile."""
        return self._selected

    def is_single(self) -> bool:
        """Whether one tile is shown alone."""
        return self._single

    def reset_zoom(self) -> None:
        """Fit everything into the pane again."""
        self._fit()

    def shown_image(self) -> QImage:
        """What the pane shows, whole and without the selection: to copy or to save.

        The pictures have the model's own size times the whole scale they are shown at; one shown
        alone has no border. A null image when there are no pictures.
        """
        if self._grid is None:
            return QImage()
        grid = self._grid.whole()
        image = QImage(*grid.size, QImage.Format.Format_RGB32)
        image.fill(QColor(current_colors().canvas))
        painter = QPainter(image)
        self._paint_grid(painter, grid)
        painter.end()
        return image

    def _paint_grid(self, painter: QPainter, grid: TileGrid) -> None:
        paint_tiles(painter, grid, self._tile_images())
        if self._shows_captions():
            paint_captions(painter, grid, self._captions, self._caption_font())

    def _shown_tiles(self) -> list[int]:
        if self._pixels is None:
            return []
        return [self._selected] if self._single else list(range(self._pixels.shape[0]))

    def _tile_images(self) -> list[QImage]:
        if self._pixels is None:
            return []
        if not self._images:
            self._images = [QImage()] * self._pixels.shape[0]
        for tile in self._shown_tiles():
            if self._images[tile].isNull():
                self._images[tile] = to_qimage(self._pixels[tile])
        return [self._images[tile] for tile in self._shown_tiles()]

    def _shows_captions(self) -> bool:
        return bool(self._captions) and not self._single

    def _caption_font(self) -> QFont:
        font = sized_font(self.font(), 0.9)
        info = self.fontMetrics().height() * 0.72 * self.devicePixelRatioF()
        font.setPixelSize(max(1, round(info)))
        return font

    def _pane(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return int(self.width() * ratio), int(self.height() * ratio)

    def _fit(self) -> None:
        self._zoomed = False
        self._grid = self._fitted()
        self._view_changed()
        self.update()

    def _fitted(self) -> TileGrid | None:
        if self._pixels is None:
            return None
        ratio = self.devicePixelRatioF()
        count, height, width = self._pixels.shape[:3]
        caption = self.fontMetrics().height() + SPACE // 2 if self._shows_captions() else 0
        return fitted(
            1 if self._single else count,
            (width, height),
            self._pane(),
            gap=round(self._gap * ratio),
            caption=round(caption * ratio),
            margin=round(SPACE * ratio),
            columns=self._columns,
        )

    def _hit(self, position: QPointF) -> tuple[int, int, int]:
        ratio = self.devicePixelRatioF()
        hit = self._grid.hit(position.x() * ratio, position.y() * ratio) if self._grid else None
        return (-1, -1, -1) if hit is None else (self._shown_tiles()[hit[0]], hit[1], hit[2])

    def _zoom(self, direction: int, position: QPointF) -> None:
        fit = self._fitted()
        if self._grid is None or fit is None:
            return
        scale = next_scale(self._grid.scale, direction)
        if scale <= fit.scale:
            self._fit()
            return
        ratio = self.devicePixelRatioF()
        self._grid = self._grid.zoomed(scale, position.x() * ratio, position.y() * ratio)
        self._zoomed = True
        self._view_changed()
        self.update()

    def _pan(self, moved: QPointF) -> None:
        if self._grid is not None:
            ratio = self.devicePixelRatioF()
            self._grid = self._grid.moved(moved.x() * ratio, moved.y() * ratio)
            self.update()

    def _view_changed(self) -> None:
        """Called after the view was fitted or zoomed, for a subclass."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pictures, or the placeholder."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(current_colors().canvas))
        if self._grid is None:
            paint_placeholder(painter, self.rect(), *self._placeholder)
            return
        ratio = self.devicePixelRatioF()
        to_device_pixels(painter, ratio)
        self._paint_grid(painter, self._grid)
        if not self._single and self._grid.count > 1:
            focused = self.hasFocus()
            paint_selection(painter, self._grid, self._selected, ratio, focused=focused)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit a fitted grid anew; a zoomed one keeps its scale."""
        super().resizeEvent(event)
        if self._zoomed and self._grid is not None:
            width, height = self._pane()
            self._grid = replace(self._grid, pane_width=width, pane_height=height).moved(0, 0)
        else:
            self._fit()

    def event(self, event: QEvent) -> bool:
        """Fit anew on a screen of another pixel ratio."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._fit()
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme and the font."""
        super().changeEvent(event)
        if is_restyle(event):
            self.update()
