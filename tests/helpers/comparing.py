"""What tests of the Compare page share: the matrix they run, and the truth about it."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

import ddim_studio as ds
from ddim_studio.jobs.matrix import Place

PLACES = [Place(row, column) for row in range(2) for column in range(3)]
ETAS, STEPS = (0.0, 1.0), (2, 3, 5)
REFERENCE = Place(0, 2)


def choose(combo, data):
    combo.setCurrentIndex(combo.findData(data))


def click_cell(page, place, modifier=Qt.KeyboardModifier.NoModifier, double=False):
    point = page.view.matrix.cell_rect(place).center()
    act = QTest.mouseDClick if double else QTest.mouseClick
    act(page.view.matrix.viewport(), Qt.MouseButton.LeftButton, modifier, point)


def sampled(tiny, row, column, seeds=(0, 1, 2)):
    """The x_0 of a cell, straight from the sampler."""
    settings = ds.SampleSettings(steps=STEPS[column], eta=ETAS[row])
    *_, last = ds.sample(tiny, ds.seeded_noise(tiny, seeds), settings, seeds=seeds)
    return last.x.numpy()


def squared_errors(a, b):
    """The MSE of each image on pixels from 0 to 1, from its definition."""
    first, second = (np.clip((x.astype(np.float64) + 1) / 2, 0, 1) for x in (a, b))
    return ((first - second) ** 2).mean(axis=(1, 2, 3))
