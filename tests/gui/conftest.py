"""Two ways to test pages: a real window with its threads, and a controller that only plays."""

import gc
import threading

import pytest
from fake_worker import Fakes
from hand import click, drop
from inversion_pages import opened
from pictures import noisy, write
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
    return [t for t in threading.enumerate() if t.name in {"compute", "files", "network"}]


@pytest.fixture
def window(qtbot, tiny_pipeline):
    """The main window on a small model, idle."""
    from ddim_studio.gui.app import create_window

    made = create_window()
    for page in made.pages:
        if page.model() is not None:
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
def models_page(window, finish, qtbot):
    """The Models page of the window, on show with its first card."""
    window.navigation.pages.setCurrentRow(window.pages.index(window.models))
    qtbot.waitUntil(lambda: window.models.card.details.facts.text("images") != "", timeout=20_000)
    finish()
    return window.models


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


@pytest.fixture
def compare_page(window, finish):
    """The Compare page with a matrix of two rows and three columns set."""
    page = window.compare
    window.navigation.pages.setCurrentRow(window.pages.index(page))
    page.panel.rows.set_text("eta", "0, 1")
    page.panel.columns.set_text("steps", "2, 3, 5")
    page.panel.count.setValue(3)
    finish()
    return page


@pytest.fixture
def compared(compare_page, finish):
    """With the matrix complete."""
    click(compare_page.panel.run_button)
    finish()
    return compare_page


@pytest.fixture
def forward_page(window, finish):
    """The Forward page on show, with six timesteps."""
    page = window.forward
    window.show_page(page)
    page.panel.points.setValue(6)
    finish()
    return page


@pytest.fixture
def imaged(forward_page, tmp_path, qtbot):
    """With an image dropped on it."""
    write(tmp_path / "image.png", noisy(4))
    drop(forward_page, tmp_path / "image.png")
    qtbot.waitUntil(lambda: forward_page.panel.slot.pixels() is not None, timeout=20_000)
    return forward_page


@pytest.fixture
def noised(imaged, finish):
    """With the image brought to noise."""
    click(imaged.panel.run_button)
    finish()
    return imaged
