"""The bundled model takes pictures that it was not trained on to x_T and back."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ddim_studio as ds

SAMPLES = Path(__file__).parents[2] / "resources" / "samples" / "fashion"


@pytest.fixture(scope="module")
def images():
    files = [SAMPLES / "ankle-boot.png", SAMPLES / "shirt.png"]
    pixels = np.stack([np.asarray(Image.open(file).convert("L")) for file in files])
    return torch.from_numpy(pixels[:, None] / 127.5 - 1).float()


def error(model, images, settings):
    """Mean square error of encode and decode on pixels in [0, 1]."""
    rebuilt = ds.reconstruct(model, ds.invert(model, images, settings).x_T, settings)
    return float((rebuilt.clamp(-1, 1) - images).double().square().mean() / 4)


def test_ten_quadratic_steps_rebuild_an_image_to_1e_8(fashion, images):
    settings = ds.InvertSettings(steps=10)
    exact = error(fashion, images, settings)
    assert exact < 1e-8
    assert error(fashion, images, ds.InvertSettings(steps=10, method="target")) > 1e5 * exact


def test_an_inversion_takes_about_eight_calls_a_step(fashion, images):
    inversion = ds.invert(fashion, images, ds.InvertSettings(steps=10))
    assert inversion.calls.mean() < 12
    assert inversion.converged[1:].all()


def test_the_step_from_the_image_to_a_tenth_of_t_is_reported_as_unsolved(fashion, images):
    """With linear τ and S = 10 no state leads back over so long a step; the report is the truth."""
    settings = ds.InvertSettings(timesteps=(0, 100), max_calls=15)
    first, second = ds.invert_steps(fashion, images, settings)
    assert not second.converged.any()
    (back,) = itertools.islice(ds.sample(fashion, second.x, settings.decoding()), 1)
    gap = (back.x - first.x).double().flatten(1).square().mean(1).sqrt()
    alpha_bars = [fashion.schedule.alpha_bar(t) for t in (0, 100)]
    scale = math.sqrt(alpha_bars[1] / alpha_bars[0])
    torch.testing.assert_close(second.residual, scale * gap, rtol=1e-2, atol=0)
    assert (second.residual > 1e-4).all()


def test_neighbours_change_nothing_but_rounding(fashion, images):
    settings = ds.InvertSettings(steps=5)
    together = ds.invert(fashion, images, settings).x_T[1:]
    alone = ds.invert(fashion, images[1:], settings).x_T
    torch.testing.assert_close(alone, together, rtol=0, atol=2e-3)
