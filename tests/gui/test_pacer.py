"""Drawing that is asked for often happens at once, then every so often, and never after the end."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from ddim_studio.gui.pacer import Pacer

EVERY = 60


def ticking(pacer):
    return [timer for timer in pacer.findChildren(QTimer) if timer.isActive()]


def test_all_of_one_turn_is_granted_and_the_next_waits_for_its_own(qtbot):
    pacer = Pacer(EVERY)
    assert all(pacer.grants() for _ in range(5))
    QApplication.processEvents()
    assert not ticking(pacer)  # nothing waits
    with qtbot.waitSignal(pacer.due, timeout=5000):
        assert not pacer.grants()
        assert not pacer.grants()
    assert not ticking(pacer)


def test_it_goes_on_at_its_pace_as_long_as_something_is_asked(qtbot):
    pacer, turns = Pacer(EVERY), []
    pacer.grants()
    QApplication.processEvents()
    pacer.due.connect(lambda: turns.append(pacer.grants()))  # asks again in its own turn
    pacer.grants()
    qtbot.waitUntil(lambda: len(turns) == 3, timeout=5000)
    assert turns == [False] * 3  # and waits for the next
    pacer.rest()
    assert not ticking(pacer)


def test_after_a_rest_it_grants_at_once():
    pacer = Pacer(60_000)
    assert pacer.grants()
    QApplication.processEvents()
    assert not pacer.grants()
    pacer.rest()
    assert not ticking(pacer)
    assert pacer.grants()
