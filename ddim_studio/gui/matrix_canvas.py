"""A canvas of sheets in rows and columns under labels that stay in sight: scrolled and zoomed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from ddim_studio.gui.canvas import paint_placeholder, to_device_pixels
from ddim_studio.gui.matrix_layout import MatrixLayout, fit
from ddim_studio.gui.matrix_painting import label_room
from ddim_studio.gui.matrix_scene import TYPICAL_CAPTION, MatrixScene
from ddim_studio.gui.theme import SPACE, current_colors, is_restyle, sized_font
from ddim_studio.gui.tiles import next_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFont, QPaintEvent, QResizeEvent

    from ddim_studio.gui.matrix_painting import CellLook
    from ddim_studio.jobs.matrix import Place

    Pixels = NDArray[np.uint8]

_WIDEST_LABEL = 104


class MatrixCanvas(QAbstractScrollArea):
    """Cells of N pictures each, every pixel a whole number of device pixels wide.

    One canvas: a thousand cells cost no more widgets than one. A subclass adds what the user can
    do.

    Attributes:
        scene: What is shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.scene = MatrixScene()
        self._placeholder = ("", "")
        self._layout: MatrixLayout | None = None
        self._zoomed = False

    def sizeHint(self) -> QSize:
        """A good part of a window."""
        return QSize(560, 480)

    def minimumSizeHint(self) -> QSize:
        """Enough for a few small cells."""
        return QSize(200, 160)

    # --- what a page sets --------------------------------------------------------------------

    def set_matrix(
        self, rows: Sequence[str], columns: Sequence[str], images: int, tile: tuple[int, int]
    ) -> None:
        """Show an empty matrix.

        Args:
            rows: Label of every row.
            columns: Label of every column.
            images: Pictures of a cell.
            tile: Width and height expected of the pictures; those that come decide.
        """
        self.scene.begin(rows, columns)
        self._layout = MatrixLayout(len(rows), len(columns), images, tile, (1, 1))
        self.reset_zoom()

    def set_placeholder(self, title: str, hint: str) -> None:
        """What to say while there is no matrix."""
        self._placeholder = (title, hint)
        self.viewport().update()

    def set_cell(self, place: Place, look: CellLook, pixels: Pixels | None) -> None:
        """Show the state of a cell, and its pictures of shape (N, H, W, C) if it has some.

        The view keeps a reference to the pictures: the caller must not change them afterwards.
        """
        self.scene.set_cell(place, look, pixels)
        extent = self.scene.extent()
        if self._layout is None:
            return
        if extent is not None and extent != (self._layout.tile, self._layout.images):
            self._layout = replace(self._layout, tile=extent[0], images=extent[1])
            self.reset_zoom()
        edge = self._layout.gap
        box = QRect(*self._layout.box(place)).adjusted(-edge, -edge, edge, edge)
        self.viewport().update(self._logical(box))

    def set_reference(self, reference: Place | None, corner: str) -> None:
        """Mark the cell that others are measured against; say above the labels what in."""
        if (reference, corner) != (self.scene.reference, self.scene.corner):
            self.scene.reference, self.scene.corner = reference, corner
            self.viewport().update()

    def cell_rect(self, place: Place) -> QRect:
        """Where a cell's sheet is, in the viewport."""
        if self._layout is None:
            return QRect()
        return self._logical(QRect(*self._layout.sheet_box(place)))

    def shown_image(self) -> QImage:
        """The whole matrix as it is shown, to copy; a null image while there is none."""
        if self._layout is None:
            return QImage()
        layout = replace(self._layout, pane=self._layout.size, scrolled=(0, 0))
        image = QImage(*layout.size, QImage.Format.Format_RGB32)
        image.fill(QColor(current_colors().canvas))
        painter = QPainter(image)
        ratio = self.devicePixelRatioF()
        self.scene.paint(painter, layout, image.rect(), self._fonts(), ratio=ratio, focused=False)
        painter.end()
        return image

    def reset_zoom(self) -> None:
        """Fit the whole matrix into the pane, as far as pictures stay recognisable."""
        if self._layout is None:
            return
        self._zoomed = False
        laid = self._measured(self._layout)
        fitted = fit(laid)
        if any(fitted.room):  # scroll bars take a part of the pane
            bar = round(self._bar() * self.devicePixelRatioF())
            fitted = fit(replace(laid, pane=(laid.pane[0] - bar, laid.pane[1] - bar)))
        self._lay(fitted)

    # --- layout ------------------------------------------------------------------------------

    def _fonts(self) -> tuple[QFont, QFont]:
        fonts = []
        for factor in (0.95, 0.88):
            font = sized_font(self.font(), factor)
            pixels = self.fontMetrics().height() * 0.78 * factor * self.devicePixelRatioF()
            font.setPixelSize(max(1, round(pixels)))
            fonts.append(font)
        return fonts[0], fonts[1]

    def _bar(self) -> int:
        return self.verticalScrollBar().sizeHint().width()

    def _pane(self) -> tuple[int, int]:
        ratio, size = self.devicePixelRatioF(), self.maximumViewportSize()
        return int(size.width() * ratio), int(size.height() * ratio)

    def _measured(self, layout: MatrixLayout) -> MatrixLayout:
        """With the room that labels and captions need in the present font."""
        ratio = self.devicePixelRatioF()
        metrics, small = (QFontMetrics(font) for font in self._fonts())
        rows, columns = self.scene.longest_labels()
        widest, pad = round(_WIDEST_LABEL * ratio), round(SPACE * ratio)
        return replace(
            layout,
            pane=self._pane(),
            label_width=label_room(metrics, [*rows, "SSIM"], widest)[0] + 3 * pad // 2,
            label_height=label_room(metrics, columns, widest)[1] + 2 * pad,
            caption=small.height() + round(6 * ratio),
            gap=round(1.25 * SPACE * ratio),
            narrowest=small.horizontalAdvance(TYPICAL_CAPTION) + pad // 2,
        )

    def _lay(self, layout: MatrixLayout) -> None:
        """Take a layout; the scroll bars appear where it is larger than the pane."""
        bar = round(self._bar() * self.devicePixelRatioF())
        width, height = self._pane()
        for _ in range(2):  # one bar may be the reason for the other
            across, down = replace(layout, pane=(width, height)).room
            pane = self._pane()
            width, height = pane[0] - bool(down) * bar, pane[1] - bool(across) * bar
        self.scene.forget_sheets()
        self._move_to(replace(layout, pane=(width, height)).moved_to(*layout.scrolled))

    def _move_to(self, layout: MatrixLayout) -> None:
        self._layout = layout
        ratio = self.devicePixelRatioF()
        for bar, room, moved, size in zip(
            (self.horizontalScrollBar(), self.verticalScrollBar()),
            layout.room,
            layout.scrolled,
            layout.pane,
            strict=True,
        ):
            bar.setPageStep(round(size / ratio))
            bar.setSingleStep(3 * SPACE)
            bar.setRange(0, round(room / ratio))
            bar.setValue(round(moved / ratio))
        self._layout = layout
        self.viewport().update()

    def _logical(self, box: QRect) -> QRect:
        ratio = self.devicePixelRatioF()
        return QRect(
            int(box.left() / ratio),
            int(box.top() / ratio),
            int(box.width() / ratio) + 1,
            int(box.height() / ratio) + 1,
        )

    def _cell_at(self, point: QPointF) -> Place | None:
        ratio = self.devicePixelRatioF()
        if self._layout is None:
            return None
        return self._layout.hit(point.x() * ratio, point.y() * ratio)

    def _zoom(self, direction: int, position: QPointF) -> None:
        if self._layout is not None:
            ratio = self.devicePixelRatioF()
            scale = next_scale(self._layout.scale, direction)
            self._zoomed = True
            self._lay(self._layout.zoomed(scale, position.x() * ratio, position.y() * ratio))

    # --- Qt ----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the matrix, or the placeholder."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), QColor(current_colors().canvas))
        if self._layout is None:
            paint_placeholder(painter, self.viewport().rect(), *self._placeholder)
            return
        ratio, rect = self.devicePixelRatioF(), event.rect()
        to_device_pixels(painter, ratio)
        dirty = QRect(
            int(rect.left() * ratio),
            int(rect.top() * ratio),
            int(rect.width() * ratio) + 2,
            int(rect.height() * ratio) + 2,
        )
        self.scene.paint(
            painter, self._layout, dirty, self._fonts(), ratio=ratio, focused=self.hasFocus()
        )

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        """Follow the scroll bars."""
        if self._layout is not None:
            ratio = self.devicePixelRatioF()
            bars = self.horizontalScrollBar(), self.verticalScrollBar()
            self._layout = self._layout.moved_to(*(bar.value() * ratio for bar in bars))
            self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit a fitted matrix anew; a zoomed one keeps its scale."""
        super().resizeEvent(event)
        if self._zoomed and self._layout is not None:
            self._lay(self._layout)
        else:
            self.reset_zoom()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme and the font."""
        super().changeEvent(event)
        if is_restyle(event):
            self.viewport().update()
