"""The Sample page as a person uses it: real widgets, real clicks, the real worker thread."""

import json
import random

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QTabBar,
    QToolButton,
    QWidget,
)

import ddim_studio as ds
from ddim_studio.imaging.pixels import to_pixels


def find(window, kind, name):
    widget = window.findChild(kind, name)
    assert widget is not None, name
    return widget


def click(widget):
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def run(window, finish):
    click(find(window, QPushButton, "runButton"))
    finish()


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
    assert sorted(set(seen)) == list(range(7))


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


def test_a_model_that_is_none_gets_a_sentence_and_the_page_lives(window, finish, tmp_path):
    (tmp_path / "empty").mkdir()
    window.sample.panel.model.set_source(str(tmp_path / "empty"))
    finish()
    assert window.error_bar.isVisible()
    assert "config.json" in window.error_bar.message()
    assert "Traceback" not in window.error_bar.message()
    run(window, finish)
    assert window.sample.stage.record is None
    assert find(window, QPushButton, "runButton").isEnabled()


def test_saving_the_image_the_grid_and_the_trajectory(window, finish, tmp_path, monkeypatch):
    run(window, finish)
    window.sample.stage.frames.set_selected(2)
    menu = window.sample.saving.menu

    def save(action, name):
        target = tmp_path / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
        next(a for a in menu.actions() if a.objectName() == action).trigger()
        finish()
        return target

    pixels = window.sample.stage.shown_pixels()
    with Image.open(save("saveImage", "one.png")) as image:
        assert np.array_equal(np.asarray(image), pixels[2, ..., 0])
        settings = json.loads(image.text["ddim_studio"])
    assert (settings["seed"], settings["count"]) == (2, 1)
    with Image.open(save("saveGrid", "grid.png")) as image:
        assert np.array_equal(np.asarray(image)[:8, :8], pixels[0, ..., 0])
    with Image.open(save("saveTrajectory", "run.gif")) as image:
        assert image.n_frames == 7
    assert "run.gif" in window.error_bar.message()


def test_a_full_disk_while_saving_is_said_and_nothing_is_lost(
    window, finish, tmp_path, monkeypatch
):
    run(window, finish)
    target = tmp_path / "missing" / "file.png"
    (tmp_path / "missing").write_text("a file where a folder should be")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.sample.saving.save_grid()
    finish()
    assert window.error_bar.isVisible()
    assert window.sample.stage.shown_pixels() is not None


def drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    actions, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    modifiers = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPointF(50, 50).toPoint(), actions, data, button, modifiers)
    QApplication.sendEvent(window, enter)
    event = QDropEvent(QPointF(50, 50), actions, data, button, modifiers)
    QApplication.sendEvent(window, event)


def test_a_dropped_picture_brings_its_settings_back(window, finish, tmp_path, monkeypatch):
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.4)
    run(window, finish)
    first = window.sample.stage.shown_pixels()
    target = tmp_path / "grid.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.sample.saving.save_grid()
    finish()
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.0)
    find(window, QSpinBox, "countSpin").setValue(1)
    drop(window, target)
    assert find(window, QDoubleSpinBox, "etaSpin").value() == pytest.approx(0.4)
    run(window, finish)
    assert np.array_equal(window.sample.stage.shown_pixels(), first)


def test_a_dropped_stranger_is_refused_in_a_sentence(window, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing of ours")
    drop(window, tmp_path / "notes.txt")
    assert window.error_bar.isVisible()


def test_a_dropped_folder_becomes_the_model(window, finish, tiny_pipeline, tmp_path):
    folder = tmp_path / "other"
    folder.symlink_to(tiny_pipeline)
    drop(window, folder)
    finish()
    assert window.sample.panel.model.source() == str(folder)


def test_thinning_keeps_the_budget_and_says_so(window, finish, monkeypatch):
    from ddim_studio.gui import run_record

    monkeypatch.setattr(run_record.RunRecord.__init__, "__defaults__", (20_000,))
    window.sample.panel.steps.setValue(60)
    run(window, finish)
    record = window.sample.stage.record
    assert record.frames.nbytes <= 20_000
    assert record.frames.stride > 1
    assert (
        f"every {record.frames.stride}"
        in window.sample.stage.timeline.findChild(QWidget, "timelineNote").text()
    )
    slider = find(window, QSlider, "timelineSlider")
    assert slider.maximum() == 60
    for frame in range(61):
        slider.setValue(frame)
        assert window.sample.stage.shown_pixels() is not None


def test_branches_leave_the_run_at_a_frame_and_stand_side_by_side(window, finish):
    run(window, finish)
    page, slider = window.sample, find(window, QSlider, "timelineSlider")
    first = page.stage.shown_pixels()
    page.stage.frames.set_selected(1)
    slider.setValue(2)
    at_two = page.stage.shown_pixels()
    find(window, QDoubleSpinBox, "etaSpin").setValue(1.0)
    click(find(window, QToolButton, "branchButton"))
    finish()
    tabs = find(window, QTabBar, "branchTabs")
    assert tabs.count() == 2
    assert tabs.currentIndex() == 1
    branch = page.stage.shown_pixels()
    assert not np.array_equal(branch, first)
    slider.setValue(2)
    assert np.array_equal(page.stage.shown_pixels(), at_two)
    slider.setValue(6)
    click(find(window, QPushButton, "sideBySideButton"))
    both = page.stage.shown_pixels()
    assert np.array_equal(both, np.stack([first[1], branch[1]]))
    click(find(window, QPushButton, "sideBySideButton"))
    tabs.setCurrentIndex(0)
    assert np.array_equal(page.stage.shown_pixels(), first)
    run(window, finish)
    assert tabs.count() == 1


def test_branching_from_the_last_frame_is_refused_in_a_sentence(window, finish):
    run(window, finish)
    click(find(window, QToolButton, "branchButton"))
    assert "before its last" in window.error_bar.message()
    assert not window.controller.monitor.is_busy()


def test_200_starts_and_cancels_at_random_moments(window, qtbot, finish):
    window.sample.panel.steps.setValue(200)
    chance = random.Random(0)
    for _ in range(200):
        click(find(window, QPushButton, "runButton"))
        QTest.qWait(chance.randrange(0, 25))
        click(find(window, QPushButton, "cancelButton"))
        if chance.random() < 0.5:
            finish()
        else:
            qtbot.waitUntil(window.sample.panel.run_button.isEnabled, timeout=30_000)
    finish()
    window.sample.panel.steps.setValue(6)
    run(window, finish)
    assert find(window, QSlider, "timelineSlider").maximum() == 6


def test_closing_in_the_middle_of_a_run(window, qtbot):
    window.sample.panel.steps.setValue(1000)
    click(find(window, QPushButton, "runButton"))
    qtbot.waitUntil(lambda: window.sample.stage.timeline.position() > 2, timeout=30_000)
    assert window.close()  # the fixture checks that no thread is left


def test_light_and_dark_change_at_a_click_and_are_remembered(window):
    from ddim_studio.gui.state import Memory
    from ddim_studio.gui.theme import is_dark

    before = is_dark()
    click(find(window, QToolButton, "themeButton"))
    assert is_dark() != before
    window.close()
    assert Memory().text("theme") == ("light" if before else "dark")
    assert Memory().get("sample")["steps"] == 6
