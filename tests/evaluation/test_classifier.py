"""The classifier of Fashion-MNIST tells the classes apart, and refuses files of another."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from pictures import read
from safetensors.torch import load_file, save_file
from torch.nn import functional

from ddim_studio.evaluation.classifier import (
    CLASSES,
    CONFIG,
    DEVIATION,
    MEAN,
    WEIGHTS,
    load_classifier,
)
from ddim_studio.models.errors import ModelError
from ddim_studio.storage import resources

FOLDER = resources() / "classifiers" / "fashion-28"
CLASS_OF = {"bag-2": "bag", "high-top": "sneaker", "ankle-boot": "ankle boot"}


def samples():
    """The bundled test images (12, 1, 28, 28) from 0 to 1, and the labels of the data set."""
    files = sorted((resources() / "samples" / "fashion").glob("*.png"))
    images = np.stack([read(file) for file in files])
    named = [CLASSES.index(CLASS_OF.get(file.stem, file.stem)) for file in files]
    return torch.from_numpy(images).unsqueeze(1).float() / 255, named


def test_the_bundled_test_images_are_told_rightly():
    images, classes = samples()
    assert len(classes) == 12
    assert load_classifier()(images).argmax(1).tolist() == classes


def test_the_features_are_all_that_the_classes_are_told_by():
    """Recomputed from the file of weights, layer by layer, in float64."""
    w = {name: value.double() for name, value in load_file(FOLDER / WEIGHTS).items()}
    x = (samples()[0].double() - MEAN) / DEVIATION
    for layer, pooled in (("0", True), ("3", True), ("6", False), ("8", False)):
        x = functional.conv2d(x, w[f"maps.{layer}.weight"], w[f"maps.{layer}.bias"], padding=1)
        x = functional.max_pool2d(x.relu(), 2) if pooled else x.relu()
    features = x.mean((2, 3))
    logits = features @ w["head.weight"].T + w["head.bias"]
    network = load_classifier()
    images = samples()[0]
    torch.testing.assert_close(network.features(images).double(), features, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network(images).double(), logits, rtol=1e-4, atol=1e-4)


def test_the_weights_are_small():
    assert (FOLDER / WEIGHTS).stat().st_size < 1_000_000


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "classifier")


def spoil(folder, **changes):
    tensors = load_file(folder / WEIGHTS)
    tensors = {name: changes.get(name, value).clone() for name, value in tensors.items()}
    save_file(tensors, folder / WEIGHTS)


def test_a_missing_file_is_named(copy):
    (copy / WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"incomplete: model\.safetensors is missing"):
        load_classifier(copy)


def test_weights_that_are_cut_short_are_refused(copy):
    (copy / WEIGHTS).write_bytes((copy / WEIGHTS).read_bytes()[:-1000])
    with pytest.raises(ModelError, match="damaged"):
        load_classifier(copy)


def test_weights_of_another_network_are_refused(copy):
    spoil(copy, **{"head.weight": torch.zeros(10, 65)})
    with pytest.raises(ModelError, match=r"head\.weight is 10×65"):
        load_classifier(copy)


def test_weights_that_are_not_finite_are_refused(copy):
    spoil(copy, **{"head.bias": torch.full((10,), float("nan"))})
    with pytest.raises(ModelError, match=r"head\.bias holds NaN"):
        load_classifier(copy)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"widths": [1]}', "\xff"])
def test_a_config_that_is_not_its_own_is_refused(copy, text):
    (copy / CONFIG).write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"config\.json"):
        load_classifier(copy)


def test_the_config_says_what_the_features_need(copy):
    config = json.loads((copy / CONFIG).read_text(encoding="utf-8"))
    assert config["features"] == load_classifier(copy).dimension == 64
