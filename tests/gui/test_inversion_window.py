"""Invert and Interpolate in the real window, with the real worker thread and a small model."""

import time

import numpy as np
import pytest
from hand import click, drop, find, run
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QPushButton, QSlider, QSpinBox

import ddim_studio as ds
from ddim_studio.gui.image_source import ImageSource, from_file, from_seed
from ddim_studio.imaging.pixels import from_pixels, to_pixels


@pytest.fixture
def pictures(tmp_path):
    generator = np.random.default_rng(0)
    paths = []
    for name in ("first", "second"):
        path = tmp_path / f"{name}.png"
        smooth = np.kron(generator.integers(0, 256, (2, 2)), np.ones((4, 4))).astype(np.uint8)
        Image.fromarray(smooth).save(path)
        paths.append(path)
    return paths


@pytest.fixture
def page(window, tiny_pipeline, finish):
    page = window.interpolate
    window.navigation.pages.setCurrentRow(window.pages.index(page))
    page.panel.model.set_source(str(tiny_pipeline))
    page.panel.steps.setValue(20)
    finish()
    return page


@pytest.fixture
def inverted(page, pictures, finish, qtbot):
    for card, path in zip(page.view.cards, pictures, strict=False):
        drop(card.slot, path)
    qtbot.waitUntil(lambda: not page.ends.is_busy(), timeout=20_000)
    click(find(page, QPushButton, "invertButton"))
    finish()
    assert page.inverted is not None
    return page


def test_the_ends_of_the_path_are_the_reconstructions(inverted, tiny, finish):
    _, result = inverted.inverted
    settings = inverted.inverted[0].run
    x_T = ds.invert(tiny, from_pixels(result.originals), settings).x_T
    back = to_pixels(ds.reconstruct(tiny, x_T, settings)).astype(int)
    assert np.abs(back - result.reconstructions.astype(int)).max() <= 1
    assert max(quality.mse for quality in result.quality) < 1e-5
    slider = find(inverted, QSlider, "alphaSlider")
    for value, end in ((0, 0), (slider.maximum(), 1)):
        slider.setValue(value)
        finish()
        shown = inverted.view.result.shown_image()
        assert not shown.isNull()
        grey = result.reconstructions[end, 0, 0, 0]
        assert abs(shown.pixelColor(0, 0).red() - int(grey)) <= 1


