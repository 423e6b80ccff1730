import math

import numpy as np
import pytest
from features import Averages

from ddim_studio.evaluation.frechet import frechet_distance, gaussian_of
from ddim_studio.evaluation.precision_recall import precision_recall
from ddim_studio.evaluation.quality import RealImages, evenly, kernel_distance

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8)
DRAWN = np.random.default_rng(1).integers(0, 200, (30, 8, 8, 1), dtype=np.uint8)


class Counting(Averages):
    """Counts how often it is asked."""

    def __init__(self, scale=1.0):
        self.images = 0
        self.scale = scale

    def __call__(self, pixels):
        self.images += len(pixels)
        return super().__call__(pixels) * self.scale


def unbiased_mmd(x, y):
    """The estimator of Gretton et al. with the kernel (xᵀy/d + 1)³, pair by pair."""

    def kernel(a, b):
        return (a @ b.T / x.shape[1] + 1) ** 3

    def within(a):
        values = kernel(a, a)
        return (values.sum() - np.trace(values)) / (len(a) * (len(a) - 1))

    return within(x) + within(y) - 2 * kernel(x, y).mean()


def test_all_figures_are_those_of_the_features(tmp_path):
    network = Averages()
    found = RealImages(PIXELS, network, tmp_path).quality(network(DRAWN))
    real, drawn = network(PIXELS), network(DRAWN)
    assert found.distance.value == frechet_distance(gaussian_of(real), gaussian_of(drawn))
    assert found.distance.error > 0
    assert found.manifold == precision_recall(drawn, real[::2])  # as many real images as drawn
    assert math.isnan(found.kernel_distance)


def test_features_of_the_data_are_computed_once(tmp_path):
    network = Counting()
    first = RealImages(PIXELS, network, tmp_path).features
    np.testing.assert_array_equal(RealImages(PIXELS, network, tmp_path).features, first)
    assert network.images == 60 + 8  # a few to see that it is the same network
    RealImages(PIXELS[:50], network, tmp_path)
    assert network.images == 60 + 8 + 50


def test_features_of_another_network_of_the_same_name_are_not_taken(tmp_path):
    RealImages(PIXELS, Counting(), tmp_path)
    found = RealImages(PIXELS, Counting(scale=1.01), tmp_path).features
    np.testing.assert_allclose(found, Averages()(PIXELS) * 1.01)


def test_the_kernel_distance_is_the_unbiased_estimate():
    x, y = Averages()(PIXELS[:30]), Averages()(DRAWN)
    assert kernel_distance(y, x) == pytest.approx(unbiased_mmd(x, y), rel=1e-9)


def test_with_inception_features_there_is_a_kernel_distance(tmp_path):
    network = Averages()
    network.distance = "FID"
    found = RealImages(PIXELS, network, tmp_path).quality(network(DRAWN))
    assert found.kernel_distance == kernel_distance(network(DRAWN), network(PIXELS))


def test_rows_are_taken_evenly():
    rows = np.arange(10.0)[:, None]
    assert evenly(rows, 5).ravel().tolist() == [0, 2, 4, 6, 8]
    assert evenly(rows, 3).ravel().tolist() == [0, 3, 6]
    assert len(evenly(rows, 99)) == 10


def test_the_floor_is_what_real_images_reach_and_bad_ones_do_not(tmp_path):
    real = RealImages(PIXELS, Averages(), tmp_path)
    floor = real.floor(30)
    drawn = real.quality(Averages()(DRAWN)).distance
    assert 0 < floor.value + 3 * floor.error < drawn.value


def test_the_floor_is_measured_against_the_others_only(tmp_path):
    real = RealImages(PIXELS, Averages(), tmp_path)
    order = np.random.Generator(np.random.PCG64(0)).permutation(60)
    chosen, others = (np.sort(part) for part in (order[:20], order[20:]))
    expected = frechet_distance(*(gaussian_of(real.features[part]) for part in (others, chosen)))
    assert real.floor(20).value == pytest.approx(expected, rel=1e-9)
