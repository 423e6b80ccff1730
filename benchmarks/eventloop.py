"""Waiting inside the real event loop.

``QTest.qWait`` holds Python's lock most of the time, which slows the worker thread to a third: what
it measures is itself. ``QEventLoop.exec`` waits as the running program does.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEventLoop, QTimer


def wait(condition: Callable[[], bool], every_ms: int = 5) -> None:
    """Run the event loop until the condition holds."""
    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: loop.quit() if condition() else None)
    timer.start(every_ms)
    loop.exec()


def pause(milliseconds: int) -> None:
    """Run the event loop for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
