"""Nothing ticks where nothing moves: no timer of any object runs in an idle window."""

import pytest
from hand import click, find, run
from PySide6.QtCore import QAbstractAnimation, QAbstractEventDispatcher, QObject
from PySide6.QtWidgets import QApplication, QLineEdit, QSpinBox, QWidget


def ticking(window):
    """Every running timer of every object in the window, Qt's own basic timers included."""
    dispatcher = QAbstractEventDispatcher.instance()
    objects = [window, *window.findChildren(QObject)]
    timers = [
        (type(o).__name__, o.objectName(), [timer.interval for timer in found])
        for o in objects
        if (found := dispatcher.registeredTimers(o))
    ]
    moving = [o for o in objects if isinstance(o, QAbstractAnimation)]
    return timers + [animation for animation in moving if animation.state().value]


@pytest.fixture
def settled(window, qtbot, finish):
    """Waits until all work is done, the window is built and no caret blinks."""

    def settle():
        finish()
        qtbot.waitUntil(lambda: not window.is_building(), timeout=60_000)
        finish()
        focused = QApplication.focusWidget()
        if isinstance(focused, QLineEdit | QSpinBox):
            focused.clearFocus()
        for _ in range(3):
            QApplication.processEvents()

    return settle


def test_the_check_sees_a_timer(window, settled):
    settled()
    assert ticking(window) == []
    number = window.startTimer(5000)
    assert [found[2] for found in ticking(window)] == [[5000]]
    window.killTimer(number)


def test_no_page_ticks_at_rest(window, settled):
    for row, page in enumerate(window.pages):
        window.navigation.pages.setCurrentRow(row)
        settled()
        assert ticking(window) == [], page.title


def test_nothing_ticks_after_a_run_a_branch_and_playing(window, settled, finish, qtbot):
    run(window, finish)
    settled()
    assert ticking(window) == []
    click(find(window, QWidget, "playButton"))
    assert ticking(window) != []
    window.navigation.pages.setCurrentRow(1)
    settled()
    assert ticking(window) == []  # nothing plays where nobody looks
    window.navigation.pages.setCurrentRow(0)
    window.sample.panel.live.click()
    settled()
    assert ticking(window) == []


def test_nothing_ticks_after_a_cancelled_run(window, settled, qtbot):
    find(window, QSpinBox, "stepsSpin").setValue(900)
    click(window.sample.panel.run_button)
    qtbot.waitUntil(lambda: window.sample.stage.timeline.position() > 0, timeout=60_000)
    assert ticking(window) != []
    click(window.sample.panel.cancel_button)
    settled()
    assert ticking(window) == []
