"""Restoration of many seeds: noise is of the right size, and images follow the law they must.

Where images are Gaussian every step is linear, so that the law of what an algorithm finds is known.
"""

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from analytic import covariance_of, gaussian_model
from restored import HOLE, NOISELESS, SHAPE, SIZE, clean, last_of

from ddim_studio.diffusion.measurements import Denoise, Inpaint, SuperResolve
from ddim_studio.diffusion.restoration import measure, restore
from ddim_studio.diffusion.restore_settings import RestoreSettings, walk
from ddim_studio.diffusion.schedule import linear
from ddim_studio.diffusion.timesteps import tau_of


@pytest.fixture(scope="module")
def model():
    return gaussian_model(SHAPE, covariance_of(SIZE))


def test_noise_is_taken_out_as_the_best_linear_estimate_would():
    scale = 0.5
    model = gaussian_model(SHAPE, scale * torch.eye(SIZE, dtype=torch.float64))
    generator = torch.Generator().manual_seed(1)
    x = math.sqrt(scale) * torch.randn(200, *SHAPE, generator=generator).double()
    sigma = 0.5
    y = measure(Denoise(), x, sigma, range(200))
    settings = RestoreSettings(task="denoise", sigma=sigma, steps=100)
    found = last_of(model, y, Denoise(), settings).x
    best = scale / (scale + sigma**2) * y
    error, least = (float((image - x).square().mean()) for image in (found, best))
    assert least < error < 1.25 * least
    assert float((y - x).square().mean()) > 1.4 * least


@pytest.mark.parametrize("eta", [0.0, 0.85])
def test_independent_pixels_of_a_hole_know_nothing_of_the_others(eta):
    scale = 0.4
    model = gaussian_model(SHAPE, scale * torch.eye(SIZE, dtype=torch.float64))
    measurement = NOISELESS["hole"]
    settings = RestoreSettings(steps=50, eta=eta)
    found = [
        list(restore(model, measure(measurement, clean(seed=n)), measurement, settings,
                     seeds=range(300)))
        for n in (0, 1)
    ]  # fmt: skip
    hidden = [steps[-1].x[..., HOLE] for steps in found]
    torch.testing.assert_close(*hidden, atol=1e-6, rtol=0)
    variance = 1.0  # of x_T, and so on: each step is linear in the state and in fresh noise
    for c in (step.coefficients for step in found[0]):
        signal, noise = math.sqrt(c.alpha_bar_t), math.sqrt(1 - c.alpha_bar_t)
        gain = signal * scale / (c.alpha_bar_t * scale + 1 - c.alpha_bar_t)
        kept = c.signal * gain + c.direction * (1 - signal * gain) / noise
        variance = kept**2 * variance + c.sigma**2
    assert float(hidden[0].mean()) == pytest.approx(0, abs=0.03)
    assert float(hidden[0].var()) == pytest.approx(variance, rel=0.1)


PAIR = 0.5 * np.array([[1.0, 0.9], [0.9, 1.0]])
"""Covariance of two pixels with a correlation of 0.9."""
TRUE_MEAN = 0.9
"""Of one where the other is 1."""
DRAWS = 400


def law_of_the_hidden_pixel(settings):
    """Mean and standard deviation that an algorithm gives it where the other pixel is 1.

    The mean and covariance of both go through every step as the authors write it, in float64.
    """
    schedule, known, hidden = linear(), np.array([1.0, 0.0]), np.diag([0.0, 1.0])
    moves = walk(settings, tau_of(settings, schedule.T))
    mean, covariance, here = np.zeros(2), np.eye(2), moves[0][0]
    for t, s in moves:
        now, then = schedule.alpha_bar(t), 1.0 if s < 0 else schedule.alpha_bar(s)
        if t != here:  # back in time, by the forward process
            kept = now / schedule.alpha_bar(here)
            mean, covariance = math.sqrt(kept) * mean, kept * covariance + (1 - kept) * np.eye(2)
        guess = math.sqrt(now) * PAIR @ np.linalg.inv(now * PAIR + (1 - now) * np.eye(2))
        epsilon = (np.eye(2) - math.sqrt(now) * guess) / math.sqrt(1 - now)
        if settings.method == "repaint":
            variance = settings.eta**2 * (1 - then) / (1 - now) * (1 - now / then)
            direction = math.sqrt(max(1 - then - variance, 0))
            step = hidden @ (math.sqrt(then) * guess + direction * epsilon)
            drawn = np.diag([1 - then, variance])
        else:
            variance = settings.eta**2 * (1 - then)
            direction = math.sqrt(1 - settings.eta**2) * math.sqrt(1 - then)
            step = math.sqrt(then) * hidden @ guess + direction * epsilon
            drawn = variance * np.eye(2)
        mean = step @ mean + math.sqrt(then) * known
        covariance, here = step @ covariance @ step.T + drawn, s
    return mean[1], math.sqrt(covariance[1, 1])


@cache
def drawn_hidden_pixels(settings):
    """The hidden pixel of many seeds where the other pixel is 1."""
    model = gaussian_model((1, 1, 2), torch.from_numpy(PAIR))
    measurement = Inpaint(torch.tensor([[True, False]]))
    y = torch.tensor([[[[1.0, 0.0]]]])
    return last_of(model, y, measurement, settings, seeds=range(DRAWS)).x[..., 1].numpy()


