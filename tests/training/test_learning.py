"""A short run learns what there is to learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_runs import run

import ddim_studio as ds


@pytest.mark.parametrize("prediction", ["epsilon", "v"])
def test_one_picture_is_learned(tmp_path, prediction):
    """The best guess at x_0 is that picture, whatever the noise."""
    picture = np.tile(np.linspace(30, 220, 8).astype(np.uint8), (8, 1))
    (tmp_path / "one").mkdir()
    Image.fromarray(picture).save(tmp_path / "one" / "a.png")
    course = {"steps": 200, "learning_rate": 4e-3, "ema": 0.98, "warmup": 10, "sample_every": 999}
    run(tmp_path / "m", tmp_path / "one", prediction=prediction, **course)
    model = ds.load_model(str(tmp_path / "m"), device="cpu")
    x_0 = (torch.from_numpy(picture) / 127.5 - 1).expand(8, 1, 8, 8)
    x_T = ds.seeded_noise(model, range(8))

    def distance(guess):
        return float((guess - x_0).square().mean().sqrt())

    for t, near in ((100, 0.12), (300, 0.3)):  # √(1 − ᾱ_t)/√ᾱ_t, 0.34 and 1.24, untrained
        signal, noise = model.schedule.alpha_bar(t) ** 0.5, (1 - model.schedule.alpha_bar(t)) ** 0.5
        assert distance(model.predict(signal * x_0 + noise * x_T, t).x0) < near
    if prediction == "v":  # x̂_0 from noise alone takes ε to be known to a thousandth
        *_, last = ds.sample(model, x_T, ds.SampleSettings(steps=10))
        assert distance(last.x) < 0.25
