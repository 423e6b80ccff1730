"""Painting a matrix of sheets in device pixels: pictures, captions, marks and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPen

from ddim_studio.gui.matrix_layout import enlargement
from ddim_studio.gui.painting import to_qimage
from ddim_studio.gui.theme import current_colors, draw_icon

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ddim_studio.gui.matrix_layout import MatrixLayout
    from ddim_studio.jobs.matrix import Place

State = Literal["waiting", "running", "done", "stopped", "failed"]
REFERENCE = "reference"
_MARK = 20
_CENTRED = Qt.AlignmentFlag.AlignCenter
_WRAPPED = Qt.TextFlag.TextWordWrap


@dataclass(frozen=True)
class CellLook:
    """What a cell of the matrix says beside its pictures.

    Attributes:
        state: How far it is.
        captions: The same words from long to short; the longest that fits every cell is shown.
        progress: Share of the steps done, while it runs.
    """

    state: State = "waiting"
    captions: tuple[str, ...] = ()
    progress: float = 0.0


def sheet_image(pixels: NDArray[np.uint8], layout: MatrixLayout) -> QImage:
    """The pictures of a cell as one image, clear between them.

    It has the pictures' own size, to be enlarged when painted; where they are shown smaller than
    that it is shrunk smoothly. Pictures smaller than the largest of the matrix are enlarged by a
    whole number, and stand in the middle of their places.

    Args:
        pixels: Shape (N, H, W, C).
        layout: Of the matrix.
    """
    width, height = layout.tile
    own = pixels.shape[2], pixels.shape[1]
    times = enlargement(own, layout.tile)
    margin = (width - own[0] * times) // 2, (height - own[1] * times) // 2
    sheet = QImage(*layout.own_sheet, QImage.Format.Format_ARGB32_Premultiplied)
    sheet.fill(Qt.GlobalColor.transparent)
    painter = QPainter(sheet)
    for number, picture in enumerate(pixels):
        row, column = divmod(number, layout.across)
        left = column * (width + layout.inner_gap) + margin[0]
        top = row * (height + layout.inner_gap) + margin[1]
        painter.drawImage(QRect(left, top, own[0] * times, own[1] * times), to_qimage(picture))
    painter.end()
    if layout.scale >= 1:
        return sheet
    return sheet.scaled(*layout.sheet, mode=Qt.TransformationMode.SmoothTransformation)


def paint_sheet(painter: QPainter, box: QRect, sheet: QImage) -> None:
    """Paint a cell's pictures into its box: nearest neighbour."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(box, sheet)


def paint_state(painter: QPainter, box: QRect, look: CellLook, ratio: float) -> None:
    """Paint what stands for the pictures of a cell that has none, or how far it is."""
    now = current_colors()
    if look.state == "running":
        height = max(2, round(3 * ratio))
        track = QRect(box.left(), box.bottom() + 1, box.width(), height)
        painter.fillRect(track, QColor(now.field_border))
        track.setWidth(round(box.width() * look.progress))
        painter.fillRect(track, QColor(now.accent))
    elif look.state == "failed":
        _frame(painter, box, now.error, Qt.PenStyle.SolidLine, ratio)
        mark = min(round(_MARK * ratio), box.width(), box.height())
        left, top = box.center().x() - mark / 2, box.center().y() - mark / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_icon(painter, "warning", QRectF(left, top, mark, mark), now.error)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_empty(painter: QPainter, box: QRect, ratio: float) -> None:
    """Paint the outline of a cell that is still to come."""
    _frame(painter, box, current_colors().field_border, Qt.PenStyle.DashLine, ratio)


def paint_outline(
    painter: QPainter, box: QRect, color: str, width: int, style: Qt.PenStyle
) -> None:
    """Outline a cell outside its pictures."""
    pen = QPen(QColor(color), width, style)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    half = width / 2
    painter.drawRect(QRectF(box).adjusted(-half, -half, half, half))


