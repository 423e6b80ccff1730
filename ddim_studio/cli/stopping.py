"""Ending a long command by a signal without losing what it has done."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")


class Stop:
    """Whether a signal has asked the process to end.

    Attributes:
        number: Which signal that was; None as long as there was none.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._listening = False

    def __call__(self) -> bool:
        """Whether to stop. From the first question on, signals wait for the next one."""
        self._listening = True
        return self.number is not None

    def takes(self, number: int) -> bool:
        """Note a signal; False where it should end the process as usual.

        That is so before anyone has asked, when there is nothing to keep yet, and for the second
        Ctrl-C. A launcher that was interrupted sends SIGTERM after it, which changes nothing.
        """
        if not self._listening:
            return False
        if self.number is None:
            self.number = number
            return True
        return number != signal.SIGINT


@contextmanager
def stopping() -> Iterator[Stop]:
    """Let the signals that end a process be noted while the block lasts.

    A signal that is not noted goes to the handler that was there before; one that was ignored, as
    SIGHUP under nohup, stays ignored.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {
        number: handler
        for number in signal.Signals
        if number.name in STOPPING and callable(handler := signal.getsignal(number))
    }

    def receive(number: int, frame: FrameType | None) -> None:
        if not stop.takes(number):
            before[signal.Signals(number)](number, frame)

    for number in before:
        signal.signal(number, receive)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
