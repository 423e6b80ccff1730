"""The bound, term by term, against formulas of its own and an analytic Gaussian model."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from gaussian_bound import (
    LOG2,
    SCHEDULE,
    T,
    expected_decoder,
    expected_prior,
    expected_total,
    expected_transition,
    gaussian_model,
    images,
    levels,
    sigma_2,
)
from scipy.stats import norm

from ddim_studio.diffusion.bound import (
    bound_steps,
    decoder_term,
    prior_term,
    reverse_variance,
    transition_term,
    variational_bound,
)
from ddim_studio.diffusion.bound_estimate import (
    VARIANCES,
    estimate,
    strata,
)
from ddim_studio.diffusion.bound_settings import BoundSettings
from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.posterior import loss_weight
from ddim_studio.diffusion.schedule import linear, rescaled_to_zero_terminal_snr
from ddim_studio.diffusion.settings import SettingsError


def test_every_term_agrees_with_the_analytic_gaussian_model():
    found = variational_bound(gaussian_model(), images(300, 1), BoundSettings(draws=T - 1))
    for variance in VARIANCES:
        curve, error = found.curve(found.terms[variance])
        for t in range(1, T):
            assert abs(curve[t] - expected_transition(t, variance)) < 4.5 * error[t] + 1e-9
        decoder = found.decoder(variance)
        assert abs(decoder.value - expected_decoder(variance)) < 4 * decoder.error
        total = found.total(variance)
        assert abs(total.value - expected_total(variance)) < 4 * total.error
        assert total.error < 0.01 * total.value
    last = found.last()
    assert abs(last.value - expected_prior()) < 4 * last.error


@pytest.mark.parametrize("draws", [3, 8])
def test_the_standard_error_is_calibrated_and_the_estimate_unbiased(draws):
    # Other images, timesteps and noise each time: z-scores against the exact value.
    model, z = gaussian_model(), {variance: [] for variance in VARIANCES}
    for seed in range(40):
        settings = BoundSettings(draws=draws, seed=seed)
        found = variational_bound(model, images(80, 100 + seed), settings)
        for variance in VARIANCES:
            total = found.total(variance)
            z[variance].append((total.value - expected_total(variance)) / total.error)
    for scores in z.values():
        assert abs(np.mean(scores)) < 3 / math.sqrt(len(scores))
        assert 0.75 < np.std(scores) < 1.3


@pytest.mark.parametrize("prediction", ["sample", "v_prediction"])
def test_the_kind_of_prediction_does_not_matter(prediction):
    settings = BoundSettings(draws=6)
    one = variational_bound(gaussian_model(), images(5, 2), settings)
    other = variational_bound(gaussian_model(prediction), images(5, 2), settings)
    for variance in VARIANCES:
        np.testing.assert_allclose(one.terms[variance], other.terms[variance], rtol=2e-4)
    np.testing.assert_allclose(one.simple, other.simple, rtol=2e-4)


def test_a_perfect_network_loses_nothing_but_the_decoder():
    x0 = images(3, 4)

    def network(x, times):  # it knows the image
        rows = [
            (x[row] - math.sqrt(SCHEDULE.alpha_bar(t)) * x0[0])
            / math.sqrt(1 - SCHEDULE.alpha_bar(t))
            for row, t in enumerate(times.tolist())
        ]
        return torch.stack(rows)

    model = Denoiser(network, SCHEDULE, (1, 4, 4))
    found = variational_bound(model, x0[:1].repeat(4, 1, 1, 1), BoundSettings(draws=T - 1))
    assert abs(found.transitions("posterior").value) < 1e-5
    # σ² = β_t where β̃_t would be right costs ½(log(β/β̃) + β̃/β − 1) in each step.
    ratio = [sigma_2(t, "posterior") / sigma_2(t, "beta") for t in range(1, T)]
    cost = sum((r - 1 - math.log(r)) / 2 / LOG2 for r in ratio)
    assert found.transitions("beta").value == pytest.approx(cost, abs=1e-5)
    assert found.simple_loss().value < 1e-8


def test_the_decoder_sums_a_normal_law_over_the_bins():
    x0 = torch.tensor([-1.0, -1 + 2 / 255, 2 * 153 / 255 - 1, 1.0]).double()
    for mean, sigma in ((0.19, 0.3), (0.2, 0.01), (-0.9, 0.05)):
        for value in x0:
            high = 1.0 if value > 0.999 else norm.cdf(float(value) + 1 / 255, mean, sigma)
            low = 0.0 if value < -0.999 else norm.cdf(float(value) - 1 / 255, mean, sigma)
            mine = decoder_term(value.view(1, 1), torch.full((1, 1), mean), sigma)
            if high - low > 1e-9:
                assert float(mine) == pytest.approx(-math.log2(high - low), rel=1e-5)
    # Far out a difference of distribution functions is 0; the sum of the tail is not.
    far = decoder_term(torch.tensor([[0.0]]), torch.tensor([[1.0]]), 0.01)
    edge = norm.logsf((1 - 1 / 255) / 0.01)
    assert float(far) == pytest.approx(-edge / LOG2, rel=1e-6)
    both = [
        decoder_term(torch.tensor([[s * 0.2]]), torch.tensor([[-s * 0.5]]), 0.02) for s in (1, -1)
    ]
    assert float(both[0]) == pytest.approx(float(both[1]), rel=1e-12)


def test_all_levels_together_are_certain():
    values = torch.from_numpy(levels()[0]).view(256, 1)
    for mean, sigma in ((0.3, 0.2), (-1.2, 0.05), (0.0, 3.0)):
        bits = decoder_term(values, torch.full((256, 1), mean), sigma)
        assert float((2.0**-bits).sum()) == pytest.approx(1, abs=1e-12)


def test_ho_et_al_equation_12_is_the_transition_term():
    # L_{t−1} − C = β²/(2σ²α(1−ᾱ)) ‖ε − ε_θ‖² where the error of x̂_0 comes from that of ε.
    x0, epsilon = images(4, 5).double(), torch.randn(4, 1, 4, 4).double()
    guess = epsilon + 0.1 * torch.randn(4, 1, 4, 4).double()
    t = 12
    alpha_bar, beta = SCHEDULE.alpha_bar(t), sigma_2(t, "beta")
    x0_hat = x0 + math.sqrt((1 - alpha_bar) / alpha_bar) * (epsilon - guess)
    square = (epsilon - guess).flatten(1).square().mean(1)
    for variance in VARIANCES:
        model = sigma_2(t, variance)
        ratio = sigma_2(t, "posterior") / model
        constant = (ratio - 1 - math.log(ratio)) / 2
        weight = beta**2 / (2 * model * (1 - beta) * (1 - alpha_bar))
        expected = (constant + weight * square) / LOG2
        torch.testing.assert_close(transition_term(SCHEDULE, t, x0, x0_hat, variance), expected)


def test_theorem_1_the_bound_is_the_weighted_error():
    # With σ² = β̃ every transition is γ_t ‖ε − ε_θ‖² for η = 1: one error, other weights.
    found = variational_bound(gaussian_model(), images(8, 6), BoundSettings(draws=12))
    bars = [1.0, *SCHEDULE.alpha_bars.tolist()]
    gammas = {
        eta: np.array([loss_weight(bars[t + 1], bars[t], eta) for t in range(T)])
        for eta in (0.5, 1.0)
    }
    direct = found.transitions("posterior")
    assert found.weighted(gammas[1.0]).value == pytest.approx(direct.value, rel=1e-4)
    assert found.weighted(gammas[0.5]).value > direct.value


def test_an_image_does_not_depend_on_its_neighbours():
    x0, settings = images(7, 8), BoundSettings(draws=9, seed=3)
    runs = [list(bound_steps(gaussian_model(), x0, settings, batch_size=n)) for n in (1, 4, 25)]
    assert [len(run) for run in runs] == [7, 7, 4]
    for run in runs[1:]:
        np.testing.assert_allclose(run[-1].terms["beta"], runs[0][-1].terms["beta"], rtol=1e-5)
        assert np.array_equal(run[-1].times, runs[0][-1].times)
    partial = runs[0][2]
    assert (partial.images, partial.total_images, partial.network_calls) == (3, 7, 30)
    np.testing.assert_array_equal(partial.simple, runs[0][-1].simple[:3])


@pytest.mark.parametrize(("T_", "draws"), [(1000, 10), (1000, 999), (7, 20), (2, 1), (1, 5)])
def test_the_strata_cover_every_timestep_once(T_, draws):
    edges = strata(T_, draws)
    covered = [t for low, high in pairwise(edges) for t in range(low, high)]
    assert covered == list(range(1, T_))
    assert len(edges) - 1 == min(draws, T_ - 1)


def test_a_schedule_of_one_step_and_one_without_terminal_signal():
    model = Denoiser(lambda x, t: x * 0, linear(T=1), (1, 2, 2))
    found = variational_bound(model, images(2, 0, (1, 2, 2)))
    assert found.times.tolist() == [[0], [0]]
    assert found.transitions("beta").value == 0
    schedule = rescaled_to_zero_terminal_snr(linear(T=20))
    model = Denoiser(lambda x, t: x * 0, schedule, (1, 2, 2), prediction="v_prediction")
    found = variational_bound(model, images(2, 0, (1, 2, 2)), BoundSettings(draws=19))
    assert np.isfinite(found.terms["beta"]).all()
    assert found.last().value == 0
    assert reverse_variance(schedule, 19, "beta") == 1.0


def test_clamping_helps_where_the_guess_is_out_of_range():
    model = Denoiser(lambda x, t: -x, SCHEDULE, (1, 4, 4))
    settings = [BoundSettings(draws=T - 1, clip=clip) for clip in ("none", "clamp")]
    free, clamped = (variational_bound(model, images(4, 1), one) for one in settings)
    assert clamped.total("beta").value < free.total("beta").value
    np.testing.assert_array_equal(clamped.simple, free.simple)


def test_the_bundled_network_takes_a_timestep_for_each_image(fashion):
    x = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    together = fashion.raw(x, torch.tensor([0, 300, 999]))
    for row, t in enumerate((0, 300, 999)):
        torch.testing.assert_close(
            together[row], fashion.raw(x[row : row + 1], t)[0], atol=2e-4, rtol=0
        )


def test_what_does_not_fit_is_refused():
    model = gaussian_model()
    with pytest.raises(SettingsError, match=r"images must be \(N, 1, 4, 4\)"):
        bound_steps(model, torch.zeros(1, 3, 4, 4))
    with pytest.raises(SettingsError, match="at least one image"):
        variational_bound(model, torch.zeros(0, 1, 4, 4))
    with pytest.raises(SettingsError, match="class_label"):
        bound_steps(model, images(1, 0), BoundSettings(class_label=1))
    with pytest.raises(SettingsError, match="draws"):
        BoundSettings(draws=0)
    with pytest.raises(SettingsError, match="clip"):
        BoundSettings(clip="rederive")
    assert BoundSettings.from_json(BoundSettings(seed=4).to_json()) == BoundSettings(seed=4)


def test_the_standard_error_of_one_value_is_unknown():
    assert math.isnan(estimate(np.array([2.0])).error)
    assert estimate(np.array([1.0, 3.0])) == (2.0, pytest.approx(1.0))


def test_the_prior_does_not_depend_on_the_network():
    x0 = images(3, 9)
    alpha_bar = SCHEDULE.alpha_bar(T - 1)
    law = torch.distributions.Normal(math.sqrt(alpha_bar) * x0.double(), math.sqrt(1 - alpha_bar))
    unit = torch.distributions.Normal(torch.zeros_like(x0).double(), torch.ones_like(x0).double())
    expected = torch.distributions.kl_divergence(law, unit).flatten(1).mean(1) / LOG2
    torch.testing.assert_close(prior_term(SCHEDULE, x0), expected)
