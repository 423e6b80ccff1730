"""The picture inside an image slot, the slot's outline, and the picture while it is dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QDrag, QPainter, QPen, QPixmap

from ddim_studio.gui.painting import to_qimage
from ddim_studio.gui.theme import RADIUS, SPACE, current_colors, draw_icon
from ddim_studio.gui.tile_canvas import TileCanvas

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QWidget

SMALLEST = 64
_DRAGGED = 64


class SlotPicture(TileCanvas):
    """The picture, crisp; or how to get one; or the die of a seed.

    Attributes:
        seed: The seed that is in the slot, or None.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.seed: int | None = None
        self.setMinimumSize(SMALLEST, SMALLEST)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        """A small model's image at five times its size, with a margin."""
        return QSize(156, 156)

    def minimumSizeHint(self) -> QSize:
        """An image of 28 pixels at twice its size, with a margin."""
        return QSize(SMALLEST, SMALLEST)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The die where there is a seed and nothing decoded yet."""
        if self._pixels is not None or self.seed is None:
            super().paintEvent(event)
            return
        now = current_colors()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), QColor(now.canvas))
        side = 36
        middle = QPointF(self.rect().center())
        place = QRectF(middle.x() - side / 2, middle.y() - side / 2 - SPACE, side, side)
        draw_icon(painter, "dice", place, now.muted)
        painter.setPen(QColor(now.muted))
        below = QRectF(0, place.bottom() + 4, self.width(), 20)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, f"x_T of seed {self.seed}")


def paint_outline(widget: QWidget, *, active: bool, dashed: bool, filled: bool) -> None:
    """The outline of a slot.

    Args:
        widget: The slot, which is being painted.
        active: In the accent: it has the focus, or something is dragged over it.
        dashed: It is empty.
        filled: Tinted: what is dragged over it would be taken.
    """
    now = current_colors()
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(QColor(now.accent if active else now.field_border), 2 if active else 1)
    if dashed:
        pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(QColor(now.accent_soft if filled else now.surface))
    painter.drawRoundedRect(QRectF(widget.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)


def image_drag(widget: QWidget, pixels: NDArray[np.uint8] | None, label: str) -> QDrag:
    """A drag of a picture (H, W, C), or of the name of a seed, from a slot."""
    drag, data = QDrag(widget), QMimeData()
    if pixels is None:
        data.setText(label)
    else:
        image = to_qimage(pixels)
        data.setImageData(image)
        small = image.scaled(_DRAGGED, _DRAGGED, Qt.AspectRatioMode.KeepAspectRatio)
        drag.setPixmap(QPixmap.fromImage(small))
    drag.setMimeData(data)
    return drag
