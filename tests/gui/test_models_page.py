"""The Models page as a person uses it: real widgets and the real worker."""

import shutil

import numpy as np
import pytest
from hand import drop, find
from models_pages import facts, press
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QPushButton,
    QToolButton,
    QWidget,
)

import ddim_studio as ds
from ddim_studio.gui.model_files import CHECKPOINTS
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.models.catalog import bundled_models
from ddim_studio.models.sniffing import CHECKPOINT_SUFFIXES


@pytest.fixture
def page(models_page):
    """The Models page, on show."""
    return models_page


def test_the_page_and_its_controls_have_names(window, page):
    names = {
        "modelsPage": QWidget,
        "modelList": QListWidget,
        "openFolderButton": QPushButton,
        "openFileButton": QPushButton,
        "hubEdit": QLineEdit,
        "lookUpButton": QPushButton,
        "lookUpCancelButton": QPushButton,
        "downloadButton": QPushButton,
        "downloadCancelButton": QPushButton,
        "downloadProgress": QWidget,
        "useButton": QPushButton,
        "useMenuButton": QToolButton,
        "drawButton": QPushButton,
        "drawCancelButton": QPushButton,
        "previewView": QWidget,
        "modelDeviceCombo": QComboBox,
        "forgetButton": QPushButton,
    }
    for name, kind in names.items():
        assert find(window, kind, name).accessibleName(), name
    assert window.pages[-1] is page
    assert window.navigation.pages.item(window.navigation.pages.count() - 1).text() == "Models"


def test_a_bundled_model_comes_with_its_card_and_schedule(page, finish, fashion):
    assert facts(page).text("images") == "32×32 pixels, colour"  # the default one, at first
    page.open_source("fashion-28")
    finish()
    said = facts(page)
    assert said.text("images") == "28×28 pixels, grey"
    assert said.text("parameters").startswith(f"{fashion.info.parameters / 1e6:.1f} million")
    assert said.text("timesteps") == "T = 1000"
    assert said.text("licence") == "mit"
    assert said.text("precision") == "float32"
    values, _dashed = page.card.details.plot._series["ᾱ"]
    assert np.allclose(values, fashion.schedule.alpha_bars.numpy())
    assert page.models.sources()[: len(bundled_models())] == list(bundled_models())


def test_samples_are_drawn_by_the_model_and_kept(page, finish, tiny_pipeline, tiny, tmp_path):
    source = str(shutil.copytree(tiny_pipeline, tmp_path / "never-opened"))
    page.open_source(source)
    finish()
    assert page.card.shown is None
    assert page.card.details.facts.text("memory").endswith("and more")
    press(page, "drawButton")
    finish()
    *_, last = ds.sample(tiny, ds.seeded_noise(tiny, range(9)), ds.SampleSettings(steps=25))
    assert np.abs(page.card.shown.astype(int) - to_pixels(last.x).astype(int)).max() <= 1
    assert page.card.details.facts.text("memory").endswith("an image")
    drawn = page.card.shown
    page.open_source("fashion-28")
    finish()
    page.open_source(source)
    finish()
    assert np.array_equal(page.card.shown, drawn)
    assert page.card.said.said() == "Samples drawn earlier"


def test_drawing_can_be_cancelled(page, finish, qtbot):
    press(page, "drawButton")
    qtbot.waitUntil(lambda: page.card.shown is not None, timeout=30_000)
    press(page, "drawCancelButton")
    finish()
    assert page.card.said.said() == "Cancelled"
    assert page.card.shown is None
    assert find(page, QPushButton, "drawButton").isEnabled()


def test_a_folder_that_is_opened_stays_among_the_recent(page, finish, tiny_pipeline, monkeypatch):
    chosen = str(tiny_pipeline)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: chosen)
    press(page, "openFolderButton")
    finish()
    assert facts(page).text("images") == "8×8 pixels, grey"
    assert page.models.source() == chosen
    page.models.setFocus()
    QTest.keyClick(page.models, Qt.Key.Key_Delete)
    finish()
    assert chosen not in page.models.sources()
    assert page.source() == "toonheads-32"


