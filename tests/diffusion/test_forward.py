"""The forward process: chain and closed form, the same draw and the same law."""

import math

import pytest
import torch

from ddim_studio.diffusion.forward import forward_chain, merge, noised
from ddim_studio.diffusion.noise import step_noise
from ddim_studio.diffusion.schedule import (
    from_betas,
    linear,
    rescaled_to_zero_terminal_snr,
    squared_cosine,
)
from ddim_studio.diffusion.settings import SettingsError

SCHEDULES = [linear(), squared_cosine(), rescaled_to_zero_terminal_snr(linear()), linear(T=50)]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_chain_is_the_closed_form_with_its_noises_merged(schedule):
    x0 = torch.rand(2, 1, 4, 4, dtype=torch.float64) * 2 - 1
    steps = 0
    for step in forward_chain(schedule, x0, [3, 8]):
        again = noised(schedule, x0, step.merged, step.t)
        assert float((again - step.x).abs().max()) < 1e-12
        steps += 1
    assert steps == schedule.T


def test_one_step_is_the_papers():
    schedule, x0 = from_betas(torch.tensor([0.1, 0.4])), torch.rand(1, 1, 3, 3).double()
    first, second = forward_chain(schedule, x0, [5])
    torch.testing.assert_close(first.x, math.sqrt(0.9) * x0 + math.sqrt(0.1) * first.epsilon)
    expected = math.sqrt(0.6) * first.x + math.sqrt(0.4) * second.epsilon
    torch.testing.assert_close(second.x, expected)
    whole = math.sqrt(0.6 * 0.1) * first.epsilon + math.sqrt(0.4) * second.epsilon
    torch.testing.assert_close(second.merged, whole / math.sqrt(1 - 0.9 * 0.6))


def test_chain_and_closed_form_have_one_law():
    # x_0 = 0.4 throughout: 10,000 pixels of one image are as many draws of one number.
    schedule, n = linear(T=100), 100
    x0 = torch.full((1, 1, n, n), 0.4, dtype=torch.float64)
    for step in forward_chain(schedule, x0, [1]):
        mean, variance = math.sqrt(step.alpha_bar) * 0.4, 1 - step.alpha_bar
        assert float(step.x.mean()) == pytest.approx(mean, abs=5 * math.sqrt(variance) / n)
        assert float(step.x.var()) == pytest.approx(variance, rel=5 * math.sqrt(2) / n)
        assert float(step.merged.var()) == pytest.approx(1, rel=5 * math.sqrt(2) / n)


def test_a_variance_of_1_stays_1():
    x0 = torch.randn(1, 1, 200, 200, dtype=torch.float64)
    for step in forward_chain(squared_cosine(T=60), x0, [2]):
        assert float(step.x.var()) == pytest.approx(1, rel=0.05)


def test_the_seed_alone_decides_and_the_sampler_draws_other_noise():
    schedule, x0 = linear(T=5), torch.zeros(2, 1, 3, 3)
    both = list(forward_chain(schedule, x0, [4, 9]))
    alone = list(forward_chain(schedule, x0[1:], [9]))
    for pair, single in zip(both, alone, strict=True):
        assert torch.equal(pair.x[1:], single.x)
        assert not torch.equal(single.epsilon.float(), step_noise((1, 3, 3), [9], single.t))


def test_merging_nothing_gives_nothing():
    ones = torch.ones(2, 2, dtype=torch.float64)
    assert torch.equal(merge(ones, ones, 1.0, 1.0), torch.zeros_like(ones))
    torch.testing.assert_close(merge(ones, ones, 0.5, 1.0), ones)  # a step that adds none
    still = from_betas(torch.tensor([0.0, 0.5]))
    first, second = forward_chain(still, torch.ones(1, 1, 2, 2), [0])
    assert torch.equal(first.x, torch.ones(1, 1, 2, 2).double())
    torch.testing.assert_close(second.merged, second.epsilon)


def test_a_model_will_do_and_the_ends_are_right(tiny):
    x0, noise = torch.rand(1, 1, 8, 8), torch.randn(1, 1, 8, 8)
    assert torch.equal(noised(tiny, x0, noise, -1), x0)
    with pytest.raises(IndexError):
        noised(tiny, x0, noise, tiny.schedule.T)
    with pytest.raises(SettingsError, match="seeds"):
        forward_chain(tiny, x0, [1, 2])
