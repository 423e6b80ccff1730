import numpy as np
import pytest

from ddim_studio.evaluation import precision_recall as module
from ddim_studio.evaluation.precision_recall import precision_recall


def cloud(seed, count, centre=0.0):
    return np.random.default_rng(seed).normal(size=(count, 5)) + centre


def by_hand(generated, real, k=3):
    """Both figures, one pair of points at a time."""

    def covered(points, members):
        inside = 0
        for point in points:
            for i, member in enumerate(members):
                others = np.delete(members, i, axis=0)
                radius = np.sort(np.linalg.norm(others - member, axis=1))[k - 1]
                if np.linalg.norm(point - member) <= radius:
                    inside += 1
                    break
        return inside / len(points)

    return covered(generated, real), covered(real, generated)


def test_it_is_the_definition():
    generated, real = cloud(0, 60, 0.7), cloud(1, 80)
    assert precision_recall(generated, real) == by_hand(generated, real)
    assert precision_recall(generated, real, k=5) == by_hand(generated, real, k=5)


def test_parts_change_nothing(monkeypatch):
    generated, real = cloud(0, 60, 0.7), cloud(1, 80)
    whole = precision_recall(generated, real)
    monkeypatch.setattr(module, "ROWS", 7)
    assert precision_recall(generated, real) == whole


def test_equal_sets_are_precise_and_complete():
    assert precision_recall(cloud(0, 50), cloud(0, 50)) == (1.0, 1.0)


def test_far_sets_share_nothing():
    assert precision_recall(cloud(0, 50), cloud(1, 50, 100.0)) == (0.0, 0.0)


def test_the_border_belongs_to_the_manifold():
    assert precision_recall(np.ones((4, 2)), np.ones((5, 2))) == (1.0, 1.0)
    real = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert precision_recall(np.array([[-3.0], [6.0], [6.5], [-3.5]]), real).precision == 0.5


def test_a_model_that_draws_one_of_two_kinds_is_precise_but_not_complete():
    real = np.vstack([cloud(0, 50), cloud(1, 50, 100.0)])
    precision, recall = precision_recall(real[:50], real)
    assert precision == 1.0
    assert recall == 0.5


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="more than 3"):
        precision_recall(cloud(0, 3), cloud(0, 50))
