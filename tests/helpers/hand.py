"""The user's hand: find a control by its name, click it, wait for what it started."""

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton


def find(window, kind, name):
    widget = window.findChild(kind, name)
    assert widget is not None, name
    return widget


def click(widget):
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def run(window, finish):
    """Press Run on the Sample page and wait for the end."""
    click(find(window, QPushButton, "runButton"))
    finish()


def drop(window, path):
    """Drop a file or folder on the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    actions, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    modifiers = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPointF(50, 50).toPoint(), actions, data, button, modifiers)
    QApplication.sendEvent(window, enter)
    event = QDropEvent(QPointF(50, 50), actions, data, button, modifiers)
    QApplication.sendEvent(window, event)
