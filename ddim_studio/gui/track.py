"""The timeline's slider, as long as the frames so far, on a track as long as all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QSlider, QStyle, QWidget

from ddim_studio.gui.theme import current_colors, is_restyle

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

_KNOB = 16
_HEIGHT = 24


class JumpSlider(QSlider):
    """A horizontal slider that goes where it is clicked, and leaves the timeline's keys alone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setPageStep(5)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the knob under the pointer, where the drag then begins."""
        if event.button() == Qt.MouseButton.LeftButton:
            room = max(1, self.width() - _KNOB)
            place = round(event.position().x() - _KNOB / 2)
            value = QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), place, room)
            self.setValue(value)
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave ←, →, Home and End to the parent."""
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End):
            event.ignore()
        else:
            super().keyPressEvent(event)


class Track(QWidget):
    """Holds the slider at its length; what is still to come is a faint line.

    A frame keeps its place on the track while others arrive.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = JumpSlider(self)
        self.slider.setAccessibleName("Frame")
        self.slider.setToolTip("Frame of the trajectory (← →)")
        self._available = 0
        self._total = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Wide, and a knob high."""
        return QSize(240, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Enough to scrub."""
        return QSize(80, _HEIGHT)

    def set_frames(self, available: int, total: int) -> None:
        """How many frames there are, and will be."""
        self._available, self._total = available, total
        self.slider.setRange(0, max(0, available - 1))
        self._place()
        self.update()

    def _place(self) -> None:
        done = (self._available - 1) / (self._total - 1) if self._total > 1 else 1.0
        length = _KNOB + round(max(0.0, done) * (self.width() - _KNOB))
        self.slider.setGeometry(0, 0, min(self.width(), length), self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the slider's share."""
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if is_restyle(event):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The faint line of what is still to come."""
        super().paintEvent(event)
        start = self.slider.width() - _KNOB / 2
        rest = self.width() - _KNOB / 2 - start
        if rest <= 0:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(current_colors().border))
        painter.drawRoundedRect(QRectF(start, self.height() / 2 - 1, rest, 2), 1, 1)
