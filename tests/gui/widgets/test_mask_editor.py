"""Painting a mask as a person does: with the mouse, with the keyboard, with the menu."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSpinBox, QToolButton

from ddim_studio.gui.widgets.mask_editor import MaskEditor

LEFT, RIGHT, NONE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.KeyboardModifier.NoModifier,
)
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def editor(qtbot):
    made = MaskEditor()
    qtbot.addWidget(made)
    made.resize(316, 380)
    made.set_picture(np.full((16, 16, 3), 90, np.uint8))
    made.show()
    qtbot.waitExposed(made)
    made.diameter.setValue(1)
    return made


def place(editor, x, y):
    """The middle of a pixel on the screen."""
    left, top, width, height = editor.canvas._grid.rect(0)
    return QPoint(int(left + (x + 0.5) * width / 16), int(top + (y + 0.5) * height / 16))


def drag(editor, *pixels, button=LEFT):
    points = [place(editor, *pixel) for pixel in pixels]
    QTest.mousePress(editor.canvas, button, NONE, points[0])
    for point in points[1:]:
        QTest.mouseMove(editor.canvas, point)
    QTest.mouseRelease(editor.canvas, button, NONE, points[-1])


def filled(editor):
    return {(int(x), int(y)) for y, x in np.argwhere(editor.drawn())}


def key(editor, which, modifiers=NONE):
    QTest.keyClick(editor.canvas, which, modifiers)


def test_a_stroke_fills_the_pixels_under_it_and_one_signal_tells(editor, qtbot):
    told = []
    editor.edited.connect(lambda: told.append(editor.canvas.drawing.count))
    drag(editor, (2, 3), (6, 3), (6, 5))
    assert filled(editor) == {(x, 3) for x in range(2, 7)} | {(6, 4), (6, 5)}
    assert told == [7]
    assert editor.about() == "7 of 256 pixels to be filled (3 %)"


def test_the_eraser_and_the_right_button_take_away(editor):
    drag(editor, (2, 3), (9, 3))
    drag(editor, (4, 3), (5, 3), button=RIGHT)
    editor.tool("eraser").click()
    drag(editor, (8, 3), (8, 3))
    assert filled(editor) == {(x, 3) for x in (2, 3, 6, 7, 9)}


def test_a_box_goes_from_corner_to_corner_and_over_the_edge(editor):
    editor.tool("box").click()
    drag(editor, (13, 14), (20, 20))
    assert filled(editor) == {(x, y) for x in (13, 14, 15) for y in (14, 15)}
    drag(editor, (14, 14), (14, 15), button=RIGHT)
    assert filled(editor) == {(x, y) for x in (13, 15) for y in (14, 15)}


def test_undo_and_redo_by_keys_and_by_buttons(editor):
    drag(editor, (1, 1), (3, 1))
    drag(editor, (1, 5), (3, 5))
    key(editor, Qt.Key.Key_Z, CONTROL)
    assert filled(editor) == {(1, 1), (2, 1), (3, 1)}
    key(editor, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert len(filled(editor)) == 6
    undo, redo = (editor.findChild(QToolButton, name) for name in ("maskUndo", "maskRedo"))
    undo.click()
    undo.click()
    assert filled(editor) == set()
    assert not undo.isEnabled()
    redo.click()
    assert filled(editor) == {(1, 1), (2, 1), (3, 1)}


def test_brackets_change_the_brush_and_the_field_follows(editor):
    spin = editor.findChild(QSpinBox, "maskSize")
    key(editor, Qt.Key.Key_BracketRight)
    key(editor, Qt.Key.Key_BracketRight)
    assert spin.value() == editor.canvas.brush_size() == 3
    drag(editor, (8, 8), (8, 8))
    assert filled(editor) == {(x, y) for x in (7, 8, 9) for y in (7, 8, 9)}
    for _ in range(5):
        key(editor, Qt.Key.Key_BracketLeft)
    assert spin.value() == 1


def test_the_keyboard_alone_paints_and_draws_boxes(editor):
    editor.canvas.setFocus()
    key(editor, Qt.Key.Key_Left)  # from the middle
    key(editor, Qt.Key.Key_Space)
    assert filled(editor) == {(7, 8)}
    key(editor, Qt.Key.Key_R)
    assert editor.canvas.tool == "box"
    key(editor, Qt.Key.Key_Space)
    for which in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        key(editor, which)
    key(editor, Qt.Key.Key_Space)
    assert filled(editor) == {(x, y) for x in (7, 8, 9) for y in (8, 9)}
    key(editor, Qt.Key.Key_I)
    assert len(filled(editor)) == 256 - 6
    key(editor, Qt.Key.Key_Delete)
    assert filled(editor) == set()


def test_ready_made_masks_are_in_the_menu_and_can_be_undone(editor):
    drag(editor, (0, 0), (0, 0))
    next(a for a in editor.menu.actions() if a.objectName() == "preset_left").trigger()
    assert filled(editor) == {(x, y) for x in range(8) for y in range(16)}
    key(editor, Qt.Key.Key_Z, CONTROL)
    assert filled(editor) == {(0, 0)}


def test_files_are_asked_for_by_signals(editor, qtbot):
    for name, signal in (("loadMask", editor.load_requested), ("saveMask", editor.save_requested)):
        with qtbot.waitSignal(signal):
            editor.findChild(QAction, name).trigger()


def test_the_picture_keeps_its_pixels_and_the_mask_shows_over_black_white_and_its_own_colour(
    editor,
):
    def middle_of(x, y):
        shown = editor.canvas.grab().toImage()
        at = place(editor, x, y)
        left = [shown.pixelColor(at.x() + i, at.y()).getRgb()[:3] for i in range(-6, 7)]
        return np.array(left, int)

    for level in ((0, 0, 0), (255, 255, 255), (150, 16, 120), (255, 140, 226)):
        editor.set_picture(np.broadcast_to(np.array(level, np.uint8), (16, 16, 3)).copy())
        editor.clear()
        assert (middle_of(5, 5) == level).all()
        editor.take_preset("left")
        seen = middle_of(4, 8)
        assert (np.abs(seen - np.array(level)).max(1) > 20).any()
        assert (seen.max(0) - seen.min(0)).max() > 40, "two shades"
        assert (middle_of(12, 8) == level).all()


def test_a_picture_of_another_size_keeps_the_mask_and_no_picture_takes_the_tools(editor):
    editor.take_preset("left")
    editor.set_picture(np.zeros((8, 8, 1), np.uint8))
    assert np.array_equal(editor.drawn(), np.broadcast_to(np.arange(8) < 4, (8, 8)))
    bare = MaskEditor()
    assert bare.drawn() is None
    assert not bare.tool("brush").isEnabled()
    QTest.mouseClick(bare.canvas, LEFT)
    QTest.keyClick(bare.canvas, Qt.Key.Key_Space)
    assert bare.drawn() is None


def test_a_complaint_stays_until_the_mask_changes(editor):
    editor.complain("The mask is empty.")
    assert editor.error() == "The mask is empty."
    drag(editor, (3, 3), (3, 3))
    assert editor.error() == ""


def test_zoomed_in_the_brush_still_hits_the_pixel_under_the_pointer(editor):
    before = editor.canvas._grid.scale
    for _ in range(3):
        key(editor, Qt.Key.Key_Plus)
    assert editor.canvas._grid.scale > before
    drag(editor, (7, 7), (8, 7))
    assert filled(editor) == {(7, 7), (8, 7)}
    key(editor, Qt.Key.Key_F)
    assert editor.canvas._grid.scale == before


def test_every_tool_has_a_name_and_explains_itself(editor):
    for kind in (QToolButton, QSpinBox):
        for control in editor.findChildren(kind):
            if control.objectName().startswith("mask"):
                assert control.toolTip()
                assert control.accessibleName()
