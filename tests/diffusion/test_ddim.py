"""The step against formulas written out here in plain float64, and against diffusers."""

import math

import pytest
import torch

from ddim_studio.diffusion import ddim, schedule
from ddim_studio.diffusion.ddim import Prediction
from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.noise import seeded_noise, step_noise
from ddim_studio.diffusion.sampling import sample
from ddim_studio.diffusion.settings import SampleSettings, SettingsError

LINEAR = schedule.linear()
ETAS = [0.0, 0.2, 0.5, 1.0]


def beta_product(t):
    """ᾱ_t from the definition."""
    running = 1.0
    for i in range(t + 1):
        running *= 1 - (1e-4 + (0.02 - 1e-4) * i / 999)
    return running


@pytest.mark.parametrize("eta", [*ETAS, "hat"])
@pytest.mark.parametrize(
    ("t", "s"), [(999, 998), (999, 500), (500, 0), (10, 9), (1, 0), (0, -1), (400, -1)]
)
def test_coefficients_are_equation_12_and_16(t, s, eta):
    a_t, a_s = beta_product(t), 1.0 if s == -1 else beta_product(s)
    one = math.sqrt((1 - a_s) / (1 - a_t)) * math.sqrt(1 - a_t / a_s)
    used = one if eta == "hat" else eta * one
    direction = math.sqrt(1 - a_s - used**2)
    noise = used
    if eta == "hat":
        noise = 0.0 if s == -1 else math.sqrt(1 - a_t / a_s)
    c = ddim.step_coefficients(LINEAR, t, s, eta)
    got = (c.alpha_bar_t, c.alpha_bar_s, c.signal, c.direction, c.sigma)
    assert got == pytest.approx((a_t, a_s, math.sqrt(a_s), direction, noise), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("t", "s"), [(999, 998), (500, 480), (300, 100), (1, 0)])
def test_eta_1_is_the_posterior_of_ddpm(t, s):
    """With ε exact, mean and variance of x_s are q(x_s | x_t, x_0)'s (DDPM, equations 6 and 7)."""
    a_t, a_s = LINEAR.alpha_bar(t), LINEAR.alpha_bar(s)
    alpha = a_t / a_s
    x0, x_t = 0.7, -0.4
    epsilon = (x_t - math.sqrt(a_t) * x0) / math.sqrt(1 - a_t)
    c = ddim.step_coefficients(LINEAR, t, s, 1.0)
    mean = math.sqrt(a_s) * (1 - alpha) / (1 - a_t) * x0
    mean += math.sqrt(alpha) * (1 - a_s) / (1 - a_t) * x_t
    variance = (1 - a_s) / (1 - a_t) * (1 - alpha)
    assert c.signal * x0 + c.direction * epsilon == pytest.approx(mean, rel=1e-10)
    assert c.sigma**2 == pytest.approx(variance, rel=1e-10)


def test_every_eta_keeps_the_marginal():
    """Var(x_s | x_0) = 1 − ᾱ_s for every σ: why DDIM needs no retraining (DDIM, lemma 1)."""
    for eta in ETAS:
        for t, s in ((999, 900), (500, 20), (10, 9)):
            c = ddim.step_coefficients(LINEAR, t, s, eta)
            assert c.direction**2 + c.sigma**2 == pytest.approx(1 - c.alpha_bar_s, rel=1e-12)


def test_clipping_modes():
    a = 0.25
    x_t = torch.tensor([[[[1.0, -2.0]]]], dtype=torch.float64)
    x0 = torch.tensor([[[[0.5, -3.0]]]], dtype=torch.float64)
    prediction = Prediction(x0, ddim.implied_epsilon(x_t, x0, a))
    none, clamp, rederive = (
        ddim.clipped(prediction, x_t, a, clip) for clip in ("none", "clamp", "rederive")
    )
    assert none is prediction
    assert clamp.x0.flatten().tolist() == [0.5, -1.0]
    assert torch.equal(clamp.epsilon, prediction.epsilon)
    assert rederive.x0.flatten().tolist() == [0.5, -1.0]
    rebuilt = math.sqrt(a) * rederive.x0 + math.sqrt(1 - a) * rederive.epsilon
    torch.testing.assert_close(rebuilt, x_t)
    torch.testing.assert_close(ddim.predicted_x0(x_t, rederive.epsilon, a), rederive.x0)


