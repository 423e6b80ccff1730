"""The right column of the Forward page: numbers at t, schedules, reverse kernels, the bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from ddim_studio.diffusion.posterior import signal_to_noise
from ddim_studio.gui import forward_words as words
from ddim_studio.gui.cards import NumberTable, card_column, carded
from ddim_studio.gui.forward_curves import (
    FAMILY_ETAS,
    WEIGHT_ETAS,
    beta_curves,
    coefficient_curves,
    family_curves,
    log_snr,
    weight_curves,
)
from ddim_studio.gui.pages.forward_bound import BoundPane
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.plots import LinePlot
from ddim_studio.gui.words import small_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddim_studio.gui.forward_record import ForwardRecord

_ROWS = {
    "t": ("t", "Timestep, of 0 … T − 1."),
    "alpha": ("ᾱ<sub>t</sub>", "Share of the variance that is still image."),
    "beta": ("β<sub>t</sub>", "Variance that step t adds; it keeps α_t = 1 − β_t."),
    "snr": ("SNR", "ᾱ/(1 − ᾱ): how much stronger the image is than the noise."),
    "log_snr": ("log SNR", "Natural logarithm of the SNR: 0 where both are equally strong."),
    "closed": ("Var, closed form", "Variance of the pixels of x_t by the closed form."),
    "chain": ("Var, chain", "The same by the chain: other noise, same law."),
    "expected": ("Var, expected", "ᾱ Var(x_0) + 1 − ᾱ."),
    "merge": (
        "chain − merged",
        "Largest difference of a pixel between the chain's x_t and the closed form with the "
        "chain's noises merged into ε̃: rounding of float64, no more.",
    ),
    "x0": ("MSE, predicted x<sub>0</sub>", "Of one-step denoising, on pixels from 0 to 1."),
    "epsilon": ("(ε − ε<sub>θ</sub>)²", "The simple loss at t, for this image and this noise."),
}
_TABS = {
    "At t": "The numbers at the timestep on show, and how variance and errors go over t",
    "SNR": "The noise schedule: ᾱ, SNR and log-SNR of the model beside the common schedules",
    "Reverse": "The family of reverse kernels, and why DDIM needs no retraining",
    "Bound": "The variational bound over a set of images, term by term",
}
_HEIGHT = 168
_MOST_SNR = 10.0


class TimePlot(LinePlot):
    """A plot whose title is that of its card, so that its legend has a row of its own."""

    def __init__(self, title: str, tooltip: str, log_y: bool = False) -> None:
        super().__init__("", "", tooltip, log_y)
        self.title = title
        self.setAccessibleName(f"Plot: {title}")
        self._legend.setWordWrap(True)


class ForwardReadout(QWidget):
    """Four tabs.

    Signals:
        time_chosen: The timestep that a click into a plot meant.
    """

    time_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record: ForwardRecord | None = None
        self._drawn: Mapping[str, tuple[float, ...]] | None = None
        self.table = NumberTable(_ROWS)
        self.variance = TimePlot("Variance kept", "Variance of the pixels of x_t over t.")
        self.errors = TimePlot(
            "One-step denoising", "Errors of x̂_0 and of ε_θ over t, for this image.", True
        )
        self.alpha = TimePlot("ᾱ", "Share of the variance that is image, over t.")
        self.snr = TimePlot("SNR, up to 10", "ᾱ/(1 − ᾱ) over t; larger values are left out.")
        self.log_snr = TimePlot("log-SNR", "Natural logarithm of ᾱ/(1 − ᾱ) over t.")
        self.betas = TimePlot(
            "β and β̃", "Variance of a step, and of the step back given x_0, over t.", True
        )
        self.coefficients = TimePlot("Coefficients of μ̃", "μ̃ = a x_0 + b x_t, over t.")
        self.family = TimePlot(
            "Kernels from η = 0 to 1", "Coefficients of q_σ(x_s | x_t, x_0) over η."
        )
        self.weights = TimePlot(
            "Weights γ of theorem 1", "What an error of ε costs in the bound, over t.", True
        )
        self._readings = {plot: Remark(hides=False) for plot in self._plots()}
        self.why = Remark(hides=False)
        self.why.setObjectName("noRetraining")
        self.why.say(words.NO_RETRAINING, "text")
        self.bound = BoundPane()
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Numbers and plots")
        for title, cards in (
            ("At t", [carded(self.table), *self._cards(self.variance, self.errors)]),
            ("SNR", self._cards(self.alpha, self.snr, self.log_snr)),
            ("Reverse", self._reverse_cards()),
            ("Bound", [self.bound]),
        ):
            self.tabs.addTab(card_column(cards, margins=cards != [self.bound]), title)
            self.tabs.setTabToolTip(self.tabs.count() - 1, _TABS[title])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE, 0, 0)
        column.addWidget(self.tabs)
        self._connect()
        self.show_record(None)

    def slow_parts(self) -> list[Callable[[], None]]:
        """What builds the plots."""
        return [plot.prepare for plot in (*self._plots(), *self.bound.plots())]

    def reading(self, plot: TimePlot) -> str:
        """What is said under a plot."""
        return self._readings[plot].said()

    def show_record(self, record: ForwardRecord | None) -> None:
        """Another forward process is on show, or none; the curves of its schedule stay."""
        self._record = record
        self.table.clear()
        self.variance.clear()
        self.errors.clear()
        self._readings[self.variance].say("After Add noise: the variance of x_t over t.")
        self._readings[self.errors].say("After Add noise: how well the network sees the noise.")
        for plot in self._plots():
            plot.set_cursor(None)

    def announce(self) -> None:
        """The schedules are known: draw what depends on nothing else."""
        if self._record is None or self._record.started is None:
            return
        found = self._record.started.schedules
        times = np.arange(len(found["model"]), dtype=np.float64)
        for plot in (self.variance, self.errors):
            plot.set_x(np.array(self._record.started.timesteps, np.float64), "t")
        if found is self._drawn:
            return
        self._drawn = found
        for plot in self._over_time():
            plot.clear()
            plot.set_x(times, "t")
        for name, alpha_bars in found.items():
            self._draw_schedule(name, np.array(alpha_bars))
        self._draw_reverse(np.array(found["model"]))
        self._readings[self.alpha].say(words.schedule_words(found))
        self._readings[self.snr].say(words.snr_words(found["model"]))
        self._readings[self.log_snr].say(words.log_snr_words(found["model"]))
        self._readings[self.betas].say(words.posterior_words())
        self._readings[self.coefficients].say(words.coefficient_words())
        self._readings[self.weights].say(words.weight_words())

    def refresh(self) -> None:
        """There are more frames."""
        record = self._record
        if record is None:
            return
        numbers = [n for n in record.numbers if n is not None]
        if not numbers:
            return
        self.variance.set_series("chain", [n.variance_chain for n in numbers])
        self.variance.set_series("expected", [n.variance_expected for n in numbers], dashed=True)
        self.variance.set_series("scaled to 1", [n.variance_scaled for n in numbers])
        self.errors.set_series("predicted image", [n.x0_error for n in numbers])
        self.errors.set_series("noise", [n.epsilon_error for n in numbers])
        self._readings[self.variance].say(words.variance_words(numbers[0].variance_expected))
        self._readings[self.errors].say(words.denoising_words())

    def show_frame(self, index: int) -> None:
        """Numbers and cursors at a frame."""
        record = self._record
        if record is None or record.started is None:
            return
        t, s = record.times[index], record.before(index)
        alpha_bar = record.alpha_bar(t)
        snr = signal_to_noise(alpha_bar)
        rows = {
            "t": f"{t} of {len(record.started.schedules['model'])}" if t >= 0 else "x₀",
            "alpha": f"{alpha_bar:.6g}",
            "beta": f"{1 - alpha_bar / record.alpha_bar(t - 1):.4g}" if t >= 0 else "–",
            "snr": small_number(snr),
            "log_snr": f"{log_snr(alpha_bar):+.3f}".replace("inf", "∞"),
            **_measured(record, index),
        }
        for key, text in rows.items():
            self.table.set_row(key, [text])
        for plot in (*self._over_time(), self.variance, self.errors):
            plot.set_cursor(None if t < 0 else t)
        if t >= 0:
            self._draw_family(t, s)

    # --- inside ------------------------------------------------------------------------------

    def _draw_schedule(self, name: str, alpha_bars: np.ndarray) -> None:
        own = name != "model"
        snr = np.array([signal_to_noise(value) for value in alpha_bars])
        self.alpha.set_series(name, alpha_bars, dashed=own)
        self.snr.set_series(name, np.where(snr <= _MOST_SNR, snr, np.nan), dashed=own)
        logs = np.array([log_snr(value) for value in alpha_bars])
        self.log_snr.set_series(name, np.where(np.isfinite(logs), logs, np.nan), dashed=own)

    def _draw_reverse(self, alpha_bars: np.ndarray) -> None:
        beta, posterior = beta_curves(alpha_bars)
        self.betas.set_series("β", beta)
        self.betas.set_series("β̃", posterior)
        of_x0, of_xt = coefficient_curves(alpha_bars)
        self.coefficients.set_series("of x₀", of_x0)
        self.coefficients.set_series("of xₜ", of_xt)
        for eta in WEIGHT_ETAS:
            self.weights.set_series(f"η = {eta:g}", weight_curves(alpha_bars, eta))

    def _draw_family(self, t: int, s: int) -> None:
        if self._record is None:
            return
        now, goal = self._record.alpha_bar(t), self._record.alpha_bar(s)
        sigma, direction = family_curves(now, goal)
        self.family.set_x(np.array(FAMILY_ETAS), "η")
        self.family.set_series("σ", sigma)
        self.family.set_series("direction", direction)
        self.family.set_series("√(1−ᾱₛ)", np.hypot(sigma, direction), dashed=True)
        self.family.set_cursor(self._record.order.run.eta)
        self._readings[self.family].say(words.family_words(t, s, float(sigma[-1])))

    def _plots(self) -> tuple[TimePlot, ...]:
        return (self.variance, self.errors, *self._over_time(), self.family)

    def _over_time(self) -> tuple[TimePlot, ...]:
        schedule = (self.alpha, self.snr, self.log_snr)
        return (*schedule, self.betas, self.coefficients, self.weights)

    def _cards(self, *plots: TimePlot) -> list[QWidget]:
        return [carded(plot, self._readings[plot], title=plot.title) for plot in plots]

    def _reverse_cards(self) -> list[QWidget]:
        why = carded(self.why, title="Why DDIM needs no retraining")
        rest = self._cards(self.weights, self.betas, self.coefficients)
        return [*self._cards(self.family), why, *rest]

    def _connect(self) -> None:
        for plot in self._plots():
            plot.setMinimumHeight(_HEIGHT)
            plot.setMaximumHeight(_HEIGHT)
            if plot is not self.family:
                plot.clicked.connect(lambda x: self.time_chosen.emit(round(x)))


def _measured(record: ForwardRecord, index: int) -> dict[str, str]:
    numbers = record.numbers[index]
    if numbers is None:
        return dict.fromkeys(("closed", "chain", "expected", "merge", "x0", "epsilon"), "–")
    return {
        "closed": f"{numbers.variance_closed:.4f}",
        "chain": f"{numbers.variance_chain:.4f}",
        "expected": f"{numbers.variance_expected:.4f}",
        "merge": small_number(numbers.merge_error),
        "x0": small_number(numbers.x0_error),
        "epsilon": small_number(numbers.epsilon_error),
    }
