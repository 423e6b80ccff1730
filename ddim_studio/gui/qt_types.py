"""Qt's Python types, all made in the window's thread before another thread may ask for one.

PySide makes a Python type when its name is first looked up. It keeps those still to be made in one
table, without a lock, and making one runs Python code, which may let another thread go on. Where
that one looks up another type, the process crashes (about one start in forty did, with PySide
6.11.3). The worker thread imports pages and plots, which look up hundreds of them; so it waits
until there is none left to be made.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from PySide6 import QtCore, QtGui, QtSvg, QtWidgets

if TYPE_CHECKING:
    from collections.abc import Iterator

SLICE = 0.008
"""Seconds at a time, in which the window does not answer."""


class TypeMaker(QtCore.QObject):
    """Makes all types, a few at a time, between the events of the window.

    Args:
        parent: Qt's owner.
    """

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._rest = _types()
        self._abandoned = False
        self._over = threading.Event()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._go_on)

    def start(self) -> None:
        """Begin, once the window is up."""
        if not self._over.is_set():
            self._timer.start(0)

    def abandon(self) -> None:
        """Make no more: the window is closing."""
        self._timer.stop()
        self._abandoned = not self._over.is_set()
        self._over.set()

    def wait(self) -> bool:
        """For another thread: wait for the end; whether all types are there."""
        self._over.wait()
        return not self._abandoned

    def _go_on(self) -> None:
        begun = time.perf_counter()
        for _ in self._rest:
            if time.perf_counter() - begun > SLICE:
                return
        self._timer.stop()
        self._over.set()


def _types() -> Iterator[object]:
    """Each type of the modules that the window and the plots use, made as it is looked up."""
    for module in (QtCore, QtGui, QtWidgets, QtSvg):
        for name in dir(module):
            yield getattr(module, name)
