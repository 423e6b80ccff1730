import json
import math
import shutil

import numpy as np
import pytest
import torch

import ddim_studio as ds
from ddim_studio.evaluation import drawing
from ddim_studio.evaluation.blocks import (
    Block,
    BlockStore,
    block_seeds,
    cell_in_words,
    fingerprint,
)
from ddim_studio.evaluation.drawing import draw_block
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.models.errors import ModelError

SETTINGS = ds.SampleSettings(steps=3, eta=0.5)


def block(count=4, value=7):
    return Block(np.full((count, 8, 8, 1), value, np.uint8), 1.5)


def drawn(model, settings, seeds):
    """A block, and how many network calls it took."""
    drawing, calls = draw_block(model, settings, seeds), 0
    while True:
        try:
            next(drawing)
        except StopIteration as end:
            return end.value, calls
        calls += 1


def test_seeds_are_cut_into_blocks_without_loss():
    parts = block_seeds(5, 10, 4)
    assert [list(part) for part in parts] == [[5, 6, 7, 8], [9, 10, 11, 12], [13, 14]]


def test_a_block_holds_what_the_sampler_draws_call_by_call(tiny):
    seeds = range(3, 7)
    found, calls = drawn(tiny, SETTINGS, seeds)
    *_, last = ds.sample(tiny, ds.seeded_noise(tiny, seeds), SETTINGS, seeds=list(seeds))
    np.testing.assert_array_equal(found.pixels, to_pixels(last.x))
    assert calls == 3
    assert found.seconds > 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_images_that_are_not_finite_are_no_block(tiny, monkeypatch, value):
    def sample(*arguments, **more):
        for step in ds.sample(*arguments, **more):
            step.x[1, 0, 2, 3] = value
            yield step

    monkeypatch.setattr(drawing, "sample", sample)
    with pytest.raises(ModelError, match=r"at η = 0\.5, S = 3, linear τ are not") as caught:
        drawn(tiny, SETTINGS, range(2))
    assert "another model" in caught.value.advice


def test_a_cell_is_told_by_all_its_settings():
    assert cell_in_words(SETTINGS) == "η = 0.5, S = 3, linear τ"
    settings = ds.SampleSettings(steps=7, eta="hat", spacing="leading", clip="clamp", class_label=0)
    assert cell_in_words(settings) == "σ̂, S = 7, leading τ, clip clamp, class 0"


def test_what_was_written_is_read(tmp_path):
    store = BlockStore(tmp_path, "model")
    assert not store.has(SETTINGS, range(4))
    assert store.read(SETTINGS, range(4)) is None
    store.write(SETTINGS, range(4), block())
    assert store.has(SETTINGS, range(4))
    found = store.read(SETTINGS, range(4))
    np.testing.assert_array_equal(found.pixels, block().pixels)
    assert found.seconds == 1.5


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 4},
        {"eta": 0.6},
        {"eta": "hat"},
        {"spacing": "quadratic"},
        {"clip": "clamp"},
        {"timesteps": (1, 2, 3)},
        {"class_label": 0},
    ],
)
def test_other_settings_are_other_files(tmp_path, change):
    store = BlockStore(tmp_path, "model")
    store.write(SETTINGS, range(4), block())
    values = SETTINGS.to_dict() | change
    assert store.read(ds.SampleSettings.from_dict(values), range(4)) is None


def test_other_seeds_and_models_are_other_files_and_the_first_seed_alone_is_not(tmp_path):
    store = BlockStore(tmp_path, "model")
    store.write(SETTINGS, range(4), block())
    assert store.read(SETTINGS, range(4, 8)) is None
    assert BlockStore(tmp_path, "other").read(SETTINGS, range(4)) is None
    values = SETTINGS.to_dict() | {"seed": 9}
    assert store.read(ds.SampleSettings.from_dict(values), range(4)) is not None


def test_eta_0_is_one_setting_however_it_is_written(tmp_path):
    store = BlockStore(tmp_path, "model")
    store.write(ds.SampleSettings(steps=3, eta=0), range(4), block())
    assert store.has(ds.SampleSettings(steps=3, eta=0.0), range(4))


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "fewer", "floats"])
def test_a_damaged_block_is_as_good_as_none(tmp_path, damage):
    store = BlockStore(tmp_path, "model")
    store.write(SETTINGS, range(4), block())
    (path,) = tmp_path.rglob("0-3.npz")
    content = path.read_bytes()
    if damage == "fewer":
        store.write(SETTINGS, range(4), block(count=3))
    elif damage == "floats":
        np.savez(path, pixels=np.zeros((4, 8, 8, 1)), seconds=1.0)
    else:
        path.write_bytes({"cut": content[:-90], "text": b"no archive", "empty": b""}[damage])
    assert store.read(SETTINGS, range(4)) is None


def test_no_pickle_in_a_block_is_opened(tmp_path):
    store = BlockStore(tmp_path, "model")
    store.write(SETTINGS, range(4), block())
    (path,) = tmp_path.rglob("0-3.npz")
    np.savez(path, pixels=np.array([{"a": 1}], dtype=object), seconds=1.0)
    assert store.read(SETTINGS, range(4)) is None


def test_the_fingerprint_follows_weights_and_schedule(tiny_pipeline, tiny):
    again = ds.load_model(str(tiny_pipeline), device="cpu")
    assert fingerprint(again) == fingerprint(tiny)
    with torch.no_grad():
        next(again.unet.parameters()).view(-1)[0] += 1e-6
    assert fingerprint(again) != fingerprint(tiny)


@pytest.mark.parametrize(
    "change", [{"prediction_type": "sample"}, {"beta_end": 0.021}, {"num_train_timesteps": 999}]
)
def test_the_same_weights_used_otherwise_are_another_model(tiny_pipeline, tiny, tmp_path, change):
    folder = shutil.copytree(tiny_pipeline, tmp_path / "other")
    path = folder / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert fingerprint(ds.load_model(str(folder), device="cpu")) != fingerprint(tiny)
