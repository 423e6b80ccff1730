"""Restoration against formulas written out with matrices, and against what must hold."""

import math

import numpy as np
import pytest
import torch
from analytic import covariance_of, gaussian_model
from restored import NOISELESS, SHAPE, SIZE, clean, last_of

from ddim_studio.diffusion.measurements import Colourise, SuperResolve
from ddim_studio.diffusion.noise import image_seeds, keyed_noise, seeded_noise, step_noise
from ddim_studio.diffusion.restoration import measure, restore
from ddim_studio.diffusion.restore_rules import noise_gains
from ddim_studio.diffusion.restore_settings import RestoreSettings, walk
from ddim_studio.diffusion.schedule import (
    Schedule,
    linear,
    rescaled_to_zero_terminal_snr,
    squared_cosine,
)
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.diffusion.timesteps import tau_of


@pytest.fixture(scope="module")
def model():
    return gaussian_model(SHAPE, covariance_of(SIZE))


@pytest.mark.parametrize("name", NOISELESS)
@pytest.mark.parametrize("eta", [0.0, 0.85, 1.0])
def test_the_restored_image_agrees_with_what_was_measured(model, name, eta):
    measurement = NOISELESS[name]
    y = measure(measurement, clean())
    settings = RestoreSettings(steps=7, eta=eta)
    for step in restore(model, y, measurement, settings, seeds=[0, 5]):
        assert float(step.max.max()) < 1e-5
        assert float(step.guess_max.min()) > 1e-4  # the network alone does not agree
    off = measurement.A(step.x) - y
    assert float(off.abs().max()) < 1e-9


VARIED = {
    "epsilon": {"prediction": "epsilon"},
    "v": {"prediction": "v_prediction"},
    "cosine": {"schedule": squared_cosine(T=300)},
    "no signal at T": {
        "schedule": rescaled_to_zero_terminal_snr(linear()),
        "prediction": "v_prediction",
    },
    "ends at alpha_0": {"schedule": Schedule(linear(T=50).alpha_bars, final_alpha_bar=0.99)},
}


@pytest.mark.parametrize("name", VARIED)
@pytest.mark.parametrize("method", ["ddnm", "repaint"])
def test_every_kind_of_model_restores(name, method):
    model = gaussian_model(SHAPE, covariance_of(SIZE), **VARIED[name])
    measurement = NOISELESS["hole"]
    y = measure(measurement, clean())
    settings = RestoreSettings(
        steps=9, spacing="trailing", method=method, travel_length=2, travel_repeats=2
    )
    last = last_of(model, y, measurement, settings)
    assert float((measurement.A(last.x) - y).abs().max()) < 1e-5
    assert bool(last.x.isfinite().all())
    assert float(last.x.abs().max()) < 10


def test_what_the_model_predicts_makes_no_difference(model):
    y = measure(NOISELESS["x2"], clean())
    settings = RestoreSettings(steps=6)
    found = [
        last_of(gaussian_model(SHAPE, covariance_of(SIZE), prediction=kind), y, SuperResolve(2),
                settings).x
        for kind in ("sample", "epsilon", "v_prediction")
    ]  # fmt: skip
    torch.testing.assert_close(found[1], found[0], atol=1e-3, rtol=0)
    torch.testing.assert_close(found[2], found[0], atol=1e-3, rtol=0)


