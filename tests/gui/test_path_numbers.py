"""Angles, norms and weights agree with vectors that were really walked between."""

import math

import numpy as np
import pytest

from ddim_studio.gui.path_numbers import (
    path_norm,
    path_reading,
    path_weights,
)
from ddim_studio.gui.words import decibels, short_error, small_number


def vectors(theta, first=1.0, second=1.0):
    return first * np.array([1.0, 0.0]), second * np.array([math.cos(theta), math.sin(theta)])


@pytest.mark.parametrize("theta", [0.3, 1.5, 2.9])
@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.5, 1.0])
def test_norms_are_those_of_the_walked_vectors(theta, alpha):
    a, b = vectors(theta, 0.9, 1.2)
    cosine = math.cos(theta)
    straight = (1 - alpha) * a + alpha * b
    assert path_norm(alpha, (0.9, 1.2), cosine, "lerp") == pytest.approx(np.linalg.norm(straight))
    assert path_norm(alpha, (0.9, 1.2), cosine, "slerp") == pytest.approx(0.9 + 0.3 * alpha)


@pytest.mark.parametrize("theta", [0.3, 1.5, 2.9])
def test_slerp_weights_stay_on_the_sphere_and_turn_evenly(theta):
    a, b = vectors(theta)
    for alpha in (0.0, 0.3, 0.5, 1.0):
        weights = path_weights(alpha, math.cos(theta), "slerp")
        point = weights[0] * a + weights[1] * b
        assert np.linalg.norm(point) == pytest.approx(1.0)
        assert math.atan2(point[1], point[0]) == pytest.approx(alpha * theta, abs=1e-9)


def test_parallel_ends_fall_back_to_the_straight_line():
    assert path_weights(0.25, 1.0, "slerp") == (0.75, 0.25)


@pytest.mark.parametrize(
    ("cosine", "words"),
    [(0.0, "about orthogonal"), (0.7, "closer"), (-0.7, "further"), (1.0, "same path")],
)
def test_the_reading_fits_the_angle(cosine, words):
    assert words in path_reading(cosine, (1.0, 1.0))


def test_opposite_ends_have_no_unique_path_and_it_says_so():
    assert "no single shortest path" in path_reading(-1.0, (1.0, 1.0))


def test_numbers_are_written_short():
    assert [small_number(x) for x in (0.0123, 1.7e-11, 0.0)] == ["0.0123", "1.7e-11", "0"]
    assert [short_error(x) for x in (0.0263, 0.0001, 2.4e-11)] == [".026", ".0001", "2e-11"]
    assert [decibels(x) for x in (107.6, math.inf, math.nan)] == ["108", "∞", "–"]
