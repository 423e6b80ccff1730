"""The middle of the Forward page: pictures at a timestep, their equation, the strip of x̂_0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from ddim_studio.gui.forward_terms import (
    TOOLTIP,
    closed_form,
    kernel_draw,
    merging,
    one_step_denoising,
    posterior_draw,
    spoken,
)
from ddim_studio.gui.pages.view_bar import ViewBar
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.run_record import thinning
from ddim_studio.gui.strip_view import StripView
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.equation import TermEquation
from ddim_studio.gui.widgets.frame_view import FrameView
from ddim_studio.gui.widgets.timeline import Timeline
from ddim_studio.gui.words import small_number

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from ddim_studio.gui.forward_record import ForwardRecord
    from ddim_studio.gui.widgets.equation import Column
    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.forward_events import ForwardView as Name

VIEWS = {
    "pair": ("x₀ → xₜ", "x_t by the closed form and by the chain, side by side; from −1 to 1"),
    "network": (
        "x̂₀",
        "What the network makes of x_t: the noise (shown from −3 to 3) and the image",
    ),
    "posterior": ("μ̃, β̃", "One step back where x_0 is known: the posterior's mean, and a draw"),
    "kernels": ("q_σ", "Back to the timestep before on the timeline, with η = 0, yours, and 1"),
    "strip": ("Strip", "x̂_0 at every timestep: one-step denoising"),
}
_TILES: dict[str, tuple[Name, ...]] = {
    "pair": ("closed", "chain"),
    "same": ("merged", "chain"),
    "network": ("closed", "noise", "epsilon", "x0"),
    "posterior": ("closed", "mean", "draw"),
    "kernels": ("closed", "ddim", "between", "ddpm"),
}
_CAPTIONS = {
    "closed": "xₜ, closed form",
    "chain": "xₜ, chain",
    "merged": "xₜ, noises merged",
    "noise": "ε, the noise in it",
    "epsilon": "ε_θ, what is seen",
    "x0": "predicted x₀",
    "mean": "μ̃, the mean",
    "draw": "xₜ₋₁, a draw",
    "ddim": "x_s, η = 0",
    "ddpm": "x_s, η = 1",
}
_SAME_TIP = (
    "Give the closed form the chain's own noises, merged into one draw ε̃: both pictures are then "
    "the same to the last digit of float64. Otherwise ε is a draw of its own: another picture of "
    "the same distribution."
)
_STRIP_TIP = (
    "x̂_0 = what the network takes for the clean image, from x_t in one step, for every t of the "
    "timeline. Click a picture to go there."
)


class ForwardView(QWidget):
    """Shows a `ForwardRecord`. The page gives the timeline its place, which is wider than this.

    Signals:
        frame_shown: Number of the frame on show.
    """

    frame_shown = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.record: ForwardRecord | None = None
        self.bar = ViewBar(VIEWS)
        self.frames = FrameView()
        self.same = QCheckBox("Same draw")
        self.same.setObjectName("sameDrawCheck")
        self.same.setAccessibleName("Same draw")
        self.same.setToolTip(_SAME_TIP)
        self.proof = Remark(hides=False)
        self.proof.setObjectName("sameDrawRemark")
        self.equation = TermEquation("Equation at this timestep", TOOLTIP)
        self.equation.setObjectName("forwardEquation")
        self.strip = StripView()
        self.strip.setObjectName("denoisingStrip")
        self.strip.setAccessibleName("One-step denoising at every timestep")
        self.strip.setToolTip(_STRIP_TIP)
        self.timeline = Timeline()
        self._lay_out()
        self.bar.view_chosen.connect(lambda _view: self._draw())
        self.same.toggled.connect(lambda _on: self._draw())
        self.timeline.position_changed.connect(lambda _at: self._draw())
        self.strip.frame_clicked.connect(self._strip_clicked)
        self.frames.tile_selected.connect(self._tile_selected)
        self.show_record(None)

    # --- what the page sets ------------------------------------------------------------------

    def show_record(self, record: ForwardRecord | None) -> None:
        """Put a forward process on show, or none. While it grows, call `refresh`."""
        self.record = record
        self.timeline.reset()
        self.strip.set_pixels(None)
        self.strip.set_placeholder("", "The predicted image at every timestep appears here")
        if record is None:
            self.frames.set_placeholder(
                "Give an image, then press Add noise",
                "It is brought to noise in one go and step by step, and the network looks at "
                "every x_t.",
            )
        self._draw()

    def announce(self) -> None:
        """The process on show has begun."""
        if self.record is not None:
            self.timeline.set_total(self.record.total)

    def refresh(self) -> None:
        """There are new frames; show the newest if the timeline follows."""
        if self.record is None or not self.record.times:
            return
        before = self.timeline.position()
        self.timeline.set_available(len(self.record.times))
        self.timeline.set_note(thinning(self.record.frames))
        if self.record.strip:
            self.strip.set_pixels(np.stack(self.record.strip))
        if self.timeline.position() == before or self.bar.view() == "strip":
            self._draw()

    def finish(self) -> None:
        """There will be no more frames."""
        if self.record is not None:
            self.timeline.set_total(len(self.record.times))

    def go_to(self, index: int) -> None:
        """Show a frame, and stay there."""
        self.timeline.set_following(following=False)
        self.timeline.set_position(index)

    def handle_key(self, event: QKeyEvent) -> bool:
        """Arrows, Home, End and Space are the timeline's wherever the page's focus is."""
        return self.timeline.handle_key(event)

    # --- what it shows -----------------------------------------------------------------------

    def shown(self) -> Pixels | None:
        """The pictures on show, (N, H, W, C)."""
        if self.record is None or not self.record.times:
            return None
        if self.bar.view() == "strip":
            return np.stack(self.record.strip) if self.record.strip else None
        return self.pictures(self.timeline.position())

    def pictures(self, index: int) -> Pixels | None:
        """The pictures of the view on show at a frame; None where it has none of them."""
        if self.record is None:
            return None
        found = [self.record.picture(index, name) for name in _TILES[self._key()]]
        there = [pixels for pixels in found if pixels is not None]
        return np.stack(there) if len(there) == len(found) else None

    def captions(self) -> list[str]:
        """What each picture on show is."""
        if self.record is None:
            return []
        if self.bar.view() == "strip":
            return [f"t = {t}" for t in self.record.times[1:]]
        own = {"between": f"x_s, η = {self.record.order.run.eta:g}"}
        return [{**_CAPTIONS, **own}[name] for name in _TILES[self._key()]]

    def trajectory(self) -> list[Pixels]:
        """The pictures of the view on show at every kept frame that has them."""
        if self.record is None or self.bar.view() == "strip":
            return []
        found = [self.pictures(index) for index in self.record.frames.kept]
        return [pixels for pixels in found if pixels is not None]

    def _key(self) -> str:
        view = self.bar.view()
        return "same" if view == "pair" and self.same.isChecked() else view

    def _draw(self) -> None:
        record, view = self.record, self.bar.view()
        self.same.setVisible(view == "pair")
        self.strip.setVisible(view != "strip")
        pixels = self.shown()
        if record is not None and record.times and pixels is None:
            why = "This is the image itself, before any noise: go on along the timeline."
            self.frames.set_placeholder("Nothing to show here", why)
        self.frames.set_captions(self.captions() if pixels is not None else [])
        self.frames.set_pixels(pixels)
        index = self.timeline.position()
        known = record is not None and index < len(record.times)
        terms = self._terms(index) if known else []
        self.equation.set_columns(terms, spoken(terms))
        self.proof.say(self._words(index) if known else "", "text")
        self.timeline.set_caption(self._caption(index) if known else "")
        if index > 0 and known:
            self.strip.set_selected(index - 1)
            if view == "strip":
                self.frames.set_selected(index - 1)
        if known:
            self.frame_shown.emit(index)

    def _terms(self, index: int) -> list[Column]:
        record = self.record
        if record is None or index == 0:
            return []
        t, s = record.times[index], record.before(index)
        alpha_bar, numbers = record.alpha_bar(t), record.numbers[index]
        key = self._key()
        if key == "same" and numbers is not None:
            return merging(t, numbers)
        if key in ("network", "strip"):
            return one_step_denoising(alpha_bar)
        if key == "posterior":
            return posterior_draw(t, alpha_bar, record.alpha_bar(t - 1))
        if key == "kernels":
            return kernel_draw(t, s, alpha_bar, record.alpha_bar(s), record.order.run.eta)
        return closed_form(t, alpha_bar)

    def _words(self, index: int) -> str:
        numbers = None if self.record is None else self.record.numbers[index]
        key = self._key()
        if numbers is None:
            return "This is x₀: no noise yet." if key in ("pair", "same") else ""
        if key == "same":
            error = small_number(numbers.merge_error)
            return f"The noises merged: largest difference {error}. (Numbers: the middle pixel.)"
        return {
            "pair": "Two draws of one distribution: the pixels differ, the law does not.",
            "network": f"The predicted image is off by MSE {small_number(numbers.x0_error)}, "
            f"the predicted noise by {small_number(numbers.epsilon_error)}.",
            "posterior": "Given x₀, one step back is a normal law: mean μ̃, variance β̃.",
            "kernels": "All three have the same marginal q(x_s | x₀); only η = 0 draws nothing.",
        }.get(key, "")

    def _caption(self, index: int) -> str:
        if self.record is None or index == 0:
            return "x₀, the image"
        t = self.record.times[index]
        share = 100 * self.record.alpha_bar(t)
        return f"t = {t}: ᾱ = {share:.3g} % of the variance is image"

    # --- what the user does ------------------------------------------------------------------

    def _strip_clicked(self, tile: int) -> None:
        self.go_to(tile + 1)

    def _tile_selected(self, tile: int) -> None:
        if self.bar.view() == "strip" and tile + 1 != self.timeline.position():
            self.go_to(tile + 1)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(self.same)
        row.addWidget(self.proof, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 2 * SPACE, SPACE, SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self.bar)
        column.addWidget(self.frames, 1)
        column.addLayout(row)
        column.addWidget(self.equation)
        column.addWidget(self.strip)
