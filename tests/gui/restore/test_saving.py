"""What the Restore page saves, sends, remembers and takes back."""

import csv

import numpy as np
from colour_model import SIDE
from hand import drop
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFileDialog, QPushButton, QSpinBox
from restore_pages import actions, choose

from ddim_studio.gui.image_source import from_seed
from ddim_studio.imaging.png import read_settings
from ddim_studio.jobs.restore_order import RestoreRun

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_a_saved_picture_brings_its_settings_back(window, restored, tmp_path, monkeypatch, finish):
    path = tmp_path / "restored.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
    restored.view.frames.set_selected(4)
    actions(restored)["saveImage"].trigger()
    finish()
    run = RestoreRun.from_json(read_settings(path))
    assert (run.seed, run.count, run.steps, run.task) == (1, 1, 5, "inpaint")
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), restored.view.shown()[4, ..., 0])
    restored.panel.steps.setValue(77)
    window.show_page(window.sample)
    drop(window, path)
    assert window.stack.currentWidget() is restored
    assert restored.panel.steps.value() == 5
    restored.panel.steps.setValue(77)
    drop(restored, path)
    assert restored.panel.steps.value() == 5
    assert restored.image.label() == "clean.png"


def test_sheet_animation_numbers_and_mask_are_saved(restored, tmp_path, monkeypatch, finish):
    def save(name, action):
        path = tmp_path / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(path), ""))
        restored.saving.menu.aboutToShow.emit()
        assert actions(restored)[action].isEnabled()
        actions(restored)[action].trigger()
        finish()
        return path

    with Image.open(save("sheet.png", "saveSheet")) as sheet:
        assert sheet.size == (5 * SIDE + 4 * 2, SIDE)
    with Image.open(save("way.gif", "saveTrajectory")) as film:
        assert film.n_frames >= 2
    with save("numbers.csv", "saveNumbers").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    record = restored.view.record
    assert len(rows) == 2 * 5
    assert float(rows[7]["guess_rms"]) == record.agreements[2].guess_rms[1]
    assert int(rows[7]["seed"]) == 1
    with Image.open(save("mask.png", "saveMask")) as mask:
        np.testing.assert_array_equal(np.asarray(mask) == 255, restored.view.editor.drawn())
    drawn = restored.view.editor.drawn()
    restored.view.editor.clear()
    chosen = str(tmp_path / "mask.png")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (chosen, ""))
    restored.load_mask()
    np.testing.assert_array_equal(restored.view.editor.drawn(), drawn)


def test_a_file_that_is_no_mask_is_said_and_the_mask_stays(filled, tmp_path, monkeypatch):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    filled.view.editor.take_preset("left")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (str(bad), ""))
    filled.load_mask()
    assert "bad.png" in filled.view.editor.error()
    assert filled.view.editor.drawn().sum() == SIDE * SIDE // 2


def test_an_image_is_sent_here_and_from_here(window, restored, finish, qtbot):
    window.sample.sent.emit("restore", from_seed(2))
    assert window.stack.currentWidget() is restored
    finish()
    restored._offer(QPoint(0, 0), 3)
    menus = [menu for menu in restored.findChildren(type(restored.saving.menu)) if menu.isVisible()]
    entry = next(a for a in menus[-1].actions() if a.objectName() == "sendTo_invert")
    entry.trigger()
    menus[-1].close()
    assert window.stack.currentWidget() is window.invert
    qtbot.waitUntil(lambda: not window.invert.images.is_busy(), timeout=20_000)
    assert window.invert.images.inputs()[0].label == "restored, seed 0"


def test_settings_are_remembered(page):
    choose(page.panel.task, "superres")
    page.panel.steps.setValue(9)
    page.panel.count.setValue(3)
    values = page.memory()
    choose(page.panel.task, "inpaint")
    page.panel.steps.setValue(50)
    page.recall(values)
    assert page.panel.task.currentData() == "superres"
    assert (page.panel.steps.value(), page.panel.count.value()) == (9, 3)


def test_every_control_has_a_name_and_explains_itself(page):
    for kind in (QComboBox, QSpinBox, QDoubleSpinBox, QPushButton):
        for control in page.findChildren(kind):
            assert control.toolTip(), control.objectName()
            assert control.objectName()
