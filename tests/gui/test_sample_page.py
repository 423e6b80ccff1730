"""The Sample page as a person uses it: real widgets, real clicks, the real worker thread."""

import numpy as np
import pytest
from hand import click, find, run
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

import ddim_studio as ds
from ddim_studio.imaging.pixels import to_pixels


def test_the_contracts_object_names_are_there_and_have_accessible_names(window):
    names = {
        "samplePage": QWidget,
        "modelCombo": QComboBox,
        "etaSpin": QDoubleSpinBox,
        "stepsSpin": QSpinBox,
        "spacingCombo": QComboBox,
        "seedSpin": QLineEdit,
        "countSpin": QSpinBox,
        "runButton": QPushButton,
        "cancelButton": QPushButton,
        "timelineSlider": QSlider,
        "playButton": QWidget,
        "frameView": QWidget,
        "pageList": QWidget,
        "jobBar": QWidget,
        "jobProgress": QWidget,
        "jobCancel": QWidget,
        "errorBar": QWidget,
    }
    for name, kind in names.items():
        assert find(window, kind, name).accessibleName(), name


def test_run_shows_every_frame_and_ends_on_the_images_of_the_sampler(window, finish, tiny):
    slider = find(window, QSlider, "timelineSlider")
    run(window, finish)
    assert slider.maximum() == 6
    assert slider.value() == 6
    x_T = ds.seeded_noise(tiny, range(4))
    *_, last = ds.sample(tiny, x_T, ds.SampleSettings(steps=6))
    shown = window.sample.stage.shown_pixels().astype(int)
    assert np.abs(shown - to_pixels(last.x).astype(int)).max() <= 1
    slider.setValue(0)
    assert np.array_equal(window.sample.stage.shown_pixels(), to_pixels(x_T))


def test_run_is_off_and_cancel_on_while_it_runs(window, qtbot, finish):
    window.sample.panel.steps.setValue(1000)
    run_button, cancel = (
        find(window, QPushButton, "runButton"),
        find(window, QPushButton, "cancelButton"),
    )
    assert run_button.isEnabled()
    assert not cancel.isEnabled()
    click(run_button)
    qtbot.waitUntil(lambda: find(window, QSlider, "timelineSlider").maximum() >= 3, timeout=30_000)
    assert not run_button.isEnabled()
    assert cancel.isEnabled()
    click(cancel)
    finish()
    assert run_button.isEnabled()
    kept = len(window.sample.stage.record.numbers)
    assert 3 < kept < 1001
    assert find(window, QSlider, "timelineSlider").maximum() == kept - 1


def test_eta_steps_and_seed_reach_the_sampler(window, finish, tiny):
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.7)
    find(window, QSpinBox, "stepsSpin").setValue(3)
    find(window, QComboBox, "spacingCombo").setCurrentText("trailing")
    seed = find(window, QLineEdit, "seedSpin")
    seed.setFocus()
    seed.selectAll()
    QTest.keyClicks(seed, str(2**64 - 2))
    run(window, finish)
    settings = ds.SampleSettings(steps=3, eta=0.7, spacing="trailing", seed=2**64 - 2)
    seeds = [2**64 - 2, 2**64 - 1, 0, 1]
    *_, last = ds.sample(tiny, ds.seeded_noise(tiny, seeds), settings)
    shown = window.sample.stage.shown_pixels().astype(int)
    assert np.abs(shown - to_pixels(last.x).astype(int)).max() <= 1


@pytest.mark.parametrize("view", ["x", "x0", "epsilon", "x0_term", "direction_term", "noise_term"])
def test_every_view_shows_its_part_of_the_step(window, finish, tiny, view):
    find(window, QDoubleSpinBox, "etaSpin").setValue(1.0)
    run(window, finish)
    find(window, QSlider, "timelineSlider").setValue(2)
    click(find(window, QToolButton, f"view_{view}"))
    settings = ds.SampleSettings(steps=6, eta=1.0)
    steps = list(ds.sample(tiny, ds.seeded_noise(tiny, range(4)), settings))
    reach = 3 if view == "epsilon" else 1
    expected = to_pixels(getattr(steps[1], view), -reach, reach).astype(int)
    assert np.abs(window.sample.stage.shown_pixels().astype(int) - expected).max() <= 1


