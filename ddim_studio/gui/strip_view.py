"""A row of frames to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddim_studio.gui.theme import current_colors
from ddim_studio.gui.widgets.frame_view import FrameView

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent, QPaintEvent

_HEIGHT = 84
_TIP = "The path in equal steps of α. Click a frame to go there."


class StripView(FrameView):
    """Frames side by side.

    Signals:
        frame_clicked: Number of the frame that was clicked, also if it was selected already.
    """

    frame_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stripView")
        self.setAccessibleName("Frames between A and B")
        self.setToolTip(_TIP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """One line of small pictures."""
        return QSize(120, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """While there are no frames, only words: the pane is too low for a mark."""
        if self._pixels is not None:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(current_colors().canvas))
        painter.setPen(QColor(current_colors().muted))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._placeholder[1])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a frame."""
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._hit(event.position())[0] >= 0:
            self.frame_clicked.emit(self.selected())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """No frame alone here: that is what the large picture is for."""
        self.mousePressEvent(event)
