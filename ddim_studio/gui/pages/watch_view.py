"""A run on a stage of its own, with a way back to where it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.pages.stage import Stage
from ddim_studio.gui.run_record import RunRecord
from ddim_studio.gui.theme import SPACE, set_icon
from ddim_studio.jobs.events import Frame, Started
from ddim_studio.jobs.runs import SampleRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.runs import InvertRun


def denoising_run(run: InvertRun) -> SampleRun:
    """The sampling run that decoding is: the τ of the inversion, η = 0, no clipping."""
    naive = run.method != "exact"
    return SampleRun(
        model=run.model,
        device=run.device,
        steps=run.steps,
        spacing=run.spacing or ("linear" if naive else "quadratic"),
        timesteps=run.timesteps,
        class_label=run.class_label,
        count=1,
    )


class WatchView(QWidget):
    """The denoising of one latent, frame by frame.

    Signals:
        left: The user wants to go back.
    """

    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ElidedLabel("heading")
        self.back = QPushButton("Back")
        set_icon(self.back, "previous")
        self.back.setObjectName("backButton")
        self.back.setToolTip("Back to the path; a denoising still under way is cancelled")
        self.back.clicked.connect(self.left)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(SPACE, 2 * SPACE, 2 * SPACE, 0)
        head.setSpacing(SPACE)
        head.addWidget(self.back)
        head.addWidget(self._title, 1)
        self._column.addLayout(head)
        self.stage: Stage | None = None

    def begin(self, title: str, run: InvertRun) -> None:
        """A denoising was asked for and accepted."""
        self._title.set_full_text(title)
        self._stage().show_record(RunRecord(denoising_run(run)))

    def receive(self, events: Sequence[Event]) -> None:
        """Frames arrive."""
        stage = self._stage()
        record = stage.record
        if record is None:
            return
        fresh = False
        for event in events:
            if isinstance(event, Frame):
                record.add(event)
                fresh = True
            elif isinstance(event, Started):
                record.started = event
                stage.announce()
        if fresh:
            stage.refresh()

    def finish(self) -> None:
        """There will be no more frames."""
        self._stage().finish()

    def _stage(self) -> Stage:
        # Built when first needed: plots and timeline of a page that may never be asked for.
        if self.stage is None:
            self.stage = Stage()
            self._column.addWidget(self.stage, 1)
        return self.stage
