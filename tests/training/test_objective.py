"""The objective against its formulas in float64."""

import numpy as np
import pytest
import torch

from ddim_studio.diffusion.schedule import linear
from ddim_studio.training.ema import EMA, decay_at
from ddim_studio.training.objective import BINS, MEMORY, Batch, Objective, TimestepWeights

CPU = torch.device("cpu")


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(0)
    x0 = torch.rand(200, 1, 8, 8, generator=random) * 2 - 1
    t = torch.arange(0, 1000, 5)
    return Batch(x0, t, torch.randn(200, 1, 8, 8, generator=random))


def objective(prediction="epsilon"):
    return Objective(linear(), prediction, CPU)


def formulas(batch):
    """ᾱ, x_t and v, from β on, in NumPy's float64."""
    alpha_bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[batch.t.numpy()]
    alpha_bar = alpha_bar[:, None, None, None]
    x0, epsilon = batch.x0.double().numpy(), batch.epsilon.double().numpy()
    x_t = np.sqrt(alpha_bar) * x0 + np.sqrt(1 - alpha_bar) * epsilon
    v = np.sqrt(alpha_bar) * epsilon - np.sqrt(1 - alpha_bar) * x0
    return alpha_bar[:, 0, 0, 0], x_t, v


def test_x_t_is_the_closed_form(batch):
    _, x_t, _ = formulas(batch)
    assert np.abs(objective().x_t(batch).double().numpy() - x_t).max() < 1e-6


def test_the_error_is_that_of_epsilon(batch):
    _, x_t, _ = formulas(batch)
    expected = ((0.3 * x_t - batch.epsilon.double().numpy()) ** 2).mean(axis=(1, 2, 3))
    errors = objective().errors(lambda x, t: 0.3 * x, batch)
    assert np.abs(errors.double().numpy() - expected).max() < 1e-5


def test_the_error_is_that_of_v(batch):
    _, x_t, v = formulas(batch)
    expected = ((0.3 * x_t - v) ** 2).mean(axis=(1, 2, 3))
    errors = objective("v").errors(lambda x, t: 0.3 * x, batch)
    assert np.abs(errors.double().numpy() - expected).max() < 1e-5


def test_a_network_that_says_nothing_has_loss_one(batch):
    errors = objective().errors(lambda x, t: torch.zeros_like(x), batch)
    assert abs(float(errors.mean()) - 1) < 4 * np.sqrt(2 / batch.epsilon.numel())


def test_the_network_is_told_its_timesteps(batch):
    seen = []
    objective().errors(lambda x, t: (seen.append(t), x)[1], batch)
    assert torch.equal(seen[0], batch.t)


def test_losses_of_epsilon_and_v_can_be_compared(batch):
    """One guess at x_0, told as ε and as v, has one and the same loss."""
    alpha_bar, x_t, _ = formulas(batch)
    a = torch.from_numpy(alpha_bar)[:, None, None, None]
    x = torch.from_numpy(x_t)
    guess = 0.5 * batch.x0.double()
    epsilon = (x - a.sqrt() * guess) / (1 - a).sqrt()
    v = a.sqrt() * epsilon - (1 - a).sqrt() * guess
    by_epsilon = objective().errors(lambda x, t: epsilon.float(), batch)
    by_v = objective("v").errors(lambda x, t: v.float(), batch)
    compared = objective("v").epsilon_errors(by_v, batch.t)
    assert torch.allclose(compared, by_epsilon, rtol=1e-3, atol=1e-6)
    assert torch.equal(objective().epsilon_errors(by_epsilon, batch.t), by_epsilon)


def test_weights_are_one_at_first_and_then_the_inverse_of_the_mean():
    weights = TimestepWeights(1000, CPU)
    t = torch.arange(1000)
    assert torch.equal(weights.of(t), torch.ones(1000))
    level = 0.5 ** (t // 100)
    for _ in range(200):
        weights.update(weights.totals(level, t))
    assert torch.allclose(weights.of(t) * level, torch.ones(1000), rtol=1e-4)


def test_bins_without_images_keep_their_mean_and_others_move_by_their_share():
    weights = TimestepWeights(1000, CPU)
    t = torch.tensor([0, 3, 999])
    weights.update(weights.totals(torch.tensor([3.0, 5.0, 0.0]), t))
    kept = 1 - 1 / MEMORY
    assert weights.means[0].item() == pytest.approx(kept**2 + (1 - kept**2) * 4)
    assert weights.means[-1].item() == pytest.approx(kept)
    assert weights.means[1:-1].tolist() == [1.0] * (BINS - 2)


def test_totals_add_up_over_the_parts_of_a_batch(batch):
    weights = TimestepWeights(1000, CPU)
    errors = torch.rand(200, generator=torch.Generator().manual_seed(1))
    whole = weights.totals(errors, batch.t)
    halves = [weights.totals(errors[part], batch.t[part]) for part in (slice(77), slice(77, None))]
    assert torch.allclose(whole, halves[0] + halves[1])
    assert whole[1].sum() == 200


def test_the_moving_average_has_its_closed_form():
    """With weights w_s = s it is Σ_s (1 − d_s) Π_{r>s} d_r · s."""
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    ema = EMA(network, 0.9)
    decays = [min(0.9, (1 + step) / (10 + step)) for step in range(150)]
    for step in range(150):
        torch.nn.init.constant_(network.weight, float(step))
        ema.update(network, step)
    shares = [(1 - decays[s]) * np.prod(decays[s + 1 :]) for s in range(150)]
    assert ema.network.weight.item() == pytest.approx(np.dot(shares, range(150)), rel=1e-6)
    assert network.weight.item() == 149
    assert decay_at(0, 0.9999) == 0.1
    assert decay_at(10**9, 0.9999) == 0.9999


def test_the_moving_average_is_never_trained():
    network = torch.nn.Linear(2, 2)
    ema = EMA(network, 0.9)
    assert not ema.network.training
    assert not any(weight.requires_grad for weight in ema.network.parameters())
    assert ema.network.weight is not network.weight
