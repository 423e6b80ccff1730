"""The middle of the Restore page: the mask, the answers beside each other, and the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QToolButton, QVBoxLayout, QWidget

from ddim_studio.gui.pages.view_bar import ViewBar
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.frame_view import FrameView
from ddim_studio.gui.widgets.mask_editor import MaskEditor
from ddim_studio.gui.widgets.scale_bar import ScaleBar
from ddim_studio.gui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from ddim_studio.gui.restore_record import RestoreRecord
    from ddim_studio.jobs.events import Pixels

VIEWS = {
    "mask": ("Mask", "Paint what is to be filled"),
    "result": (
        "Result",
        "What was measured, the baseline, the clean image, and every answer",
    ),
    "x": ("xₜ", "The state of every seed: noise at first, the answer at the end"),
    "guess": ("x̂₀", "The network's guess at the clean image in every step, before the correction"),
    "measured": ("Ax̂₀", "What the measurement sees of the guess: A⁺A x̂₀, as an image"),
    "residual": ("Δ", "What the correction takes off: A⁺(A x̂₀ − y), from −1 to 1; grey is 0"),
}
PATH_VIEWS = ("x", "guess", "measured", "residual")


class RestoreView(QWidget):
    """Shows a `RestoreRecord`, live or finished, or the mask.

    The page gives the timeline its place, which is wider than this.

    Signals:
        seed_chosen: Which of the answers was selected, from 0.
        view_changed: The view or the frame on show.
    """

    seed_chosen = Signal(int)
    view_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.record: RestoreRecord | None = None
        self._image: Pixels | None = None
        self._seed = 0
        self.bar = ViewBar(VIEWS)
        # By name only now: the window renames what other pages have as well.
        buttons = {button.objectName(): button for button in self.bar.findChildren(QToolButton)}
        self._buttons = {view: buttons[f"view_{view}"] for view in VIEWS}
        self.editor = MaskEditor()
        self.frames = FrameView()
        self.scale = ScaleBar()
        self.timeline = Timeline()
        self._stack = QStackedWidget()
        self._lay_out()
        self.bar.view_chosen.connect(lambda _view: self._choose())
        self.frames.tile_selected.connect(self._tile_selected)
        self.frames.pixel_hovered.connect(self._probe)
        self.timeline.position_changed.connect(self._travel)
        self.editor.canvas.set_placeholder(
            "Put in an image, then paint on it", "What you paint is filled by the model"
        )
        self.show_record(None)
        self._choose()

    # --- what the page sets ------------------------------------------------------------------

    def set_image(self, pixels: Pixels | None, *, painted: bool) -> None:
        """The image that is in the slot, (H, W, C).

        Args:
            pixels: The image, or None.
            painted: Whether a mask may be painted on it.
        """
        self._image = pixels
        if painted:
            self.editor.set_picture(pixels)
        self._draw()

    def set_mask_wanted(self, wanted: bool) -> None:
        """Whether the task needs a mask; if so and nothing was restored yet, it comes on show."""
        button = self._buttons["mask"]
        was = not button.isHidden()
        button.setVisible(wanted)
        if wanted and not was and self.record is None:
            self.bar.set_view("mask")
        elif not wanted and self.bar.view() == "mask":
            self.bar.set_view("result")

    def show_record(self, record: RestoreRecord | None) -> None:
        """Put a run on show, or none. While it grows, call `refresh`."""
        self.record = record
        self._seed = 0
        self.timeline.reset()
        for view in PATH_VIEWS:
            self._buttons[view].setEnabled(record is not None)
        if record is None:
            if self.bar.view() in PATH_VIEWS:
                self.bar.set_view("result")
        elif self.bar.view() not in PATH_VIEWS:
            self.bar.set_view("guess")
        self._draw()

    def announce(self) -> None:
        """The run has begun: how many frames there will be is known."""
        if self.record is not None:
            self.timeline.set_total(self.record.total)
            self._draw()

    def refresh(self) -> None:
        """There are new frames; show the newest if the timeline follows."""
        if self.record is None or not self.record.numbers:
            return
        before = self.timeline.position()
        self.timeline.set_available(len(self.record.numbers))
        self.timeline.set_note(self.record.thinning())
        if self.timeline.position() == before:
            self._draw()

    def finish(self, complete: bool) -> None:
        """There will be no more frames; a complete run shows its answers."""
        if self.record is None:
            return
        self.timeline.set_total(len(self.record.numbers))
        if complete and self.timeline.is_following():
            self.bar.set_view("result")
        self._draw()

    def jump(self, frame: int) -> None:
        """Show a frame, and stay there."""
        self.timeline.set_following(following=False)
        self.timeline.set_position(frame)

    def handle_key(self, event: QKeyEvent) -> bool:
        """The keys of the mask while it is on show, else those of the timeline."""
        if self.is_painting():
            return self.editor.handle_key(event)
        return self.timeline.handle_key(event)

    # --- what it shows -----------------------------------------------------------------------

    def is_painting(self) -> bool:
        """Whether the mask is on show."""
        return self.bar.view() == "mask"

    def seed(self) -> int:
        """Which of the answers is selected, from 0."""
        return self._seed

    def shown(self) -> Pixels | None:
        """The pictures on show, (N, H, W, C); None while there are none or the mask is."""
        view = self.bar.view()
        if view == "mask":
            return None
        if self.record is None:
            return None if self._image is None else self._image[None]
        if view == "result":
            return self.record.tiles()[0]
        return self.record.shown(self.timeline.position(), view)

    def captions(self) -> list[str]:
        """What the pictures on show are."""
        if self.record is None:
            return []
        if self.bar.view() == "result":
            return self.record.tiles()[1]
        return [f"seed {seed}" for seed in self.record.seeds]

    def trajectory(self) -> list[Pixels]:
        """The pictures of the view on show, at every kept frame that has it; x̂_0 for others."""
        if self.record is None:
            return []
        view = self.bar.view() if self.bar.view() in PATH_VIEWS else "guess"
        found = (self.record.shown(index, view) for index in self.record.frames.kept)
        return [pixels for pixels in found if pixels is not None]

    # --- inside ------------------------------------------------------------------------------

    def _choose(self) -> None:
        self._stack.setCurrentWidget(self.editor if self.is_painting() else self.frames)
        self._draw()

    def _travel(self, _position: int) -> None:
        travels = self.record is not None and not self.timeline.is_following()
        if travels and self.bar.view() not in PATH_VIEWS:
            self.bar.set_view("guess")
        else:
            self._draw()

    def _tile_selected(self, tile: int) -> None:
        if self.record is None:
            return
        seed = tile - self.record.first_answer() if self.bar.view() == "result" else tile
        if 0 <= seed < len(self.record.seeds) and seed != self._seed:
            self._seed = seed
            self.seed_chosen.emit(seed)

    def _draw(self) -> None:
        pixels = self.shown()
        self.frames.set_captions(self.captions() if pixels is not None else [])
        self.frames.set_pixels(pixels)
        if self.record is not None and pixels is not None:
            first = self.record.first_answer() if self.bar.view() == "result" else 0
            self.frames.set_selected(first + self._seed)
        self.frames.set_placeholder(*self._placeholder())
        residual = self.bar.view() == "residual" and pixels is not None
        self.scale.set_scale("what is taken off:" if residual else "", "−1", "1")
        self.timeline.set_caption(self._caption())
        self.view_changed.emit()

    def _placeholder(self) -> tuple[str, str]:
        if self.record is None:
            return (
                "Put in an image, then press Restore",
                "It is degraded, or taken as what was measured, and brought back by a model that "
                "never learned to.",
            )
        if self.bar.view() == "result":
            return "Not there yet", "The answers come at the end"
        return "Not in this frame", "x_T has no prediction yet: go on to the next frame"

    def _caption(self) -> str:
        at, record = self.timeline.position(), self.record
        if record is None or at >= len(record.numbers):
            return ""
        n = record.numbers[at]
        step = record.agreement(at)
        if step is None:
            return f"x_T: noise drawn from the seeds, taken as t = {n.s}"
        to = "the clean image x₀" if n.s < 0 else str(n.s)
        back = "after a time-travel: " if step.travelled else ""
        return f"{back}t = {n.t} → {to}"

    def _probe(self, tile: int, x: int, y: int) -> None:
        pixels, captions = self.shown(), self.captions()
        if tile < 0 or pixels is None or tile >= len(pixels):
            self.bar.probe.set_full_text("")
            return
        values = ", ".join(f"{value / 255 * 2 - 1:+.2f}" for value in pixels[tile, y, x])
        name = f"{captions[tile]} · " if tile < len(captions) else ""
        self.bar.probe.set_full_text(f"{name}({x}, {y}) = {values}")

    def _lay_out(self) -> None:
        self._stack.addWidget(self.frames)
        self._stack.addWidget(self.editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 2 * SPACE, SPACE, SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self.bar)
        column.addWidget(self._stack, 1)
        column.addWidget(self.scale)
