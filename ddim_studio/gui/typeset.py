"""A little typesetting for one line of mathematics, painted as boxes.

Fonts place combining hats and bars badly, and few have a radical that grows: those are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPen

_AXIS, _CLEAR = 5.0, 2.0
"""How far the line of a fraction is over the base line, and from what stands over and under it."""

_FAMILIES = ["STIX Two Math", "Cambria Math", "DejaVu Serif", "DejaVu Sans"]


def math_font(size: float, *, italic: bool) -> QFont:
    """A serif font with Greek letters, ``size`` pixels high."""
    font = QFont(_FAMILIES)
    font.setPixelSize(max(1, round(size)))
    font.setItalic(italic)
    return font


@dataclass(frozen=True)
class Box:
    """Something of a width that stands on a base line.

    Attributes:
        width: Advance in pixels.
        ascent: Height over the base line.
        descent: Depth under it.
    """

    width: float
    ascent: float
    descent: float

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        """Paint with the left end of the base line at (x, y)."""


@dataclass(frozen=True)
class Glyphs(Box):
    """Letters in one font."""

    text: str
    font: QFont

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        """Paint the letters."""
        painter.setFont(self.font)
        painter.drawText(QPointF(x, y), self.text)


@dataclass(frozen=True)
class Row(Box):
    """Boxes one after another, each moved down by its shift."""

    parts: tuple[tuple[Box, float], ...]

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        """Paint the parts."""
        for part, shift in self.parts:
            part.paint(painter, x, y + shift)
            x += part.width


@dataclass(frozen=True)
class Marked(Box):
    """A box under a hat, a bar, a tilde or a radical sign."""

    inner: Box
    mark: str
    indent: float

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        """Paint the inner box and draw the mark."""
        self.inner.paint(painter, x + self.indent, y)
        top = y - self.ascent + 1.5
        left, right = x + self.indent, x + self.indent + self.inner.width
        path = QPainterPath()
        if self.mark == "hat":
            middle, half = (left + right) / 2 + 1, min(4.5, (right - left) / 2)
            path.moveTo(middle - half, top + 3.5)
            path.lineTo(middle, top)
            path.lineTo(middle + half, top + 3.5)
        elif self.mark == "tilde":
            middle = (left + right) / 2 + 1
            path.moveTo(middle - 4.5, top + 3)
            path.cubicTo(middle - 2, top - 1.5, middle + 2, top + 5.5, middle + 4.5, top + 1)
        elif self.mark == "bar":
            path.moveTo(left + 1, top + 2)
            path.lineTo(right - 0.5, top + 2)
        else:
            bottom = y + self.inner.descent * 0.6
            path.moveTo(x + 1, y - self.inner.ascent * 0.35)
            path.lineTo(x + 3, y - self.inner.ascent * 0.45)
            path.lineTo(x + self.indent * 0.55, bottom)
            path.lineTo(x + self.indent - 1, top)
            path.lineTo(right + 1, top)
        pen = QPen(painter.pen().color(), 1.3)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.strokePath(path, pen)


@dataclass(frozen=True)
class Fraction(Box):
    """A box over a line over a box."""

    upper: Box
    lower: Box

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        """Paint both, centred, and the line between them."""
        line = y - _AXIS
        above, below = (self.width - self.upper.width) / 2, (self.width - self.lower.width) / 2
        self.upper.paint(painter, x + above, line - _CLEAR - self.upper.descent)
        self.lower.paint(painter, x + below, line + _CLEAR + self.lower.ascent)
        path = QPainterPath(QPointF(x, line))
        path.lineTo(x + self.width, line)
        painter.strokePath(path, QPen(painter.pen().color(), 1.1))


def letters(text: str, size: float, *, italic: bool = True) -> Box:
    """Letters, ``size`` pixels high."""
    font = math_font(size, italic=italic)
    metrics = QFontMetricsF(font)
    # What slanted letters overhang their advance would touch the next one.
    slack = size * 0.06 if italic else 0.0
    tight = metrics.tightBoundingRect(text)
    return Glyphs(
        metrics.horizontalAdvance(text) + slack, -tight.top(), max(0.0, tight.bottom()), text, font
    )


def space(width: float) -> Box:
    """Nothing, of a width."""
    return Box(width, 0, 0)


def row(*parts: Box) -> Box:
    """Boxes side by side."""
    return shifted(*((part, 0.0) for part in parts))


def shifted(*parts: tuple[Box, float]) -> Box:
    """Boxes side by side, each moved down by a number of pixels."""
    return Row(
        sum(part.width for part, _ in parts),
        max(part.ascent - shift for part, shift in parts),
        max(part.descent + shift for part, shift in parts),
        parts,
    )


def sub(base: Box, index: Box) -> Box:
    """A box with an index."""
    return shifted((base, 0.0), (index, index.ascent * 0.5))


def hat(inner: Box) -> Box:
    """A box under a hat."""
    return Marked(inner.width, inner.ascent + 6, inner.descent, inner, "hat", 0.0)


def tilde(inner: Box) -> Box:
    """A box under a tilde."""
    return Marked(inner.width, inner.ascent + 6, inner.descent, inner, "tilde", 0.0)


def bar(inner: Box) -> Box:
    """A box under a bar."""
    return Marked(inner.width, inner.ascent + 5, inner.descent, inner, "bar", 0.0)


def fraction(upper: Box, lower: Box) -> Box:
    """A box over another."""
    width = max(upper.width, lower.width) + 4
    ascent = _AXIS + _CLEAR + upper.ascent + upper.descent
    descent = lower.ascent + lower.descent + _CLEAR - _AXIS
    return Fraction(width, ascent, descent, upper, lower)


def root(inner: Box) -> Box:
    """A box under a radical sign."""
    indent = 11.0
    return Marked(inner.width + indent + 2, inner.ascent + 4, inner.descent, inner, "root", indent)
