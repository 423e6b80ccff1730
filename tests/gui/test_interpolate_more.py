"""Playing, grids, watching and saving on the Interpolate page."""

import numpy as np
import pytest
from hand import click, find
from inversion_pages import decode_everything
from PIL import Image
from PySide6.QtWidgets import QFileDialog, QPushButton, QSpinBox

from ddim_studio.gui.image_source import from_file, from_seed
from ddim_studio.jobs.events import Frame, Started, StepNumbers
from ddim_studio.jobs.inversion_events import Decoded


def test_a_seed_is_an_end_and_shows_what_it_decodes_to(page, fakes, qtbot):
    page.give(0, from_file(fakes.sample("dress")))
    page.give(1, from_seed(11))
    qtbot.waitUntil(lambda: not page.ends.is_busy())
    click(page.panel.run_button)
    order = page.desk.orders[0]
    assert (order.images[1].seed, order.images[1].pixels) == (11, None)
    page.desk.invert()
    picture = page.view.cards[1].slot._picture
    np.testing.assert_array_equal(picture._pixels[0], page.inverted[1].originals[1])


def test_four_corners_fill_a_grid_in_parts(page, fakes, qtbot):
    page.view.bar.set_view("grid")
    for place, name in enumerate(("bag", "dress", "coat", "sandal")):
        page.give(place, from_file(fakes.sample(name)))
    qtbot.waitUntil(lambda: not page.ends.is_busy())
    find(page, QSpinBox, "gridSpin").setValue(3)
    click(page.panel.run_button)
    page.desk.invert()
    grid = page.desk.orders[-1]
    assert isinstance(grid, fakes.GridOrder)
    assert (grid.rows, grid.columns) == (3, 3)
    cells = ((0.5, 0.0), (0.0, 0.5))
    page.desk.send(Decoded(grid.key, cells, fakes.greys((0.5, 0.7)), final=True))
    shown = page.view.grid_pixels()
    assert [int(shown[k][0, 0, 0]) for k in (1, 3)] == [50, 70]
    reconstructions = page.inverted[1].reconstructions
    for cell, corner in ((0, 0), (2, 1), (6, 2), (8, 3)):
        np.testing.assert_array_equal(shown[cell], reconstructions[corner])
    page.desk.finish("cancelled")
    assert int(page.view.grid_pixels()[1][0, 0, 0]) == 50  # finished cells stay


def test_the_whole_denoising_is_watched_and_left_again(inverted, fakes):
    inverted.view.alpha.set_tick(250)
    click(find(inverted, QPushButton, "watchButton"))
    order = inverted.desk.orders[-1]
    assert isinstance(order, fakes.WatchOrder)
    assert (order.alpha, order.key) == (0.25, 1)
    assert inverted.is_watching()
    numbers = StepNumbers(None, 900, 0.1, 0.1, 0.0, 0.0, (1.0,))
    inverted.desk.send(
        Started((900, 0), (1, 28, 28), (0,), "cpu", (0.9,) * 1000),
        Frame(0, {"x": fakes.greys((0.4,))}, numbers),
    )
    stage = inverted.watching.stage
    assert stage.frames._pixels[0, 0, 0, 0] == 40
    click(inverted.watching.back)
    assert inverted.desk.cancelled == 1
    assert not inverted.is_watching()
    inverted.desk.finish("cancelled")
    assert inverted.inverted is not None


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_picture_strip_and_animation_are_saved(inverted, qtbot, monkeypatch, tmp_path, suffix):
    find(inverted, QSpinBox, "framesSpin").setValue(3)
    decode_everything(inverted, qtbot)
    target = tmp_path / "out.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(target), ""))
    inverted.saving.save_picture()
    with Image.open(target) as saved:
        assert saved.size == (28, 28)
        assert '"invert"' in saved.text["ddim_studio"]
    inverted.saving.save_strip()
    with Image.open(target) as saved:
        strip = np.asarray(saved)
    assert strip.shape == (28, 3 * 28 + 2 * 2)
    assert strip[0, 28 + 2 + 3] == 50
    target = tmp_path / f"out.{suffix}"
    inverted.saving.save_ping_pong()
    with Image.open(target) as saved:
        assert saved.n_frames == 4  # 0, ½, 1, ½


def test_the_menu_offers_only_what_there_is(filled, qtbot):
    menu = filled.saving.menu
    menu.aboutToShow.emit()
    assert not any(action.isEnabled() for action in menu.actions())
    click(filled.panel.run_button)
    filled.desk.invert()
    decode_everything(filled, qtbot)
    menu.aboutToShow.emit()
    enabled = {action.objectName() for action in menu.actions() if action.isEnabled()}
    assert {"saveStrip", "savePingPong"} <= enabled
    assert "saveGrid" not in enabled


def test_play_goes_back_and_forth(inverted, qtbot):
    find(inverted, QSpinBox, "framesSpin").setValue(3)
    decode_everything(inverted, qtbot)
    seen = []
    inverted.view.alpha.moved.connect(seen.append)
    inverted.view.alpha.set_tick(0)
    click(inverted.view.alpha.play)
    qtbot.waitUntil(lambda: seen[-5:] == [0, 500, 1000, 500, 0], timeout=5000)
    click(inverted.view.alpha.play)
    assert not inverted.view.alpha.is_playing()


def test_swap_exchanges_the_images(filled, qtbot):
    filled.ends.swap()
    qtbot.waitUntil(lambda: not filled.ends.is_busy())
    labels = [card.slot.source().label for card in filled.view.cards[:2]]
    assert labels == ["pullover.png", "ankle-boot.png"]


def test_a_narrow_page_keeps_everything_in_sight(page, qtbot):
    page.resize(900, 600)
    first, second = page.view.cards[:2]
    qtbot.waitUntil(lambda: first.geometry().bottom() < page.view.result.y())
    assert page.view.width() < 560
    assert first.y() == second.y()
    assert page.view.strip.geometry().bottom() <= page.view.height()
