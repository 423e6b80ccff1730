"""A small plot of numbers along a trajectory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHideEvent
from PySide6.QtWidgets import QGraphicsItem, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ddim_studio.gui.pacer import Pacer
from ddim_studio.gui.theme import SPACE, current_colors, is_restyle, label, sized_font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = Sequence[float] | NDArray[np.float64]

PACE_MS = 200
"""Between two drawings of lines that grow: a plot takes longer to paint than a picture."""
_SMOOTH_POINTS = 300
_HEIGHT = 132
_AXIS_LINES = 2.5
# Kept as pixels, axes and lines need not be drawn again whenever the cursor moves over them.
_CACHED = QGraphicsItem.CacheMode.DeviceCoordinateCache


class LinePlot(QWidget):
    """Lines over a shared x, with a cursor; a click says which x was meant.

    pyqtgraph takes half a second to import, so that waits for the first line.

    Args:
        title: What is plotted; empty where that is said elsewhere.
        y_label: Unit or symbol of y, beside the title; may be empty.
        tooltip: What the numbers mean.
        log_y: Whether y is logarithmic; values of 0 and below are then gaps.

    Signals:
        clicked: x under a click.
    """

    clicked = Signal(float)

    def __init__(
        self,
        title: str,
        y_label: str,
        tooltip: str,
        log_y: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"Plot: {title}")
        self.setToolTip(tooltip)
        self._log_y = log_y
        self._x: NDArray[np.float64] | None = None
        self._x_label = ""
        self._cursor_x: float | None = None
        self._series: dict[str, tuple[NDArray[np.float64], bool]] = {}
        self._curves: dict[str, Any] = {}
        self._plot: Any = None
        self._cursor: Any = None
        self._late: set[str] = set()  # lines that wait for the next drawing
        self._pacer = Pacer(PACE_MS, self)
        self._pacer.due.connect(self._draw_late)
        self._legend = label("", "small")
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._lay_out(title, y_label)

    def _lay_out(self, title: str, y_label: str) -> None:
        heading = QHBoxLayout()
        heading.setSpacing(SPACE)
        if title:
            heading.addWidget(label(title, "heading"))
            heading.addWidget(label(y_label, "small"))
            heading.addStretch(1)
        heading.addWidget(self._legend, int(not title))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addLayout(heading)
        self._empty = QWidget()
        self._column.addWidget(self._empty, 1)
        self.setMinimumHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_x(self, values: Values, label: str) -> None:
        """The x of all lines.

        Args:
            values: As many as the longest line will have; shorter lines use the first of them.
            label: Name of the axis.
        """
        self._x = np.asarray(values, dtype=np.float64)
        self._x_label = label
        if self._plot is not None:
            self._plot.setLabel("bottom", label)
            self._plot.getAxis("bottom").resizeEvent()  # it centres its label only then
            self._redraw()

    def set_series(self, name: str, y: Values, dashed: bool = False) -> None:
        """Draw a line, new or in place of the one of that name.

        Args:
            name: In the legend.
            y: At most as many values as x has; NaN leaves a gap.
            dashed: Draw it dashed.

        Raises:
            ValueError: There are more values than x has.
        """
        values = np.asarray(y, dtype=np.float64)
        if self._x is not None and len(values) > len(self._x):
            raise ValueError(f"{name}: {len(values)} values for {len(self._x)} places on x.")
        if self._log_y:
            values = np.where(values > 0, values, np.nan)
        known = name in self._series and self._series[name][1] == dashed
        self._series[name] = (values, dashed)
        self._build()
        if not known:
            self._show_legend()
            if name in self._curves:
                self._style_curve(name, dashed)
        if not self.isVisible() or self._pacer.grants():  # unseen, it costs nothing to paint
            self._draw(name)
        else:
            self._late.add(name)

    def set_cursor(self, x: float | None) -> None:
        """Mark an x, or none."""
        self._cursor_x = x
        if not self._late:
            self._place_cursor()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave nothing to be drawn later."""
        super().hideEvent(event)
        self.catch_up()

    def catch_up(self) -> None:
        """Draw now what waits for its turn."""
        self._pacer.rest()
        self._draw_late()

    def _draw_late(self) -> None:
        late, self._late = self._late, set()
        for name in late:
            self._draw(name)
        self._place_cursor()

    def _place_cursor(self) -> None:
        if self._cursor is not None:
            self._cursor.setVisible(self._cursor_x is not None)
            if self._cursor_x is not None:
                self._cursor.setPos(self._cursor_x)

    def prepare(self) -> None:
        """Import pyqtgraph and build the empty axes now, not at the first line."""
        self._build()

    def clear(self) -> None:
        """Remove all lines and the cursor."""
        for curve in self._curves.values():
            self._plot.removeItem(curve)
        self._curves.clear()
        self._series.clear()
        self._late.clear()
        self._pacer.rest()
        self.set_cursor(None)
        self._show_legend()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme, which pyqtgraph does not by itself."""
        super().changeEvent(event)
        if is_restyle(event) and hasattr(self, "_plot"):
            self._restyle()

    def _build(self) -> None:
        if self._plot is not None:
            return
        import pyqtgraph

        from ddim_studio.gui.log_axis import LogAxis

        axes = {"left": LogAxis(orientation="left")} if self._log_y else {}
        widget = pyqtgraph.PlotWidget(axisItems=axes)
        widget.setAccessibleName(self.accessibleName())
        widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        widget.setFrameShape(widget.Shape.NoFrame)
        plot = widget.getPlotItem()
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(False, False)
        plot.setLogMode(y=self._log_y)
        plot.setLabel("bottom", self._x_label)
        plot.getViewBox().setDefaultPadding(0.03)
        plot.scene().sigMouseClicked.connect(self._clicked)
        self._cursor = pyqtgraph.InfiniteLine(angle=90, movable=False)
        self._cursor.setZValue(10)
        # The cursor must not widen the range of x.
        plot.addItem(self._cursor, ignoreBounds=True)
        for side in ("left", "bottom"):
            plot.getAxis(side).setCacheMode(_CACHED)
        self._plot = plot
        self._column.replaceWidget(self._empty, widget)
        self._empty.deleteLater()
        self.set_cursor(self._cursor_x)
        self._restyle()

    def _clicked(self, event: Any) -> None:  # noqa: ANN401 — pyqtgraph has no types
        box = self._plot.getViewBox()
        if event.button() == Qt.MouseButton.LeftButton and self._series:
            self.clicked.emit(float(box.mapSceneToView(event.scenePos()).x()))

    def _redraw(self) -> None:
        for name in self._series:
            self._draw(name)

    def _draw(self, name: str) -> None:
        import pyqtgraph

        values, dashed = self._series[name]
        if name not in self._curves:
            self._curves[name] = pyqtgraph.PlotDataItem(connect="finite")
            self._curves[name].setLogMode(False, self._log_y)
            self._curves[name].curve.setCacheMode(_CACHED)
            self._plot.addItem(self._curves[name])
            self._style_curve(name, dashed)
        curve = self._curves[name]
        if not np.isfinite(values).any():
            curve.setData([], [])
            return
        x = np.arange(len(values), dtype=np.float64) if self._x is None else self._x
        # Antialiased long lines take tens of milliseconds to paint.
        curve.opts["antialias"] = len(values) <= _SMOOTH_POINTS
        curve.setData(x[: len(values)], values)

    def _color(self, name: str) -> str:
        series = current_colors().series
        return series[list(self._series).index(name) % len(series)]

    def _style_curve(self, name: str, dashed: bool) -> None:
        import pyqtgraph

        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        self._curves[name].setPen(pyqtgraph.mkPen(self._color(name), width=1, style=style))

    def _restyle(self) -> None:
        self._show_legend()
        if self._plot is None:
            return
        import pyqtgraph

        now = current_colors()
        self._plot.getViewWidget().setBackground(QColor(now.surface))
        small = sized_font(self.font(), 0.85)
        for side in ("left", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setPen(pyqtgraph.mkPen(now.border))
            axis.setTextPen(pyqtgraph.mkPen(now.muted))
            axis.setTickFont(small)
            axis.setStyle(tickLength=-4, tickTextOffset=4, maxTickLevel=1)
        bottom = self._plot.getAxis("bottom")
        bottom.label.setFont(small)
        # Fixed sizes keep the plots of a column aligned with each other.
        bottom.setHeight(round(_AXIS_LINES * QFontMetricsF(small).height()))
        self._plot.getAxis("left").setWidth(
            round(QFontMetricsF(small).horizontalAdvance("0.00000"))
        )
        self._plot.showGrid(x=False, y=True, alpha=0.35)
        self._cursor.setPen(pyqtgraph.mkPen(now.accent_ink, width=1))
        for name, (_values, dashed) in self._series.items():
            if name in self._curves:
                self._style_curve(name, dashed)

    def _show_legend(self) -> None:
        entries = [
            f'<span style="color:{self._color(name)}">{"╌╌" if dashed else "━"}</span>'
            f"&nbsp;{name.replace(' ', '&nbsp;')}"
            for name, (_values, dashed) in self._series.items()
        ]
        self._legend.setText("&nbsp;&nbsp; ".join(entries) if len(entries) > 1 else "")
