import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torchmetrics.image.fid import FrechetInceptionDistance

from ddim_studio.evaluation.frechet import (
    Estimate,
    Gaussian,
    ReferenceSet,
    bootstrap,
    frechet_distance,
    gaussian_of,
)


def features(seed, count=400, dimension=6):
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(seed + 100).normal(size=(dimension, dimension))
    return random.normal(size=(count, dimension)) @ mixing + seed


def test_between_gaussians_of_independent_values_the_closed_form_holds():
    a = Gaussian(np.array([0.0, 1.0]), np.diag([4.0, 9.0]))
    b = Gaussian(np.array([3.0, 1.0]), np.diag([1.0, 16.0]))
    # ‖μ‖² = 9, and Σ (σ₁ − σ₂)² = (2 − 1)² + (3 − 4)²
    assert frechet_distance(a, b) == pytest.approx(9 + 1 + 1, abs=1e-12)


def test_it_is_the_formula_with_the_matrix_root():
    a, b = gaussian_of(features(1)), gaussian_of(features(2))
    root = sqrtm(a.covariance @ b.covariance).real
    expected = np.sum((a.mean - b.mean) ** 2) + np.trace(a.covariance + b.covariance - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)


def test_it_equals_torchmetrics():
    metric = FrechetInceptionDistance(feature=torch.nn.Identity(), input_img_size=(6,))
    metric.set_dtype(torch.float64)
    a, b = features(3), features(4, count=150)
    metric.update(torch.from_numpy(a), real=True)
    metric.update(torch.from_numpy(b), real=False)
    ours = frechet_distance(gaussian_of(a), gaussian_of(b))
    assert ours == pytest.approx(float(metric.compute()), rel=1e-6)


def test_a_set_is_at_no_distance_from_itself_even_where_features_never_vary():
    flat = np.hstack([features(5), np.zeros((400, 3))])
    assert frechet_distance(gaussian_of(flat), gaussian_of(flat)) == pytest.approx(0, abs=1e-9)


def test_rounding_makes_no_distance_negative():
    sets = [gaussian_of(features(seed)) for seed in range(20)]
    assert min(frechet_distance(each, each) for each in sets) >= 0


def test_one_image_has_no_covariance():
    with pytest.raises(ValueError, match="two images"):
        gaussian_of(np.zeros((1, 4)))


def test_the_standard_error_is_the_spread_of_other_samples():
    reference = ReferenceSet(Gaussian(np.zeros(3), np.eye(3)))
    random = np.random.default_rng(0)
    samples = random.normal(size=(300, 200, 3)) * 1.3 + 0.5
    values = [reference.distance(gaussian_of(sample)) for sample in samples]
    errors = [reference.estimate(sample).error for sample in samples[:20]]
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)


def test_the_interval_holds_the_middle_95_percent_and_no_negative_distance():
    assert Estimate(10.0, 1.0).interval == pytest.approx((8.04, 11.96), abs=1e-3)
    assert Estimate(0.5, 1.0).interval[0] == 0.0


def test_cells_with_the_same_seeds_are_resampled_together():
    reference = ReferenceSet(gaussian_of(features(1)))
    a = features(2, count=100)
    shifted = a + 1e-3
    differences = bootstrap(reference, shifted) - bootstrap(reference, a)
    assert np.std(differences) < 0.05 * np.std(bootstrap(reference, a))
