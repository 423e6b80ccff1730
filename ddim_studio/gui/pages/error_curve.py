"""The error of reconstruction against S, for every method, beside the paper's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ddim_studio.gui.cards import NumberTable, carded
from ddim_studio.gui.curve_plot import CurvePlot
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.words import short_error

if TYPE_CHECKING:
    from ddim_studio.jobs.inversion_events import ErrorCurve

PAPER = {10: 0.014, 20: 0.0065, 50: 0.0023, 100: 0.0009, 200: 0.0004, 500: 0.0001, 1000: 0.0001}
"""Table 2 of the DDIM paper: CIFAR-10 test set, mean square error on pixels from 0 to 1."""
STEPS = tuple(PAPER)
METHODS = ("exact", "source", "target")
_COLUMNS = {
    "exact": "Exact inversion: the mean square error over the images",
    "source": "Naïve inversion at the source time",
    "target": "Naïve inversion at the target time",
    "paper": "Table 2 of the DDIM paper: CIFAR-10 with its own network, naïve at the source time",
}
_NOTE = (
    "Mean square error on pixels from 0 to 1, encoding and decoding with the same S. "
    "Dashed: Table 2 of the paper (CIFAR-10, another network, so compare the slope)."
)
_EMPTY = "Press “Error / S” to measure the images above with every method."
_PLOT_HEIGHT = 230


class ErrorCurvePane(QWidget):
    """A plot and a table that fill as points arrive."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: dict[tuple[str, int], ErrorCurve] = {}
        self.plot = CurvePlot("MSE", _NOTE)
        self.plot.set_places([str(steps) for steps in STEPS], "S")
        self.plot.setFixedHeight(_PLOT_HEIGHT)
        rows = {str(s): (str(s), f"S = {s}: τ has {s} timesteps") for s in STEPS}
        self.table = NumberTable(rows, _COLUMNS)
        self._note = Remark(hides=False)
        self._missed = Remark()
        self._missed.setObjectName("curveRemark")
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE, 2 * SPACE, SPACE)
        column.setSpacing(SPACE + 4)
        column.addWidget(carded(self.plot, self._note))
        column.addWidget(carded(self.table, self._missed))
        column.addStretch(1)
        self.clear()

    def clear(self) -> None:
        """Nothing measured yet: only the paper."""
        self._points.clear()
        self._note.say(_EMPTY)
        self._missed.say("")
        self._draw()

    def add(self, point: ErrorCurve) -> None:
        """One more point."""
        self._points[point.method, point.steps] = point
        self._note.say(_NOTE)
        missed = sum(p.unconverged for p in self._points.values())
        self._missed.say(
            f"{missed} steps of images did not converge; their points are in this colour."
            if missed
            else "",
            "warning",
        )
        self._draw()

    def _draw(self) -> None:
        self.plot.clear()
        for method in METHODS:
            values = [self._mse(method, s) for s in STEPS]
            if any(math.isfinite(value) for value in values):
                self.plot.set_series(method, values)
        for steps in STEPS:
            points = [self._points.get((method, steps)) for method in METHODS]
            self.table.set_row(
                str(steps),
                [*("–" if p is None else short_error(p.mse) for p in points), _paper(steps)],
                ["warning" if p is not None and p.unconverged else "text" for p in points]
                + ["muted"],
            )
        if self._points:
            self.plot.set_series("paper", [PAPER[s] for s in STEPS], dashed=True)

    def _mse(self, method: str, steps: int) -> float:
        point = self._points.get((method, steps))
        return math.nan if point is None else point.mse


def _paper(steps: int) -> str:
    return short_error(PAPER[steps])
