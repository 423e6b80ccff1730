"""The bound on the Forward page, and what the page saves: real window, real worker thread."""

import csv

import numpy as np
import pytest
from hand import click, drop, find
from pictures import noisy, read, write
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton

import ddim_studio as ds
from ddim_studio.imaging.pixels import from_pixels


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "set"
    place.mkdir()
    for seed in range(12):
        write(place / f"{seed:02}.png", noisy(seed))
    return place


def measure(page, folder, **fields):
    find(page, QLineEdit, "boundDataEdit").setText(str(folder))
    page.panel.count.setValue(fields.get("count", 12))
    page.panel.draws.setValue(fields.get("draws", 3))
    click(find(page, QPushButton, "boundButton"))


def test_the_bound_is_measured_and_told(forward_page, folder, finish, tiny):
    measure(forward_page, folder)
    finish()
    pane = forward_page.readout.bound
    expected = ds.variational_bound(
        tiny, from_pixels(np.stack([noisy(i) for i in range(12)])), ds.BoundSettings(draws=3)
    )
    found = pane.measured.bound
    assert found.total("beta").value == pytest.approx(expected.total("beta").value, rel=1e-5)
    shown = float(pane.table.text("total").partition("±")[0])
    assert shown == pytest.approx(expected.total("beta").value, rel=0.05)
    assert forward_page.readout.tabs.tabText(forward_page.readout.tabs.currentIndex()) == "Bound"
    assert "12 of 12 images of set, folder" in pane.about.said()
    assert "bits a dimension" in pane.reading.said()
    assert forward_page.panel.bound_button.isEnabled()


def test_without_images_the_field_is_marked(forward_page):
    click(find(forward_page, QPushButton, "boundButton"))
    section, widget = forward_page.panel.fields["data"]
    assert section.error(widget).startswith("Choose a folder")


def test_what_was_measured_before_a_cancel_stays(forward_page, folder, finish, qtbot, monkeypatch):
    monkeypatch.setattr("ddim_studio.jobs.forward.STATES", 4)
    monkeypatch.setattr("ddim_studio.jobs.forward.REPORT_SECONDS", 0.0)
    for seed in range(12, 400):
        write(folder / f"{seed}.png", noisy(seed))
    measure(forward_page, folder, count=400)
    qtbot.waitUntil(lambda: forward_page.readout.bound.measured is not None, timeout=30_000)
    assert not forward_page.panel.run_button.isEnabled()
    click(forward_page.panel.cancel_button)
    finish()
    bound = forward_page.readout.bound.measured.bound
    assert 0 < bound.images < 400
    assert "Stopped there" in forward_page.readout.bound.about.said()
    assert forward_page.panel.run_button.isEnabled()


def test_an_unreadable_set_ends_the_job_not_the_window(window, forward_page, tmp_path, finish):
    measure(forward_page, tmp_path / "nowhere")
    finish()
    assert window.error_bar.isVisible()
    assert forward_page.readout.bound.measured is None
    assert forward_page.panel.bound_button.isEnabled()


def test_folder_and_file_are_chosen_in_dialogs(forward_page, folder, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    click(find(forward_page, QPushButton, "boundFolderButton"))
    assert forward_page.panel.bound_settings().data == str(folder)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    click(find(forward_page, QPushButton, "boundFileButton"))
    assert forward_page.panel.data.text() == str(folder)


def save(page, name, target, monkeypatch, finish):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    page.saving.menu.aboutToShow.emit()
    action = next(a for a in page.saving.menu.actions() if a.objectName() == name)
    assert action.isEnabled()
    action.trigger()
    finish()
    return target


def test_pictures_curves_and_bound_are_saved(noised, folder, tmp_path, monkeypatch, finish):
    noised.saving.menu.aboutToShow.emit()
    enabled = {a.objectName(): a.isEnabled() for a in noised.saving.menu.actions()}
    assert enabled["saveCurves"]
    assert not enabled["saveBound"]
    picture = save(noised, "saveImage", tmp_path / "one.png", monkeypatch, finish)
    np.testing.assert_array_equal(read(picture), noised.view.shown()[0, :, :, 0])
    save(noised, "saveTrajectory", tmp_path / "way.gif", monkeypatch, finish)
    save(noised, "saveCurves", tmp_path / "curves.png", monkeypatch, finish)
    table = save(noised, "saveCurveTable", tmp_path / "curves.csv", monkeypatch, finish)
    with table.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["line"] == "model"]
    assert len(rows) == 2 * 1000
    measure(noised, folder)
    finish()
    save(noised, "saveBound", tmp_path / "bound.svg", monkeypatch, finish)
    table = save(noised, "saveBoundTable", tmp_path / "bound.csv", monkeypatch, finish)
    with table.open(encoding="utf-8") as file:
        total = next(row for row in csv.DictReader(file) if row["term"] == "total")
    assert float(total["beta"]) == noised.readout.bound.measured.bound.total("beta").value


def test_a_saved_picture_brings_its_settings_back(window, noised, tmp_path, monkeypatch, finish):
    noised.panel.seed.set_value(8)
    picture = save(noised, "savePictures", tmp_path / "six.png", monkeypatch, finish)
    window.show_page(window.sample)
    drop(window, picture)
    assert window.stack.currentWidget() is noised
    assert noised.panel.seed.value() == 0  # that of the run in the picture
