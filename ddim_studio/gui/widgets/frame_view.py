"""The pictures of a run: a grid of tiles, or one of them large, to look at and to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from ddim_studio.gui.tile_canvas import TileCanvas

if TYPE_CHECKING:
    from collections.abc import Callable

_TOOLTIP = (
    "Click to select a picture, double click to see it alone.\n"
    "Wheel: zoom · drag: move · F: fit · Page Up/Down: other picture"
)


class FrameView(TileCanvas):
    """N pictures in a grid, each pixel a whole number of device pixels wide.

    Pictures larger than the pane are shrunk smoothly. Arrow keys are left to the page's timeline.

    Signals:
        tile_selected: Number of the tile that was chosen.
        single_changed: Whether one tile is now shown alone.
        pixel_hovered: Tile, x and y under the pointer, in the picture's own pixels; all −1 when
            it leaves.
        menu_requested: Global position and tile (−1 beside the tiles) of a right click.
    """

    tile_selected = Signal(int)
    single_changed = Signal(bool)
    pixel_hovered = Signal(int, int, int)
    menu_requested = Signal(QPoint, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("frameView")
        self.setAccessibleName("Pictures")
        self.setToolTip(_TOOLTIP)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._press: QPointF | None = None
        self._panning = False
        self._hovered = (-1, -1, -1)

    def set_selected(self, tile: int) -> None:
        """Select a tile; a number out of range is brought into it."""
        count = 0 if self._pixels is None else self._pixels.shape[0]
        tile = max(0, min(tile, count - 1))
        if tile == self._selected:
            return
        self._selected = tile
        self.setAccessibleDescription(f"Picture {tile + 1} of {count} is selected")
        self.tile_selected.emit(tile)
        self.update()

    def set_single(self, single: bool) -> None:
        """Show the selected tile alone, or the grid."""
        if single == self._single:
            return
        self._single = single
        self._fit()
        self.single_changed.emit(single)

    def _view_changed(self) -> None:
        if self._panning:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._zoomed:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.unsetCursor()

    def _hover(self, place: tuple[int, int, int]) -> None:
        if place != self._hovered:
            self._hovered = place
            self.pixel_hovered.emit(*place)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the selection as focused."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the selection as not focused."""
        super().focusOutEvent(event)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        turn = event.angleDelta().y()
        if turn:
            self._zoom(1 if turn > 0 else -1, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the tile under the pointer; a drag may follow."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._press = event.position()
        tile = self._hit(event.position())[0]
        if tile >= 0:
            self.set_selected(tile)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Report the pixel under the pointer, or move a zoomed grid."""
        self._hover(self._hit(event.position()))
        if self._press is None:
            return
        moved = event.position() - self._press
        if self._panning or moved.manhattanLength() >= QApplication.startDragDistance():
            self._panning = True
            self._view_changed()
            self._pan(moved)
            self._press = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = None
            self._panning = False
            self._view_changed()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show the tile under the pointer alone, or the grid again."""
        if event.button() == Qt.MouseButton.LeftButton and self._hit(event.position())[0] >= 0:
            self.set_single(not self._single)

    def leaveEvent(self, event: QEvent) -> None:
        """Report that no pixel is under the pointer."""
        super().leaveEvent(event)
        self._hover((-1, -1, -1))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for a menu: for the tile under the pointer, or the selected one from the keyboard."""
        tile = self._hit(QPointF(event.pos()))[0]
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self._pixels is not None:
            tile = self._selected
        self.menu_requested.emit(event.globalPos(), tile)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter: alone or grid. F: fit. + and −: zoom. Page Up and Down: another picture."""
        middle = QPointF(self.rect().center())
        actions: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Return: lambda: self.set_single(not self._single),
            Qt.Key.Key_Enter: lambda: self.set_single(not self._single),
            Qt.Key.Key_F: self.reset_zoom,
            Qt.Key.Key_Plus: lambda: self._zoom(1, middle),
            Qt.Key.Key_Equal: lambda: self._zoom(1, middle),
            Qt.Key.Key_Minus: lambda: self._zoom(-1, middle),
            Qt.Key.Key_PageDown: lambda: self.set_selected(self._selected + 1),
            Qt.Key.Key_PageUp: lambda: self.set_selected(self._selected - 1),
        }
        action = actions.get(event.key())
        if self._pixels is None or action is None:
            super().keyPressEvent(event)
            return
        action()
