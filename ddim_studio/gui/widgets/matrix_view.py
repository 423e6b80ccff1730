"""A matrix of pictures: cells to select, to open, to compare and to measure against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from ddim_studio.gui.matrix_canvas import MatrixCanvas
from ddim_studio.jobs.matrix import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import (
        QContextMenuEvent,
        QFocusEvent,
        QKeyEvent,
        QMouseEvent,
        QWheelEvent,
    )

_ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class MatrixView(MatrixCanvas):
    """Cells of N pictures each under labels that stay in sight.

    The arrow keys move the selection, and with Shift the second cell of two.

    Attributes:
        describe: Gives the words of a cell's tooltip.

    Signals:
        cell_selected: The `Place` that was selected.
        cell_paired: The `Place` of the second cell of two, or None.
        cell_opened: The `Place` whose trajectory is wanted.
        reference_wanted: The `Place` that the others are to be measured against.
        cell_hovered: The `Place` under the pointer, or None.
        menu_requested: Global position of a right click, and the `Place` or None.
    """

    cell_selected = Signal(object)
    cell_paired = Signal(object)
    cell_opened = Signal(object)
    reference_wanted = Signal(object)
    cell_hovered = Signal(object)
    menu_requested = Signal(QPoint, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("matrixView")
        self.setAccessibleName("Matrix of pictures")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.describe: Callable[[Place], str] = lambda _place: ""
        self._press: QPointF | None = None
        self._panning = False

    def set_selected(self, place: Place) -> None:
        """Select a cell, and bring it into sight."""
        if self._layout is None or place not in self.scene.places():
            return
        self._move_to(self._layout.showing(place))
        if place != self.scene.selected:
            self.scene.selected = place
            rows, columns = self.scene.labels
            self.setAccessibleDescription(f"Selected: {rows[place.row]}, {columns[place.column]}")
            self.viewport().update()
            self.cell_selected.emit(place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the cell under the pointer, or with Ctrl take it as the second of two."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._press = event.position()
        place = self._cell_at(event.position())
        if place is None:
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_partner(place)
        else:
            self.set_partner(None)
            self.set_selected(place)

    def set_partner(self, place: Place | None) -> None:
        """Take a cell, or none, as the second of two."""
        second = None if place == self.scene.selected else place
        if second != self.scene.partner:
            self.scene.partner = second
            self.viewport().update()
            self.cell_paired.emit(second)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say which cell the pointer is over, or scroll by dragging."""
        self.cell_hovered.emit(self._cell_at(event.position()))
        if self._press is None or self._layout is None:
            return
        moved = event.position() - self._press
        if self._panning or moved.manhattanLength() >= QApplication.startDragDistance():
            self._panning = True
            ratio, (x, y) = self.devicePixelRatioF(), self._layout.scrolled
            self._move_to(self._layout.moved_to(x - moved.x() * ratio, y - moved.y() * ratio))
            self._press = event.position()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """End a drag."""
        self._press, self._panning = None, False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the trajectory of the cell under the pointer."""
        place = self._cell_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self.cell_opened.emit(place)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll, or with Ctrl zoom about the pointer."""
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
            return
        if event.angleDelta().y():
            self._zoom(1 if event.angleDelta().y() > 0 else -1, event.position())
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for a menu: for the cell under the pointer, or the selected one from the keyboard."""
        place = self._cell_at(QPointF(event.pos()))
        if event.reason() == event.Reason.Keyboard and self._layout is not None:
            place = self.scene.selected
        self.menu_requested.emit(event.globalPos(), place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows: another cell. Enter: its trajectory. R: reference. F: fit. + and −: zoom."""
        if self._layout is None:
            event.ignore()
            return
        here, middle = self.scene.selected, QPointF(self.viewport().rect().center())
        actions: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Return: lambda: self.cell_opened.emit(here),
            Qt.Key.Key_Enter: lambda: self.cell_opened.emit(here),
            Qt.Key.Key_R: lambda: self.reference_wanted.emit(here),
            Qt.Key.Key_F: self.reset_zoom,
            Qt.Key.Key_Plus: lambda: self._zoom(1, middle),
            Qt.Key.Key_Equal: lambda: self._zoom(1, middle),
            Qt.Key.Key_Minus: lambda: self._zoom(-1, middle),
        }
        arrow = _ARROWS.get(Qt.Key(event.key()))
        if arrow is not None:
            shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._step(arrow, second=shifted)
        elif event.key() in actions:
            actions[event.key()]()
        else:
            event.ignore()

    def _step(self, arrow: tuple[int, int], *, second: bool) -> None:
        start = (self.scene.partner or self.scene.selected) if second else self.scene.selected
        rows, columns = (len(texts) for texts in self.scene.labels)
        place = Place(
            max(0, min(rows - 1, start.row + arrow[0])),
            max(0, min(columns - 1, start.column + arrow[1])),
        )
        if second:
            self.set_partner(place)
        else:
            self.set_partner(None)
            self.set_selected(place)

    def viewportEvent(self, event: QEvent) -> bool:
        """A tooltip for the cell under the pointer, and no cell when the pointer leaves."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._cell_at(QPointF(event.pos()))
            text = self.describe(place) if place is not None else ""
            QToolTip.showText(event.globalPos(), text or self.toolTip(), self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self.cell_hovered.emit(None)
        return super().viewportEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the selection as focused."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the selection as not focused."""
        super().focusOutEvent(event)
        self.viewport().update()
