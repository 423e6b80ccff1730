"""The reverse kernels against Bayes' rule, against each other, and against the paper's formulas."""

import math

import pytest
import torch

from ddim_studio.diffusion.ddim import sigma_of, step_coefficients
from ddim_studio.diffusion.posterior import (
    kernel_between,
    loss_weight,
    posterior,
    posterior_variance,
    process_alpha_bar,
    reverse_kernel,
    signal_to_noise,
)
from ddim_studio.diffusion.schedule import (
    Schedule,
    from_betas,
    linear,
    rescaled_to_zero_terminal_snr,
    squared_cosine,
)
from ddim_studio.diffusion.settings import SettingsError

SCHEDULES = [linear(), squared_cosine(), linear(T=37), from_betas(torch.full((5,), 0.3))]
ETAS = (0.0, 0.3, 0.85, 1.0)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_posterior_is_that_of_bayes(schedule):
    # Multiply the densities of x_{t−1} given x_0 and of x_t given x_{t−1}: precisions add.
    for t in range(1, schedule.T, max(1, schedule.T // 9)):
        before, now = schedule.alpha_bar(t - 1), schedule.alpha_bar(t)
        alpha = now / before
        precision = 1 / (1 - before) + alpha / (1 - alpha)
        kernel = posterior(schedule, t)
        assert kernel.variance == pytest.approx(1 / precision, rel=1e-9)
        of_x0 = math.sqrt(before) / (1 - before) / precision
        of_xt = math.sqrt(alpha) / (1 - alpha) / precision
        assert kernel.of_x0 == pytest.approx(of_x0, rel=1e-8)
        assert kernel.of_xt == pytest.approx(of_xt, rel=1e-9)


def test_the_posterior_is_that_of_diffusers():
    from diffusers import DDPMScheduler

    schedule, peer = linear(), DDPMScheduler(variance_type="fixed_small", clip_sample=False)
    for t in (1, 2, 50, 999):
        variance = float(peer._get_variance(t))
        assert posterior(schedule, t).variance == pytest.approx(variance, rel=1e-3)
    for t in (1, 400, 998):  # their step's mean, in float32
        x_t, x0 = torch.randn(1, 1, 4, 4), torch.rand(1, 1, 4, 4)
        alpha_bar = schedule.alpha_bar(t)
        epsilon = (x_t - math.sqrt(alpha_bar) * x0) / math.sqrt(1 - alpha_bar)
        peer.set_timesteps(1000)
        torch.manual_seed(3)
        step = peer.step(epsilon, t, x_t).prev_sample
        torch.manual_seed(3)
        z = torch.randn(1, 1, 4, 4)
        ours = posterior(schedule, t).draw(x_t, x0, z)
        torch.testing.assert_close(step, ours, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_member_of_the_family_keeps_the_marginals(schedule):
    # x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε into the kernel: mean √ᾱ_s x_0, variance 1 − ᾱ_s (lemma 1).
    T = schedule.T
    for t, s in ((T - 1, -1), (T - 1, 0), (T // 2, T // 3), (T - 1, T - 2), (0, -1)):
        for eta in ETAS:
            kernel = reverse_kernel(schedule, t, s, eta)
            now, goal = process_alpha_bar(schedule, t), process_alpha_bar(schedule, s)
            mean = kernel.of_x0 + kernel.of_xt * math.sqrt(now)
            variance = kernel.of_xt**2 * (1 - now) + kernel.variance
            assert mean == pytest.approx(math.sqrt(goal), abs=1e-12)
            assert variance == pytest.approx(1 - goal, abs=1e-12)


def test_the_marginals_hold_for_draws_as_well():
    schedule, n = linear(), 200_000
    draws = torch.Generator().manual_seed(0)
    x0 = torch.full((n,), 0.7, dtype=torch.float64)
    noise = [torch.randn(n, generator=draws, dtype=torch.float64) for _ in range(2)]
    t, s = 600, 200
    now, goal = schedule.alpha_bar(t), schedule.alpha_bar(s)
    x_t = math.sqrt(now) * x0 + math.sqrt(1 - now) * noise[0]
    for eta in ETAS:
        x_s = reverse_kernel(schedule, t, s, eta).draw(x_t, x0, noise[1])
        assert float(x_s.mean()) == pytest.approx(math.sqrt(goal) * 0.7, abs=4 / math.sqrt(n))
        assert float(x_s.var()) == pytest.approx(1 - goal, rel=5 * math.sqrt(2 / n))


def test_the_kernel_with_x0_hat_is_the_samplers_step():
    from ddim_studio.diffusion.ddim import Prediction, ddim_step, predicted_x0

    schedule = linear()
    x_t, epsilon, z = torch.randn(3, 2, 1, 3, 3, dtype=torch.float64)
    for t, s, eta in ((999, 500, 0.0), (500, 499, 1.0), (40, -1, 0.5), (300, 100, 0.4)):
        x0 = predicted_x0(x_t, epsilon, schedule.alpha_bar(t))
        step = ddim_step(Prediction(x0, epsilon), step_coefficients(schedule, t, s, eta), z)
        ours = reverse_kernel(schedule, t, s, eta).draw(x_t, x0, z)
        torch.testing.assert_close(ours, step, atol=1e-12, rtol=1e-12)


def test_sigma_is_the_samplers():
    for now, before in ((0.1, 0.5), (1e-6, 0.999), (0.5, 1.0), (0.7, 0.7)):
        for eta in ETAS:
            sigma = kernel_between(now, before, eta).sigma
            assert sigma == pytest.approx(sigma_of(now, before, eta), abs=1e-15)


def test_the_clean_image_is_reached_exactly_and_eta_0_draws_nothing():
    schedule = linear()
    at_the_end = posterior(schedule, 0)
    assert (at_the_end.of_x0, at_the_end.of_xt, at_the_end.sigma) == (1.0, 0.0, 0.0)
    assert reverse_kernel(schedule, 500, 100, 0.0).sigma == 0.0
    # Sampling may end at another ᾱ_{−1}; the forward process begins at the image all the same.
    other = Schedule(schedule.alpha_bars, final_alpha_bar=schedule.alpha_bar(0))
    assert posterior(other, 0) == at_the_end


def test_zero_terminal_snr_and_a_step_without_noise_are_no_trouble():
    schedule = rescaled_to_zero_terminal_snr(linear())
    last = posterior(schedule, schedule.T - 1)
    assert last.of_xt == pytest.approx(0, abs=1e-7)
    assert last.variance == pytest.approx(1 - schedule.alpha_bar(schedule.T - 2))
    still = from_betas(torch.tensor([0.0, 0.0, 0.5]))
    assert (posterior(still, 0).of_xt, posterior(still, 1).sigma) == (1.0, 0.0)
    assert math.isinf(loss_weight(0.0, 0.5, 1.0))


def test_the_weights_of_theorem_1_are_those_of_the_divergence():
    # Two normal laws of one variance: KL = (difference of means)² / (2σ²).
    schedule, error = linear(), 0.37  # ε − ε_θ
    for t, s in ((1, 0), (500, 499), (999, 400)):
        now, before = schedule.alpha_bar(t), schedule.alpha_bar(s)
        for eta in ETAS[1:]:
            kernel = reverse_kernel(schedule, t, s, eta)
            x0_error = math.sqrt((1 - now) / now) * error
            divergence = (kernel.of_x0 * x0_error) ** 2 / (2 * kernel.variance)
            assert loss_weight(now, before, eta) * error**2 == pytest.approx(divergence, rel=1e-10)
        assert math.isinf(loss_weight(now, before, 0.0))
    # Ho et al., equation 12: β²/(2σ²α(1−ᾱ)) is the weight for σ² = β̃.
    t = 300
    now, before = schedule.alpha_bar(t), schedule.alpha_bar(t - 1)
    alpha = now / before
    variance = posterior_variance(now, before)
    ho = (1 - alpha) ** 2 / (2 * variance * alpha * (1 - now))
    assert loss_weight(now, before, 1.0) == pytest.approx(ho, rel=1e-9)


def test_signal_to_noise():
    assert signal_to_noise(0.8) == pytest.approx(4.0)
    assert signal_to_noise(0.0) == 0.0
    assert math.isinf(signal_to_noise(1.0))


def test_what_is_out_of_range_is_refused():
    schedule = linear(T=10)
    for t, s in ((10, 3), (5, 5), (5, -2), (-1, -1)):
        with pytest.raises(IndexError):
            reverse_kernel(schedule, t, s)
    with pytest.raises(SettingsError, match="eta"):
        reverse_kernel(schedule, 5, 3, eta=1.5)
