"""The middle of the Train page: samples over the steps or the images, and the loss under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ddim_studio.gui.cards import carded
from ddim_studio.gui.pages.train_plot import LossPlot
from ddim_studio.gui.pages.view_bar import ViewBar
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.frame_view import FrameView
from ddim_studio.gui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from ddim_studio.gui.training_record import TrainingRecord
    from ddim_studio.jobs.events import Pixels

VIEWS = {
    "samples": (
        "Samples",
        "What the model draws, always from the same noise, along the steps of the run.",
    ),
    "images": ("Images", "Some of the images that are trained on."),
}
_EMPTY = {
    "samples": ("No samples yet", "They appear here, twenty times in a run unless told otherwise"),
    "images": ("Choose images to train on", "or drop a folder or an archive on the window"),
}


class SheetTimeline(Timeline):
    """The timeline of the sheets of samples of a run."""

    def _make_controls(self) -> None:
        super()._make_controls()
        self._first.setToolTip("First samples (Home)")
        self._first.setAccessibleName("First samples")
        self._last_button.setToolTip("Newest samples, and follow the run (End)")
        self._last_button.setAccessibleName("Newest samples")
        self._frame.setToolTip("Number of the sheet of samples on show")


class TrainView(QWidget):
    """Pictures and the plot; the timeline belongs to it and stands under the whole page.

    Attributes:
        timeline: Moves through the samples of the run.
        sheet: Some of the images to train on, (N, H, W, 3), or None.

    Signals:
        sheet_wanted: The images are to be seen, and there is no sheet of them yet.
    """

    sheet_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record: TrainingRecord | None = None
        self.sheet: Pixels | None = None
        self.bar = ViewBar(VIEWS)
        self.frames = FrameView()
        self.frames.setObjectName("trainFrameView")
        self.plot = LossPlot()
        self.timeline = SheetTimeline()
        self._lay_out()
        self.bar.view_chosen.connect(lambda _view: self._choose_view())
        self.timeline.position_changed.connect(lambda _position: self._move())
        self.show_record(None)

    # --- what the page sets ------------------------------------------------------------------

    def show_record(self, record: TrainingRecord | None) -> None:
        """Put a run on show, or none. While it grows, call `refresh`."""
        self._record = record
        self.timeline.reset()
        self.plot.show_record(record)
        self.plot.set_cursor(None)
        if record is None:
            self.set_view("images")
        self.refresh()

    def refresh(self) -> None:
        """The run on show has more to show."""
        self.plot.refresh()
        count = len(self._record.sheets) if self._record else 0
        self.timeline.set_available(count)
        self.timeline.set_total(count)
        self._draw()

    def show_sheet(self, sheet: Pixels | None) -> None:
        """Show some of the images to train on."""
        self.sheet = sheet
        if self.bar.view() == "images":
            self._draw()

    def set_view(self, view: str) -> None:
        """Show "samples" or "images"."""
        self.bar.set_view(view)

    def handle_key(self, event: QKeyEvent) -> bool:
        """Arrows, Home, End and Space are the timeline's wherever the page's focus is."""
        return self.timeline.handle_key(event)

    def shown(self) -> Pixels | None:
        """The pictures on show."""
        if self.bar.view() == "images":
            return self.sheet
        step = self.shown_step()
        return None if step is None or self._record is None else self._record.sheets[step]

    def shown_step(self) -> int | None:
        """The step after which the samples on show were drawn."""
        steps = list(self._record.sheets) if self._record else []
        place = self.timeline.position()
        return steps[place] if place < len(steps) else None

    # --- inside ------------------------------------------------------------------------------

    def _choose_view(self) -> None:
        self._draw()
        if self.bar.view() == "images" and self.sheet is None:
            self.sheet_wanted.emit()

    def _move(self) -> None:
        if self.bar.view() != "samples":
            self.bar.set_view("samples")  # which draws
        else:
            self._draw()

    def _draw(self) -> None:
        step, view = self.shown_step(), self.bar.view()
        self.frames.set_placeholder(*_EMPTY[view])
        self.frames.set_pixels(self.shown())
        self.frames.setAccessibleName(VIEWS[view][0])
        self.plot.set_cursor(step)
        self.timeline.set_caption(
            "" if step is None else f"Samples after step {step:,}, each from the same noise as ever"
        )

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE, 2 * SPACE, SPACE, SPACE)
        column.setSpacing(SPACE)
        column.addWidget(self.bar)
        column.addWidget(self.frames, 3)
        column.addWidget(carded(self.plot), 2)
