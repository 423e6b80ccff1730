"""The stage: one run on show, with its views, timeline, equation, numbers and plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

from ddim_studio.gui.pages.branches import BranchRow
from ddim_studio.gui.pages.sample_readout import SampleReadout
from ddim_studio.gui.pages.view_bar import ViewBar
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.run_record import frame_caption
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.equation import StepEquation
from ddim_studio.gui.widgets.frame_view import FrameView
from ddim_studio.gui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from ddim_studio.gui.run_record import RunRecord
    from ddim_studio.jobs.events import Pixels, StepNumbers, View

VIEWS = {
    "x": ("xₜ", "The state: noise at first, the image at the end. Shown from −1 to 1."),
    "x0": ("x̂₀", "The network's guess at the clean image, made at each step."),
    "epsilon": ("ε", "The noise that the network sees in x_t. Shown from −3 to 3."),
    "x0_term": ("√ᾱx̂₀", "First term of the step: the predicted image, scaled."),
    "direction_term": ("→ε", "Second term of the step: the direction pointing to x_t."),
    "noise_term": ("σz", "Third term of the step: new random noise. Zero for η = 0."),
    "terms": ("Σ", "The three terms of the selected image side by side, and their sum x_s."),
}
TERMS: tuple[tuple[View, str], ...] = (
    ("x0_term", "predicted x₀"),
    ("direction_term", "direction to xₜ"),
    ("noise_term", "random noise"),
    ("x", "their sum, xₛ"),
)
GREY = 128
NOISE_RANGE = 3.0
READOUT_WIDTH = 276


class Stage(QWidget):
    """Shows a `RunRecord`, live or finished.

    Signals:
        frame_shown: Number of the frame on show.
    """

    frame_shown = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.record: RunRecord | None = None
        self._image = 0
        self._beside: Sequence[RunRecord] = ()
        self.branches = BranchRow()
        self.remark = Remark(wrap=False)
        self.remark.setObjectName("liveRemark")
        self.view_bar = ViewBar(VIEWS)
        self.frames = FrameView()
        self.frames.setObjectName("frameView")
        self.equation = StepEquation()
        self.timeline = Timeline()
        self.readout = SampleReadout()
        self._lay_out()
        self._connect()
        self.show_record(None)

    # --- what a page sets --------------------------------------------------------------------

    def show_record(self, record: RunRecord | None) -> None:
        """Put a run on show, or none. While it grows, call `refresh`."""
        self.record = record
        self.timeline.reset()
        self.readout.clear()
        self.equation.setVisible(record is not None)
        if record is None:
            self.frames.set_pixels(None)
            self.frames.set_placeholder(
                "Press Run", "and watch noise become images, step by step (Ctrl+Return)"
            )
        elif record.started is not None:
            self.announce()
            self.refresh()

    def exchange(self, record: RunRecord) -> None:
        """Put another complete run on show, at the same part of its way as the one on show."""
        timeline = self.timeline
        before = self.record
        part = 1.0
        if before is not None and len(before.numbers) > 1 and not timeline.is_following():
            part = timeline.position() / (len(before.numbers) - 1)
        self.show_record(record)
        if part < 1.0:
            timeline.set_following(following=False)
            timeline.set_position(round(part * (len(record.numbers) - 1)))
        self.readout.finish()

    def image(self) -> int:
        """Number of the selected image of the run on show."""
        return self._image

    def show_beside(self, records: Sequence[RunRecord]) -> None:
        """Show the selected image of several runs at once, or of one again (no records)."""
        self._beside = records
        self._show_frame(self.timeline.position())
        if not records:
            self.frames.set_selected(self._image)

    def announce(self) -> None:
        """The run on show has begun: τ and S are known."""
        if self.record is not None and self.record.started is not None:
            self.timeline.set_total(self.record.total)
            self.readout.begin(self.record.started)

    def refresh(self) -> None:
        """The run on show has new frames; show the newest if the timeline follows."""
        if self.record is None or not self.record.numbers:
            return
        self.readout.set_numbers(self.record.numbers, self._image)
        before = self.timeline.position()
        self.timeline.set_available(len(self.record.numbers))
        self.timeline.set_note(self.record.thinning())
        if self.timeline.position() == before:  # else the timeline has said so already
            self._show_frame(before)

    def finish(self) -> None:
        """The run on show is over: there will be no more frames."""
        if self.record is not None:
            self.timeline.set_total(len(self.record.numbers))
        self.readout.finish()

    def handle_key(self, event: QKeyEvent) -> bool:
        """Arrows, Home, End and Space are the timeline's wherever the page's focus is."""
        return self.timeline.handle_key(event)

    # --- what it shows -----------------------------------------------------------------------

    def view(self) -> str:
        """Key of the view on show."""
        return self.view_bar.view()

    def shown_pixels(self) -> Pixels | None:
        """All pictures of the view and frame on show, (N, H, W, C)."""
        return self._pixels(self.timeline.position())

    def trajectory(self) -> list[Pixels]:
        """The pictures of the view on show, at every kept frame that has it."""
        if self.record is None:
            return []
        pictures = (self._pixels(index) for index in self.record.frames.kept)
        return [pixels for pixels in pictures if pixels is not None]

    def seed_of(self, image: int) -> int:
        """The seed of an image of the run on show."""
        started = self.record.started if self.record else None
        return started.seeds[image] if started and image < len(started.seeds) else 0

    def _show_frame(self, index: int) -> None:
        if self.record is None or index >= len(self.record.numbers):
            return
        numbers = self.record.numbers[index]
        self._draw(index, numbers)
        self.equation.set_numbers(
            numbers.t, numbers.s, numbers.alpha_bar_s**0.5, numbers.direction, numbers.sigma
        )
        kept, _ = self.record.frames.nearest(index)
        self.timeline.set_caption(frame_caption(index, numbers, kept))
        self.readout.show_frame(index)
        self.frame_shown.emit(index)

    def _draw(self, index: int, numbers: StepNumbers) -> None:
        pixels = self._pixels(index)
        if pixels is None:
            why = (
                "x_T is where the run starts: there is no prediction before the first step."
                if numbers.t is None
                else "This step draws no noise: σ = 0."
            )
            self.frames.set_placeholder("Nothing to show here", why)
        self.frames.set_captions(self._captions())
        self.frames.set_pixels(pixels)

    def _captions(self) -> list[str]:
        if self.view() == "terms":
            return [name for _, name in TERMS]
        return [record.name for record in self._beside]

    def _pixels(self, index: int) -> Pixels | None:
        if self.record is None or not self.record.numbers:
            return None
        view = self.view()
        if view == "terms":
            return self._terms(self.record, index)
        if self._beside:
            return self._side_by_side(index, view)  # type: ignore[arg-type]  # a key of VIEWS
        return self.record.shown(index, view)[1]  # type: ignore[arg-type]  # a key of VIEWS

    def _side_by_side(self, index: int, view: View) -> Pixels | None:
        """The selected image of every run beside the others, (runs, H, W, C)."""
        shown = []
        for record in self._beside:
            last = len(record.numbers) - 1
            pixels = record.shown(min(index, last), view)[1] if last >= 0 else None
            shown.append(None if pixels is None else pixels[min(self._image, len(pixels) - 1)])
        some = next((pixels for pixels in shown if pixels is not None), None)
        if some is None:
            return None
        return np.stack([np.full_like(some, GREY) if p is None else p for p in shown])

    def _terms(self, record: RunRecord, index: int) -> Pixels | None:
        """The three terms of the selected image and their sum, (4, H, W, C)."""
        pictures = [record.shown(index, view)[1] for view, _ in TERMS]
        state = pictures[-1]
        if state is None or pictures[0] is None:
            return None
        blank = np.full_like(state, GREY)
        image = min(self._image, len(state) - 1)
        return np.stack([(blank if p is None else p)[image] for p in pictures])

    # --- what the user does ------------------------------------------------------------------

    def _choose_image(self, tile: int) -> None:
        if self.view() == "terms" or self._beside or self.record is None:
            return  # the tiles are terms or runs, not images
        self._image = tile
        if self.record.numbers:
            self.readout.set_numbers(self.record.numbers, tile)
            self.readout.show_frame(self.timeline.position())

    def _choose_view(self) -> None:
        image = self._image
        self._show_frame(self.timeline.position())
        if self.view() != "terms" and not self._beside:
            self.frames.set_selected(image)

    def _probe(self, tile: int, x: int, y: int) -> None:
        pixels = self.shown_pixels()
        if tile < 0 or pixels is None or tile >= len(pixels):
            self.view_bar.probe.set_full_text("")
            return
        reach = NOISE_RANGE if self.view() == "epsilon" else 1.0
        values = ", ".join(f"{(v / 255 * 2 - 1) * reach:+.2f}" for v in pixels[tile, y, x])
        image = self._image if self.view() == "terms" or self._beside else tile
        self.view_bar.probe.set_full_text(f"seed {self.seed_of(image)} · ({x}, {y}) = {values}")

    def _jump(self, index: int) -> None:
        self.timeline.set_following(following=False)
        self.timeline.set_position(index)

    def _connect(self) -> None:
        self.timeline.position_changed.connect(self._show_frame)
        self.frames.tile_selected.connect(self._choose_image)
        self.frames.pixel_hovered.connect(self._probe)
        self.view_bar.view_chosen.connect(lambda _view: self._choose_view())
        self.readout.frame_chosen.connect(self._jump)

    def _lay_out(self) -> None:
        pictures = QWidget()
        middle = QVBoxLayout(pictures)
        middle.setContentsMargins(SPACE, 2 * SPACE, SPACE, 0)
        middle.setSpacing(SPACE)
        middle.addWidget(self.view_bar)
        middle.addWidget(self.branches)
        middle.addWidget(self.remark)
        middle.addWidget(self.frames, 1)
        middle.addWidget(self.equation)
        scroll = QScrollArea()
        scroll.setWidget(self.readout)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumWidth(250)
        upper = QSplitter()
        upper.addWidget(pictures)
        upper.addWidget(scroll)
        upper.setStretchFactor(0, 1)
        upper.setStretchFactor(1, 0)
        upper.setChildrenCollapsible(False)
        upper.setSizes([640, READOUT_WIDTH])
        foot = QHBoxLayout()
        foot.setContentsMargins(SPACE, 0, 2 * SPACE, SPACE)
        foot.addWidget(self.timeline)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(upper, 1)
        column.addLayout(foot)
