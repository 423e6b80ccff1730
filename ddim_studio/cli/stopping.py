"""Ending a long command by a signal without losing what it has done."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
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


def stop_with_input() -> None:
    """Let the end of the standard input ask the process to end, just as SIGTERM does.

    A program that starts this one holds the other end of a pipe. It closes it, or the system does
    when that program dies, however it dies; and this is the same on every system.
    """
    descriptor = -1 if sys.stdin is None else sys.stdin.fileno()  # none: it has ended already
    thread = threading.Thread(target=_await_end, args=(descriptor,), name="input", daemon=True)
    thread.start()


def _await_end(descriptor: int) -> None:
    with suppress(OSError):
        # Not through sys.stdin, whose lock the interpreter wants when it ends.
        while os.read(descriptor, 4096):
            pass
    _thread.interrupt_main(signal.SIGTERM)
