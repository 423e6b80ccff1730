"""The pictures on the screen are the very pixels, enlarged by a whole number."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication

from ddim_studio.gui.theme import current_colors
from ddim_studio.gui.widgets.frame_view import FrameView


def pictures(n=4, side=8, channels=3):
    shape = (n, side, side, channels)
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def array(image):
    rgb = image.convertToFormat(image.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).copy()


def enlarged(picture, scale):
    rgb = np.broadcast_to(picture, (*picture.shape[:2], 3))
    return rgb.repeat(scale, axis=0).repeat(scale, axis=1)


@pytest.fixture
def view(qtbot):
    made = FrameView()
    qtbot.addWidget(made)
    made.resize(300, 260)
    made.show()
    qtbot.waitExposed(made)
    return made


def tile_point(view, tile, x=0.5, y=0.5):
    left, top, width, height = view._grid.rect(tile)
    return QPoint(int(left + x * width), int(top + y * height))


def wheel(view, point, turn):
    position = QPointF(point)
    event = QWheelEvent(
        position,
        QPointF(view.mapToGlobal(point)),
        QPoint(),
        QPoint(0, turn),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


@pytest.mark.parametrize("channels", [1, 3])
def test_every_tile_is_painted_exactly(view, channels):
    pixels = pictures(5, 9, channels)
    view.set_pixels(pixels)
    shown = array(view.grab().toImage())
    scale = int(view._grid.scale)
    assert scale >= 2
    for tile in range(5):
        left, top, width, height = view._grid.rect(tile)
        part = shown[top : top + height, left : left + width]
        np.testing.assert_array_equal(part, enlarged(pixels[tile], scale))


@pytest.mark.parametrize("factor", ["1.25", "1.5", "2"])
def test_fractional_pixel_ratios_stay_exact(factor):
    script = """
import numpy as np
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication([])
from ddim_studio.gui.widgets.frame_view import FrameView
window = QWidget()
window.resize(401, 333)
view = FrameView(window)
view.setGeometry(13, 7, 377, 311)
pixels = np.random.default_rng(1).integers(0, 256, (5, 9, 9, 3), dtype=np.uint8)
view.set_pixels(pixels)
window.show()
app.processEvents()
ratio = view.devicePixelRatioF()
assert ratio == float(%s), ratio
image = window.grab().toImage().convertToFormat(window.grab().toImage().Format.Format_RGB888)
rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
shown = rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3)
scale = int(view._grid.scale)
for tile in range(5):
    left, top, width, height = view._grid.rect(tile)
    left, top = left + round(13 * ratio), top + round(7 * ratio)
    expected = pixels[tile].repeat(scale, axis=0).repeat(scale, axis=1)
    best = min(
        np.abs(shown[top + dy : top + dy + height, left + dx : left + dx + width].astype(int)
        - expected).max()
        for dx in (-1, 0, 1) for dy in (-1, 0, 1)
    )
    assert best == 0, (tile, best)