def curved_network(x, t):
    """A smooth, nonlinear stand-in for a network, different at every pixel and timestep."""
    return torch.tanh(
        x * 0.7 + 0.1 * torch.sin(t.to(x.dtype) / 50).view(-1, 1, 1, 1)
    ) + 0.05 * x.roll(1, -1)


@pytest.mark.parametrize("prediction", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("eta", ETAS)
@pytest.mark.parametrize("clip", ["none", "clamp", "rederive"])
def test_every_step_equals_diffusers(prediction, eta, clip):
    """Step by step from the same x_t: x_s and √ᾱ_t·x̂_0 within 1e-5 in float32."""
    from diffusers import DDIMScheduler

    model = Denoiser(curved_network, LINEAR, (1, 6, 6), prediction=prediction)
    scheduler = DDIMScheduler(clip_sample=clip != "none", prediction_type=prediction)
    scheduler.set_timesteps(20)
    settings = SampleSettings(steps=20, spacing="leading", eta=eta, clip=clip, seed=3)
    seeds = (3, 4)
    times = scheduler.timesteps.tolist()
    x_T = seeded_noise(model, seeds)
    for t, step in zip(times, sample(model, x_T, settings), strict=True):
        assert step.t == t
        output = curved_network(step.x_t, torch.tensor([t, t]))
        theirs = scheduler.step(
            output,
            t,
            step.x_t,
            eta=eta,
            use_clipped_model_output=clip == "rederive",
            variance_noise=step_noise(model.image_shape, seeds, t),
        )
        root = math.sqrt(LINEAR.alpha_bar(t))
        # v- and x_0-models: diffusers clamps x̂_0 after deriving ε from the unclamped one, as we do
        torch.testing.assert_close(step.x, theirs.prev_sample, rtol=1e-6, atol=1e-5)
        torch.testing.assert_close(
            root * step.x0, root * theirs.pred_original_sample, rtol=1e-6, atol=1e-5
        )


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0, "hat"])
def test_a_whole_run_equals_an_independent_float64_loop(eta):
    model = Denoiser(curved_network, LINEAR, (1, 5, 5))
    settings = SampleSettings(steps=25, eta=eta, spacing="quadratic", seed=9)
    x_T = seeded_noise(model, (9, 10, 11))
    tau = sorted({step.t for step in sample(model, x_T, settings)})
    x = x_T.double()
    for t, s in zip(reversed(tau), [*reversed(tau[:-1]), -1], strict=True):
        a_t, a_s = beta_product(t), 1.0 if s == -1 else beta_product(s)
        epsilon = curved_network(x, torch.full((3,), t))
        sigma = (1.0 if eta == "hat" else eta) * math.sqrt((1 - a_s) / (1 - a_t) * (1 - a_t / a_s))
        noise = sigma
        if eta == "hat":
            noise = 0.0 if s == -1 else math.sqrt(1 - a_t / a_s)
        x0 = (x - math.sqrt(1 - a_t) * epsilon) / math.sqrt(a_t)
        x = math.sqrt(a_s) * x0 + math.sqrt(1 - a_s - sigma**2) * epsilon
        x = x + noise * step_noise((1, 5, 5), (9, 10, 11), t).double()
    *_, last = sample(model, x_T, settings)
    torch.testing.assert_close(last.x.double(), x, rtol=1e-4, atol=2e-4)


def test_terms_add_up_to_the_next_state():
    model = Denoiser(curved_network, LINEAR, (1, 5, 5))
    for step in sample(model, seeded_noise(model, [1]), SampleSettings(steps=7, eta=0.8)):
        total = step.x0_term + step.direction_term
        if step.noise_term is not None:
            total = total + step.noise_term
        torch.testing.assert_close(total, step.x)
    assert step.noise_term is None  # the last step draws nothing


