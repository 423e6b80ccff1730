"""The matrix on the screen: the very pixels, marks, and the user's hand."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ddim_studio.gui.matrix_painting import CellLook
from ddim_studio.gui.theme import current_colors
from ddim_studio.gui.widgets.matrix_view import MatrixView
from ddim_studio.jobs.matrix import Place

ROWS, COLUMNS = ("η = 0", "η = 1"), ("S = 10", "S = 20", "S = 50")
LEFT = Qt.MouseButton.LeftButton


def pictures(seed, count=4, side=8, channels=1):
    shape = (count, side, side, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def view(qtbot):
    made = MatrixView()
    qtbot.addWidget(made)
    made.resize(420, 360)
    made.set_matrix(ROWS, COLUMNS, 4, (8, 8))
    made.show()
    qtbot.waitExposed(made)
    return made


def painted(view):
    image = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def centre(view, place):
    return view.cell_rect(place).center()


def test_pictures_are_painted_pixel_by_pixel_at_a_whole_scale(view):
    sheet = pictures(1)
    view.set_cell(Place(1, 2), CellLook("done", ("1 s",)), sheet)
    rect = view.cell_rect(Place(1, 2))
    scale = int(view._layout.scale)
    screen = painted(view)
    across = view._layout.across
    for number, picture in enumerate(sheet):
        row, column = divmod(number, across)
        left = rect.left() + column * (8 + 1) * scale
        top = rect.top() + row * (8 + 1) * scale
        shown = screen[top : top + 8 * scale, left : left + 8 * scale, 0]
        expected = picture[:, :, 0].repeat(scale, 0).repeat(scale, 1)
        np.testing.assert_array_equal(shown, expected)


def test_pictures_of_other_sizes_keep_a_scale_of_their_own(view):
    view.set_cell(Place(0, 0), CellLook("done"), pictures(1, side=16))
    view.set_cell(Place(0, 1), CellLook("done"), pictures(2, side=8))
    sheet = pictures(2, side=8)
    rect, scale = view.cell_rect(Place(0, 1)), int(view._layout.scale)
    screen = painted(view)[rect.top() :, rect.left() :, 0]
    found = screen[: rect.height(), : rect.width()]
    enlarged = sheet[0, :, :, 0].repeat(2 * scale, 0).repeat(2 * scale, 1)
    height, width = enlarged.shape
    places = [
        (y, x)
        for y in range(found.shape[0] - height)
        for x in range(found.shape[1] - width)
        if np.array_equal(found[y : y + height, x : x + width], enlarged)
    ]
    assert len(places) == 1


def test_a_new_picture_replaces_the_old_one_on_the_screen(view):
    for seed in (1, 2):
        sheet = pictures(seed)
        view.set_cell(Place(0, 0), CellLook("running", progress=0.5), sheet)
        rect = view.cell_rect(Place(0, 0))
        assert painted(view)[rect.top(), rect.left(), 0] == sheet[0, 0, 0, 0]


def test_marks_of_selection_partner_and_reference_are_on_the_screen(view):
    for row in range(2):
        for column in range(3):
            view.set_cell(Place(row, column), CellLook("done", ("1 s",)), pictures(0))
    view.set_selected(Place(0, 1))
    view.set_partner(Place(1, 1))
    view.set_reference(Place(1, 0), "SSIM")
    now, screen = current_colors(), painted(view)

    def count(color, rect):
        wanted = QColor(color)
        part = screen[rect.top() : rect.bottom() + 1, rect.left() : rect.right() + 1]
        return int((part == [wanted.red(), wanted.green(), wanted.blue()]).all(axis=2).sum())

    def around(place):
        return view.cell_rect(place).adjusted(-3, -3, 3, 3)

    selected = max(
        count(now.accent, around(Place(0, 1))), count(now.accent_ink, around(Place(0, 1)))
    )
    assert selected > 2 * view.cell_rect(Place(0, 1)).width()
    assert count(now.series[1], around(Place(1, 1))) > view.cell_rect(Place(1, 1)).width()
    caption = view.cell_rect(Place(1, 0)).translated(0, view.cell_rect(Place(1, 0)).height())
    caption.setHeight(22)
    assert count(now.accent, caption) > 100  # the badge
    other = view.cell_rect(Place(1, 2)).translated(0, view.cell_rect(Place(1, 2)).height())
    other.setHeight(22)
    assert count(now.accent, other) == 0


def test_the_users_hand_is_told(view):
    heard = []
    view.cell_selected.connect(lambda place: heard.append(("selected", place)))
    view.cell_paired.connect(lambda place: heard.append(("paired", place)))
    view.cell_opened.connect(lambda place: heard.append(("opened", place)))
    view.reference_wanted.connect(lambda place: heard.append(("reference", place)))
    port, none, control = (
        view.viewport(),
        Qt.KeyboardModifier.NoModifier,
        Qt.KeyboardModifier.ControlModifier,
    )
    QTest.mouseClick(port, LEFT, none, centre(view, Place(1, 1)))
    QTest.mouseClick(port, LEFT, control, centre(view, Place(0, 2)))
    QTest.mouseDClick(port, LEFT, none, centre(view, Place(0, 0)))
    QTest.keyClick(view, Qt.Key.Key_R)
    assert heard == [
        ("selected", Place(1, 1)),
        ("paired", Place(0, 2)),
        ("opened", Place(0, 0)),
        ("reference", Place(1, 1)),
    ]
    QTest.mouseClick(port, LEFT, none, centre(view, Place(0, 1)))
    assert heard[-2:] == [("paired", None), ("selected", Place(0, 1))]


def test_shift_and_arrows_choose_the_second_cell(view):
    view.set_selected(Place(0, 0))
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(view, Qt.Key.Key_Right, shift)
    QTest.keyClick(view, Qt.Key.Key_Down, shift)
    assert view.scene.partner == Place(1, 1)
    assert view.scene.selected == Place(0, 0)
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert view.scene.partner is None


def wheel(view, turn, modifier):
    position = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        position,
        QPointF(view.viewport().mapToGlobal(position.toPoint())),
        QPoint(),
        QPoint(0, turn),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def test_zoomed_in_it_scrolls_and_the_labels_stay(view, qtbot):
    for column in range(3):
        view.set_cell(Place(0, column), CellLook("done"), pictures(column))
    before = view._layout.scale
    for _ in range(6):
        wheel(view, 120, Qt.KeyboardModifier.ControlModifier)
    assert view._layout.scale > before
    bars = view.verticalScrollBar(), view.horizontalScrollBar()
    qtbot.waitUntil(lambda: all(bar.isVisible() for bar in bars))
    view.verticalScrollBar().setValue(0)
    view.horizontalScrollBar().setValue(0)
    corner = painted(view)[: view._layout.label_height, : view._layout.label_width].copy()
    column_labels = view._layout.box(Place(0, 0)).left
    wheel(view, -120, Qt.KeyboardModifier.NoModifier)
    assert view.verticalScrollBar().value() > 0
    view.horizontalScrollBar().setValue(40)
    assert view._layout.box(Place(0, 0)).left == column_labels - 40
    moved = painted(view)[: view._layout.label_height - 4, : view._layout.label_width - 4]
    np.testing.assert_array_equal(moved, corner[: moved.shape[0], : moved.shape[1]])
    QTest.keyClick(view, Qt.Key.Key_F)
    assert view._layout.scale == before
    qtbot.waitUntil(lambda: not any(bar.isVisible() for bar in bars))


def test_a_selected_cell_out_of_sight_is_scrolled_to(view):
    view.set_cell(Place(0, 0), CellLook("done"), pictures(0))
    for _ in range(8):
        wheel(view, 120, Qt.KeyboardModifier.ControlModifier)
    view.set_selected(Place(0, 0))
    view.set_selected(Place(1, 2))
    assert view.viewport().rect().intersects(view.cell_rect(Place(1, 2)))
    assert view.horizontalScrollBar().value() > 0


def test_the_whole_matrix_can_be_copied_however_it_is_scrolled(view):
    sheet = pictures(3)
    view.set_cell(Place(0, 0), CellLook("done"), sheet)
    for _ in range(6):
        wheel(view, 120, Qt.KeyboardModifier.ControlModifier)
    image = view.shown_image()
    assert (image.width(), image.height()) == view._layout.size
    box = view._layout.moved_to(0, 0).sheet_box(Place(0, 0))
    assert image.pixelColor(box.left, box.top).red() == sheet[0, 0, 0, 0]


def test_a_thousand_cells_are_still_one_widget(view):
    view.set_matrix([f"seed {i}" for i in range(32)], [f"S = {i}" for i in range(32)], 1, (8, 8))
    sheet = pictures(1, count=1)
    for row in range(32):
        for column in range(32):
            view.set_cell(Place(row, column), CellLook("done", ("1 s",)), sheet)
    assert view.verticalScrollBar().maximum() > 0
    view.set_selected(Place(31, 31))
    rect = view.cell_rect(Place(31, 31))
    assert painted(view)[rect.top(), rect.left(), 0] == sheet[0, 0, 0, 0]
