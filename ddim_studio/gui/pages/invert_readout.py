"""The right column of the Invert page: how good, how hard, and what x_T is like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from ddim_studio.gui.cards import NumberTable, card_column, carded
from ddim_studio.gui.pages.error_curve import ErrorCurvePane
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.plots import LinePlot
from ddim_studio.gui.words import decibels, small_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.gui.remark import Tone
    from ddim_studio.jobs.inversion_events import EncodeStep, Inverted, LatentReport

_QUALITY = {
    "mse": ("MSE", "Mean square error of the reconstruction, on pixels from 0 to 1."),
    "psnr": ("PSNR", "Peak signal-to-noise ratio, −10 log₁₀ MSE, in decibels."),
    "ssim": ("SSIM", "Structural similarity to the original, 1 for equal pictures."),
    "calls": ("encoding", "Network calls of encoding this image: in all, and a step."),
    "decode": ("decoding", "Network calls of decoding it again."),
    "residual": (
        "largest residual",
        "Root mean square by which the step solved worst misses its equation.",
    ),
    "missed": ("unconverged", "Steps whose residual stayed above the tolerance."),
}
_MOMENTS = {
    "mean": ("mean", "Of the values of x_T; 0 for noise."),
    "variance": ("variance", "1 for noise."),
    "skewness": ("skewness", "Asymmetry; 0 for noise."),
    "kurtosis": ("excess kurtosis", "Heaviness of the tails; 0 for noise."),
    "norm": ("‖x<sub>T</sub>‖/√d", "Root mean square; 1 for noise."),
    "neighbour_correlation": (
        "neighbours",
        "Correlation of horizontally and vertically adjacent values; 0 for noise.",
    ),
}
_NORMAL = "N(0, 1)"
_PLOT_HEIGHT = 168


class InvertReadout(QWidget):
    """Three tabs: the result of the selected image, its x_T, and the error against S."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quality = NumberTable(_QUALITY)
        self.missed = Remark()
        self.missed.setObjectName("missedSteps")
        self.residuals = LinePlot(
            "Residual per step", "", "How far each step of encoding misses its equation.", True
        )
        self.calls = LinePlot("Calls per step", "", "Network calls that each step took.")
        self.moments = NumberTable(_MOMENTS)
        self.reading = Remark(hides=False)
        self.reading.setObjectName("reading")
        self.histogram = LinePlot("Histogram", "", "Density of the values of x_T beside N(0, 1).")
        self.quantiles = LinePlot(
            "Q–Q", "", "Quantiles of x_T over those of N(0, 1): noise lies on the dashed line."
        )
        self.correlation = LinePlot(
            "Autocorrelation",
            "",
            "Correlation of values so many pixels apart: 0 beyond lag 0 for noise.",
        )
        self.curve = ErrorCurvePane()
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Numbers and plots")
        self.tabs.addTab(card_column(self._result_cards()), "Result")
        self.tabs.addTab(card_column(self._latent_cards()), "Noise x_T")
        self.tabs.addTab(card_column([self.curve], margins=False), "Error / S")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE, 0, 0)
        column.addWidget(self.tabs)
        self.clear()

    def slow_parts(self) -> list[Callable[[], None]]:
        """What builds the plots."""
        return [plot.prepare for plot in (*self._plots(), self.curve.plot)]

    def show_encoding(self, steps: Sequence[EncodeStep], place: int) -> None:
        """While encoding: residuals and calls so far of one image.

        Args:
            steps: So far.
            place: Which of their images.
        """
        self._draw_steps(
            [step.residuals[place] for step in steps], [step.calls[place] for step in steps]
        )

    def show_result(self, result: Inverted, index: int) -> None:
        """Numbers and plots of one image."""
        quality, calls = result.quality[index], result.calls[:, index]
        worst = result.residuals[:, index]
        missed = np.flatnonzero(~result.converged[:, index])
        encoding = f"{calls.sum()} · {calls.mean():.1f} a step" if calls.size else "–"
        rows = {
            "mse": small_number(quality.mse),
            "psnr": f"{decibels(quality.psnr)} dB",
            "ssim": f"{quality.ssim:.5f}",
            "calls": encoding,
            "decode": str(result.decode_calls),
            "residual": small_number(float(np.nanmax(worst))) if np.isfinite(worst).any() else "–",
        }
        for key, text in rows.items():
            self.quality.set_row(key, [text])
        measured = bool(np.isfinite(worst).any())  # naïve steps measure no residual
        words = f"{len(missed)} of {len(result.converged)} steps" if measured else "–"
        tone: Tone = "warning" if len(missed) else "good" if measured else "text"
        self.quality.set_row("missed", [words], [tone])
        self.missed.say(_missed_words(result, missed.tolist()), "warning")
        self._draw_steps(worst.tolist(), calls.tolist())
        self._show_report(result.reports[index])

    def clear(self) -> None:
        """No result; the error against S stays."""
        self.quality.clear()
        self.moments.clear()
        self.missed.say("")
        self.reading.say("After inversion, this says how far x_T is from pure noise, and why.")
        for plot in self._plots():
            plot.clear()

    def _plots(self) -> tuple[LinePlot, ...]:
        return self.residuals, self.calls, self.histogram, self.quantiles, self.correlation

    def _draw_steps(self, residuals: list[float], calls: list[int]) -> None:
        steps = [float(step) for step in range(1, len(calls) + 1)]
        for plot, name, values in (
            (self.residuals, "residual", residuals),
            (self.calls, "calls", [float(number) for number in calls]),
        ):
            plot.clear()
            plot.set_x(steps, "step, from the image to x_T")
            plot.set_series(name, values)

    def _show_report(self, report: LatentReport) -> None:
        for key in _MOMENTS:
            self.moments.set_row(key, [f"{getattr(report, key):+.3f}"])
        self.reading.say(report.reading, "text")
        edges = report.histogram_edges
        centres = (edges[1:] + edges[:-1]) / 2
        self.histogram.clear()
        self.histogram.set_x(centres, "value")
        self.histogram.set_series("x_T", report.histogram)
        normal = np.exp(-(centres**2) / 2) / np.sqrt(2 * np.pi)
        self.histogram.set_series(_NORMAL, normal, dashed=True)
        self.quantiles.clear()
        self.quantiles.set_x(report.quantiles_normal, f"quantile of {_NORMAL}")
        self.quantiles.set_series("x_T", report.quantiles)
        self.quantiles.set_series(_NORMAL, report.quantiles_normal, dashed=True)
        lags = np.arange(len(report.autocorrelation), dtype=np.float64)
        self.correlation.clear()
        self.correlation.set_x(lags, "lag in pixels")
        self.correlation.set_series("x_T", report.autocorrelation)
        self.correlation.set_series("noise", (lags == 0).astype(np.float64), dashed=True)

    def _result_cards(self) -> list[QWidget]:
        for plot in self._plots():
            plot.setMinimumHeight(_PLOT_HEIGHT)
            plot.setMaximumHeight(_PLOT_HEIGHT)
        return [carded(self.quality, self.missed), carded(self.residuals), carded(self.calls)]

    def _latent_cards(self) -> list[QWidget]:
        return [
            carded(self.reading, title="Reading"),
            carded(self.moments, title="x_T against N(0, I)"),
            carded(self.histogram),
            carded(self.quantiles),
            carded(self.correlation),
        ]


def _missed_words(result: Inverted, missed: list[int]) -> str:
    """Which steps did not converge, and by how much, in a sentence; empty if none."""
    if not missed:
        return ""
    times = (-1, *result.timesteps)
    places = ", ".join(f"{times[k]} → {times[k + 1]}" for k in missed[:4])
    more = " and others" if len(missed) > 4 else ""
    return (
        f"No solution within reach at t = {places}{more}. A real image need not lie where so long "
        "a step can lead back from: take more steps, and quadratic spacing if it is not on."
    )