def test_without_touching_the_slider_the_picture_is_that_of_its_alpha(inverted, finish):
    slider = find(inverted, QSlider, "alphaSlider")
    assert slider.value() == 500
    finish()
    picture = inverted.live.final(500)
    assert picture is not None
    shown = inverted.view.result.shown_image()
    scale = shown.width() // picture.shape[1]
    for y, x in ((0, 0), (3, 5), (7, 7)):
        grey = shown.pixelColor(x * scale + scale // 2, y * scale + scale // 2).red()
        assert abs(grey - int(picture[y, x, 0])) <= 1
    assert not np.array_equal(picture, inverted.inverted[1].reconstructions[0])


def test_a_hundred_moves_of_alpha_in_five_seconds_never_stop_the_window(
    inverted, window, finish, qtbot
):
    slider = find(inverted, QSlider, "alphaSlider")
    gaps, last = [], [time.perf_counter()]

    def tick():
        now = time.perf_counter()
        gaps.append(now - last[0])
        last[0] = now

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(5)
    for move in range(100):
        slider.setValue(37 + 9 * move)
        qtbot.wait(50)
    timer.stop()
    finish()
    assert slider.value() == 37 + 9 * 99
    tick_of_last = slider.value()
    assert inverted.live.final(tick_of_last) is not None  # the last position was decoded in full
    assert inverted.live.cached() <= 256
    assert max(gaps) < 1.0  # a real stall; milliseconds are measured by benchmarks/stalls.py


def test_cancel_in_the_middle_and_another_model_in_between(
    page, pictures, finish, qtbot, tiny_pipeline
):
    for card, path in zip(page.view.cards, pictures, strict=False):
        drop(card.slot, path)
    qtbot.waitUntil(lambda: not page.ends.is_busy(), timeout=20_000)
    page.panel.steps.setValue(1000)
    click(find(page, QPushButton, "invertButton"))
    qtbot.wait(100)
    click(page.panel.cancel_button)
    finish()
    assert page.inverted is None
    assert page.panel.run_button.isEnabled()
    other = pictures[0].parent / "other"
    other.symlink_to(tiny_pipeline)
    page.panel.model.set_source(str(other))
    page.panel.steps.setValue(4)
    finish()
    qtbot.waitUntil(lambda: not page.ends.is_busy(), timeout=20_000)
    click(find(page, QPushButton, "invertButton"))
    finish()
    assert page.inverted is not None
    assert page.inverted[0].run.model == str(other)


def test_a_sample_is_sent_to_both_pages_and_inverts_to_itself(window, page, finish, qtbot):
    window.navigation.pages.setCurrentRow(0)
    run(window, finish)
    picture = window.sample.stage.shown_pixels()[1]
    window.sample.sent.emit("A", ImageSource("sample, seed 1", picture))
    assert window.stack.currentWidget() is window.interpolate
    qtbot.waitUntil(lambda: not page.ends.is_busy(), timeout=20_000)
    assert np.array_equal(page.view.cards[0].slot.pixels(), picture)
    window.sample.sent.emit("invert", ImageSource("sample, seed 1", picture))
    assert window.stack.currentWidget() is window.invert
    finish()


def test_the_denoising_between_the_ends_can_be_watched(inverted, finish):
    find(inverted, QSlider, "alphaSlider").setValue(500)
    finish()
    inverted.ask_to_watch()
    finish()
    assert inverted.is_watching()
    stage = inverted.watching.stage
    assert stage.timeline.findChild(QSlider, "timelineSlider") is not None
    assert len(stage.record.numbers) == 21
    last = stage.record.shown(20, "x")[1][0]
    decoded = inverted.live.final(500)
    assert np.abs(last.astype(int) - decoded.astype(int)).max() <= 1


def test_four_seeds_span_a_grid_whose_middle_is_decoded(page, finish, qtbot, tiny):
    page.view.bar.set_view("grid")
    for place in range(4):
        page.give(place, from_seed(place))
    qtbot.waitUntil(lambda: not page.ends.is_busy(), timeout=20_000)
    find(page, QSpinBox, "gridSpin").setValue(3)
    click(find(page, QPushButton, "invertButton"))
    finish()
    settings = page.inverted[0].run
    x_T = ds.seeded_noise(tiny, range(4))
    corners = to_pixels(ds.reconstruct(tiny, x_T, settings)).astype(int)
    shown = page.view.grid_pixels().astype(int)
    for cell, corner in ((0, 0), (2, 1), (6, 2), (8, 3)):
        assert np.abs(shown[cell] - corners[corner]).max() <= 1
    top, bottom = (ds.slerp(x_T[i], x_T[i + 1], [0.5])[0] for i in (0, 2))
    middle = ds.reconstruct(tiny, ds.slerp(top, bottom, [0.5]), settings)
    assert np.abs(shown[4] - to_pixels(middle)[0].astype(int)).max() <= 1


def test_the_path_is_saved_as_an_animation(inverted, finish, monkeypatch, tmp_path):
    target = tmp_path / "path.gif"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    finish()
    inverted.saving.save_ping_pong()
    finish()
    with Image.open(target) as image:
        assert image.n_frames > 2


def test_the_invert_page_measures_several_images_at_once(
    window, pictures, finish, qtbot, tiny_pipeline
):
    page = window.invert
    window.navigation.pages.setCurrentRow(window.pages.index(page))
    page.panel.model.set_source(str(tiny_pipeline))
    page.panel.steps.setValue(20)
    finish()
    page.add([from_file(path) for path in pictures] + [from_seed(5)])
    finish()
    click(page.panel.run_button)
    finish()
    _, result = page.inverted
    assert result.originals.shape == (3, 8, 8, 1)
    assert (result.calls[:, 2] == 0).all()  # a seed's x_T is known
    assert (result.calls[:, :2] >= 1).all()
    assert max(quality.mse for quality in result.quality) < 1e-5
