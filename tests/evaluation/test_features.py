"""Features of images: which network measures what, and that batches do not matter."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from pictures import noisy, read

from ddim_studio.evaluation.classifier import load_classifier
from ddim_studio.evaluation.features import (
    FASHION_BATCH,
    fashion_features,
    suitable_features,
)
from ddim_studio.models.errors import ModelError
from ddim_studio.storage import resources


def garments():
    """The bundled test images by name, (28, 28, 1)."""
    files = sorted((resources() / "samples" / "fashion").glob("*.png"))
    return {file.stem: read(file)[:, :, None] for file in files}


def varied(count):
    """Garments moved, mirrored and dimmed, (count, 28, 28, 1)."""
    random = np.random.default_rng(0)
    originals = list(garments().values())
    return np.stack(
        [
            (
                np.roll(originals[i % 12], random.integers(-3, 4, 2), (0, 1)) * random.random()
            ).astype(np.uint8)[:, :: random.choice([-1, 1])]
            for i in range(count)
        ]
    )


# --- the fashion classifier ---------------------------------------------------------------------


def test_the_features_are_those_of_the_classifier():
    pixels = varied(7)
    features = fashion_features()
    images = torch.from_numpy(pixels.transpose(0, 3, 1, 2)).float() / 255
    expected = load_classifier().features(images).numpy()
    np.testing.assert_allclose(features(pixels), expected, rtol=1e-5, atol=1e-6)
    assert features(pixels).dtype == np.float64
    assert features(pixels).shape == (7, features.dimension)
    assert features.title == "fashion classifier"
    assert features.distance == "Fréchet distance (fashion classifier)"


def test_features_do_not_depend_on_how_the_images_are_split():
    pixels = varied(FASHION_BATCH + 90)
    features = fashion_features()
    whole = features(pixels)
    parts = np.concatenate([features(pixels[:1]), features(pixels[1:301]), features(pixels[301:])])
    assert np.abs(whole - parts).max() < 1e-6 * np.abs(whole).max()
    np.testing.assert_array_equal(features(pixels), whole)


def test_features_do_not_depend_on_the_layout_in_memory():
    pixels = varied(5)
    strided = np.asfortranarray(pixels)
    np.testing.assert_array_equal(fashion_features()(strided), fashion_features()(pixels))


def test_no_images_have_no_features():
    assert fashion_features()(np.zeros((0, 28, 28, 1), np.uint8)).shape == (0, 64)


def test_garments_of_a_kind_are_nearer_than_others():
    """The labels of the data set count the high-top among the sneakers."""
    pictures = garments()
    names = list(pictures)
    features = fashion_features()(np.stack(list(pictures.values())))
    distances = np.linalg.norm(features[:, None] - features[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = {name: names[row.argmin()] for name, row in zip(names, distances, strict=True)}
    assert nearest["bag"] == "bag-2"
    assert nearest["bag-2"] == "bag"
    assert nearest["high-top"] == "sneaker"
    shoes = {"sandal", "sneaker", "ankle-boot", "high-top"}
    assert {name for name in names if nearest[name] in shoes} == shoes


def test_noise_lies_further_away_than_a_small_change():
    """The more of an image is replaced by noise, the further its features move."""
    pixels = np.stack(list(garments().values()))
    noise = np.stack([noisy(seed, 28) for seed in range(12)])
    features = fashion_features()
    start = features(pixels)
    mixed = [(pixels * (1 - part) + noise * part).astype(np.uint8) for part in (0.05, 0.2, 0.6)]
    moves = [np.linalg.norm(features(some) - start, axis=1).mean() for some in mixed]
    assert moves == sorted(moves)
    assert moves[0] > 0


def test_the_classifier_takes_nothing_but_grey_images_of_its_size():
    for shape, words in (((2, 32, 32, 1), "grey ones of 32×32"), ((2, 28, 28, 3), "colour ones")):
        with pytest.raises(ModelError, match=words):
            fashion_features()(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="Pixels are uint8"):
        fashion_features()(np.zeros((2, 28, 28, 1)))
    with pytest.raises(ValueError, match="Pixels are uint8"):
        fashion_features()(np.zeros((28, 28, 1), np.uint8))


def test_grey_28_is_measured_by_the_classifier_and_nothing_else_without_inception(tmp_path):
    for weights in (None, tmp_path / "none.pth"):
        chosen = suitable_features((1, 28, 28), weights)
        assert chosen is not None
        assert chosen.title == "fashion classifier"
    assert suitable_features((3, 28, 28)) is None
    assert suitable_features((1, 32, 32)) is None
    with pytest.raises(ModelError, match="There is no file"):
        suitable_features((3, 32, 32), tmp_path / "none.pth")


def test_features_are_importable_without_torch():
    script = "import sys, ddim_studio.evaluation.features; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
