"""A metric along one axis of the matrix, with a line for each value of the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ddim_studio.gui.compare_words import METRIC_NAMES, METRIC_TIPS
from ddim_studio.gui.comparison_record import labels
from ddim_studio.gui.curve_plot import CurvePlot
from ddim_studio.jobs.axes import SYMBOLS, written
from ddim_studio.jobs.matrix import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddim_studio.gui.comparison_record import ComparisonRecord
    from ddim_studio.jobs.matrix import Axis

MOST_LINES = 8
SOLID_LINES = 4
TICK_LETTERS = 28
"""How many letters there is room for below the plot."""
_HEIGHT = 176
_TIP = (
    "The mean over the images of a cell, measured against the reference.\n"
    "A click selects the cell there, in the row or column of the selected one."
)
_LOGARITHMIC = "mse"


class ComparePlot(QWidget):
    """The lines, on a logarithmic scale for errors and a plain one for everything else.

    Signals:
        place_chosen: The `Place` that a click meant.
    """

    place_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record: ComparisonRecord | None = None
        self._selected = Place(0, 0)
        self._plots = (
            CurvePlot("", _TIP, log_y=False),
            CurvePlot("", _TIP, log_y=True),
        )
        # By plot: what its lines are of, and the values of each.
        self._drawn: dict[CurvePlot, tuple[object, dict[str, str]]] = {
            plot: (None, {}) for plot in self._plots
        }
        self._stack = QStackedWidget()
        for plot in self._plots:
            plot.clicked.connect(self._clicked)
            self._stack.addWidget(plot)
        self._stack.setFixedHeight(_HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)

    def slow_parts(self) -> list[Callable[[], None]]:
        """What builds the plots."""
        return [plot.prepare for plot in self._plots]

    def plot(self) -> CurvePlot:
        """The plot on show."""
        return self._plots[self._stack.currentIndex()]

    def show_record(self, record: ComparisonRecord | None, metric: str, selected: Place) -> None:
        """Draw the scores of a matrix, or nothing; what is drawn already stays.

        Args:
            record: The matrix.
            metric: Which metric.
            selected: The cell that the cursor is at; its line is always among those drawn.
        """
        self._record, self._selected = record, selected
        self._stack.setCurrentIndex(int(metric == _LOGARITHMIC))
        plot = self.plot()
        plot.setAccessibleName(f"Plot: {METRIC_NAMES[metric]}. {METRIC_TIPS[metric]}")
        if record is None:
            self._begin(plot, None)
            return
        along, other = self._axes(record)
        lines = self._lines(len(other.values))
        if self._drawn[plot][0] != (record, lines):
            self._begin(plot, (record, lines))
            symbol = SYMBOLS.get(along.field, along.field)
            plot.set_places(_tick_names(along), symbol)
        plot.set_cursor(selected.column if self._along_columns(record) else selected.row)
        names, drawn = labels(other), self._drawn[plot][1]
        for number, line in enumerate(lines):
            places = [self._place(record, line, index) for index in range(len(along.values))]
            values = tuple(_value(record, place, metric) for place in places)
            if drawn.get(names[line]) != repr(values):
                drawn[names[line]] = repr(values)  # NaN, a gap, is not equal to itself
                plot.set_series(names[line], values, dashed=number >= SOLID_LINES)

    def _begin(self, plot: CurvePlot, key: object) -> None:
        """Empty a plot for other lines."""
        plot.clear()
        self._drawn[plot] = (key, {})

    def _lines(self, count: int) -> list[int]:
        """Which values of the other axis have a line: all, or the first and the selected one."""
        if count <= MOST_LINES or self._record is None:
            return list(range(count))
        at = self._selected.row if self._along_columns(self._record) else self._selected.column
        return sorted({*range(MOST_LINES - 1), at})

    @staticmethod
    def _along_columns(record: ComparisonRecord) -> bool:
        rows, columns = record.run.rows, record.run.columns
        if len(columns.values) == 1 and len(rows.values) > 1:
            return False
        return rows.field != "steps"

    def _axes(self, record: ComparisonRecord) -> tuple[Axis, Axis]:
        rows, columns = record.run.rows, record.run.columns
        return (columns, rows) if self._along_columns(record) else (rows, columns)

    def _place(self, record: ComparisonRecord, line: int, index: int) -> Place:
        return Place(line, index) if self._along_columns(record) else Place(index, line)

    def _clicked(self, x: float) -> None:
        if self._record is None:
            return
        along, _ = self._axes(self._record)
        index = max(0, min(len(along.values) - 1, round(x)))
        line = self._selected.row if self._along_columns(self._record) else self._selected.column
        self.place_chosen.emit(self._place(self._record, line, index))


def _tick_names(axis: Axis) -> list[str]:
    """The values of an axis, short enough to stand beside each other."""
    names = labels(axis) if axis.field == "model" else [written(value) for value in axis.values]
    longest = max(2, TICK_LETTERS // len(names))
    return [name if len(name) <= longest else f"{name[: longest - 1]}…" for name in names]


def _value(record: ComparisonRecord, place: Place, metric: str) -> float:
    """The mean of a cell; not finite where the plot has a gap."""
    score = record.scores.get(place)
    value = math.nan if score is None else score.mean(metric)
    return value if math.isfinite(value) else math.nan
