"""The Sample page and files: saving, dropping, models that are none."""

import json

import numpy as np
import pytest
from hand import drop, find, run
from PIL import Image
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFileDialog,
    QPushButton,
    QSpinBox,
)


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
        assert target.exists(), window.error_bar.message()
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
