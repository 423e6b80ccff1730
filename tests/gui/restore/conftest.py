"""The Restore page of the window, with a clean picture, and with a box in it restored twice."""

import numpy as np
import pytest
from colour_model import SIDE, write_colour_model
from hand import click, drop
from PIL import Image


@pytest.fixture(scope="session")
def colour_pipeline(tmp_path_factory):
    """A small random model of colour pictures."""
    return write_colour_model(tmp_path_factory.mktemp("models") / "tiny-colour")


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE), np.uint8)
    path = tmp_path / "clean.png"
    Image.fromarray(pixels).save(path)
    return path, pixels


@pytest.fixture
def page(window, finish):
    page = window.restore
    window.show_page(page)
    page.panel.steps.setValue(5)
    page.panel.count.setValue(2)
    finish()
    return page


@pytest.fixture
def filled(page, picture, finish, qtbot):
    drop(page.panel.slot, picture[0])
    qtbot.waitUntil(lambda: page.image.pixels() is not None, timeout=20_000)
    finish()
    return page


@pytest.fixture
def restored(filled, finish):
    """With a box in the middle restored twice."""
    filled.view.editor.take_preset("centre")
    click(filled.panel.run_button)
    finish()
    return filled
