"""Inversion against closed forms, formulas written out here, diffusers, and its own inverse."""

import itertools
import math

import numpy as np
import pytest
import torch

import ddim_studio as ds
from ddim_studio.diffusion import schedule
from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.inversion import InvertCall, InvertStep, invert_events

LINEAR = schedule.linear()
SHAPE = (1, 6, 6)
PAIRS_20 = [(-1, 0), *((50 * i, 50 * (i + 1)) for i in range(19))]


def alpha_bar(t):
    return 1.0 if t == -1 else float(LINEAR.alpha_bars[t])


def rms(x):
    return x.double().flatten(1).square().mean(1).sqrt()


def curved(x, t):
    """A smooth nonlinear stand-in for a network, different at every pixel and timestep."""
    wave = 0.1 * torch.sin(t.to(x.dtype) / 50).view(-1, 1, 1, 1)
    return torch.tanh(0.7 * x + wave) + 0.05 * x.roll(1, -1)


def pictures(count, shape=SHAPE, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, *shape, generator=generator) * 1.6 - 0.8


def undone(x, epsilon, s, t):
    """x_t with DDIM(x_t, ε) = x_s, from equation 12 in the form of equation 13."""
    ratio_s = math.sqrt((1 - alpha_bar(s)) / alpha_bar(s))
    ratio_t = math.sqrt((1 - alpha_bar(t)) / alpha_bar(t))
    y = x / math.sqrt(alpha_bar(s)) + (ratio_t - ratio_s) * epsilon
    return y * math.sqrt(alpha_bar(t))


@pytest.fixture
def model():
    return Denoiser(curved, LINEAR, SHAPE)


