"""The hand on the Restore page: chooses tasks, paints pixels of the mask, finds actions."""

from __future__ import annotations

from colour_model import SIDE
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def choose(combo, key):
    combo.setCurrentIndex(combo.findData(key))


def tile(canvas, x, y):
    left, top, width, height = canvas._grid.rect(0)
    return QPoint(int(left + (x + 0.5) * width / SIDE), int(top + (y + 0.5) * height / SIDE))


def paint(page, *pixels):
    canvas = page.view.editor.canvas
    QTest.mousePress(canvas, LEFT, NONE, tile(canvas, *pixels[0]))
    for pixel in pixels[1:]:
        QTest.mouseMove(canvas, tile(canvas, *pixel))
    QTest.mouseRelease(canvas, LEFT, NONE, tile(canvas, *pixels[-1]))


def actions(page):
    return {action.objectName(): action for action in page.saving.menu.actions()}
