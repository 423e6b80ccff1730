import math

import pytest
import torch

from ddim_studio.diffusion import schedule as schedules
from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.settings import SettingsError


def product(betas):
    """ᾱ by plain multiplication in Python floats, the definition."""
    alpha_bars, running = [], 1.0
    for beta in betas:
        running *= 1 - beta
        alpha_bars.append(running)
    return alpha_bars


def test_linear_is_the_running_product():
    betas = [1e-4 + (0.02 - 1e-4) * i / 999 for i in range(1000)]
    assert schedules.linear().alpha_bars.tolist() == pytest.approx(product(betas), rel=1e-12)


def test_scaled_linear_is_linear_in_the_root():
    a, b = math.sqrt(0.00085), math.sqrt(0.012)
    betas = [(a + (b - a) * i / 999) ** 2 for i in range(1000)]
    made = schedules.scaled_linear(1000, 0.00085, 0.012)
    assert made.alpha_bars.tolist() == pytest.approx(product(betas), rel=1e-12)


def test_squared_cosine_follows_the_cosine_until_the_cap():
    made = schedules.squared_cosine(1000)

    def f(u):
        return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

    for t in (0, 1, 10, 500, 900, 990):
        assert made.alpha_bar(t) == pytest.approx(f((t + 1) / 1000) / f(0), rel=1e-9)
    assert 0 < made.alpha_bar(999) < made.alpha_bar(998)


@pytest.mark.parametrize(
    "config",
    [
        {"beta_schedule": "linear"},
        {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
        {"beta_schedule": "squaredcos_cap_v2"},
        {"beta_schedule": "linear", "set_alpha_to_one": False, "num_train_timesteps": 500},
        {"beta_schedule": "scaled_linear", "rescale_betas_zero_snr": True},
        {"trained_betas": [0.1, 0.2, 0.3, 0.4], "num_train_timesteps": 4},
    ],
)
def test_configs_mean_what_diffusers_makes_of_them(config):
    from diffusers import DDIMScheduler

    theirs = DDIMScheduler(**config)
    ours = schedules.from_config(config)
    torch.testing.assert_close(ours.alpha_bars.float(), theirs.alphas_cumprod, rtol=2e-4, atol=2e-7)
    assert ours.alpha_bar(-1) == pytest.approx(float(theirs.final_alpha_cumprod), rel=1e-6)


def test_t_outside_the_schedule_is_refused():
    with pytest.raises(IndexError, match="-1 to 999"):
        schedules.linear().alpha_bar(1000)
    with pytest.raises(IndexError):
        schedules.linear().alpha_bar(-2)
    assert schedules.linear().alpha_bar(-1) == 1.0


@pytest.mark.parametrize(
    "config",
    [
        {"beta_schedule": "wave"},
        {"num_train_timesteps": "many"},
        {"num_train_timesteps": 0},
        {"num_train_timesteps": 10**12},
        {"beta_start": -0.1},
        {"beta_end": float("nan")},
        {"trained_betas": ["a"]},
        {"trained_betas": [[0.1], [0.2, 0.3]]},
        {"trained_betas": [2.0]},
        {"trained_betas": []},
    ],
)
def test_configs_that_make_no_schedule_get_a_sentence(config):
    with pytest.raises(SettingsError, match=r"\.$"):
        schedules.from_config(config)


def test_zero_terminal_snr_is_refused_for_epsilon_only():
    zero = schedules.from_config({"rescale_betas_zero_snr": True})
    assert zero.zero_terminal_snr
    with pytest.raises(SettingsError, match="zero terminal SNR"):
        Denoiser(lambda x, t: x, zero, (1, 4, 4))
    Denoiser(lambda x, t: x, zero, (1, 4, 4), prediction="v_prediction")
