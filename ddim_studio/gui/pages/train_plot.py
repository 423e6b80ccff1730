"""The loss of a run along its steps: raw, smoothed, and on images that are held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QSlider,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ddim_studio.gui.theme import SPACE, current_colors, label
from ddim_studio.gui.widgets.plots import LinePlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ddim_studio.gui.training_record import TrainingRecord

RAW, SMOOTH, HELD_OUT = "loss", "smoothed", "held out"
WINDOWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""What the slider chooses from: steps that the smoothing reaches back."""
_PRESET = WINDOWS.index(20)
_TIP = (
    "The simple objective, the mean squared error of the predicted noise: of every batch, smoothed "
    "over some steps, and of the moving average of the weights on images that are held out."
)
_FAINT = 0.35
_DOT = 6


class LossLines(LinePlot):
    """Lines that each have an x of their own: faint, strong, and dots."""

    def __init__(self, *, log_y: bool, parent: QWidget | None = None) -> None:
        super().__init__("", "", _TIP, log_y=log_y, parent=parent)
        self.setAccessibleName("Plot: loss, logarithmic" if log_y else "Plot: loss")
        self._places: dict[str, NDArray[np.float64]] = {}
        self.set_x([], "step")

    def set_points(self, name: str, points: NDArray[np.float64]) -> None:
        """Draw a line, new or in place of the one of that name; ``points`` are (2, N)."""
        self._places[name] = self._x = points[0]
        self.set_series(name, points[1])

    def _draw(self, name: str) -> None:
        self._x = self._places[name]
        super()._draw(name)

    def _build(self) -> None:
        super()._build()
        for side in ("left", "bottom"):
            self._plot.getAxis(side).enableAutoSIPrefix(False)

    def _color(self, name: str) -> str:
        now = current_colors()
        first, second, *_ = now.series
        if name != RAW:
            return first if name == SMOOTH else second
        line, ground = QColor(first), QColor(now.surface)
        red, green, blue = (
            round(_FAINT * strong + (1 - _FAINT) * plain)
            for strong, plain in (
                (line.red(), ground.red()),
                (line.green(), ground.green()),
                (line.blue(), ground.blue()),
            )
        )
        return QColor(red, green, blue).name()

    def _style_curve(self, name: str, dashed: bool) -> None:
        import pyqtgraph

        super()._style_curve(name, dashed)
        curve: Any = self._curves[name]
        curve.setZValue({RAW: 0, SMOOTH: 1, HELD_OUT: 2}[name])
        if name == SMOOTH:
            curve.setPen(pyqtgraph.mkPen(self._color(name), width=2))
        if name == HELD_OUT:
            curve.setSymbol("o")
            curve.setSymbolSize(_DOT)
            curve.setSymbolPen(QColor(self._color(name)))
            curve.setSymbolBrush(QColor(self._color(name)))


class LossPlot(QWidget):
    """The plot with its two choices: how much is smoothed, and whether the scale is logarithmic."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record: TrainingRecord | None = None
        self._plots = (LossLines(log_y=False), LossLines(log_y=True))
        self._stack = QStackedWidget()
        for plot in self._plots:
            self._stack.addWidget(plot)
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("smoothingSlider")
        self.smoothing.setAccessibleName("Smoothing")
        self.smoothing.setToolTip("How many steps the strong line is smoothed over")
        self.smoothing.setRange(0, len(WINDOWS) - 1)
        self.smoothing.setPageStep(1)
        self.smoothing.setValue(_PRESET)
        self.smoothing.setMaximumWidth(140)
        self._said = label("", "small")
        self.log = QCheckBox("log")
        self.log.setObjectName("logCheck")
        self.log.setAccessibleName("Logarithmic scale")
        self.log.setToolTip("Show the loss on a logarithmic scale")
        self._lay_out()
        self.smoothing.valueChanged.connect(lambda _value: self.refresh())
        self.log.toggled.connect(self._choose_scale)
        self.refresh()

    def slow_parts(self) -> list[Callable[[], None]]:
        """What builds the plots."""
        return [plot.prepare for plot in self._plots]

    def reach(self) -> int:
        """Steps that the smoothing reaches back."""
        return WINDOWS[self.smoothing.value()]

    def plot(self) -> LossLines:
        """The plot on show."""
        return self._plots[self._stack.currentIndex()]

    def show_record(self, record: TrainingRecord | None) -> None:
        """Draw a run, or nothing. While it grows, call `refresh`."""
        self._record = record
        for plot in self._plots:
            plot.clear()
        self.refresh()

    def refresh(self) -> None:
        """Draw what the run has by now."""
        window = self.reach()
        self._said.setText("not smoothed" if window == 1 else f"{window} steps")
        if self._record is None or not self._record.step:
            return
        curve, plot = self._record.curve(window), self.plot()
        plot.set_points(RAW, curve.raw)
        plot.set_points(SMOOTH, curve.smooth)
        if self._record.validations:
            plot.set_points(HELD_OUT, np.array(self._record.validations, np.float64).T)

    def set_cursor(self, step: int | None) -> None:
        """Mark the step whose samples are on show."""
        for plot in self._plots:
            plot.set_cursor(step)

    def _choose_scale(self, logarithmic: bool) -> None:
        self._stack.setCurrentIndex(int(logarithmic))
        self.plot().clear()
        self.refresh()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(label("Loss", "heading"))
        row.addStretch(1)
        row.addWidget(label("Smoothing", "small"))
        row.addWidget(self.smoothing, 2)
        self._said.setMinimumWidth(self._said.fontMetrics().horizontalAdvance("not smoothed"))
        row.addWidget(self._said)
        row.addWidget(self.log)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self._stack, 1)