def test_the_terms_stand_side_by_side_for_the_selected_image(window, finish):
    run(window, finish)
    window.sample.stage.frames.set_selected(3)
    state = window.sample.stage.shown_pixels()[3]
    click(find(window, QToolButton, "view_terms"))
    terms = window.sample.stage.shown_pixels()
    assert terms.shape[0] == 4
    assert np.array_equal(terms[3], state)  # their sum is x_s of image 3
    click(find(window, QToolButton, "view_x"))
    assert window.sample.stage.frames.selected() == 3


def test_x_t_has_no_prediction_and_eta_0_no_noise_and_the_window_says_so(window, finish):
    run(window, finish)
    click(find(window, QToolButton, "view_noise_term"))
    assert window.sample.stage.shown_pixels() is None
    click(find(window, QToolButton, "view_x0"))
    assert window.sample.stage.shown_pixels() is not None
    find(window, QSlider, "timelineSlider").setValue(0)
    assert window.sample.stage.shown_pixels() is None


def test_keys_move_along_the_timeline_wherever_the_focus_is(window, finish):
    run(window, finish)
    slider = find(window, QSlider, "timelineSlider")
    page = window.sample
    page.stage.frames.setFocus()
    for key, value in (
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_Right, 2),
        (Qt.Key.Key_Left, 1),
        (Qt.Key.Key_End, 6),
    ):
        QTest.keyClick(page.stage.frames, key)
        assert slider.value() == value


def test_play_goes_through_the_frames_and_stops_at_the_end(window, qtbot, finish):
    run(window, finish)
    slider = find(window, QSlider, "timelineSlider")
    seen = []
    window.sample.stage.timeline.position_changed.connect(seen.append)
    click(find(window, QWidget, "playButton"))
    qtbot.waitUntil(lambda: slider.value() == 6 and len(seen) >= 6, timeout=20_000)
    assert set(seen) <= set(range(7))  # a busy machine may skip frames, never invent one
    first_pass = seen[: seen.index(max(seen)) + 1]
    assert first_pass == sorted(set(first_pass))
    assert first_pass[-1] == 6
    assert len(first_pass) >= 3


@pytest.mark.parametrize("text", ["", "10, 5", "a", "5 5", "1000"])
def test_a_wrong_list_is_marked_where_it_was_typed_and_nothing_runs(window, finish, text):
    find(window, QComboBox, "spacingCombo").setCurrentText("own list")
    edit = find(window, QLineEdit, "timestepsEdit")
    edit.setText(text)
    click(find(window, QPushButton, "runButton"))
    finish()
    page = window.sample
    assert page.stage.record is None
    marked = edit.property("invalid") or window.error_bar.isVisible()
    assert marked
    edit.setText("5, 500, 999")
    run(window, finish)
    assert page.stage.record.started.timesteps == (999, 500, 5)
    assert not edit.property("invalid")


def test_a_wrong_seed_is_marked(window):
    seed = find(window, QLineEdit, "seedSpin")
    seed.setText("18446744073709551616")
    click(find(window, QPushButton, "runButton"))
    assert not window.controller.monitor.is_busy()
    assert window.sample.stage.record is None


def test_an_unlocked_seed_changes_with_every_run_and_a_locked_one_does_not(window, finish):
    seed = window.sample.panel.seed
    seed.set_value(5)
    run(window, finish)
    assert seed.value() == 5
    seed.set_locked(False)
    run(window, finish)
    assert seed.value() != 5
    assert window.sample.stage.record.run.seed == seed.value()