def test_a_bad_file_is_refused_in_place_with_what_to_do(page, finish, tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    press(page, "openFileButton")
    finish()
    assert "is a picture, not a model" in page.card.problem.said()
    assert page.card.problem.isVisible()
    assert not find(page, QPushButton, "useButton").isEnabled()
    page.open_source("fashion-28")
    finish()
    assert not page.card.problem.isVisible()
    assert find(page, QPushButton, "useButton").isEnabled()


def test_a_recent_model_whose_files_are_gone_leaves_the_list(page, finish, tiny_pipeline, tmp_path):
    moved = shutil.copytree(tiny_pipeline, tmp_path / "short-lived")
    page.open_source(str(moved))
    finish()
    shutil.rmtree(moved)
    page.open_source("fashion-28")
    finish()
    page.models.select(str(moved))
    finish()
    assert "There is no model" in page.card.problem.said()
    press(page, "forgetButton")
    finish()
    assert str(moved) not in page.models.sources()


def test_what_is_dropped_on_the_window_opens_on_the_page_on_show(
    window, page, finish, tiny_pipeline, tmp_path
):
    drop(window, tiny_pipeline)
    finish()
    assert page.source() == str(tiny_pipeline)
    checkpoint = tmp_path / "weights.CKPT"
    checkpoint.write_bytes(b"GIF89a" + bytes(50))
    drop(window, checkpoint)
    finish()
    assert "is a picture, not a model" in page.card.problem.said()
    for other in (window.sample, window.invert, window.interpolate):
        window.navigation.pages.setCurrentRow(window.pages.index(other))
        drop(window, checkpoint)
        finish()
        assert other.model().source() == str(checkpoint)
        assert "is a picture, not a model" in other.model().error(other.model().combo)
        drop(window, tiny_pipeline)
        finish()
        assert other.model().source() == str(tiny_pipeline)
        assert other.model().error(other.model().combo) == ""


def test_the_window_takes_the_files_that_models_may_be():
    assert set(CHECKPOINTS) == set(CHECKPOINT_SUFFIXES)


def test_one_page_alone_can_use_a_model(window, page, finish, tiny_pipeline):
    page.open_source("fashion-28")
    finish()
    action = next(a for a in page.card.use_menu.actions() if a.objectName() == "useOn_Invert")
    action.trigger()
    finish()
    assert window.invert.model().source() == "fashion-28"
    assert window.sample.model().source() == str(tiny_pipeline)
    assert facts(page).text("used") == "Invert"
    assert "28×28" in window.invert.model().about.text()


def test_a_device_is_chosen_for_a_model_and_followed_everywhere(window, page, finish):
    page.open_source("fashion-28")
    finish()
    press(page, "useButton")
    finish()
    find(page, QComboBox, "modelDeviceCombo").setCurrentText("cpu")
    finish()
    assert window.sample.model().device.currentText() == "cpu"
    window.interpolate.model().device.setCurrentText("auto")
    finish()
    assert find(page, QComboBox, "modelDeviceCombo").currentText() == "auto"
    find(page, QComboBox, "modelDeviceCombo").setCurrentText("cpu")
    window.sample.model().set_source("somewhere else")
    assert window.sample.model().device.currentText() == "auto"
    window.sample.model().set_source("fashion-28")
    assert window.sample.model().device.currentText() == "cpu"
    finish()


def test_all_models_in_a_list_leads_here(window, finish, tiny_pipeline):
    combo = window.sample.model().combo
    combo.setCurrentIndex(combo.findText("All models…"))
    combo.activated.emit(combo.currentIndex())
    finish()
    assert window.stack.currentWidget() is window.models
    assert window.models.source() == str(tiny_pipeline)
    assert combo.currentText() == tiny_pipeline.name
