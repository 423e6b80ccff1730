"""The middle of the Invert page: the images, what inversion made of them, and the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ddim_studio.diffusion.trajectory import DEFAULT_BUDGET, ThinnedStore
from ddim_studio.gui.pages.view_bar import ViewBar
from ddim_studio.gui.painting import stretched
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.frame_view import FrameView
from ddim_studio.gui.widgets.image_strip import ImageStrip
from ddim_studio.gui.widgets.scale_bar import ScaleBar
from ddim_studio.gui.widgets.timeline import Timeline
from ddim_studio.gui.words import small_number

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from ddim_studio.jobs.events import Pixels
    from ddim_studio.jobs.inversion_events import EncodeStep, Inverted
    from ddim_studio.jobs.orders import InvertOrder

VIEWS = {
    "one": ("Image", "The selected image: original, x_T, reconstruction and difference"),
    "originals": ("x₀", "All originals, as the model takes them"),
    "latents": ("x_T", "All latents x_T, the noise that the images come from, from −3 to 3"),
    "reconstructions": ("x₀′", "All reconstructions, decoded from x_T"),
    "differences": ("Δ", "|original − reconstruction| of all, stretched: see the scale below"),
    "path": ("Path", "The way from x_0 to x_T: move along it with the timeline"),
}
BLANK = 96


class InvertView(QWidget):
    """Shows a result, or the states on the way to it.

    The page gives the timeline its place, which is wider than this.

    Signals:
        image_chosen: Number of the image that was selected.
    """

    image_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._order: InvertOrder | None = None
        self._result: Inverted | None = None
        self._states: ThinnedStore[Pixels] = ThinnedStore(DEFAULT_BUDGET)
        self._times: list[tuple[int, int]] = []
        self._clean: Pixels | None = None
        self._image = 0
        self.strip = ImageStrip()
        self.bar = ViewBar(VIEWS)
        self.frames = FrameView()
        self.scale = ScaleBar()
        self.timeline = Timeline()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 2 * SPACE, SPACE, SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self.strip)
        column.addWidget(self.bar)
        column.addWidget(self.frames, 1)
        column.addWidget(self.scale)
        self.bar.view_chosen.connect(lambda _view: self._draw())
        self.strip.chosen.connect(self.choose)
        self.frames.tile_selected.connect(self._tile_chosen)
        self.timeline.position_changed.connect(self._travel)
        self.show_nothing()

    # --- what the page sets ------------------------------------------------------------------

    def image(self) -> int:
        """Number of the selected image."""
        return self._image

    def show_nothing(self) -> None:
        """No result: say what to do."""
        self._order = self._result = None
        self._states = ThinnedStore(DEFAULT_BUDGET)
        self._times = []
        self._clean = None
        self.timeline.reset()
        self.frames.set_placeholder(
            "Add images, then press Invert",
            "Each is encoded to x_T, the noise it would come from, and decoded again to see "
            "what was lost.",
        )
        self._draw()

    def begin(self, order: InvertOrder) -> None:
        """An inversion begins; its states arrive one by one."""
        self.show_nothing()
        self._order = order
        known = [image.pixels for image in order.images]
        some = next((pixels for pixels in known if pixels is not None), None)
        if some is not None:
            blank = np.full_like(some, BLANK)  # what a seed stands for is not known yet
            self._clean = np.stack([blank if p is None else p for p in known])
        self.timeline.set_total(order.run.steps + 1)
        self._choose_view("path")

    def add(self, steps: list[EncodeStep]) -> None:
        """States on the way to x_T have arrived."""
        for step in steps:
            if not self._times:
                clean = np.full_like(step.x, BLANK) if self._clean is None else self._clean
                self._append(clean, (step.t, step.t))
            self._append(step.x, (step.t, step.t_next))
        self._draw()

    def show_result(self, result: Inverted) -> None:
        """The inversion is complete."""
        self._result = result
        self._clean = result.originals
        self.timeline.set_total(len(self._times))
        self._choose_view("one")

    def finish(self) -> None:
        """There will be no more states."""
        self.timeline.set_total(len(self._times))

    def choose(self, image: int) -> None:
        """Select an image."""
        if image == self._image:
            return
        self._image = image
        self.strip.select(image)
        self._draw()
        self.image_chosen.emit(image)

    def shown(self) -> Pixels | None:
        """The pictures on show, (N, H, W, C)."""
        view = self.bar.view()
        if view == "path":
            return self._state()
        if self._result is None:
            return None
        if view == "one":
            return self._four(self._result)
        chosen: Pixels = getattr(self._result, view)
        return chosen

    def trajectory(self) -> list[Pixels]:
        """The states from the images to x_T that were kept, each (N, H, W, C)."""
        states = [self._states.nearest(index)[1] for index in self._states.kept]
        return states if self._clean is None or not states else [self._clean, *states[1:]]

    def handle_key(self, event: QKeyEvent) -> bool:
        """Arrows, Home, End and Space are the timeline's wherever the page's focus is."""
        return self.timeline.handle_key(event)

    # --- inside ------------------------------------------------------------------------------

    def _append(self, x: Pixels, times: tuple[int, int]) -> None:
        self._states.append(x, x.nbytes)
        self._times.append(times)
        self.timeline.set_available(len(self._times))

    def _state(self) -> Pixels | None:
        at = self.timeline.position()
        if at == 0:
            return self._clean
        return self._states.nearest(at)[1] if at < len(self._times) else None

    def _four(self, result: Inverted) -> Pixels:
        i = min(self._image, len(result.originals) - 1)
        three = (result.originals, result.latents, result.reconstructions)
        difference, _ = self._difference(result)
        return np.stack([*(pictures[i] for pictures in three), difference])

    def _difference(self, result: Inverted) -> tuple[Pixels, float]:
        """The difference of the selected image on a scale of its own, and that scale."""
        i = min(self._image, len(result.originals) - 1)
        return stretched(result.differences[i], result.difference_scale)

    def _choose_view(self, view: str) -> None:
        if self.bar.view() == view:
            self._draw()
        else:
            self.bar.set_view(view)

    def _travel(self, _position: int) -> None:
        if self._times:
            self._choose_view("path")

    def _tile_chosen(self, tile: int) -> None:
        view = self.bar.view()
        if view != "one" and self._order is not None:
            self.choose(tile)

    def _draw(self) -> None:
        view, pixels = self.bar.view(), self.shown()
        self.frames.set_captions(self._captions(view) if pixels is not None else [])
        self.frames.set_pixels(pixels)
        if view != "one" and pixels is not None:
            self.frames.set_selected(self._image)
        self._show_scale(view)
        self._show_time()

    def _captions(self, view: str) -> list[str]:
        if view == "one":
            return ["original", "x_T", "reconstruction", "difference"]
        return [] if self._order is None else [image.label for image in self._order.images]

    def _show_scale(self, view: str) -> None:
        if self._result is not None and view in ("one", "differences"):
            own = self._difference(self._result)[1]
            high = own if view == "one" else self._result.difference_scale
            self.scale.set_scale("|difference|, pixels from 0 to 1:", "0", small_number(high))
        elif self._result is not None and view == "latents":
            self.scale.set_scale("x_T, in standard deviations:", "−3", "3")
        else:
            self.scale.set_scale("")

    def _show_time(self) -> None:
        at = self.timeline.position()
        if at >= len(self._times):
            self.timeline.set_caption("")
            return
        t, t_next = self._times[at]
        if t_next < 0:
            self.timeline.set_caption("x₀, the image")
        else:
            source = "x_0" if t < 0 else f"t = {t}"
            self.timeline.set_caption(f"encoding: {source} → t = {t_next}")
