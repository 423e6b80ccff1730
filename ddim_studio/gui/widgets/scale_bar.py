"""What the shades of a picture mean: a bar from its darkest to its brightest value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddim_studio.gui.theme import SPACE, current_colors, is_restyle, sized_font

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QPaintEvent

_BAR = 96.0
_HEIGHT = 20


class ScaleBar(QWidget):
    """Name, lowest value, shades from black to white, highest value; empty while unset."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = self._low = self._high = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(280, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """One line, cut where it must be."""
        return QSize(120, _HEIGHT)

    def set_scale(self, name: str, low: str = "", high: str = "") -> None:
        """Say what black and white stand for; an empty name removes the bar."""
        self._name, self._low, self._high = name, low, high
        words = f"{name}: black is {low}, white is {high}" if name else ""
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.update()

    def text(self) -> str:
        """What it says, in words."""
        return self.accessibleName()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if is_restyle(event):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint words and bar, centred."""
        super().paintEvent(event)
        if not self._name:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = sized_font(self.font(), 0.9)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        widths = [metrics.horizontalAdvance(text) for text in (self._name, self._low, self._high)]
        bar = min(_BAR, max(24.0, self.width() - sum(widths) - 5 * SPACE))
        left = (self.width() - sum(widths) - bar - 4 * SPACE) / 2
        left = self._word(painter, left, self._name, widths[0]) + 2 * SPACE
        left = self._word(painter, left, self._low, widths[1]) + SPACE
        self._bar(painter, QRectF(left, self.height() / 2 - 4, bar, 8))
        self._word(painter, left + bar + SPACE, self._high, widths[2])

    def _word(self, painter: QPainter, left: float, text: str, width: float) -> float:
        painter.setPen(QColor(current_colors().muted))
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(left, 0, width + 2, self.height()), middle, text)
        return left + width

    @staticmethod
    def _bar(painter: QPainter, rect: QRectF) -> None:
        shades = QLinearGradient(rect.topLeft(), rect.topRight())
        shades.setColorAt(0.0, QColor("#000000"))
        shades.setColorAt(1.0, QColor("#ffffff"))
        painter.setBrush(shades)
        painter.setPen(QPen(QColor(current_colors().field_border), 1))
        painter.drawRoundedRect(rect, 2, 2)
