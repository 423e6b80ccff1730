"""The timeline under a person's hands, and under a run that goes on."""

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QSlider, QToolButton, QWidget

from ddim_studio.gui.widgets.timeline import Timeline


@pytest.fixture
def timeline(qtbot):
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(700, 70)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def finished(timeline):
    timeline.set_total(11)
    timeline.set_available(11)
    timeline.set_following(False)
    timeline.set_position(0)
    return timeline


def slider(timeline):
    return timeline.findChild(QSlider, "timelineSlider")


def button(timeline, name):
    return next(b for b in timeline.findChildren(QToolButton) if b.accessibleName() == name)


def key(timeline, which, modifiers=Qt.KeyboardModifier.NoModifier):
    return timeline.handle_key(QKeyEvent(QEvent.Type.KeyPress, which, modifiers))


def test_it_follows_a_live_run_until_the_user_goes_elsewhere(timeline):
    told = []
    timeline.position_changed.connect(told.append)
    timeline.set_total(51)
    for n in range(1, 11):
        timeline.set_available(n)
    assert slider(timeline).maximum() == 9
    assert timeline.position() == 9
    assert told == list(range(1, 10))
    key(timeline, Qt.Key.Key_Left)
    assert timeline.position() == 8
    assert not timeline.is_following()
    timeline.set_available(20)
    assert timeline.position() == 8
    key(timeline, Qt.Key.Key_End)
    assert timeline.is_following()
    assert timeline.position() == 19
    timeline.set_available(21)
    assert timeline.position() == 20


def test_dragging_stops_following(timeline):
    timeline.set_total(51)
    timeline.set_available(20)
    slider(timeline).setValue(4)
    assert timeline.position() == 4
    assert not timeline.is_following()


def test_a_frame_keeps_its_place_on_the_track(timeline):
    timeline.set_total(51)
    timeline.set_available(26)
    half = slider(timeline).width()
    timeline.set_available(51)
    full = slider(timeline).width()
    assert half - 16 == pytest.approx((full - 16) / 2, abs=1)


def test_a_click_on_the_track_goes_there(finished, qtbot):
    bar = slider(finished)
    qtbot.mouseClick(
        bar, Qt.MouseButton.LeftButton, pos=QPoint(bar.width() // 2, bar.height() // 2)
    )
    assert finished.position() == 5


def test_the_buttons_step(finished, qtbot):
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(button(finished, "Next frame"), left)
    qtbot.mouseClick(button(finished, "Next frame"), left)
    assert finished.position() == 2
    qtbot.mouseClick(button(finished, "Previous frame"), left)
    assert finished.position() == 1
    qtbot.mouseClick(button(finished, "Last frame, and follow a live run"), left)
    assert finished.position() == 10
    qtbot.mouseClick(button(finished, "First frame: x_T"), left)
    assert finished.position() == 0
    qtbot.mouseClick(button(finished, "Previous frame"), left)
    assert finished.position() == 0


def test_keys_work_with_the_focus_on_the_slider(finished, qtbot):
    bar = slider(finished)
    for pressed, expected in (
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_End, 10),
        (Qt.Key.Key_Left, 9),
        (Qt.Key.Key_Home, 0),
    ):
        qtbot.keyClick(bar, pressed)
        assert finished.position() == expected
    qtbot.keyClick(bar, Qt.Key.Key_Space)
    assert finished.is_playing()


def test_other_keys_and_shortcuts_are_left_alone(finished):
    assert not key(finished, Qt.Key.Key_A)
    assert not key(finished, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert finished.position() == 0


def test_playing_visits_every_frame_and_stops_at_the_end(finished, qtbot):
    # At this speed no tick, however late, counts for more than one frame.
    finished.findChild(QComboBox, "speedCombo").setCurrentText("¼×")
    told = []
    finished.position_changed.connect(told.append)
    play = finished.findChild(QToolButton, "playButton")
    toggled = []
    finished.play_toggled.connect(toggled.append)
    qtbot.mouseClick(play, Qt.MouseButton.LeftButton)
    assert play.accessibleName() == "Pause"
    qtbot.waitUntil(lambda: not finished.is_playing(), timeout=30_000)
    assert told == list(range(1, 11))
    assert toggled == [True, False]
    assert play.accessibleName() == "Play"
    qtbot.mouseClick(play, Qt.MouseButton.LeftButton)
    assert finished.position() == 0


def test_a_loop_goes_on_and_pause_stops_it(finished, qtbot):
    finished.set_total(3)
    finished.set_available(3)
    finished.findChild(QComboBox, "speedCombo").setCurrentText("8×")
    finished.findChild(QToolButton, "loopButton").click()
    told = []
    finished.position_changed.connect(told.append)
    key(finished, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: told.count(0) >= 2, timeout=5000)
    key(finished, Qt.Key.Key_Space)
    assert not finished.is_playing()
    assert not finished._timer.isActive()


def test_catching_up_with_a_live_run_follows_it(timeline, qtbot):
    timeline.set_total(51)
    timeline.set_available(4)
    timeline.findChild(QComboBox, "speedCombo").setCurrentText("8×")
    key(timeline, Qt.Key.Key_Space)
    assert timeline.position() == 0
    qtbot.waitUntil(lambda: not timeline.is_playing(), timeout=5000)
    assert timeline.is_following()
    timeline.set_available(5)
    assert timeline.position() == 4


def test_back_and_forth_means_loop(finished):
    loop = finished.findChild(QToolButton, "loopButton")
    loop.ping_pong.setChecked(True)
    assert loop.isChecked()
    loop.click()
    assert not loop.ping_pong.isChecked()


def test_reset(finished):
    finished.set_caption("x")
    finished.set_note("y")
    finished.reset()
    assert finished.position() == 0
    assert finished.is_following()
    assert slider(finished).maximum() == 0
    assert not slider(finished).isEnabled()
    assert not key(finished, Qt.Key.Key_Right) or finished.position() == 0


def test_keys_forwarded_by_a_page_do_not_need_focus(finished, qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    assert key(finished, Qt.Key.Key_Right)
    assert finished.position() == 1
