"""One restoration on show: its record, what the view shows of it, and the numbers beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ddim_studio.gui.restore_record import RestoreRecord
from ddim_studio.jobs.events import Frame, Started
from ddim_studio.jobs.restore_events import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.gui.pages.restore_readout import RestoreReadout
    from ddim_studio.gui.pages.restore_view import RestoreView
    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.restore_order import RestoreOrder, RestoreRun


class RestoreDisplay(QObject):
    """Has the view and the readout follow a run, the frame and the answer chosen.

    Args:
        view: Pictures and timeline.
        readout: Numbers, plot and equations.
        parent: Qt's owner.
    """

    def __init__(self, view: RestoreView, readout: RestoreReadout, parent: QObject) -> None:
        super().__init__(parent)
        self._view, self._readout = view, readout
        view.seed_chosen.connect(self._choose_seed)
        view.view_changed.connect(self._show_frame)
        readout.frame_chosen.connect(view.jump)

    def begin(self, order: RestoreOrder) -> None:
        """A run begins: the last one's frames make room."""
        record = RestoreRecord(order)
        self._view.show_record(record)
        self._readout.begin(record)

    def receive(self, events: Sequence[Event]) -> None:
        """Keep every frame, draw the newest."""
        record = self._view.record
        if record is None:
            return
        for event in events:
            record.add(event)
        if any(isinstance(event, Measured | Started) for event in events):
            self._readout.begin(record)
            self._view.announce()
        if any(isinstance(event, Frame) for event in events):
            self._view.refresh()
            self._readout.show_numbers(record, self._view.seed())

    def end(self, complete: bool) -> None:
        """The run is over; the frames that there are stay. One without any is forgotten."""
        record = self._view.record
        if record is None or not record.numbers:
            self._view.show_record(None)
            self._readout.clear()
        else:
            self._view.finish(complete=complete)
            self._readout.show_result(record)

    def explain(self, run: RestoreRun) -> None:
        """While nothing is on show, the readout explains what the fields say."""
        if self._view.record is None:
            self._readout.explain(run)

    def _show_frame(self) -> None:
        record, at = self._view.record, self._view.timeline.position()
        if record is not None and at < len(record.numbers):
            self._readout.show_frame(record, at, self._view.seed())

    def _choose_seed(self, seed: int) -> None:
        record = self._view.record
        if record is not None:
            self._readout.show_numbers(record, seed)
        self._show_frame()
