"""A real window with its real worker threads, and a check that nothing of it is left behind."""

import threading

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication


def worker_threads():
    return [t for t in threading.enumerate() if t.name in {"compute", "files"}]


@pytest.fixture
def window(qtbot, tiny_pipeline):
    """The main window on a small model, idle."""
    from ddim_studio.gui.app import create_window

    made = create_window()
    made.sample.panel.model.set_source(str(tiny_pipeline))
    made.sample.panel.steps.setValue(6)
    made.sample.panel.count.setValue(4)
    made.show()
    qtbot.waitUntil(lambda: not made.controller.monitor.is_busy(), timeout=60_000)
    yield made
    made.close()
    assert worker_threads() == []
    assert not [timer for timer in made.findChildren(QTimer) if timer.isActive()]
    made.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def finish(qtbot, window):
    """Wait until every job is over."""

    def wait():
        qtbot.waitUntil(lambda: not window.controller.monitor.is_busy(), timeout=60_000)

    return wait
