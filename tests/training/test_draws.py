"""Everything random is decided by seed and step: the parts of a batch make up the batch."""

from itertools import pairwise

import numpy as np
import pytest

from ddim_studio.training.draws import TRAINING, VALIDATION, Draws, split

SHAPE = (1, 4, 4)


def draws(images=50, batch_size=70, timesteps=1000, seed=0, stream=TRAINING):
    return Draws(seed, stream, images, SHAPE, batch_size=batch_size, timesteps=timesteps)


def test_every_image_comes_once_in_each_pass():
    source = draws(images=50, batch_size=7)
    rows = np.concatenate([source.draw(step).rows for step in range(50)])
    for start in range(0, 350, 50):
        assert sorted(rows[start : start + 50]) == list(range(50))
    assert list(rows[:50]) != list(rows[50:100])


def test_a_batch_larger_than_the_set_takes_whole_passes():
    rows = draws(images=3, batch_size=9).draw(4).rows
    assert [sorted(rows[start : start + 3]) for start in (0, 3, 6)] == [[0, 1, 2]] * 3


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_the_parts_of_many_processes_are_the_batch_of_one(processes):
    whole = draws().draw(5)
    edges = [70 * index // processes for index in range(processes + 1)]
    parts = [draws().draw(5, slice(*pair)) for pair in pairwise(edges)]
    for name in whole._fields:
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(whole, name))


def test_a_step_is_the_same_whatever_was_drawn_before():
    used = draws()
    for step in (9, 0, 3):
        used.draw(step)
    for left, right in zip(used.draw(4), draws().draw(4), strict=True):
        assert np.array_equal(left, right)


@pytest.mark.parametrize("other", [{"seed": 1}, {"stream": VALIDATION}])
def test_seed_and_stream_change_everything(other):
    a, b = draws().draw(0), draws(**other).draw(0)
    assert not np.array_equal(a.t, b.t)
    assert not np.array_equal(a.rows, b.rows)
    assert abs(np.corrcoef(a.epsilon.ravel(), b.epsilon.ravel())[0, 1]) < 0.1


def test_timesteps_are_stratified_and_uniform():
    source = draws(batch_size=10, timesteps=1000)
    t = np.stack([source.draw(step).t for step in range(2000)])
    assert np.array_equal(t // 100, np.tile(np.arange(10), (2000, 1)))
    counts = np.bincount(t.ravel(), minlength=1000)
    assert len(counts) == 1000
    statistic = ((counts - 20) ** 2 / 20).sum()  # χ² with 990 degrees of freedom
    assert statistic < 990 + 4 * np.sqrt(2 * 990)


def test_a_batch_that_does_not_divide_the_timesteps_still_covers_them_evenly():
    source = draws(batch_size=7, timesteps=10)
    t = np.concatenate([source.draw(step).t for step in range(5000)])
    counts = np.bincount(t, minlength=10)
    assert len(counts) == 10
    assert np.abs(counts - 3500).max() < 4 * np.sqrt(3500)


def test_noise_is_standard_normal_and_new_for_each_image_and_step():
    source = draws(batch_size=64)
    noise = np.concatenate([source.draw(step).epsilon for step in range(40)])
    flat = noise.ravel().astype(float)
    assert abs(flat.mean()) < 4 / np.sqrt(len(flat))
    assert abs(flat.var() - 1) < 4 * np.sqrt(2 / len(flat))
    assert len(np.unique(noise[:, 0, 0, 0])) == len(noise)


def test_half_of_the_images_are_mirrored():
    flips = np.concatenate([draws().draw(step).flips for step in range(100)])
    assert abs(flips.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(flips))


def test_the_split_is_disjoint_and_complete_and_the_seed_decides_it():
    training, held_out = split(0, 100, 13)
    assert len(held_out) == 13
    assert sorted([*training, *held_out]) == list(range(100))
    assert not np.array_equal(held_out, split(1, 100, 13)[1])
    assert np.array_equal(held_out, split(0, 100, 13)[1])