def reference(matrix, y, *, sigma, eta, schedule, moves, seeds, x0_of):
    """DDNM and DDNM+ with a matrix, component by component of its full SVD, in NumPy."""
    u, s, vh = np.linalg.svd(matrix, full_matrices=True)
    singular = np.zeros(len(vh))
    singular[: len(s)] = s
    target = np.zeros((len(seeds), len(vh)))
    target[:, : len(s)] = (y @ u)[:, : len(s)] / s
    x = keyed_noise(SHAPE, seeds).numpy().reshape(len(seeds), -1).astype(np.float64)
    for t, to in moves:
        now = schedule.alpha_bar(t)
        then = 1.0 if to < 0 else schedule.alpha_bar(to)
        guess = x0_of(x, t)
        epsilon = (x - math.sqrt(now) * guess) / math.sqrt(1 - now)
        z = step_noise(SHAPE, seeds, t).numpy().reshape(len(seeds), -1).astype(np.float64)
        total = math.sqrt(1 - then)
        parts = [part @ vh.T for part in (guess, epsilon, z)]
        fresh = np.empty_like(parts[0])
        for i, value in enumerate(singular):
            g, e, n = (part[:, i] for part in parts)
            direction, drawn, kept = math.sqrt(1 - eta**2) * total, eta * total, 0.0
            if value > 0 and sigma == 0:
                kept = 1.0
            elif value > 0:
                brought = math.sqrt(then) * sigma / value
                kept = min(1.0, total / brought)
                direction, drawn = 0.0, math.sqrt(max(total**2 - (kept * brought) ** 2, 0.0))
            corrected = g - kept * (g - target[:, i])
            fresh[:, i] = math.sqrt(then) * corrected + direction * e + drawn * n
        x = fresh @ vh
    return x