REPAINT = {"method": "repaint", "eta": 1.0, "travel_length": 5}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"eta": 0.0},
        {"eta": 1.0, "travel_length": 5, "travel_repeats": 3},
        REPAINT,
        {**REPAINT, "travel_repeats": 1},
        {**REPAINT, "eta": 0.3, "travel_repeats": 3},
    ],
)
def test_what_is_not_measured_follows_what_is(changes):
    settings = RestoreSettings(steps=50, **changes)
    mean, std = law_of_the_hidden_pixel(settings)
    found = drawn_hidden_pixels(settings)
    assert found.mean() == pytest.approx(mean, abs=4 * std / math.sqrt(DRAWS))
    assert found.std() == pytest.approx(std, abs=4 * std / math.sqrt(2 * DRAWS))
    assert std < 0.5  # of the model: 0.71


@pytest.mark.parametrize("eta", [0.0, 0.85])
def test_more_steps_bring_ddnm_nearer_to_the_true_mean(eta):
    plans = [RestoreSettings(steps=steps, eta=eta) for steps in (10, 50, 200, 1000)]
    means = [law_of_the_hidden_pixel(plan)[0] for plan in plans]
    assert all(before < after < TRUE_MEAN for before, after in pairwise(means))
    assert means[-1] == pytest.approx(TRUE_MEAN, abs=0.015)
    drawn = [drawn_hidden_pixels(plan).mean() for plan in plans[:3]]
    assert all(before < after < TRUE_MEAN for before, after in pairwise(drawn))


def test_walking_a_stretch_again_brings_repaint_nearer_to_the_true_mean():
    """Walked once, the hole hardly learns what the known pixels are: RePaint's own bias."""
    plans = [RestoreSettings(steps=50, **REPAINT | {"travel_repeats": r}) for r in (1, 2, 10)]
    means = [law_of_the_hidden_pixel(plan)[0] for plan in plans]
    drawn = [drawn_hidden_pixels(plan).mean() for plan in plans]
    for values in (means, drawn):
        assert all(before < after < TRUE_MEAN for before, after in pairwise(values))
    assert means[0] < 0.65
    many = RestoreSettings(steps=200, **REPAINT | {"travel_length": 1, "travel_repeats": 30})
    assert law_of_the_hidden_pixel(many)[0] == pytest.approx(TRUE_MEAN, abs=0.01)


def test_the_known_pixels_of_repaint_are_draws_of_the_forward_process(model):
    measurement = NOISELESS["hole"]
    y = measure(measurement, clean())
    settings = RestoreSettings(method="repaint", steps=6, travel_repeats=1)
    seeds = list(range(500))
    for step in restore(model, y, measurement, settings, seeds=seeds):
        alpha_bar = step.coefficients.alpha_bar_s
        known = step.x[..., ~HOLE]
        noise = (known - math.sqrt(alpha_bar) * y[..., ~HOLE]) / max(math.sqrt(1 - alpha_bar), 1e-9)
        if step.t_next < 0:
            assert bool((known == y[..., ~HOLE]).all())
        else:
            assert float(noise.mean()) == pytest.approx(0, abs=0.03)
            assert float(noise.std()) == pytest.approx(1, abs=0.03)
            # what the hole's noise was does not show in it
            hidden = step.z[..., HOLE][..., :1]
            assert abs(float((noise[..., :1] * hidden).mean())) < 0.15


def test_going_back_in_time_adds_the_noise_of_the_forward_process(model):
    settings = RestoreSettings(steps=6, travel_length=2, travel_repeats=2)
    measurement = NOISELESS["x2"]
    steps = list(
        restore(model, measure(measurement, clean()), measurement, settings, seeds=range(200))
    )
    assert [(step.t, step.t_next) for step in steps] == walk(settings, tau_of(settings, 1000))
    travels = 0
    for before, step in pairwise(steps):
        assert step.travelled == (step.t != before.t_next)
        if not step.travelled:
            assert step.x_t is before.x
            continue
        travels += 1
        kept = model.schedule.alpha_bar(step.t) / model.schedule.alpha_bar(before.t_next)
        noise = (step.x_t - math.sqrt(kept) * before.x) / math.sqrt(1 - kept)
        assert float(noise.mean()) == pytest.approx(0, abs=0.04)
        assert float(noise.std()) == pytest.approx(1, abs=0.04)
        for other in (before.z, step.z):  # it is noise of its own
            assert abs(float((noise * other).mean())) < 0.04
    assert travels == 2
    assert len({tuple(step.z[0].flatten().tolist()) for step in steps if step.z is not None}) == 9


def test_noise_of_a_measurement_is_of_its_size_and_seed():
    x = clean()
    y = [measure(SuperResolve(2), x.expand(400, *SHAPE), 0.3, range(n, n + 400)) for n in (0, 1)]
    assert float((y[0] - SuperResolve(2).A(x)).std()) == pytest.approx(0.3, rel=0.05)
    torch.testing.assert_close(y[0][1:], y[1][:-1])
    holed = measure(NOISELESS["hole"], x, 0.3)
    assert bool((holed[..., HOLE] == 0).all())
    assert float((holed - x)[..., ~HOLE].std()) == pytest.approx(0.3, rel=0.4)
