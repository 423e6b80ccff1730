import dataclasses

import numpy as np
import pytest
from teams import play

import ddim_studio as ds
from ddim_studio.evaluation import reconstruction
from ddim_studio.evaluation.blocks import BlockStore
from ddim_studio.evaluation.reconstruction import ReconstructionShare
from ddim_studio.evaluation.team import Alone
from ddim_studio.imaging.pixels import from_pixels

SETTINGS = ds.SampleSettings(steps=4, spacing="quadratic")
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), dtype=np.uint8)


def error(model, folder, team=None, settings=SETTINGS, pixels=PIXELS):
    """The reconstruction error, and the network calls that were announced and made."""
    share = ReconstructionShare(BlockStore(folder, "tiny"), settings, pixels, 2, team or Alone())
    announced = share.calls
    calls = sum(1 for _ in share.measure(model))
    return share.error(), announced, calls


def expected(model):
    walk = ds.InvertSettings(steps=4, spacing="quadratic", method="source")
    images = from_pixels(PIXELS)
    back = ds.reconstruct(model, ds.invert(model, images, walk).x_T, walk)
    return float(((images.double() - back.double().clamp(-1, 1)) / 2).square().mean())


def test_it_is_the_error_of_the_naive_way_and_back(tiny, tmp_path):
    found, announced, calls = error(tiny, tmp_path)
    assert found == pytest.approx(expected(tiny), rel=1e-5)
    assert announced == calls == 3 * 2 * 4


def test_a_second_time_costs_nothing(tiny, tmp_path):
    first, _, _ = error(tiny, tmp_path)
    assert error(tiny, tmp_path) == (first, 0, 0)


def test_kept_errors_of_another_number_of_images_are_not_taken(tiny, tmp_path):
    first, _, _ = error(tiny, tmp_path)
    for path in tmp_path.rglob("reconstruction-*.npz"):
        np.savez(path, errors=np.zeros(7))
    assert error(tiny, tmp_path) == (first, 24, 24)


def test_other_images_or_steps_are_measured_anew(tiny, tmp_path):
    first, _, _ = error(tiny, tmp_path)
    other, _, calls = error(tiny, tmp_path, settings=ds.SampleSettings(steps=2))
    assert calls == 3 * 2 * 2
    assert other != first
    other, _, calls = error(tiny, tmp_path, pixels=255 - PIXELS)
    assert calls == 3 * 2 * 4
    assert other != first


def test_images_are_taken_as_the_class_of_the_cell(tiny, monkeypatch):
    asked = []
    genuine = reconstruction.invert_steps

    def invert_steps(model, images, walk):
        asked.append(walk)
        return genuine(model, images, dataclasses.replace(walk, class_label=None))

    def sample(model, x, settings):
        asked.append(settings)
        return ds.sample(model, x, dataclasses.replace(settings, class_label=None))

    monkeypatch.setattr(reconstruction, "invert_steps", invert_steps)
    monkeypatch.setattr(reconstruction, "sample", sample)
    settings = ds.SampleSettings(steps=2, class_label=4)
    for _ in reconstruction.reconstruction_errors(tiny, from_pixels(PIXELS), settings):
        pass
    assert [walk.class_label for walk in asked] == [4, 4]


def test_a_team_finds_the_same(tiny, tmp_path):
    first, _, _ = error(tiny, tmp_path / "alone")
    found = play(2, lambda player: error(tiny, tmp_path / str(player.index), player))
    assert [value for value, _, _ in found] == [first, first]
    assert [calls for _, _, calls in found] == [16, 8]