@pytest.mark.parametrize("sigma", [0.0, 0.05, 0.4, 1.5])
@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("name", ["matrix", "x2", "luma", "hole"])
def test_steps_are_those_of_the_formulas_with_singular_values(model, name, eta, sigma):
    measurement = NOISELESS[name]
    basis = torch.eye(SIZE, dtype=torch.float64).reshape(-1, *SHAPE)
    matrix = measurement.A(basis).flatten(1).T
    used = matrix.abs().sum(1) > 0  # the rows of a hole measure nothing
    seeds = [3, 4]
    y = measure(measurement, clean(2), sigma, seeds)
    settings = RestoreSettings(steps=8, eta=eta, sigma=sigma)
    tau = tau_of(settings, model.schedule.T)

    def x0_of(x, t):
        tensor = torch.from_numpy(x).reshape(-1, *SHAPE)
        return model.predict(tensor, t).x0.reshape(len(x), -1).numpy()

    expected = reference(
        matrix[used].numpy(),
        y.flatten(1)[:, used].numpy(),
        sigma=sigma,
        eta=eta,
        schedule=model.schedule,
        moves=walk(settings, tau),
        seeds=seeds,
        x0_of=x0_of,
    )
    found = last_of(model, y, measurement, settings, seeds=seeds).x
    np.testing.assert_allclose(found.reshape(2, -1).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("sigma", [1e-3, 0.1, 2.0])
@pytest.mark.parametrize("value", [0.05, 0.5, 1.0])
def test_noise_brought_in_and_noise_drawn_add_up(value, sigma):
    for alpha_bar in np.linspace(0.001, 0.9999, 50):
        kept, drawn = noise_gains(value, sigma, alpha_bar)
        brought = math.sqrt(alpha_bar) * kept * sigma / value
        assert 0 <= kept <= 1
        assert brought**2 + drawn**2 == pytest.approx(1 - alpha_bar)
        assert kept == 1 or drawn == 0  # corrected in full wherever there is room
    assert noise_gains(0.0, sigma, 0.5) == (1.0, math.sqrt(0.5))


@pytest.mark.parametrize("method", ["ddnm", "repaint"])
def test_an_image_depends_on_its_own_seed_alone(model, method):
    measurement = NOISELESS["hole"]
    y = measure(measurement, clean())
    settings = RestoreSettings(method=method, steps=5, travel_length=2, travel_repeats=2, seed=3)
    together = last_of(model, y, measurement, settings, seeds=image_seeds(3, 4)).x
    alone = last_of(model, y, measurement, settings, seeds=[5]).x
    torch.testing.assert_close(together[2:3], alone, atol=1e-9, rtol=0)
    default = last_of(model, y, measurement, settings).x
    torch.testing.assert_close(together[:1], default, atol=1e-9, rtol=0)
    assert float((together[0] - together[1]).abs().max()) > 0.1


def test_each_image_may_have_a_measurement_of_its_own(model):
    measurement = NOISELESS["x2"]
    y = measure(measurement, clean(2))
    both = last_of(model, y, measurement, RestoreSettings(steps=4), seeds=[1, 1]).x
    second = last_of(model, y[1:], measurement, RestoreSettings(steps=4), seeds=[1]).x
    torch.testing.assert_close(both[1:], second, atol=1e-9, rtol=0)
    assert float((measurement.A(both) - y).abs().max()) < 1e-9


def test_the_parts_of_a_step_belong_together(model):
    measurement = NOISELESS["grey"]
    y = measure(measurement, clean())
    for step in restore(model, y, measurement, RestoreSettings(steps=4), seeds=[0, 1]):
        torch.testing.assert_close(step.x0, step.guess - step.residual)
        torch.testing.assert_close(step.measured, measurement.pinv(measurement.A(step.guess)))
        off = (measurement.A(step.guess) - y).flatten(1)
        torch.testing.assert_close(step.guess_rms, off.square().mean(1).sqrt())
        torch.testing.assert_close(step.guess_max, off.abs().amax(1))
        again = step.x0_term + step.direction_term
        if step.noise_term is not None:
            again = again + step.noise_term
        torch.testing.assert_close(step.x, again)
    assert step.noise_term is None


def test_clipping_acts_before_the_correction(model):
    measurement = NOISELESS["x2"]
    y = measure(measurement, 3 * clean())
    settings = RestoreSettings(steps=5, clip="clamp")
    for step in restore(model, y, measurement, settings):
        assert float(step.guess.abs().max()) <= 1
        assert float(step.max.max()) < 1e-9
    assert float(step.x.abs().max()) > 1


class Unspectral:
    """The mean of the channels, without its singular values."""

    A = Colourise().A
    pinv = Colourise().pinv


def test_a_measurement_of_ones_own_restores_as_ours_does(model):
    y = measure(Colourise(), clean())
    settings = RestoreSettings(steps=4)
    own = last_of(model, y, Unspectral(), settings).x
    torch.testing.assert_close(own, last_of(model, y, Colourise(), settings).x)
    with pytest.raises(SettingsError, match="singular values are not known"):
        restore(model, y, Unspectral(), RestoreSettings(sigma=0.1))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("y", {"y": torch.zeros(1, 3, 4, 4)}),
        ("y", {"y": torch.zeros(3, 3, 2, 2), "seeds": [1, 2]}),
        ("method", {"settings": RestoreSettings(method="repaint")}),
        ("steps", {"settings": RestoreSettings(steps=2000)}),
        ("class_label", {"settings": RestoreSettings(class_label=1)}),
        ("x_T", {"x_T": torch.zeros(1, 3, 4, 5)}),
        ("scale", {"measurement": SuperResolve(3)}),
    ],
)
def test_what_does_not_fit_is_refused_by_name(model, field, changes):
    good = {"y": torch.zeros(1, 3, 2, 2), "measurement": SuperResolve(2)}
    with pytest.raises(SettingsError) as refused:
        restore(model, **good | changes)
    assert refused.value.field == field


def test_x_T_may_be_given(model):
    y = measure(SuperResolve(2), clean())
    settings = RestoreSettings(steps=4, eta=0.0)
    given = last_of(model, y, SuperResolve(2), settings, x_T=seeded_noise(SHAPE, [9])).x
    torch.testing.assert_close(given, last_of(model, y, SuperResolve(2), settings, seeds=[9]).x)


@pytest.mark.parametrize("scale", [2, 4, 7, 14])
def test_the_bundled_model_agrees_within_its_float32_network(fashion, scale):
    measurement = SuperResolve(scale)
    x = torch.linspace(-1, 1, 784).reshape(1, 1, 28, 28)
    y = measure(measurement, x)
    last = last_of(fashion, y, measurement, RestoreSettings(steps=3))
    assert float((measurement.A(last.x) - y).abs().max()) < 1e-5
