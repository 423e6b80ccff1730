"""The Invert page as a person uses it; the worker is played by the test."""

import math

import numpy as np
import pytest
from hand import click, drop, find
from inversion_pages import opened
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QPushButton,
    QSlider,
    QSpinBox,
)

from ddim_studio.gui.image_set import MAX_IMAGES
from ddim_studio.gui.image_source import from_file, from_seed
from ddim_studio.gui.pages.invert import InvertPage
from ddim_studio.jobs.events import Failure
from ddim_studio.jobs.inversion_events import ErrorCurve
from ddim_studio.jobs.orders import CurveOrder, InvertOrder

NAMES = ("ankle-boot", "pullover", "dress")


@pytest.fixture
def page(qtbot, fakes):
    return opened(InvertPage, qtbot, fakes)


@pytest.fixture
def filled(page, fakes, qtbot):
    page.add([*(from_file(fakes.sample(name)) for name in NAMES), from_seed(9)])
    qtbot.waitUntil(lambda: not page.images.is_busy())
    return page


@pytest.fixture
def inverted(filled):
    click(find(filled, QPushButton, "runButton"))
    filled.desk.invert(missed=((1, 2),))
    return filled


def texts(page):
    view = page.view.strip.list
    return [view.item(row).text() for row in range(view.count())]


def test_every_control_has_a_name_and_explains_itself(page):
    assert page.objectName() == "invertPage"
    for kind in (QComboBox, QSpinBox, QSlider, QPushButton):
        for control in page.findChildren(kind):
            assert control.toolTip(), control.objectName()


def test_files_are_dropped_anywhere_on_the_page_and_on_the_strip(page, fakes, qtbot):
    drop(page, fakes.sample("bag"))
    drop(page.view.strip, fakes.sample("coat"))
    qtbot.waitUntil(lambda: not page.images.is_busy())
    assert texts(page) == ["bag", "coat"]
    assert page.view.strip.list.item(0).toolTip() == "bag.png\n28×28 grey, to 28×28 grey"


def test_a_picture_is_pasted_wherever_the_focus_is(page, qtbot):
    image = QImage(40, 30, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.darkGreen)
    QApplication.clipboard().setImage(image)
    QTest.keyClick(page.view.frames, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: texts(page) == ["pasted image"] and not page.images.is_busy())
    assert page.images.inputs()[0].pixels.shape == (28, 28, 1)


def test_several_files_are_chosen_in_the_dialog(page, fakes, qtbot, monkeypatch):
    paths = [str(fakes.sample(name)) for name in NAMES]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a, **k: (paths, ""))
    page.view.strip.menu.open_file()
    qtbot.waitUntil(lambda: not page.images.is_busy())
    assert texts(page) == list(NAMES)


def test_a_bad_file_is_said_and_the_others_stay(filled, tmp_path, qtbot):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    drop(filled, bad)
    qtbot.waitUntil(lambda: "bad.png is empty" in filled.view.strip.error())
    assert texts(filled) == [*NAMES, "seed 9"]


def test_more_than_sixteen_are_not_taken(page, qtbot):
    page.add([from_seed(seed) for seed in range(20)])
    qtbot.waitUntil(lambda: not page.images.is_busy())
    assert len(texts(page)) == MAX_IMAGES == 16
    assert page.view.strip.error().startswith("4 not added")


def test_images_are_removed(filled):
    filled.view.strip.select(1)
    QTest.keyClick(filled.view.strip.list, Qt.Key.Key_Delete)
    assert texts(filled) == ["ankle-boot", "dress", "seed 9"]
    filled.view.strip.cleared.emit()
    assert texts(filled) == []


def test_without_images_it_says_what_to_do(page):
    click(page.panel.run_button)
    assert page.desk.orders == []
    assert page.view.strip.error().startswith("Add an image first")


def test_run_gives_the_pictures_and_the_settings(filled, fakes):
    filled.panel.method.setCurrentIndex(filled.panel.method.findData("target"))
    find(filled, QSpinBox, "stepsSpin").setValue(20)
    click(filled.panel.run_button)
    (order,) = filled.desk.orders
    assert isinstance(order, InvertOrder)
    assert (order.run.method, order.run.steps, order.run.spacing) == ("target", 20, "linear")
    dress = np.asarray(Image.open(fakes.sample("dress")).copy())
    np.testing.assert_array_equal(order.images[2].pixels[:, :, 0], dress)
    assert order.images[3].seed == 9


def test_run_before_all_are_open_begins_when_they_are(page, fakes, qtbot):
    page.add([from_file(fakes.sample("bag"))])
    assert page.images.is_busy()
    click(page.panel.run_button)
    assert page.desk.orders == []
    qtbot.waitUntil(lambda: len(page.desk.orders) == 1)
    assert page.desk.orders[0].images[0].label == "bag.png"


def test_the_states_are_followed_and_scrubbed(filled, fakes):
    click(filled.panel.run_button)
    steps = list(fakes.encode_steps(filled.desk.orders[0]))
    filled.desk.send(*steps[:3])
    assert filled.view.bar.view() == "path"
    np.testing.assert_array_equal(filled.view.shown(), steps[2].x)
    slider = find(filled, QSlider, "timelineSlider")
    assert slider.maximum() == 3
    slider.setValue(1)
    np.testing.assert_array_equal(filled.view.shown(), steps[0].x)
    slider.setValue(0)
    boot = np.asarray(Image.open(fakes.sample("ankle-boot")).copy())
    np.testing.assert_array_equal(filled.view.shown()[0, :, :, 0], boot)
    residuals = filled.readout.residuals._series["residual"][0]
    np.testing.assert_allclose(residuals, [1e-7, 1e-8, 1e-9])


