"""Starting the window. Nothing here imports torch, diffusers or pyqtgraph: that takes seconds."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from ddim_studio.gui.main_window import MainWindow
from ddim_studio.gui.page_set import ENTRIES
from ddim_studio.gui.theme import icon, load_fonts
from ddim_studio.jobs.failures import explain
from ddim_studio.jobs.models import leave_one_core

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

RTLD_NOW = 2
LOCK_SECONDS = 0.001
"""How long a thread may keep Python's lock while another waits. Python's own 5 ms would hold up the
worker, which asks for the lock before and after every network call, whenever the window paints."""


def create_window() -> MainWindow:
    """The main window, not yet shown. A QApplication must exist; no event loop is entered."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        load_fonts(app)
    sys.setswitchinterval(LOCK_SECONDS)
    return MainWindow(prepare=_import_slow_libraries)


def launch(arguments: Sequence[str] | None = None) -> int:
    """Show the window and run until it is closed; the exit code."""
    app = QApplication(list(arguments) if arguments is not None else sys.argv[:1])
    app.setApplicationName("DDIM Studio")
    app.setDesktopFileName("ddim-studio")
    app.setWindowIcon(icon("app"))
    window = create_window()
    _report_errors_in(window)
    window.show()
    return app.exec()


def _import_slow_libraries(types_are_made: Callable[[], bool]) -> None:
    """In the worker thread: pages, plots and torch, so that none of them stops the window.

    torch comes last: while it is linked nobody else can load a library, as Qt does for its first
    pictures.

    Args:
        types_are_made: Waits for Qt's types; false where the window closes before they are there.
    """
    if not types_are_made():
        return
    for entry in ENTRIES:
        importlib.import_module(f"ddim_studio.gui.pages.{entry.key}")
    import pyqtgraph  # noqa: F401 (imported for its time)

    _link_torch()
    leave_one_core()


def _link_torch() -> None:
    """Have the system link torch's library without holding Python's lock meanwhile.

    Left to ``import torch`` that takes a quarter of a second in which the window stands still: the
    lock is held. A foreign call, such as this one of ``dlopen``, gives it up.
    """
    found = importlib.util.find_spec("torch")
    if sys.platform == "win32" or found is None or found.origin is None:
        return
    suffix = "dylib" if sys.platform == "darwin" else "so"
    library = Path(found.origin).parent / "lib" / f"libtorch_cpu.{suffix}"
    if library.is_file():
        dlopen = ctypes.CDLL(None).dlopen
        dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
        dlopen(str(library).encode(), ctypes.RTLD_LOCAL | RTLD_NOW)


def _report_errors_in(window: MainWindow) -> None:
    """Show errors that nobody caught in the error bar: they must not take the window."""

    def report(error: BaseException) -> None:
        failure = explain(error)
        sys.stderr.write(failure.details)
        # a timer of the window's thread: the hook may be called in any thread
        QTimer.singleShot(0, window, lambda: window.controller.show_failure(failure))

    def in_main(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        report(error)

    def in_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            report(arguments.exc_value)

    sys.excepthook = in_main
    threading.excepthook = in_thread