def paint_caption(painter: QPainter, line: QRect, text: str, *, reference: bool) -> None:
    """Paint the line under a cell; that of the reference begins with a badge."""
    now = current_colors()
    metrics = painter.fontMetrics()
    if reference:
        pad = metrics.averageCharWidth()
        badge = metrics.horizontalAdvance(REFERENCE) + 2 * pad
        rest = metrics.horizontalAdvance(text) + pad if text else 0
        if badge + rest > line.width():
            text, rest = "", 0
        start = line.left() + (line.width() - badge - rest) // 2
        pill = QRect(start, line.top() + 1, badge, line.height() - 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(now.accent))
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QColor(now.accent_text))
        painter.drawText(pill, _CENTRED, REFERENCE)
        line = QRect(pill.right() + 1, line.top(), rest, line.height())
    painter.setPen(QColor(now.text if not reference else now.muted))
    if text:
        cut = metrics.elidedText(text, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, _CENTRED, cut)


def paint_labels(
    painter: QPainter,
    layout: MatrixLayout,
    labels: tuple[Sequence[str], Sequence[str]],
    corner: str,
    selected: Place,
) -> None:
    """Paint the labels of rows and columns over whatever was scrolled under them.

    Args:
        painter: Counts device pixels, with the labels' font.
        layout: Where the cells are.
        labels: Of the rows and of the columns.
        corner: What the captions say, above the rows' labels.
        selected: The cell whose labels stand out.
    """
    now = current_colors()
    left, top = layout.corner
    width, height = layout.pane
    pad = layout.gap // 2
    edge = pad // 2  # room for the outline of a selected cell
    high, wide = layout.label_height, layout.label_width
    painter.fillRect(0, 0, width, top + high - edge, QColor(now.canvas))
    painter.fillRect(0, 0, left + wide - edge, height, QColor(now.canvas))
    if layout.scrolled[1]:
        painter.fillRect(left, top + high - edge - 1, width - left, 1, QColor(now.field_border))
    if layout.scrolled[0]:
        painter.fillRect(left + wide - edge - 1, top, 1, height - top, QColor(now.field_border))
    rows, columns = labels
    painter.setClipRect(QRect(0, top + high, width, height - top - high))
    for row, text in enumerate(rows):
        box = layout.box(selected._replace(row=row))
        sheet = QRect(left, box.top, wide - pad, box.height - layout.caption)
        _label(painter, sheet, text, stands_out=row == selected.row)
    painter.setClipRect(QRect(left + wide, 0, width - left - wide, height))
    for column, text in enumerate(columns):
        box = layout.box(selected._replace(column=column))
        line = QRect(box.left, top, box.width, high - pad)
        _label(painter, line, text, stands_out=column == selected.column)
    painter.setClipping(False)
    painter.setPen(QColor(now.muted))
    painter.drawText(QRect(left, top, wide - pad, high - pad), _CENTRED | _WRAPPED, corner)


def label_room(metrics: QFontMetrics, texts: Sequence[str], widest: int) -> tuple[int, int]:
    """Width and height that the longest of some labels needs, wrapped at ``widest``."""
    boxes = [metrics.boundingRect(QRect(0, 0, widest, 10_000), _WRAPPED, text) for text in texts]
    width = max((box.width() for box in boxes), default=0)
    return width, max((box.height() for box in boxes), default=0)


def _label(painter: QPainter, box: QRect, text: str, *, stands_out: bool) -> None:
    now = current_colors()
    painter.setPen(QColor(now.accent_ink if stands_out else now.text))
    painter.drawText(box, _CENTRED | _WRAPPED, text)


def _frame(painter: QPainter, box: QRect, color: str, style: Qt.PenStyle, ratio: float) -> None:
    width = max(1, round(ratio))
    painter.setPen(QPen(QColor(color), width, style))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box.adjusted(0, 0, -width, -width))
