"""The tab "Bound": the variational bound of the model over a set of images, term by term."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ddim_studio.gui.cards import NumberTable, carded
from ddim_studio.gui.curve_plot import CurvePlot
from ddim_studio.gui.forward_curves import WEIGHT_ETAS, weight_curves
from ddim_studio.gui.forward_words import bound_words, with_error
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE

if TYPE_CHECKING:
    from ddim_studio.diffusion.bound_estimate import Bound, Estimate
    from ddim_studio.jobs.forward_events import BoundMeasured

_ROWS = {
    "decoder": ("L<sub>0</sub>", "The last step, to the 256 levels of a pixel."),
    "transitions": ("Σ L<sub>t−1</sub>", "Divergences of all steps between, t = 1 … T − 1."),
    "prior": ("L<sub>T</sub>", "How far x_T is from pure noise; no network has a part in it."),
    "total": ("<b>total</b>", "The bound on −log₂ p(x_0): bits an image takes for each value."),
}
_COLUMNS = {
    "σ² = β": "The generative variance is β_t, in bits per dimension ± standard error",
    "σ² = β̃": "The generative variance is β̃_t, with β̃_0 := β̃_1",
}
_SIMPLE = {
    "simple": ("L<sub>simple</sub>", "Mean of (ε − ε_θ)² over all t and all dimensions."),
    **{
        f"eta {eta:g}": (
            f"L<sub>γ</sub>, η = {eta:g}",
            "The same errors weighted by γ_t of this member of the family, t = 1 … T − 1, in bits "
            "per dimension. At η = 1 it is Σ L_{t−1} of σ² = β̃, if nothing is clamped.",
        )
        for eta in WEIGHT_ETAS
    },
}
_EMPTY = (
    "Choose a folder, an archive or an IDX file of images at the left, best ones that the model "
    "was not trained on, and press Measure bound."
)
_TERMS_NOTE = (
    "One step's share of the bound over t: steep near the image, where a pixel's exact level is "
    "at stake, and next to nothing where x_t is mostly noise. t = 0 is L₀."
)
_SIMPLE_NOTE = (
    "The error of ε by the same t: it rises towards the image as well, but by far less. Training "
    "on it leaves the network to care for the noise levels where pictures take shape."
)
_HEIGHT = 200
MOST_NAMES = 6
NAN = math.nan


class BoundPane(QWidget):
    """Tables and two plots, which get better as images are measured."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.measured: BoundMeasured | None = None
        self.about = Remark(hides=False)
        self.about.setObjectName("boundRemark")
        self.table = NumberTable(_ROWS, _COLUMNS)
        self.table.setObjectName("boundTable")
        self.simple = NumberTable(_SIMPLE)
        self.reading = Remark()
        self.reading.setObjectName("boundReading")
        tip = "Mean over the images of L_{t−1} at the t of each stratum; t = 0 is L_0."
        self.terms = CurvePlot("", tip)
        self.losses = CurvePlot("", "Mean over the images of (ε − ε_θ)².")
        self.terms.setAccessibleName("Plot: terms of the bound by t")
        self.losses.setAccessibleName("Plot: simple loss by t")
        for plot in self.plots():
            plot.setFixedHeight(_HEIGHT)
        notes = [Remark(hides=False) for _ in self.plots()]
        notes[0].say(_TERMS_NOTE)
        notes[1].say(_SIMPLE_NOTE)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, SPACE, 2 * SPACE, SPACE)
        column.setSpacing(SPACE + 4)
        column.addWidget(carded(self.table, self.about, title="Bound, bits per dimension"))
        column.addWidget(carded(self.reading))
        column.addWidget(carded(self.terms, notes[0], title="Terms by t, bits/dim"))
        column.addWidget(carded(self.simple, title="One error, other weights"))
        column.addWidget(carded(self.losses, notes[1], title="Simple loss by t"))
        column.addStretch(1)
        self.clear()

    def plots(self) -> tuple[CurvePlot, ...]:
        """Both plots."""
        return self.terms, self.losses

    def clear(self) -> None:
        """Nothing measured yet."""
        self.measured = None
        self.table.clear()
        self.simple.clear()
        self.about.say(_EMPTY)
        self._read("")
        for plot in self.plots():
            plot.clear()

    def show_measured(self, measured: BoundMeasured) -> None:
        """Show an estimate."""
        self.measured = measured
        bound = measured.bound
        for key, pair in _terms(bound).items():
            self.table.set_row(key, [with_error(found) for found in pair])
        self.simple.set_row("simple", [with_error(bound.simple_loss())])
        for eta in WEIGHT_ETAS:
            found = bound.weighted(weight_curves(measured.alpha_bars, eta))
            self.simple.set_row(f"eta {eta:g}", [with_error(found)])
        self.about.say(_about(measured))
        self._read(bound_words(bound))
        self._draw(bound)

    def finish(self, complete: bool) -> None:
        """No more will come; say so where it is not all that was wanted."""
        if self.measured is None or complete:
            return
        bound = self.measured.bound
        if bound.images < bound.total_images:
            self.about.say(f"{_about(self.measured)} Stopped there.", "warning")

    def _read(self, text: str) -> None:
        self.reading.say(text, "text")
        card = self.reading.parentWidget()
        if card is not None and card is not self:
            card.setVisible(bool(text))

    def _draw(self, bound: Bound) -> None:
        for plot in self.plots():
            plot.clear()
            plot.set_places(_names(bound.places()), "t")
        self.terms.set_series("σ² = β", bound.curve(bound.terms["beta"])[0])
        self.terms.set_series("σ² = β̃", bound.curve(bound.terms["posterior"])[0], dashed=True)
        self.losses.set_series("(ε − ε_θ)²", bound.curve(bound.simple)[0])


def _terms(bound: Bound) -> dict[str, tuple[Estimate, Estimate]]:
    return {
        "decoder": (bound.decoder("beta"), bound.decoder("posterior")),
        "transitions": (bound.transitions("beta"), bound.transitions("posterior")),
        "prior": (bound.last(), bound.last()),
        "total": (bound.total("beta"), bound.total("posterior")),
    }


def _about(measured: BoundMeasured) -> str:
    bound = measured.bound
    clamped = "; predicted image clamped" if measured.run.clip == "clamp" else ""
    return (
        f"{bound.images} of {bound.total_images} images of {measured.source}; "
        f"{len(bound.sizes)} of {bound.T} timesteps each{clamped}."
    )


def _names(places: np.ndarray) -> list[str]:
    """The middle t of each stratum; some are left out where they are many."""
    every = math.ceil(len(places) / MOST_NAMES)
    return [f"{t:g}" if row % every == 0 else "" for row, t in enumerate(np.floor(places))]
