"""A picture on which a mask is painted with the mouse or the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from PySide6.QtCore import QPointF, QRect, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen

from ddim_studio.gui.canvas import to_device_pixels
from ddim_studio.gui.mask_drawing import MaskDrawing, disc
from ddim_studio.gui.mask_painting import outline, overlay
from ddim_studio.gui.mask_presets import resized
from ddim_studio.gui.tile_canvas import TileCanvas

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent, QLine
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent
    from PySide6.QtWidgets import QWidget

    from ddim_studio.gui.tiles import TileGrid

    Mask = NDArray[np.bool_]

Tool = Literal["brush", "eraser", "box"]
MOST_SIZE = 64
_TOOLTIP = (
    "Paint what is to be filled; the right button takes away.\n"
    "Wheel: zoom · middle button: move · F: fit · [ and ]: size of the brush\n"
    "Arrows move a brush of the keyboard, Space paints with it; a box takes two corners."
)
_PAINTING = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


class MaskCanvas(TileCanvas):
    """One picture with its mask over it.

    Signals:
        edited: A stroke changed the mask, or undo, redo or another mask did.
        size_changed: The diameter of the brush.
    """

    edited = Signal()
    size_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("maskCanvas")
        self.setAccessibleName("Mask")
        self.setToolTip(_TOOLTIP)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.drawing: MaskDrawing | None = None
        self.tool: Tool = "brush"
        self._size = 5
        self._at: tuple[int, int] | None = None
        self._start: tuple[int, int] | None = None
        self._button: Qt.MouseButton | None = None
        self._held: QPointF | None = None

    # --- what the owner does -----------------------------------------------------------------

    def set_picture(self, pixels: NDArray[np.uint8] | None) -> None:
        """Paint on a picture, (H, W, C); of another size, the mask is brought to it."""
        self._abandon()
        if pixels is not None:
            height, width = pixels.shape[:2]
            if self.drawing is None or self.drawing.shape != (height, width):
                old = self.drawing
                self.drawing = MaskDrawing(height, width)
                if old is not None and old.count:
                    self.drawing.replace(resized(old.mask, height, width))
                self._changed()
        self.set_pixels(None if pixels is None else pixels[None])

    def drawn(self) -> Mask | None:
        """The mask, (H, W), True where the picture is to be filled; None before any picture."""
        return None if self.drawing is None else self.drawing.mask

    def take(self, mask: Mask) -> None:
        """Take a mask, brought to the picture's size; it can be undone."""
        if self.drawing is not None:
            self._abandon()
            if self.drawing.replace(resized(mask, *self.drawing.shape)):
                self._changed()

    def brush_size(self) -> int:
        """Diameter of the brush in pixels of the picture."""
        return self._size

    def set_brush_size(self, size: int) -> None:
        """Take a brush of a diameter from 1 to 64 pixels; another number is brought into it."""
        size = max(1, min(MOST_SIZE, size))
        if size != self._size:
            self._size = size
            self.size_changed.emit(size)
            self.update()

    def undo(self) -> None:
        """Take the last stroke back."""
        self._abandon()
        if self.drawing is not None and self.drawing.undo():
            self._changed()

    def redo(self) -> None:
        """Do the stroke again that was undone last."""
        self._abandon()
        if self.drawing is not None and self.drawing.redo():
            self._changed()

    # --- the mouse ---------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke, or with the middle button move a picture that is zoomed."""
        if event.button() == Qt.MouseButton.MiddleButton:
            self._held = event.position()
        elif event.button() in _PAINTING and self._button is None:
            self._at = self._pixel(event.position())
            self._button = event.button()
            self._begin()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the stroke, and show where the brush is."""
        if self._held is not None:
            self._pan(event.position() - self._held)
            self._held = event.position()
        self._move_to(self._pixel(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stroke."""
        if event.button() == Qt.MouseButton.MiddleButton:
            self._held = None
        elif event.button() == self._button:
            self._move_to(self._pixel(event.position()))
            self._end()

    def leaveEvent(self, event: QEvent) -> None:
        """Show no brush."""
        super().leaveEvent(event)
        if self._start is None:
            self._at = None
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        turn = event.angleDelta().y()
        if turn:
            self._zoom(1 if turn > 0 else -1, event.position())
        event.accept()

    # --- the keyboard ------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the brush, Space paints with it, + and − zoom, F fits."""
        middle = QPointF(self.rect().center())
        actions: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Left: lambda: self._step(-1, 0),
            Qt.Key.Key_Right: lambda: self._step(1, 0),
            Qt.Key.Key_Up: lambda: self._step(0, -1),
            Qt.Key.Key_Down: lambda: self._step(0, 1),
            Qt.Key.Key_Space: self._paint_here,
            Qt.Key.Key_F: self.reset_zoom,
            Qt.Key.Key_Plus: lambda: self._zoom(1, middle),
            Qt.Key.Key_Equal: lambda: self._zoom(1, middle),
            Qt.Key.Key_Minus: lambda: self._zoom(-1, middle),
        }
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        action = actions.get(event.key())
        if action is None or self.drawing is None or plain != Qt.KeyboardModifier.NoModifier:
            super().keyPressEvent(event)
            return
        action()

    def _step(self, dx: int, dy: int) -> None:
        if self.drawing is None:
            return
        height, width = self.drawing.shape
        x, y = (width // 2, height // 2) if self._at is None else self._at
        self._move_to((max(0, min(width - 1, x + dx)), max(0, min(height - 1, y + dy))))

    def _paint_here(self) -> None:
        self._step(0, 0)
        if self.tool == "box" and self._start is None:
            self._begin()
            return
        if self._start is None:
            self._begin()
        self._end()

    # --- strokes -----------------------------------------------------------------------------

    def _begin(self) -> None:
        if self.drawing is None or self._at is None:
            self._button = None
            return
        self._start = self._at
        self.drawing.begin()
        if self.tool != "box":
            self.drawing.line(self._at, self._at, self._size, self._fills())
        self.update()

    def _move_to(self, place: tuple[int, int] | None) -> None:
        before, self._at = self._at, place
        if place == before:
            return
        painting = self._start is not None and self.tool != "box"
        if painting and self.drawing is not None and before is not None and place is not None:
            self.drawing.line(before, place, self._size, self._fills())
        self.update()

    def _end(self) -> None:
        start, fills = self._start, self._fills()
        self._start = self._button = None
        if self.drawing is None or start is None:
            return
        if self.tool == "box" and self._at is not None:
            self.drawing.box(start, self._at, fills)
        if self.drawing.commit():
            self._changed()
        self.update()

    def _abandon(self) -> None:
        """End what is under way: a box is dropped, a stroke stands as far as it went."""
        if self._start is not None:
            self._start = self._button = None
            if self.drawing is not None and self.drawing.commit():
                self._changed()
            self.update()

    def _fills(self) -> bool:
        return self.tool != "eraser" and self._button != Qt.MouseButton.RightButton

    def _changed(self) -> None:
        self.update()
        self.edited.emit()

    # --- what it shows -----------------------------------------------------------------------

    def _place(self) -> QRect | None:
        return None if self._grid is None else QRect(*self._grid.rect(0))

    def _pixel(self, position: QPointF) -> tuple[int, int] | None:
        """The pixel under a point; it may lie outside the picture."""
        place = self._place()
        if place is None or self.drawing is None:
            return None
        height, width = self.drawing.shape
        ratio = self.devicePixelRatioF()
        x = (position.x() * ratio - place.left()) * width / place.width()
        y = (position.y() * ratio - place.top()) * height / place.height()
        return int(np.floor(x)), int(np.floor(y))

    def _view_changed(self) -> None:
        self.setCursor(Qt.CursorShape.CrossCursor)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, the mask over it, and the rim of the brush."""
        super().paintEvent(event)
        lines = self._brush_lines()
        if lines:
            ratio = self.devicePixelRatioF()
            painter = QPainter(self)
            to_device_pixels(painter, ratio)
            for color, width in (("#000000", 3), ("#ffffff", 1)):
                painter.setPen(QPen(QColor(color), max(1, round(width * ratio))))
                painter.drawLines(lines)

    def _paint_grid(self, painter: QPainter, grid: TileGrid) -> None:
        super()._paint_grid(painter, grid)
        if self.drawing is not None:
            pane = QRect(0, 0, grid.pane_width, grid.pane_height)
            place = QRect(*grid.rect(0))
            mask = self._shown_mask(self.drawing)
            painter.drawImage(*overlay(mask, place, pane, self.devicePixelRatioF()))

    def _shown_mask(self, drawing: MaskDrawing) -> Mask:
        """The mask, with the box that is being drawn."""
        if self.tool == "box" and self._start is not None and self._at is not None:
            return drawing.with_box(self._start, self._at, self._fills())
        return drawing.mask

    def _brush_lines(self) -> list[QLine]:
        place = self._place()
        if place is None or self.drawing is None or self._at is None:
            return []
        height, width = self.drawing.shape
        shape = disc(1 if self.tool == "box" else self._size)
        x, y = self._at
        half = (len(shape) - 1) // 2
        if not (-half - 1 <= x <= width + half and -half - 1 <= y <= height + half):
            return []
        return outline(shape, (x - half, y - half), place, (width, height))
