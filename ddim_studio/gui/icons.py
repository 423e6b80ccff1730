"""Icons that follow the theme: drawn when they are first painted, in the colours in force then.

An engine draws an icon at the very size that is asked for, on whatever screen, and remembers it.
So nothing is drawn that nobody sees, and a change of theme only needs a repaint.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QByteArray, QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ddim_studio.gui.colors import current_colors
from ddim_studio.storage import resources

if TYPE_CHECKING:
    from pathlib import Path

IconRole = Literal["text", "muted", "accent_text", "accent_ink", "error", "warning"]

_SIZES = (12, 16, 20, 24)


def icon(name: str, role: IconRole = "text") -> QIcon:
    """The icon of that name in the colours in force: plain, dimmed when disabled, accent when on.

    Args:
        name: File name in ``resources/icons`` without ``.svg``.
        role: Which of the theme's colours to draw the plain state in.

    Raises:
        FileNotFoundError: There is no such icon.
    """
    return _icon(name, role)


def draw_icon(painter: QPainter, name: str, rect: QRectF, color: str) -> None:
    """Paint an icon into ``rect`` in one colour."""
    _renderer(name, color).render(painter, rect)


class _Engine(QIconEngine):
    """Draws one icon in whatever size and state it is asked for."""

    def __init__(self, name: str, role: IconRole) -> None:
        super().__init__()
        self._name, self._role = name, role
        self._drawing = _drawing(name)  # a missing file is said at once

    def clone(self) -> QIconEngine:
        """Another of the same."""
        return _Engine(self._name, self._role)

    def availableSizes(
        self, _mode: QIcon.Mode = QIcon.Mode.Normal, _state: QIcon.State = QIcon.State.Off
    ) -> list[QSize]:
        """The sizes that the window uses; every other is drawn as well."""
        return [QSize(size, size) for size in _SIZES]

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """The icon ``size`` device pixels large."""
        side = max(1, min(size.width(), size.height()))
        return _pixmap(self._name, self._color(mode, state), side)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Paint the icon into the middle of ``rect``."""
        side = min(rect.width(), rect.height())
        place = QRectF(QPointF(0, 0), QSizeF(side, side))
        place.moveCenter(QRectF(rect).center())
        draw_icon(painter, self._name, place, self._color(mode, state))

    def _color(self, mode: QIcon.Mode, state: QIcon.State) -> str:
        now = current_colors()
        if mode == QIcon.Mode.Disabled:
            return now.disabled
        on = state == QIcon.State.On or mode == QIcon.Mode.Selected
        if on and self._role in ("text", "muted"):
            return now.accent_ink
        plain: str = getattr(now, self._role)
        return plain


@cache
def _icon(name: str, role: IconRole) -> QIcon:
    return QIcon(_Engine(name, role))


@cache
def _folder() -> Path:
    return resources() / "icons"


@cache
def _drawing(name: str) -> str:
    return (_folder() / f"{name}.svg").read_text(encoding="utf-8")


def _renderer(name: str, color: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", color).encode()))


@cache
def _pixmap(name: str, color: str, side: int) -> QPixmap:
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _renderer(name, color).render(painter, QRectF(0, 0, side, side))
    painter.end()
    return pixmap
