"""The right column of the Sample page: the numbers of the frame, and plots along the trajectory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ddim_studio.gui.cards import NumberTable, carded
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.plots import LinePlot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.jobs.events import Started, StepNumbers

_ROWS = {
    "step": ("Step", "From timestep t to timestep s; −1 is the clean image."),
    "alpha": (
        "ᾱ<sub>t</sub> → ᾱ<sub>s</sub>",
        "The share of the image's variance left at t and at s (1 = clean).",
    ),
    "snr": ("SNR at s", "Signal-to-noise ratio ᾱ_s / (1 − ᾱ_s)."),
    "sigma": ("σ", "How much new noise this step adds; 0 for DDIM (η = 0)."),
    "norm": (
        "‖x<sub>s</sub>‖/√d",
        "Root mean square of the selected image's state; about 1 for pure noise.",
    ),
    "change": (
        "<b>Δx̂₀</b>",
        "Root mean square change of the selected image's prediction since the last step.",
    ),
}
NAN = math.nan


class SampleReadout(QWidget):
    """Numbers and plots of a run, with a cursor at the frame shown.

    Signals:
        frame_chosen: Number of the frame that a click into a plot meant.
    """

    frame_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = 0
        self._numbers: Sequence[StepNumbers] = ()
        self._means: list[tuple[float, float]] = []  # of the norms and changes of each frame
        self.table = NumberTable(_ROWS)
        self.schedule_plot = LinePlot(
            "Schedule along τ", "", "ᾱ: the share of the image left. σ: the noise added by a step."
        )
        self.norm_plot = LinePlot(
            "Norm ‖xₜ‖/√d", "", "Root mean square of the state: the selected image, and the mean."
        )
        self.change_plot = LinePlot(
            "Change of x̂₀", "", "How much each step changed the predicted image.", log_y=True
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 2 * SPACE, 2 * SPACE, 0)
        column.setSpacing(SPACE + 4)
        column.addWidget(carded(self.table))
        for plot in self._plots():
            plot.clicked.connect(lambda x: self.frame_chosen.emit(round(x)))
            column.addWidget(carded(plot), 1)

    def _plots(self) -> tuple[LinePlot, ...]:
        return self.schedule_plot, self.norm_plot, self.change_plot

    def slow_parts(self) -> list[Callable[[], None]]:
        """What builds the plots."""
        return [plot.prepare for plot in self._plots()]

    def begin(self, started: Started) -> None:
        """A run begins: τ and S are known."""
        frames = range(len(started.timesteps) + 1)
        for plot in self._plots():
            plot.clear()
            plot.set_x([float(frame) for frame in frames], "frame")

    def set_numbers(self, numbers: Sequence[StepNumbers], image: int) -> None:
        """Draw the lines of a run.

        Args:
            numbers: Of every frame so far.
            image: Which image is selected.
        """
        if numbers is not self._numbers or len(self._means) > len(numbers):
            self._means = []
        for n in numbers[len(self._means) :]:  # those before have not changed
            self._means.append((_mean(n.norm), _mean(n.change)))
        self._numbers, self._image = numbers, image
        self.schedule_plot.set_series("ᾱ", [n.alpha_bar_s for n in numbers])
        self.schedule_plot.set_series("σ", [NAN if n.t is None else n.sigma for n in numbers])
        self.norm_plot.set_series("this", [_of(n.norm, image) for n in numbers])
        self.norm_plot.set_series("mean", [norm for norm, _ in self._means], dashed=True)
        self.change_plot.set_series("this", [_of(n.change, image) for n in numbers])
        self.change_plot.set_series("mean", [change for _, change in self._means], dashed=True)

    def show_frame(self, index: int) -> None:
        """Move the cursors and show the numbers of a frame."""
        for plot in self._plots():
            plot.set_cursor(index)
        n = self._numbers[index]
        start = n.t is None
        snr = n.alpha_bar_s / (1 - n.alpha_bar_s) if n.alpha_bar_s < 1 else math.inf
        texts = {
            "step": f"start at t = {n.s}" if start else f"{n.t} → {n.s}",
            "alpha": _short(n.alpha_bar_s)
            if start
            else f"{_short(n.alpha_bar_t)} → {_short(n.alpha_bar_s)}",
            "snr": "∞" if math.isinf(snr) else _short(snr),
            "sigma": "–" if start else _short(n.sigma),
            "norm": _short(_of(n.norm, self._image)),
            "change": _short(_of(n.change, self._image)),
        }
        for key, text in texts.items():
            self.table.set_row(key, [text])

    def finish(self) -> None:
        """The run is over: nothing of it waits to be drawn."""
        for plot in self._plots():
            plot.catch_up()

    def clear(self) -> None:
        """No run."""
        self._numbers = ()
        for plot in self._plots():
            plot.clear()
        self.table.clear()


def _of(values: Sequence[float], image: int) -> float:
    return values[image] if image < len(values) else NAN


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else NAN


def _short(number: float) -> str:
    return "–" if math.isnan(number) else f"{number:.4g}"
