"""The right column of the Interpolate page: where α is, how good the ends are, what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ddim_studio.gui.cards import NumberTable, carded, scrolled
from ddim_studio.gui.live_path import TICKS
from ddim_studio.gui.path_numbers import (
    angle_degrees,
    path_norm,
    path_reading,
    path_weights,
)
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.plots import LinePlot
from ddim_studio.gui.words import decibels, short_error

if TYPE_CHECKING:
    from ddim_studio.gui.remark import Tone
    from ddim_studio.jobs.inversion_events import Inverted
    from ddim_studio.jobs.orders import PathKind

_LETTERS = ("A", "B", "C", "D")
_PATH_ROWS = {
    "cosine": (
        "cos θ",
        "⟨x_T of A, x_T of B⟩/(‖·‖ ‖·‖): 0 for independent noises, 1 for the same. "
        "Measured on the pictures of x_T, so to about two decimals.",
    ),
    "angle": ("θ", "The angle between x_T of A and of B, over the whole flattened image."),
    "ends": ("‖x<sub>T</sub>‖/√d", "Root mean square of x_T of A and of B; 1 for noise."),
    "norm": ("‖x<sub>T</sub>(α)‖/√d", "Root mean square of the noise on the path; 1 for noise."),
    "weights": ("weights", "How much of the direction of A and of B goes into x_T(α)."),
}
_ENDS = {letter: (letter, f"Image {letter}") for letter in _LETTERS}
_MEASURES = {
    "MSE": "Mean square error of the reconstruction, on pixels from 0 to 1",
    "dB": "Peak signal-to-noise ratio of the reconstruction: −10 log₁₀ MSE",
    "SSIM": "Structural similarity of the reconstruction, 1 for equal pictures",
    "calls": "Network calls a step that encoding took on average; decoding takes 1",
    "✗": "Steps that did not converge: exact inversion could not solve them to its tolerance",
}
_POINTS = 41
_PLOT_HEIGHT = 176


class InterpolateReadout(QWidget):
    """Numbers, a plot of the norm along the path, and a reading in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cosine = 0.0
        self._norms = (1.0, 1.0)
        self._result: Inverted | None = None
        self.path_table = NumberTable(_PATH_ROWS)
        self.end_table = NumberTable(_ENDS, _MEASURES)
        self.reading = Remark(hides=False)
        self.reading.setObjectName("reading")
        self.plot = LinePlot(
            "Norm on the path",
            "",
            "‖x_T(α)‖/√d: slerp keeps the norm of noise, the straight line loses it.",
        )
        self.plot.setMaximumHeight(_PLOT_HEIGHT)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(SPACE, 2 * SPACE, 2 * SPACE, SPACE)
        column.setSpacing(SPACE + 4)
        column.addWidget(carded(self.end_table, title="Reconstruction"))
        self._path_card = carded(self.path_table, title="Path")
        self._plot_card = carded(self.plot)
        self._reading_card = carded(self.reading, title="Reading")
        for card in (self._path_card, self._plot_card, self._reading_card):
            column.addWidget(card)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(inner))
        self.set_count(2)
        self.clear()

    def set_count(self, count: int) -> None:
        """How many ends there are: 2, or 4 for a grid."""
        self.end_table.show_rows(_LETTERS[:count])
        for card in (self._path_card, self._plot_card):
            card.setVisible(count == 2)

    def clear(self) -> None:
        """No result."""
        self._result = None
        self.path_table.clear()
        self.end_table.clear()
        self.plot.clear()
        self.reading.say(
            "After inversion, this says how far apart the noises of A and B are, and what "
            "that means for the path."
        )

    def show_result(self, result: Inverted) -> None:
        """Numbers of every end, and of the path from the first to the second."""
        self._result = result
        count = len(result.quality)
        for index, quality in enumerate(result.quality):
            missed = int((~result.converged[:, index]).sum())
            texts = [
                short_error(quality.mse),
                decibels(quality.psnr),
                f"{quality.ssim:.3f}",
                f"{result.calls[:, index].mean():.1f}",
                str(missed),
            ]
            last: Tone = "warning" if missed else "text"
            self.end_table.set_row(_LETTERS[index], texts, ["text", "text", "text", "text", last])
        if count >= 2:
            self._cosine = float(result.cosines[0, 1])
            self._norms = result.reports[0].norm, result.reports[1].norm
        self._show_path(count)

    def show_alpha(self, tick: int, path: PathKind) -> None:
        """Numbers of the point on show."""
        if self._result is None:
            return
        alpha = tick / TICKS
        norm = path_norm(alpha, self._norms, self._cosine, path)
        self.path_table.set_row("norm", [f"{norm:.3f}"])
        weights = path_weights(alpha, self._cosine, path)
        self.path_table.set_row("weights", [f"{weights[0]:.3f}, {weights[1]:.3f}"])
        self.plot.set_cursor(alpha)

    def _show_path(self, count: int) -> None:
        if count != 2:
            readings = (self._result.reports if self._result else ())[:count]
            pairs = zip(_LETTERS, readings, strict=False)
            self.reading.say(" ".join(f"{letter}: {r.reading}" for letter, r in pairs))
            return
        theta = angle_degrees(self._cosine)
        self.path_table.set_row("ends", [f"{self._norms[0]:.3f}, {self._norms[1]:.3f}"])
        self.path_table.set_row("cosine", [f"{self._cosine:+.2f}"])
        self.path_table.set_row("angle", [f"{theta:.0f}°"])
        self.reading.say(path_reading(self._cosine, self._norms))
        places = [i / (_POINTS - 1) for i in range(_POINTS)]
        self.plot.clear()
        self.plot.set_x(places, "α")
        for path in ("slerp", "lerp"):
            norms = [path_norm(alpha, self._norms, self._cosine, path) for alpha in places]
            name = "line" if path == "lerp" else path
            self.plot.set_series(name, norms, dashed=path == "lerp")
