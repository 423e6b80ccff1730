"""Two ways to test pages: a real window with its threads, and a controller that only plays."""

import gc
import threading

import pytest
from fake_worker import Fakes
from hand import click, drop
from inversion_pages import opened
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from ddim_studio.gui.pages.interpolate import InterpolatePage


@pytest.fixture(autouse=True, scope="module")
def _no_garbage():
    """Leave no widget to a later test's thread: only this one may destroy them."""
    yield
    QApplication.processEvents()
    gc.collect()


@pytest.fixture
def fakes():
    return Fakes


def worker_threads():
    return [t for t in threading.enumerate() if t.name in {"compute", "files"}]


@pytest.fixture
def window(qtbot, tiny_pipeline):
    """The main window on a small model, idle."""
    from ddim_studio.gui.app import create_window

    made = create_window()
    for page in made.pages:
        page.model().set_source(str(tiny_pipeline))
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


@pytest.fixture
def page(qtbot, fakes):
    """The Interpolate page, empty."""
    return opened(InterpolatePage, qtbot, fakes)


@pytest.fixture
def filled(page, fakes, qtbot):
    """With two images."""
    drop(page.view.cards[0].slot, fakes.sample("ankle-boot"))
    drop(page.view.cards[1].slot, fakes.sample("pullover"))
    qtbot.waitUntil(lambda: not page.ends.is_busy())
    return page


@pytest.fixture
def inverted(filled):
    """With the two inverted."""
    click(filled.panel.run_button)
    filled.desk.invert()
    return filled
