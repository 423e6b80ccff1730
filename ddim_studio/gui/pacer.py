"""What is asked for often is done at once, and then at most every so often."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal


class Pacer(QObject):
    """Gives turns. All that is asked in one turn of the event loop belongs together.

    No timer runs as long as nothing waits.

    Args:
        every_ms: Milliseconds between two turns.
        parent: Qt's owner.

    Signals:
        due: It is the turn of what waits.
    """

    due = Signal()

    def __init__(self, every_ms: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._every = every_ms / 1000
        self._last, self._open = float("-inf"), False
        self._next, self._closing = QTimer(self), QTimer(self)
        for timer, at_its_end in ((self._next, self._begin), (self._closing, self._close)):
            timer.setSingleShot(True)
            timer.timeout.connect(at_its_end)

    def grants(self) -> bool:
        """Whether to do it now; else wait for `due`."""
        since = time.monotonic() - self._last
        if not self._open and since < self._every:
            if not self._next.isActive():
                self._next.start(round(1000 * (self._every - since)))
            return False
        if not self._open:
            self._open, self._last = True, time.monotonic()
            self._closing.start(0)
        return True

    def rest(self) -> None:
        """Nothing waits any more: what is asked next is granted."""
        self._next.stop()
        self._closing.stop()
        self._open = False
        self._last = float("-inf")

    def _begin(self) -> None:
        self._last = time.monotonic()
        self.due.emit()

    def _close(self) -> None:
        self._open = False
