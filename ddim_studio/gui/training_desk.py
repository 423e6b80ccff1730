"""Between the Train page and the process that trains: a thread of its own follows the run."""

from __future__ import annotations

import queue
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from ddim_studio.jobs.events import Ended
from ddim_studio.jobs.runner import Runner
from ddim_studio.jobs.training_reader import look_job
from ddim_studio.jobs.training_run import TrainControl, TrainOrder, train_beside_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ddim_studio.jobs.runner import Job, Ticket

INTERVAL_MS = 100
CLOSE_SECONDS = 10.0


class TrainingDesk(QObject):
    """Starts runs, one at a time, and tells of them.

    Signals:
        received: A list of events, in order, never empty.
        ended: The `Ended` of what was started or looked at.
    """

    received = Signal(object)
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner: Runner | None = None
        self._ticket: Ticket | None = None
        self._control: TrainControl | None = None
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(self.drain)

    def is_training(self) -> bool:
        """Whether a run goes on."""
        return self._control is not None

    def start(self, order: TrainOrder) -> None:
        """Train; there must be no run that goes on."""
        self._control = TrainControl()
        self._follow("Training", partial(train_beside_job, order, self._control))

    def look(self, folder: Path) -> None:
        """Read a run that nobody continues; there must be no run that goes on."""
        self._follow("Reading a run", partial(look_job, folder))

    def stop(self) -> None:
        """Have the run end, its checkpoint and model written."""
        if self._control is not None:
            self._control.stop.set()

    def set_paused(self, paused: bool) -> None:
        """Have the run wait, or go on."""
        if self._control is not None:
            (self._control.pause.set if paused else self._control.pause.clear)()

    def drain(self) -> None:
        """Deliver what has arrived of the newest run."""
        events = []
        while self._runner is not None:
            try:
                ticket, event = self._runner.mailbox.get_nowait()
            except queue.Empty:
                break
            if ticket is self._ticket:
                events.append(event)
        if not events:
            return
        if isinstance(events[-1], Ended):
            self._ticket = self._control = None
            self._timer.stop()
        self.received.emit(events)
        if isinstance(events[-1], Ended):
            self.ended.emit(events[-1])

    def close(self) -> bool:
        """Stop the run, which keeps its checkpoint and model; whether that came in time."""
        self._timer.stop()
        return self._runner is None or self._runner.close(CLOSE_SECONDS)

    def _follow(self, title: str, start: Callable[[], Job]) -> None:
        if self._runner is None:
            self._runner = Runner("training")
        if self._ticket is not None:
            self._ticket.cancel()
        self._ticket = self._runner.submit(title, start)
        self._timer.start()
