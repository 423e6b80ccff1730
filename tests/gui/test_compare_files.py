"""What leaves the Compare page: figure, table, pictures, settings and images for other pages."""

import csv

import pytest
from comparing import ETAS, PLACES, REFERENCE, STEPS, click_cell, sampled, squared_errors
from hand import click, drop, find
from PIL import Image
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QFileDialog, QPushButton

from ddim_studio.jobs.matrix import Place
from ddim_studio.jobs.runs import SampleRun


def save(page, action, target, monkeypatch, finish):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    next(a for a in page.saving.menu.actions() if a.objectName() == action).trigger()
    finish()
    assert target.exists(), page.window().error_bar.message()
    return target


def test_figure_and_table_are_saved(compared, tiny, tmp_path, monkeypatch, finish):
    figure = save(compared, "saveFigure", tmp_path / "figure.svg", monkeypatch, finish)
    drawn = figure.read_text(encoding="utf-8")
    assert drawn.lstrip().startswith("<?xml")
    table = save(compared, "saveTable", tmp_path / "table.csv", monkeypatch, finish)
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(PLACES) * 3
    reference = sampled(tiny, *REFERENCE)
    for row in rows:
        column = STEPS.index(int(row["steps"]))
        images = sampled(tiny, ETAS.index(float(row["eta"])), column)
        expected = squared_errors(images, reference)[int(row["seed"])]
        assert float(row["mse"]) == pytest.approx(expected, abs=1e-6)


def test_a_saved_figure_dropped_again_brings_the_matrix_back(
    window, compared, tmp_path, monkeypatch, finish
):
    figure = save(compared, "saveFigure", tmp_path / "figure.png", monkeypatch, finish)
    before = compared.panel.settings()
    compared.panel.rows.set_text("seed", "0-3")
    window.navigation.pages.setCurrentRow(0)
    drop(window, figure)
    assert window.stack.currentWidget() is compared
    assert compared.panel.settings() == before


def test_the_pictures_and_the_trajectory_of_a_cell_are_saved(
    compared, tmp_path, monkeypatch, finish
):
    click_cell(compared, Place(1, 1))
    path = save(compared, "saveCell", tmp_path / "cell.png", monkeypatch, finish)
    with Image.open(path) as image:
        settings = SampleRun.from_json(image.text["ddim_studio"])
    assert (settings.eta, settings.steps, settings.count) == (1.0, 3, 3)
    path = save(compared, "saveTrajectory", tmp_path / "cell.gif", monkeypatch, finish)
    with Image.open(path) as image:
        assert image.n_frames == STEPS[1] + 1


def test_a_cell_goes_to_the_sample_page_and_its_images_to_others(window, compared, finish):
    click_cell(compared, Place(1, 1))
    click(find(compared, QPushButton, "toSampleButton"))
    run = window.sample.panel.settings()
    assert (run.eta, run.steps, run.count, run.seed) == (1.0, 3, 3, 0)
    assert window.stack.currentWidget() is window.sample
    window.navigation.pages.setCurrentRow(window.pages.index(compared))
    compared.view.open(Place(1, 1))
    compared.view.cell.frames.menu_requested.emit(QPoint(5, 5), 2)
    menu = compared.findChildren(type(compared.saving.menu))[-1]
    action = next(a for a in menu.actions() if a.objectName() == "sendTo_invert")
    action.trigger()
    finish()
    assert window.stack.currentWidget() is window.invert
    assert [item.label for item in window.invert.images.items()] == ["η = 1, S = 3, seed 2"]
