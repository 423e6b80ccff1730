"""No thread but the window's looks up a type of Qt before all of them are made."""

import threading
from types import SimpleNamespace

from PySide6 import QtCore, QtGui, QtWidgets

from ddim_studio.gui import app, qt_types
from ddim_studio.gui.app import create_window
from ddim_studio.gui.qt_types import TypeMaker


def test_all_types_are_made_in_this_thread_before_a_waiting_one_goes_on(qtbot, monkeypatch):
    looked_up, types = [], qt_types._types

    def noted():
        for made in types():
            looked_up.append((threading.current_thread(), made))
            yield made

    monkeypatch.setattr(qt_types, "_types", noted)
    maker, answers = TypeMaker(), []
    thread = threading.Thread(target=lambda: answers.append((maker.wait(), len(looked_up))))
    thread.start()
    maker.start()
    qtbot.waitUntil(lambda: bool(answers), timeout=20_000)
    thread.join()
    assert answers == [(True, len(looked_up))]
    assert {where for where, _ in looked_up} == {threading.current_thread()}
    made = {id(what) for _, what in looked_up}
    for kind in (QtCore.QUrl, QtGui.QPainter, QtWidgets.QTreeView, QtGui.QPainterPath):
        assert id(kind) in made


def test_the_window_answers_between_slices(qtbot, monkeypatch):
    monkeypatch.setattr(qt_types, "SLICE", 0.0)
    maker, ticks = TypeMaker(), []
    timer = QtCore.QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(0)
    maker.start()
    qtbot.waitUntil(maker._over.is_set, timeout=20_000)
    timer.stop()
    assert len(ticks) > 100
    assert not maker._timer.isActive()


def test_a_window_that_closes_at_once_lets_the_thread_go(qtbot):
    window = create_window()
    window.show()
    qtbot.waitUntil(window.controller.monitor.is_busy, timeout=20_000)
    window.close()
    assert window.controller.computing.close(5)
    window.deleteLater()


def test_nothing_is_imported_where_the_window_is_closing(monkeypatch):
    imported = []
    monkeypatch.setattr(app, "importlib", SimpleNamespace(import_module=imported.append))
    maker = TypeMaker()
    maker.abandon()
    assert not maker.wait()
    app._import_slow_libraries(maker.wait)
    assert imported == []