def test_the_result_shows_four_pictures_of_the_selected_image(inverted):
    result = inverted.inverted[1]
    inverted.view.strip.select(1)
    shown = inverted.view.shown()
    for picture, source in zip(
        shown,
        (result.originals, result.latents, result.reconstructions, result.differences),
        strict=True,
    ):
        np.testing.assert_array_equal(picture, source[1])
    assert "white is 3.1e-05" in inverted.view.scale.text()
    inverted.view.bar.set_view("differences")
    assert "white is 3.1e-05" in inverted.view.scale.text()
    inverted.view.bar.set_view("latents")
    np.testing.assert_array_equal(inverted.view.shown(), result.latents)
    assert "−3" in inverted.view.scale.text()


def test_the_numbers_are_of_the_selected_image(inverted):
    table = inverted.readout.quality
    assert table.text("mse") == "1.7e-11"
    assert (table.text("missed"), table.tone("missed")) == ("0 of 4 steps", "good")
    inverted.view.strip.select(2)
    assert table.text("mse") == "5.1e-11"
    assert (table.text("missed"), table.tone("missed")) == ("1 of 4 steps", "warning")
    assert "0 → 200" in inverted.readout.missed.said()
    assert table.text("calls") == "24 · 6.0 a step"
    assert table.text("residual") == "1.0e-04"


def test_the_noise_is_held_against_the_normal_distribution(inverted):
    readout = inverted.readout
    assert readout.moments.text("variance") == "+0.970"
    assert "smooth areas" in readout.reading.said()
    x, normal = readout.histogram._x, readout.histogram._series["N(0, 1)"][0]
    assert normal.max() == pytest.approx(1 / math.sqrt(2 * math.pi), rel=0.02)
    assert abs(x[normal.argmax()]) < 0.2
    assert readout.correlation._series["noise"][0].tolist()[:3] == [1.0, 0.0, 0.0]


def test_the_error_against_s_stands_beside_the_papers(filled):
    click(find(filled, QPushButton, "curveButton"))
    order = filled.desk.orders[-1]
    assert isinstance(order, CurveOrder)
    assert set(order.methods) == {"exact", "source", "target"}
    assert order.steps == (10, 20, 50, 100)
    assert filled.readout.tabs.tabText(filled.readout.tabs.currentIndex()) == "Error / S"
    filled.desk.send(
        ErrorCurve("source", 10, 0.026, 1.0, 0), ErrorCurve("exact", 10, 2e-11, 17.0, 3)
    )
    curve = filled.readout.curve
    assert [curve.table.text("10", column) for column in range(4)] == [
        "2e-11",
        ".026",
        "–",
        ".014",
    ]
    assert curve.table.tone("10", 0) == "warning"
    paper = curve.plot._series["paper"][0].tolist()
    assert paper == [0.014, 0.0065, 0.0023, 0.0009, 0.0004, 0.0001, 0.0001]
    filled.desk.finish()
    assert find(filled, QPushButton, "curveButton").isEnabled()


def test_a_curve_does_not_take_the_result_away(inverted):
    result = inverted.inverted
    click(find(inverted, QPushButton, "curveButton"))
    inverted.desk.finish("cancelled")
    assert inverted.inverted is result
    assert inverted.view.shown() is not None


def test_another_image_makes_the_result_void(inverted, fakes, qtbot):
    inverted.add([from_file(fakes.sample("bag"))])
    qtbot.waitUntil(lambda: not inverted.images.is_busy())
    assert inverted.inverted is None
    assert inverted.view.shown() is None
    assert inverted.readout.quality.text("mse") == "–"


def test_cancel_keeps_the_states_that_there_are(filled, fakes):
    click(filled.panel.run_button)
    filled.desk.send(*list(fakes.encode_steps(filled.desk.orders[0]))[:2])
    click(filled.panel.cancel_button)
    assert filled.desk.cancelled == 1
    filled.desk.finish("cancelled")
    assert len(filled.view.trajectory()) == 3
    assert filled.view.shown() is not None
    assert filled.panel.run_button.isEnabled()


def test_a_failure_is_handed_on(filled):
    click(filled.panel.run_button)
    failure = Failure("There is not enough memory for this run.")
    filled.desk.finish("failed", failure)
    assert filled.desk.failures == [failure]
    assert filled.panel.run_button.isEnabled()


def test_the_decoding_of_the_selected_image_is_watched(inverted, fakes):
    inverted.view.strip.select(2)
    click(find(inverted, QPushButton, "watchButton"))
    order = inverted.desk.orders[-1]
    assert isinstance(order, fakes.WatchOrder)
    assert (order.key, order.ends) == (1, (2, 2))
    assert inverted.is_watching()
    inverted.desk.finish()
    click(inverted.watching.back)
    assert inverted.desk.cancelled == 0
    assert not inverted.is_watching()


def test_pictures_and_the_way_are_saved(inverted, monkeypatch, tmp_path):
    target = tmp_path / "out.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(target), ""))
    inverted.saving.save_pictures()
    with Image.open(target) as saved:
        assert saved.size == (4 * 28 + 3 * 2, 28)
        assert '"invert"' in saved.text["ddim_studio"]
    target = tmp_path / "way.gif"
    inverted.saving.save_encoding()
    with Image.open(target) as saved:
        assert saved.n_frames == 5


def test_a_theme_change_keeps_everything(inverted, qtbot):
    from ddim_studio.gui.theme import apply_theme, current_colors

    app = QApplication.instance()
    inverted.view.strip.select(2)
    try:
        apply_theme(app, "dark")
        assert current_colors().warning in inverted.readout.missed.text()
        assert texts(inverted) == [*NAMES, "seed 9"]
        assert inverted.view.strip.selected() == 2
        inverted.grab()
    finally:
        apply_theme(app, "light")
