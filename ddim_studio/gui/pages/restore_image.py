"""The image of the Restore page: opened and fitted, or drawn by the model from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ddim_studio.gui.image_source import ImageSource
from ddim_studio.gui.pages.ends import Ends
from ddim_studio.jobs.events import Frame
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.gui.pages.restore_panel import RestorePanel
    from ddim_studio.jobs.events import Event, Pixels

SEED_STEPS = 50
"""S of the sample that a seed in the slot stands for."""


class RestoreImage(QObject):
    """Looks after the panel's slot.

    A seed in the slot stands for the sample that the model draws of it: it is ordered at once, and
    takes the seed's place when it is there.

    Args:
        panel: Has the slot, the model and how images are fitted.
        parent: Qt's owner.

    Signals:
        file_requested: A `FileWork`.
        changed: Another image is in the slot, or none.
        settled: Nothing is being opened any more.
        sample_wanted: A `SampleRun` of one image.
    """

    file_requested = Signal(object)
    changed = Signal()
    settled = Signal()
    sample_wanted = Signal(object)

    def __init__(self, panel: RestorePanel, parent: QObject) -> None:
        super().__init__(parent)
        self._panel, self._slot = panel, panel.slot
        self._newest: Frame | None = None
        self._ends = Ends([panel.slot], panel.fit, self)
        self._ends.file_requested.connect(self.file_requested)
        self._ends.settled.connect(self.settled)
        self._ends.changed.connect(self._changed)

    def pixels(self) -> Pixels | None:
        """The image as it was fitted, (H, W, C)."""
        return self._slot.pixels()

    def label(self) -> str:
        """What people call it."""
        source = self._slot.source()
        return "" if source is None else source.label

    def set_shape(self, image_shape: tuple[int, int, int]) -> None:
        """Fit to (C, H, W) from now on."""
        self._ends.set_shape(image_shape)

    def is_busy(self) -> bool:
        """Whether the image is still to be opened."""
        return self._ends.is_busy()

    def complain_of_gap(self) -> bool:
        """Say in an empty slot that it needs an image; whether it is empty."""
        return self._ends.complain_of_gaps(1)

    def receive(self, events: Sequence[Event]) -> None:
        """Frames of the sample that was wanted."""
        frames = [event for event in events if isinstance(event, Frame)]
        self._newest = frames[-1] if frames else self._newest

    def end(self, complete: bool) -> None:
        """The sample that was wanted is there, or will not be."""
        frame, self._newest, seed = self._newest, None, self._seed()
        if seed is None:
            return
        if complete and frame is not None:
            self._slot.take(ImageSource(f"sample of seed {seed}", frame.views["x"][0].copy()))
        else:
            self._slot.clear()

    def _seed(self) -> int | None:
        source = self._slot.source()
        return None if source is None else source.seed

    def _changed(self) -> None:
        seed, model = self._seed(), self._panel.model
        self.changed.emit()
        if seed is None:
            return
        self._newest = None
        self.sample_wanted.emit(
            SampleRun(
                model=model.source(),
                device=model.device.currentText(),
                class_label=model.class_label(),
                steps=min(SEED_STEPS, self._panel.steps.maximum()),
                seed=seed,
                count=1,
            )
        )
