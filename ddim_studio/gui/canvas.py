"""Painting a grid of tiles in device pixels: pictures, captions, selection and placeholder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from ddim_studio.gui.theme import SPACE, current_colors, draw_icon, sized_font

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PySide6.QtGui import QFont, QImage

    from ddim_studio.gui.tiles import TileGrid


def to_device_pixels(painter: QPainter, ratio: float) -> None:
    """Let ``painter`` count device pixels, beginning at a whole one.

    At ratios like 1.25 a widget may begin inside a device pixel, which would blur every picture.
    """
    painter.scale(1 / ratio, 1 / ratio)
    corner = painter.deviceTransform()
    painter.translate(round(corner.dx()) - corner.dx(), round(corner.dy()) - corner.dy())


def paint_tiles(painter: QPainter, grid: TileGrid, images: Sequence[QImage]) -> None:
    """Paint each image into its place: nearest neighbour enlarged, smooth when shrunk."""
    shrunk = grid.scale < 1
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrunk)
    for tile, rect in _visible(grid):
        image = images[tile]
        if grid.scale <= 0.5:
            # Bilinear sampling skips pixels when it shrinks by more than two.
            image = image.scaled(rect.size(), mode=Qt.TransformationMode.SmoothTransformation)
        painter.drawImage(rect, image)


def paint_captions(painter: QPainter, grid: TileGrid, captions: Sequence[str], font: QFont) -> None:
    """Paint a line under each tile, cut with an ellipsis to the tile's width.

    Args:
        painter: Counts device pixels.
        grid: Keeps room for the captions.
        captions: One a tile; tiles without one stay bare.
        font: Sized in device pixels.
    """
    painter.setFont(font)
    painter.setPen(QColor(current_colors().muted))
    metrics = QFontMetrics(font)
    for tile, rect in _visible(grid):
        if tile < len(captions):
            line = QRect(rect.left(), rect.bottom() + 1, rect.width(), grid.caption)
            text = metrics.elidedText(captions[tile], Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)


def paint_selection(
    painter: QPainter, grid: TileGrid, tile: int, ratio: float, *, focused: bool
) -> None:
    """Outline a tile in the accent, outside its pixels."""
    width = max(2, round(2 * ratio))
    color = QColor(current_colors().accent_ink if focused else current_colors().accent)
    pen = QPen(color, width)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    half = width / 2
    painter.drawRect(QRectF(QRect(*grid.rect(tile))).adjusted(-half, -half, half, half))


def paint_placeholder(painter: QPainter, pane: QRect, title: str, hint: str) -> None:
    """Say in the middle of an empty pane what will appear there, and how to get it."""
    now = current_colors()
    base = painter.font()
    title_font, mark = sized_font(base, 1.25, bold=True), 40
    room = pane.adjusted(2 * SPACE, 0, -2 * SPACE, 0)
    wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignHCenter
    title_box = QFontMetrics(title_font).boundingRect(room, wrap, title)
    hint_box = QFontMetrics(base).boundingRect(room, wrap, hint)
    height = mark + SPACE + title_box.height() + SPACE // 2 + hint_box.height()
    top = pane.center().y() - height / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    mark_left = pane.center().x() - mark / 2
    draw_icon(painter, "image", QRectF(mark_left, top, mark, mark), now.disabled)
    top += mark + SPACE
    painter.setFont(title_font)
    painter.setPen(QColor(now.text))
    title_place = QRectF(room.left(), top, room.width(), title_box.height())
    painter.drawText(title_place, wrap, title)
    painter.setFont(base)
    painter.setPen(QColor(now.muted))
    top += title_box.height() + SPACE // 2
    painter.drawText(QRectF(room.left(), top, room.width(), hint_box.height()), wrap, hint)


def _visible(grid: TileGrid) -> Iterator[tuple[int, QRect]]:
    pane = QRect(0, 0, grid.pane_width, grid.pane_height)
    for tile in range(grid.count):
        left, top, width, height = grid.rect(tile)
        if pane.intersects(QRect(left, top, width, height + grid.caption)):
            yield tile, QRect(left, top, width, height)