@pytest.mark.parametrize("spacing", ["linear", "quadratic", "trailing"])
def test_exact_inversion_of_gaussian_data_is_the_closed_form(spacing):
    """x_0 ~ N(0, diag s²): the ideal network is linear, and every step a factor a pixel."""
    variance = torch.linspace(0.05, 2, 36, dtype=torch.float64).view(1, *SHAPE)

    def ideal(x, t):
        a = LINEAR.alpha_bars[int(t[0])]
        return (torch.sqrt(1 - a) / (a * variance + 1 - a)).float() * x

    gaussian = Denoiser(ideal, LINEAR, SHAPE)
    images = pictures(3)
    settings = ds.InvertSettings(steps=12, spacing=spacing, tolerance=1e-7)
    inversion = ds.invert(gaussian, images, settings)
    expected = images.double()
    for s, t in itertools.pairwise([-1, *inversion.timesteps]):
        a_s, a_t = alpha_bar(s), alpha_bar(t)
        slope = math.sqrt(1 - a_t) / (a_t * variance + 1 - a_t)
        x0 = (1 - math.sqrt(1 - a_t) * slope) / math.sqrt(a_t)
        expected = expected / (math.sqrt(a_s) * x0 + math.sqrt(1 - a_s) * slope)
    assert inversion.converged.all()
    torch.testing.assert_close(inversion.x_T.double(), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("prediction", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("final", [1.0, float(LINEAR.alpha_bars[0])])
def test_exact_is_the_inverse_of_the_sampler_both_ways(prediction, final):
    line = schedule.Schedule(LINEAR.alpha_bars, final_alpha_bar=final)
    model = Denoiser(curved, line, SHAPE, prediction=prediction)
    settings = ds.InvertSettings(steps=15, tolerance=1e-7)
    images = pictures(2)
    there = ds.invert(model, images, settings)
    assert there.converged.all()
    torch.testing.assert_close(
        ds.reconstruct(model, there.x_T, settings), images, rtol=0, atol=1e-5
    )
    x_T = ds.seeded_noise(SHAPE, [1, 2])
    back = ds.invert(model, ds.reconstruct(model, x_T, settings), settings)
    torch.testing.assert_close(back.x_T, x_T, rtol=0, atol=1e-4)


def test_a_random_unet_is_inverted(tiny):
    """Over the first half of the way only: an untrained network magnifies errors beyond."""
    settings = ds.InvertSettings(timesteps=(0, 5, 20, 60, 120, 200, 300), tolerance=1e-6)
    images = pictures(2, tiny.image_shape)
    inversion = ds.invert(tiny, images, settings)
    assert inversion.converged.all()
    rebuilt = ds.reconstruct(tiny, inversion.x_T, settings)
    torch.testing.assert_close(rebuilt, images, rtol=0, atol=5e-5)


@pytest.mark.parametrize("method", ["source", "target"])
def test_naive_methods_are_the_formulas_in_float64(model, method):
    images = pictures(3)
    inversion = ds.invert(model, images, ds.InvertSettings(steps=20, method=method))
    x = images.double()
    for s, t in PAIRS_20:
        at = t if method == "target" else max(s, 0)
        x = undone(x, curved(x, torch.full((3,), at)), s, t)
    torch.testing.assert_close(inversion.x_T.double(), x, rtol=1e-5, atol=1e-5)
    assert np.isnan(inversion.residuals).all()
    assert inversion.unsolved == ()
    assert inversion.network_calls == 3 * 20


def test_target_time_equals_the_inverse_scheduler_of_diffusers(model):
    from diffusers import DDIMInverseScheduler

    scheduler = DDIMInverseScheduler(clip_sample=False)
    scheduler.set_timesteps(20)
    images = pictures(2)
    steps = ds.invert_steps(model, images, ds.InvertSettings(steps=20, method="target"))
    x = images
    for t, step in zip(scheduler.timesteps.tolist(), steps, strict=True):
        assert step.t_next == t
        x = scheduler.step(curved(x, torch.tensor([t, t])), t, x).prev_sample
        torch.testing.assert_close(step.x, x, rtol=1e-5, atol=1e-5)


def test_naive_errors_fall_with_the_number_of_steps(model):
    images = pictures(2)
    errors = []
    for steps in (5, 20, 80):
        settings = ds.InvertSettings(steps=steps, method="target")
        rebuilt = ds.reconstruct(model, ds.invert(model, images, settings).x_T, settings)
        errors.append(float((rebuilt - images).square().mean()))
    assert errors[0] > 2 * errors[1] > 8 * errors[2]
    settings = ds.InvertSettings(steps=5, spacing="linear")
    exact = ds.reconstruct(model, ds.invert(model, images, settings).x_T, settings)
    assert float((exact - images).square().mean()) < 1e-6 * errors[0]


def test_the_residual_of_what_did_not_converge_is_the_true_one(model):
    """Cut off after 3 calls, nothing is corrected unmeasured: recompute it from the states."""
    images = pictures(2)
    settings = ds.InvertSettings(steps=6, spacing="linear", tolerance=1e-9, max_calls=3)
    before, seen = images.double(), 0
    for step in ds.invert_steps(model, images, settings):
        x = step.x.double()
        epsilon = curved(x, torch.full((2,), step.t_next))
        missing = rms(x - undone(before, epsilon, step.t, step.t_next))
        if not step.converged.any():
            torch.testing.assert_close(step.residual, missing, rtol=1e-2, atol=1e-6)
            seen += int((missing > 1e-4).sum())
        before = x
    assert seen >= 4


def test_a_converged_state_is_at_least_as_good_as_reported(model):
    images = pictures(2)
    before = images.double()
    for step in ds.invert_steps(model, images, ds.InvertSettings(steps=6, tolerance=1e-4)):
        x = step.x.double()
        epsilon = curved(x, torch.full((2,), step.t_next))
        missing = rms(x - undone(before, epsilon, step.t, step.t_next))
        assert step.converged.all()
        assert (step.residual <= 1e-4).all()
        assert (missing <= step.residual + 1e-6).all()
        before = x


def test_a_step_without_a_solution_is_reported_with_its_residual():
    """A network that takes everything for noise leads to x̂_0 = 0 from anywhere."""

    def all_noise(x, t):
        return x / torch.sqrt(1 - LINEAR.alpha_bars[t]).float().view(-1, 1, 1, 1)

    images = torch.cat([torch.zeros(1, *SHAPE), pictures(2)])
    model = Denoiser(all_noise, LINEAR, SHAPE)
    inversion = ds.invert(model, images, ds.InvertSettings(steps=5, max_calls=12))
    first, *rest = inversion.unsolved
    assert (first.t, first.t_next, first.images) == (-1, 0, (1, 2))
    lacking = math.sqrt(alpha_bar(0)) * rms(images[1:])
    np.testing.assert_allclose(first.residuals, lacking, rtol=1e-4)
    np.testing.assert_allclose(inversion.residuals[0, 1:], lacking, rtol=1e-4)
    assert not any(0 in step.images for step in rest)
    assert inversion.calls[0].tolist() == [1, 12, 12]
    assert inversion.x_T.isfinite().all()


def test_a_network_that_gives_nan_ends_in_a_report_not_in_a_loop():
    model = Denoiser(lambda x, t: x * math.nan, LINEAR, SHAPE)
    inversion = ds.invert(model, pictures(2), ds.InvertSettings(steps=3))
    assert not inversion.converged.any()
    assert np.isinf(inversion.residuals).all()
    assert (inversion.calls == 1).all()


def test_an_image_does_not_depend_on_its_neighbours():
    def mixed(x, t):
        """Steep where the image is bright, so that images differ in how fast they converge."""
        return curved(x, t) + 3 * torch.tanh(8 * (x - 0.9).clamp(min=0))

    model = Denoiser(mixed, LINEAR, SHAPE)
    images = pictures(5) * torch.linspace(0.2, 1.2, 5).view(-1, 1, 1, 1)
    settings = ds.InvertSettings(steps=10, spacing="linear", max_calls=15)
    together = ds.invert(model, images, settings)
    assert len(set(together.calls.sum(0).tolist())) > 1
    for i in range(5):
        alone = ds.invert(model, images[i : i + 1], settings)
        assert alone.calls[:, 0].tolist() == together.calls[:, i].tolist()
        torch.testing.assert_close(alone.x_T[0], together.x_T[i], rtol=1e-6, atol=1e-6)


def test_calls_are_counted_and_spared():
    sizes = []

    def counted(x, t):
        sizes.append(len(x))
        return curved(x, t) * (x.abs().amax((1, 2, 3), keepdim=True) > 0.1)

    model = Denoiser(counted, LINEAR, SHAPE)
    images = torch.cat([pictures(2), torch.zeros(1, *SHAPE)])
    inversion = ds.invert(model, images, ds.InvertSettings(steps=8))
    assert inversion.network_calls == sum(sizes) == model.network_calls
    assert inversion.calls.shape == (8, 3)
    assert (inversion.calls[:, 2] == 1).all()
    assert inversion.calls[:, :2].min() > 1


def test_between_two_events_there_is_at_most_one_network_call(model):
    calls, kinds = [], []
    for event in invert_events(model, pictures(2), ds.InvertSettings(steps=4)):
        calls.append(model.network_calls)
        kinds.append(type(event))
    assert max(np.diff([0, *calls])) <= 2
    assert kinds.count(InvertStep) == 4
    assert kinds.count(InvertCall) > 4


def test_stopping_stops(model):
    events = invert_events(model, pictures(2), ds.InvertSettings(steps=50))
    for _ in range(3):
        next(events)
    done = model.network_calls
    events.close()
    assert done == model.network_calls == 6


def test_the_walk_can_be_kept_and_its_terms_add_up(model):
    images = pictures(2)
    trajectory = ds.Trajectory(images)
    inversion = ds.invert(model, images, ds.InvertSettings(steps=7), trajectory=trajectory)
    assert len(trajectory.points) == 7
    assert torch.equal(trajectory.x(0), images)
    assert torch.equal(trajectory.x(7), inversion.x_T)
    for k, t in enumerate(inversion.timesteps):
        point = trajectory.points.nearest(k)[1]
        assert point.t == t
        again = math.sqrt(alpha_bar(t)) * point.x0 + math.sqrt(1 - alpha_bar(t)) * point.epsilon
        torch.testing.assert_close(point.x, again, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("images", "field"),
    [
        (torch.zeros(0, *SHAPE), "images"),
        (torch.zeros(1, 1, 6, 5), "images"),
        (torch.full((1, *SHAPE), math.nan), "images"),
    ],
)
def test_images_that_cannot_be_inverted_are_refused(model, images, field):
    with pytest.raises(ds.SettingsError) as caught:
        ds.invert(model, images)
    assert caught.value.field == field


def test_a_timestep_with_nothing_of_the_image_left_is_refused():
    zero = schedule.rescaled_to_zero_terminal_snr(LINEAR)
    model = Denoiser(curved, zero, SHAPE, prediction="v_prediction")
    with pytest.raises(ds.SettingsError, match="nothing of the image is left"):
        ds.invert(model, pictures(1), ds.InvertSettings(steps=5, spacing="trailing"))
    assert ds.invert(model, pictures(1), ds.InvertSettings(steps=5)).x_T.isfinite().all()
