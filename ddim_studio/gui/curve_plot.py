"""A plot over a few places that have names, each value marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QColor

from ddim_studio.gui.theme import current_colors
from ddim_studio.gui.widgets.plots import LinePlot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

_MARK = 6


class CurvePlot(LinePlot):
    """A `LinePlot` whose x has named places, and whose values are marked by dots."""

    def __init__(
        self, title: str, tooltip: str, parent: QWidget | None = None, *, log_y: bool = True
    ) -> None:
        super().__init__(title, "", tooltip, log_y=log_y, parent=parent)
        self._legend.setWordWrap(True)

    def set_places(self, names: Sequence[str], axis: str) -> None:
        """Name the places of x.

        Args:
            names: One a value.
            axis: Name of the axis.
        """
        self._names = list(names)
        self.set_x([float(place) for place in range(len(names))], axis)
        self._show_names()

    def _build(self) -> None:
        super()._build()
        self._show_names()

    def _show_names(self) -> None:
        names = getattr(self, "_names", [])
        if self._plot is not None and names:
            self._plot.getAxis("bottom").setTicks([list(enumerate(names))])

    def _style_curve(self, name: str, dashed: bool) -> None:
        super()._style_curve(name, dashed)
        curve: Any = self._curves[name]
        color = QColor(self._color(name))
        curve.setSymbol("o")
        curve.setSymbolSize(_MARK)
        curve.setSymbolPen(color)
        curve.setSymbolBrush(QColor(current_colors().surface) if dashed else color)
