"""How a step of restoration is made: the equations of DDNM, DDNM+ and RePaint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddim_studio.gui.theme import SPACE, current_colors, is_restyle
from ddim_studio.gui.typeset import Box, bar, hat, letters, root, row, shifted, space, sub

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QPaintEvent

Form = Literal["ddnm", "ddnm+", "repaint"]
Part = tuple[Box, int | None]
"""A box, and which of the theme's colours it has; None is that of text."""

_SIZE, _SMALL = 17.0, 11.0
_LINE = 34
_TOOLTIP = (
    "x̂_0 is the network's guess at the clean image, y what was measured, A the measurement and A⁺ "
    "its pseudo-inverse; ε_θ is the noise that the network sees, and z and n are drawn afresh."
)
_WORDS: dict[Form, str] = {
    "ddnm": "x_0 given y is x̂_0 minus A⁺(A x̂_0 − y); x_s is c_0 times it, plus c_1 times the "
    "predicted noise, plus c_2 times new noise",
    "ddnm+": "x_0 given y is x̂_0 minus Λ A⁺(A x̂_0 − y); x_s is c_0 times it, plus c_1 times the "
    "predicted noise, plus c_2 times new noise, less what y brings",
    "repaint": "In the hole x_s is c_0 x̂_0 plus c_1 times the predicted noise plus c_2 times new "
    "noise; beside it x_s is √ᾱ_s y plus √(1 − ᾱ_s) n",
}


def _plain(text: str) -> Box:
    return letters(text, _SIZE, italic=False)


def _small(text: str, *, italic: bool = False) -> Box:
    return letters(text, _SMALL, italic=italic)


def _guess() -> Box:
    return sub(hat(letters("x", _SIZE)), _small("0"))


def _given() -> Box:
    return sub(hat(letters("x", _SIZE)), row(_small("0|"), _small("y", italic=True)))


def _undo() -> Box:
    return shifted((letters("A", _SIZE), 0.0), (_small("+"), -0.45 * _SIZE))


def _state() -> Box:
    return sub(letters("x", _SIZE), _small("s", italic=True))


def _coefficient(number: int) -> Box:
    return sub(letters("c", _SIZE), _small(str(number)))


def _predicted() -> Box:
    return sub(letters("ε", _SIZE), _small("θ", italic=True))


def _alpha() -> Box:
    return sub(bar(letters("α", _SIZE)), _small("s", italic=True))


def _sum(image: Box) -> list[Part]:
    plus = _plain(" + ")
    return [
        (_state(), None),
        (_plain(" = "), None),
        (row(_coefficient(0), space(3), image), 0),
        (plus, None),
        (row(_coefficient(1), space(3), _predicted()), 1),
        (plus, None),
        (row(_coefficient(2), space(3), letters("z", _SIZE)), 2),
    ]


def _correction(*, partial: bool) -> list[Part]:
    gain = [(row(letters("Λ", _SIZE, italic=False), space(3)), 3)] if partial else []
    missed = row(letters("A", _SIZE), space(2), _guess(), _plain(" − "), letters("y", _SIZE))
    return [
        (_given(), 0),
        (_plain(" = "), None),
        (_guess(), None),
        (_plain(" − "), None),
        *gain,
        (row(_undo(), _plain("("), missed, _plain(")")), 3),
    ]


def _known() -> list[Part]:
    noise = row(root(row(_plain("1 − "), _alpha())), space(3), letters("n", _SIZE))
    return [
        (_state(), None),
        (_plain(" = "), None),
        (row(root(_alpha()), space(3), letters("y", _SIZE)), 3),
        (_plain(" + "), None),
        (noise, 2),
    ]


def _lines(form: Form) -> list[list[Part]]:
    if form == "repaint":
        return [_sum(_guess()), _known()]
    return [_correction(partial=form == "ddnm+"), _sum(_given())]


class RestoreEquation(QWidget):
    """Two lines, shrunk where the room is narrow; what a term is has the same colour elsewhere."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Equations of the step")
        self.setToolTip(_TOOLTIP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._form: Form = "ddnm"
        self.set_form("ddnm")

    def sizeHint(self) -> QSize:
        """Two lines."""
        return QSize(240, 2 * _LINE)

    def minimumSizeHint(self) -> QSize:
        """Two short lines."""
        return QSize(140, 2 * _LINE)

    def form(self) -> Form:
        """Which equations are shown."""
        return self._form

    def set_form(self, form: Form) -> None:
        """Show the equations of a method; "ddnm+" is DDNM of a noisy measurement."""
        self._form = form
        self.setAccessibleDescription(_WORDS[form])
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if is_restyle(event):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint both lines at one scale, from the left."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        now = current_colors()
        lines = _lines(self._form)
        widest = max(sum(box.width for box, _ in line) for line in lines)
        scale = min(1.0, (self.width() - SPACE // 2) / widest)
        for number, line in enumerate(lines):
            painter.save()
            painter.translate(0, (number + 0.65) * _LINE)
            painter.scale(scale, scale)
            left = 0.0
            for box, series in line:
                painter.setPen(QColor(now.text if series is None else now.series[series]))
                box.paint(painter, left, 0)
                left += box.width
            painter.restore()
