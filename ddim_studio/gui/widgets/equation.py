"""The DDIM step (equation 12 of the paper) with the numbers of the frame shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddim_studio.gui.theme import SPACE, current_colors, is_restyle, sized_font
from ddim_studio.gui.typeset import (
    Box,
    bar,
    hat,
    letters,
    root,
    row,
    space,
    sub,
)

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFont, QPaintEvent

_SIZE = 18.0
_SMALL = 12.0
_HEIGHT = 84
_BASE = 28
_RULE = 42
_GAP = 1.5 * SPACE
_TOOLTIP = (
    "One step from t to s: the predicted picture x̂_0, plus the direction back to x_t, plus random "
    "noise z, each times its coefficient.\nᾱ is the share of the picture's variance that is left "
    "at a timestep; σ is 0 for DDIM, and larger with η."
)


@dataclass(frozen=True)
class Column:
    """One term: the formula, its number, what it is, and which of the theme's colours it has.

    Attributes:
        formula: As it is set.
        number: Under it; may be empty.
        caption: What it is, in a word or two.
        series: Number of the colour, None for that of text.
        sign: Before it, from the second term on.
    """

    formula: Box
    number: str
    caption: str
    series: int | None
    sign: str = "+"


def _x(index: str) -> Box:
    return sub(letters("x", _SIZE), letters(index, _SMALL, italic=index.isalpha()))


def _alpha_bar(index: str) -> Box:
    return sub(bar(letters("α", _SIZE)), letters(index, _SMALL))


def _plain(text: str) -> Box:
    return letters(text, _SIZE, italic=False)


def _predicted() -> Box:
    x_0 = sub(hat(letters("x", _SIZE)), letters("0", _SMALL, italic=False))
    return row(root(_alpha_bar("s")), space(4), x_0)


def _direction() -> Box:
    squared = row(letters("σ", _SIZE), _plain("²"))
    under = row(_plain("1 − "), _alpha_bar("s"), _plain(" − "), squared)
    network = sub(letters("ε", _SIZE), letters("θ", _SMALL))
    arguments = row(_plain("("), _x("t"), _plain(", "), letters("t", _SIZE), _plain(")"))
    return row(root(under), space(4), network, arguments)


def _noise() -> Box:
    return row(letters("σ", _SIZE), space(3), letters("z", _SIZE))


def _start() -> Column:
    drawn = row(
        _x("T"),
        _plain(" ∼ "),
        letters("N", _SIZE),
        _plain("(0, "),
        letters("I", _SIZE),
        _plain(")"),
    )
    return Column(drawn, "", "x_T is drawn from N(0, I): the walk begins with pure noise", None)


class TermEquation(QWidget):
    """Something as the sum of terms, each with its number, in one of the theme's colours.

    Args:
        name: Accessible name.
        tooltip: What the symbols mean.
    """

    def __init__(self, name: str, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(tooltip)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._columns: list[Column] = []

    def set_columns(self, columns: list[Column], words: str) -> None:
        """Show the left side and the terms of an equation, which ``words`` says in a sentence."""
        self._columns = columns
        self.setAccessibleDescription(words)
        self.update()

    def sizeHint(self) -> QSize:
        """Wide enough at full size."""
        return QSize(640, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """It can shrink to half."""
        return QSize(320, _HEIGHT)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if is_restyle(event):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the columns with signs between them, shrunk where the room is narrow."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        widths = [self._width(column) for column in self._columns]
        if not widths:
            return
        terms = [_plain(column.sign) for column in self._columns[2:]]
        signs = [_plain("="), *terms][: len(widths) - 1]
        total = sum(widths) + sum(sign.width + 2 * _GAP for sign in signs)
        scale = min(1.0, (self.width() - 2 * SPACE) / total)
        painter.translate(self.width() / 2, (self.height() - scale * _HEIGHT) / 2)
        painter.scale(scale, scale)
        left = -total / 2
        for column, width, sign in zip(self._columns, widths, [*signs, None], strict=True):
            self._paint_column(painter, column, left, width)
            left += width
            if sign is not None:
                painter.setPen(QColor(current_colors().muted))
                sign.paint(painter, left + _GAP, _BASE)
                left += sign.width + 2 * _GAP

    def _fonts(self) -> tuple[QFont, QFont]:
        return sized_font(self.font(), 1.0, bold=True), sized_font(self.font(), 0.9)

    def _width(self, column: Column) -> float:
        number, caption = (QFontMetricsF(font) for font in self._fonts())
        return max(
            column.formula.width,
            number.horizontalAdvance(column.number),
            caption.horizontalAdvance(column.caption),
        )

    def _paint_column(self, painter: QPainter, column: Column, left: float, width: float) -> None:
        now = current_colors()
        color = QColor(now.text if column.series is None else now.series[column.series])
        painter.setPen(color)
        column.formula.paint(painter, left + (width - column.formula.width) / 2, _BASE)
        number, caption = self._fonts()
        middle = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
        if column.series is not None:
            length = column.formula.width
            painter.fillRect(QRectF(left + (width - length) / 2, _RULE, length, 2), color)
        painter.setFont(number)
        painter.drawText(QRectF(left - 1, _RULE + 5, width + 2, 16), middle, column.number)
        painter.setFont(caption)
        painter.setPen(QColor(now.muted))
        top = _RULE + (22 if column.number else 12)
        painter.drawText(QRectF(left - 1, top, width + 2, 15), middle, column.caption)


class StepEquation(TermEquation):
    """x_s as the sum of three terms, each in the colour that the pictures' terms have elsewhere."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Equation of the step", _TOOLTIP, parent)
        self.set_numbers(None, 0, 0.0, 0.0, 0.0)

    def set_numbers(
        self, t: int | None, s: int, predicted: float, direction: float, sigma: float
    ) -> None:
        """Show the step that led to a frame.

        Args:
            t: Timestep left, or None for x_T, which no step led to.
            s: Timestep reached; −1 is the clean image.
            predicted: √ᾱ_s.
            direction: √(1 − ᾱ_s − σ²).
            sigma: σ.
        """
        if t is None:
            self.set_columns([_start()], "x_T is drawn from N(0, I)")
            return
        to = "x₀" if s < 0 else str(s)
        self.set_columns(
            [
                Column(_x("s"), f"t {t} → {to}", "one step", None),
                Column(_predicted(), f"{predicted:.4f}", "predicted x₀", 0),
                Column(_direction(), f"{direction:.4f}", "direction pointing to xₜ", 1),
                Column(_noise(), f"{sigma:.4f}", "random noise", 2),
            ],
            f"Step from {t} to {to}: {predicted:.4f} times predicted x_0, plus {direction:.4f} "
            f"times the predicted noise, plus {sigma:.4f} times random noise",
        )
