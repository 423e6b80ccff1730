"""What the Forward page says and draws follows from the numbers."""

import math

import numpy as np
import pytest

from ddim_studio.diffusion.bound_estimate import Estimate
from ddim_studio.diffusion.posterior import posterior, reverse_kernel
from ddim_studio.diffusion.schedule import linear, scaled_linear, squared_cosine
from ddim_studio.gui.forward_curves import (
    FAMILY_ETAS,
    beta_curves,
    coefficient_curves,
    family_curves,
    log_snr,
    weight_curves,
)
from ddim_studio.gui.forward_words import (
    family_words,
    half_way,
    log_snr_words,
    schedule_words,
    with_error,
)

LINEAR, COSINE = linear(), squared_cosine()
ALL = {
    "linear": tuple(LINEAR.alpha_bars.tolist()),
    "cosine": tuple(COSINE.alpha_bars.tolist()),
    "scaled linear": tuple(scaled_linear().alpha_bars.tolist()),
}


def test_the_models_schedule_is_recognised():
    assert "the linear schedule" in schedule_words({"model": ALL["linear"], **ALL})
    assert "the cosine schedule" in schedule_words({"model": ALL["cosine"], **ALL})
    own = tuple(value**1.1 for value in ALL["linear"])
    assert "one of its own" in schedule_words({"model": own, **ALL})


def test_half_way_is_where_half_of_the_variance_is_noise():
    t = half_way(ALL["linear"])
    assert LINEAR.alpha_bar(t) <= 0.5 < LINEAR.alpha_bar(t - 1)
    assert half_way([0.9, 0.8]) == 2


def test_the_curves_are_those_of_the_kernels():
    beta, tilde = beta_curves(ALL["linear"])
    np.testing.assert_allclose(beta, np.linspace(1e-4, 0.02, 1000), rtol=1e-9)
    of_x0, of_xt = coefficient_curves(ALL["linear"])
    for t in (0, 1, 500, 999):
        kernel = posterior(LINEAR, t)
        assert (of_x0[t], of_xt[t], tilde[t]) == (kernel.of_x0, kernel.of_xt, kernel.variance)
    sigma, direction = family_curves(LINEAR.alpha_bar(600), LINEAR.alpha_bar(300))
    assert sigma[0] == 0
    assert sigma[-1] == reverse_kernel(LINEAR, 600, 300).sigma
    whole = np.full(len(FAMILY_ETAS), 1 - LINEAR.alpha_bar(300))
    np.testing.assert_allclose(sigma**2 + direction**2, whole)


def test_weights_are_gaps_where_they_are_infinite_and_grow_as_eta_falls():
    weights = weight_curves(ALL["linear"], 1.0)
    assert math.isnan(weights[0])
    assert np.isfinite(weights[1:]).all()
    assert (weight_curves(ALL["linear"], 0.5)[1:] > weights[1:]).all()


def test_the_ends_of_the_schedule_are_said():
    assert log_snr(0.0) == -math.inf
    assert log_snr(0.5) == 0.0
    assert "Nothing of the image is left" in log_snr_words([0.5, 0.0])
    assert "0.64 %" in log_snr_words(ALL["linear"])
    assert "draws nothing" in family_words(0, -1, 0.0)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (3.5845, 0.1637, "3.58±0.16"),
        (1.4647, 0.0561, "1.465±0.056"),
        (22.4, 1.6, "22.4±1.6"),
        (120.0, 30.0, "120±30"),
        (2.06e-5, 8e-7, "2.1e-05"),
        (2.5, math.nan, "2.5"),
    ],
)
def test_a_mean_is_written_as_exactly_as_it_is_known(value, error, text):
    assert with_error(Estimate(value, error)) == text