"""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": factor}
    done = subprocess.run(
        [sys.executable, "-c", script % factor],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_the_shown_picture_alone_is_the_pixels_without_a_border(view):
    pixels = pictures(4, 8)
    view.set_pixels(pixels)
    view.set_selected(2)
    view.set_single(True)
    shown = array(view.shown_image())
    np.testing.assert_array_equal(shown, enlarged(pixels[2], int(view._grid.scale)))


def test_the_shown_grid_has_no_selection(view):
    pixels = pictures(4, 8)
    view.set_pixels(pixels)
    view.clearFocus()
    accent = QColor(current_colors().accent).rgb()
    on_screen = view.grab().toImage()
    copied = view.shown_image()
    left, top, _, _ = view._grid.rect(0)
    assert on_screen.pixel(left - 1, top + 4) == accent
    colors = {copied.pixel(x, y) for x in range(copied.width()) for y in range(copied.height())}
    assert accent not in colors
    assert copied.width() == 2 * 8 * view._grid.scale + view._grid.gap


def test_click_selects_and_double_click_shows_alone(view, qtbot):
    view.set_pixels(pictures(4))
    with qtbot.waitSignal(view.tile_selected) as chosen:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=tile_point(view, 3))
    assert chosen.args == [3]
    assert view.selected() == 3
    with qtbot.waitSignal(view.single_changed) as single:
        qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=tile_point(view, 1))
    assert single.args == [True]
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert not view.is_single()


def test_keys_choose_a_tile_and_leave_the_arrows(view, qtbot):
    view.set_pixels(pictures(4))
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert view.selected() == 1
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End):
        qtbot.keyClick(view, key)
    assert view.selected() == 1
    for _ in range(9):
        qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert view.selected() == 3


def test_wheel_zooms_about_the_pointer_drag_pans_and_f_fits(view, qtbot):
    view.set_pixels(pictures(4))
    fit = view._grid
    point = tile_point(view, 3, 0.6, 0.6)
    under = fit.hit(point.x(), point.y())
    for _ in range(4):
        wheel(view, point, 120)
    assert view._grid.scale > fit.scale
    after = view._grid.hit(point.x(), point.y())
    assert after[0] == under[0]
    assert abs(after[1] - under[1]) <= 1
    before = view._grid.left
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=point)
    qtbot.mouseMove(view, point + QPoint(30, 0))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=point + QPoint(30, 0))
    assert view._grid.left == before + 30
    qtbot.keyClick(view, Qt.Key.Key_F)
    assert view._grid == fit


def test_wheel_out_stops_at_the_fit(view):
    view.set_pixels(pictures(4))
    fit = view._grid
    for _ in range(5):
        wheel(view, QPoint(150, 130), -120)
    assert view._grid == fit


def test_the_pixel_under_the_pointer_is_told(view, qtbot):
    view.set_pixels(pictures(4))
    told = []
    view.pixel_hovered.connect(lambda *place: told.append(place))
    left, top, _, _ = view._grid.rect(2)
    scale = int(view._grid.scale)
    qtbot.mouseMove(view, QPoint(left + 5 * scale + 1, top + 2 * scale + 1))
    assert told[-1] == (2, 5, 2)
    qtbot.mouseMove(view, QPoint(1, 1))
    assert told[-1] == (-1, -1, -1)


def test_new_frames_keep_zoom_and_selection_and_another_shape_does_not(view):
    view.set_pixels(pictures(4))
    view.set_selected(3)
    wheel(view, QPoint(150, 130), 120)
    zoomed = view._grid
    view.set_pixels(pictures(4)[::-1].copy())
    assert view._grid == zoomed
    assert view.selected() == 3
    view.set_pixels(pictures(2))
    assert view.selected() == 1
    assert view._grid != zoomed


def test_large_pictures_shrink_to_the_pane(view):
    view.set_pixels(np.full((2, 512, 512, 1), 99, np.uint8))
    assert view._grid.scale < 1
    left, top, width, height = view._grid.rect(0)
    assert left >= 0
    assert top >= 0
    shown = view.grab().toImage().pixelColor(left + width // 2, top + height // 2)
    assert shown.red() == 99
    assert view.shown_image().width() >= 512


def test_without_pictures_a_hint_is_painted(view):
    bare = array(view.grab().toImage())
    view.set_placeholder("Nothing here", "Choose Run to make some pictures.")
    assert (array(view.grab().toImage()) != bare).any()
    assert view.shown_image().isNull()


@pytest.mark.parametrize("bad", [np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4, 4, 3), np.uint8)])
def test_other_shapes_are_refused(view, bad):
    with pytest.raises(ValueError, match="N, H, W, C"):
        view.set_pixels(bad)


def test_right_click_asks_for_a_menu_of_the_tile(view, qtbot):
    view.set_pixels(pictures(4))
    from PySide6.QtGui import QContextMenuEvent

    point = tile_point(view, 1)
    with qtbot.waitSignal(view.menu_requested) as asked:
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, view.mapToGlobal(point))
        QApplication.sendEvent(view, event)
    assert asked.args == [view.mapToGlobal(point), 1]