def gaussian_model(mean, variance, shape):
    """The exact ε for data N(mean, variance): x_t is Gaussian, so E[ε | x_t] is linear in x_t."""

    def network(x, t):
        a = LINEAR.alpha_bars[t].view(-1, 1, 1, 1).to(x.dtype)
        return (1 - a).sqrt() * (x - a.sqrt() * mean) / (a * variance + 1 - a)

    return Denoiser(network, LINEAR, shape)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_a_gaussian_model_lands_on_its_own_mean_and_variance(eta):
    model = gaussian_model(mean=0.3, variance=0.25, shape=(1, 32, 32))
    x_T = seeded_noise(model, range(64))
    *_, last = sample(model, x_T, SampleSettings(steps=1000, eta=eta))
    values = last.x.double()
    assert float(values.mean()) == pytest.approx(0.3, abs=5 * 0.5 / 256)
    assert float(values.var()) == pytest.approx(0.25, rel=0.03)


@pytest.mark.parametrize("steps", [5, 50])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0, "hat"])
def test_few_steps_miss_the_variance_by_what_the_recursion_says(steps, eta):
    """Each step is linear: Var(x_s) = k² Var(x_t) + σ², with k from the model's slope."""
    model = gaussian_model(mean=0.0, variance=0.25, shape=(1, 32, 32))
    variance = 1.0
    for step in sample(model, seeded_noise(model, range(64)), SampleSettings(steps=steps, eta=eta)):
        a_t, c = LINEAR.alpha_bar(step.t), step.coefficients
        e = math.sqrt(1 - a_t) / (a_t * 0.25 + 1 - a_t)
        k = c.signal * (1 - math.sqrt(1 - a_t) * e) / math.sqrt(a_t) + c.direction * e
        variance = k**2 * variance + c.sigma**2
        assert float(step.x.double().var()) == pytest.approx(variance, rel=6 * (2 / 65536) ** 0.5)


def test_ddim_of_a_gaussian_model_is_its_closed_form():
    """At η = 0 each step is linear: the product of its slopes is known without sampling."""
    model = gaussian_model(mean=0.0, variance=0.25, shape=(1, 4, 4))
    settings = SampleSettings(steps=40)
    x_T = seeded_noise(model, [0])
    slope = 1.0
    for step in sample(model, x_T, settings):
        a_t, a_s = LINEAR.alpha_bar(step.t), LINEAR.alpha_bar(step.t_next)
        e = math.sqrt(1 - a_t) / (a_t * 0.25 + 1 - a_t)
        slope *= (
            math.sqrt(a_s) * (1 - math.sqrt(1 - a_t) * e) / math.sqrt(a_t) + math.sqrt(1 - a_s) * e
        )
    torch.testing.assert_close(step.x, slope * x_T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("eta", [0.0, 1.0, "hat"])
def test_image_i_is_the_same_alone_and_in_any_batch(tiny, eta):
    settings = SampleSettings(steps=5, eta=eta, seed=100)
    *_, together = sample(tiny, seeded_noise(tiny, range(100, 105)), settings)
    for i in range(5):
        alone = SampleSettings(steps=5, eta=eta, seed=100 + i)
        *_, last = sample(tiny, seeded_noise(tiny, [100 + i]), alone)
        torch.testing.assert_close(last.x[0], together.x[i], rtol=1e-4, atol=1e-4)


def test_sampling_is_lazy_and_leaves_x_t_alone():
    calls = []

    def network(x, t):
        calls.append(int(t[0]))
        return x * 0.1

    model = Denoiser(network, LINEAR, (1, 4, 4))
    x_T = seeded_noise(model, [0])
    before = x_T.clone()
    steps = sample(model, x_T, SampleSettings(steps=10))
    assert calls == []
    next(steps)
    assert calls == [900]
    list(steps)
    assert len(calls) == 10
    assert torch.equal(x_T, before)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"x_T": torch.zeros(2, 1, 4, 5)}, "x_T"),
        ({"x_T": torch.zeros(1, 4, 4)}, "x_T"),
        ({"settings": SampleSettings(steps=1001)}, "steps"),
        ({"settings": SampleSettings(timesteps=(1, 1000))}, "timesteps"),
        ({"seeds": (1, 2, 3)}, "seeds"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_call(arguments, field):
    model = Denoiser(curved_network, LINEAR, (1, 4, 4))
    given = {"x_T": torch.zeros(2, 1, 4, 4)} | arguments
    with pytest.raises(SettingsError) as caught:
        sample(model, **given)
    assert caught.value.field == field
