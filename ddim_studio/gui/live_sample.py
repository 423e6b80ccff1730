"""Which settings to preview, and when: the picture follows the controls.

One order is on its way at a time. While its first answer is awaited the controls may move on: only
the newest settings are then asked for. An answer to older settings never takes the place of a
newer one.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ddim_studio.gui.run_record import RunRecord
from ddim_studio.jobs.events import Ended, Frame, Started
from ddim_studio.jobs.live_events import LiveRun, PartBegins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.jobs.events import Event
    from ddim_studio.jobs.runs import SampleRun


class LiveSample(QObject):
    """Asks for previews of the newest settings, and says when one is complete.

    Signals:
        wanted: A `LiveRun`, which replaces the one before.
        unwanted: The last order need not be completed.
        shown: A complete `RunRecord`, and whether it has all the steps that were asked for.
    """

    wanted = Signal(object)
    unwanted = Signal()
    shown = Signal(object, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wish: SampleRun | None = None
        self._asked: SampleRun | None = None
        self._orders: deque[LiveRun] = deque()
        self._awaiting = False
        self._record: RunRecord | None = None
        self._final = False

    def ask(self, run: SampleRun) -> None:
        """Preview these settings as soon as it can be, unless they were asked for last."""
        self._wish = None if run == self._asked else run
        self._send()

    def stop(self) -> None:
        """Show nothing more until `ask`."""
        self._wish = self._asked = None
        self._awaiting = False
        if self._orders:
            self.unwanted.emit()

    def receive(self, events: Sequence[Event]) -> None:
        """Take answers. Those to one order end with `Ended`, before those to the next begin."""
        for event in events:
            if isinstance(event, PartBegins):
                self._record, self._final = RunRecord(event.run), event.final
            elif isinstance(event, Ended):
                self._end(event)
            elif self._record is not None:
                self._take(self._record, event)

    def _take(self, record: RunRecord, event: Event) -> None:
        if isinstance(event, Started):
            record.started = event
        elif isinstance(event, Frame):
            record.add(event)
            if len(record.numbers) == record.total and self._is_newest():
                self._answer(record)

    def _is_newest(self) -> bool:
        return len(self._orders) == 1 and self._asked == self._orders[0].run

    def _answer(self, record: RunRecord) -> None:
        self.shown.emit(record, self._final)
        self._awaiting = False
        self._send()

    def _end(self, ended: Ended) -> None:
        self._record = None
        if self._orders:
            self._orders.popleft()
        if not self._orders:
            self._awaiting = False
            if ended.outcome != "finished":
                self._asked = None  # the same settings may be asked for again
            self._send()

    def _send(self) -> None:
        if self._awaiting or self._wish is None:
            return
        self._asked, self._wish = self._wish, None
        self._awaiting = True
        order = LiveRun(self._asked)
        self._orders.append(order)
        self.wanted.emit(order)
