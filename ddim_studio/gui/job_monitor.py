"""Brings events of the worker threads into the window's own thread, in batches.

The threads never touch Qt. A timer, which runs only while a job lives, empties their mailboxes:
however fast a job talks, the window is asked to draw at most thirty times a second, and not so
often that drawing takes more than a quarter of the time: while it draws it holds Python's lock,
which the threads need between network calls. When the boxes were empty it looks again soon, so that
what comes seldom is shown at once.
"""

from __future__ import annotations

import math
import queue
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from ddim_studio.gui.garbage import WindowCollector
from ddim_studio.jobs.events import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.runner import Job, Runner, Ticket

INTERVAL_MS = 33
"""Between two deliveries, at least."""
LONGEST_MS = 250
"""Between two deliveries, at most."""
SHARE = 4
"""The window may be at work for one part in so many."""
LIGHT_MS = 1.0
"""What is drawn in less than this is no reason to wait for the next delivery."""
SOON_MS = 5
"""Until the next look into empty boxes."""
SOON_LOOKS = 80
"""So many looks in a row find nothing before they become as rare as deliveries."""


class JobMonitor(QObject):
    """Follows the jobs of some runners.

    Signals:
        received: A ticket and the list of its events since the last time, never empty.
    """

    received = Signal(object, object)

    def __init__(self, runners: Sequence[Runner], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runners = tuple(runners)
        self._live: set[Ticket] = set()
        self._collector = WindowCollector()
        self._empty_looks = 0
        self._interval, self._begun = INTERVAL_MS, 0.0
        self._painted = QTimer(self)
        self._painted.setSingleShot(True)
        self._painted.timeout.connect(self._drawn)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.drain)

    def submit(self, runner: Runner, title: str, start: Callable[[], Job]) -> Ticket:
        """Hand a job to one of the runners, and follow it."""
        ticket = runner.submit(title, start)
        self._live.add(ticket)
        self._empty_looks = 0
        self._timer.start(SOON_MS)
        return ticket

    def is_busy(self) -> bool:
        """Whether any job is running or waiting."""
        return bool(self._live)

    def drain(self) -> None:
        """Deliver what has arrived."""
        begun = time.thread_time()
        batches: dict[Ticket, list[Event]] = {}
        for runner in self._runners:
            for ticket, event in _emptied(runner):
                batches.setdefault(ticket, []).append(event)
        for ticket, events in batches.items():
            if isinstance(events[-1], Ended):
                self._live.discard(ticket)
            self.received.emit(ticket, events)
        if batches:
            self._begun = begun
            self._painted.start(0)  # it comes when all is painted
        self._collector.collect_if_due(at_leisure=not self._live)
        self._empty_looks = 0 if batches else self._empty_looks + 1
        if not self._live:
            self._timer.stop()
        else:
            soon = 0 < self._empty_looks <= SOON_LOOKS
            self._timer.setInterval(SOON_MS if soon else self._interval)

    def _drawn(self) -> None:
        """What was delivered is drawn: the longer that took, the longer the window rests."""
        took = 1000 * (time.thread_time() - self._begun)
        self._interval = min(LONGEST_MS, max(INTERVAL_MS, math.ceil(SHARE * took)))
        if took < LIGHT_MS and self._timer.isActive():
            self._timer.setInterval(SOON_MS)

    def spare_libraries(self) -> None:
        """Everything that takes long to import is there: collecting garbage may pass it over."""
        self._collector.spare_libraries()

    def close(self) -> None:
        """Deliver the last events; no job is followed any more."""
        self.drain()
        self._collector.close()


def _emptied(runner: Runner) -> list[tuple[Ticket, Event]]:
    events = []
    while True:
        try:
            events.append(runner.mailbox.get_nowait())
        except queue.Empty:
            return events
