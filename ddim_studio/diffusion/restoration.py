"""Restoration without training: sampling that a linear measurement y = A x_0 + σ n holds to.

DDNM (Wang et al. 2022, arXiv 2212.00490) corrects x̂_0 in every step, where A sees it only:

    x̂_0|y = x̂_0 − A⁺(A x̂_0 − y)
    x_s = √ᾱ_s x̂_0|y + √(1−η²) √(1−ᾱ_s) ε_θ + η √(1−ᾱ_s) z

DDNM+ takes the noise of y into account. In a component with the singular value s_i, A⁺y carries
noise of σ/s_i. It takes the place of a part of the noise of x_s, and only the rest is drawn; near
the image, where x_s has less noise than that, the correction is partial:

    λ_i = min(1, √(1−ᾱ_s) / (√ᾱ_s σ/s_i)),   γ_i² = 1 − ᾱ_s − ᾱ_s λ_i² σ²/s_i²
    x_s,i = √ᾱ_s (x̂_0 − λ_i A⁺(A x̂_0 − y))_i + γ_i z_i   where s_i > 0, as above where s_i = 0

RePaint (Lugmayr et al. 2022, arXiv 2201.09865) fills holes: after every step the known pixels of
x_s are replaced by √ᾱ_s y + √(1−ᾱ_s) n. All may travel back in time, that is, add noise to the
state by the forward process and walk the same stretch again.

The last step leads to the clean image itself (ᾱ = 1), also for models whose scheduler ends at ᾱ_0.
The state is float64 between the float32 calls of the network, so that A x_0 = y holds to rounding.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch

from ddim_studio.diffusion.ddim import Prediction, clipped
from ddim_studio.diffusion.measurements import Inpaint, ScalarMeasurement, SpectralMeasurement
from ddim_studio.diffusion.noise import image_seeds, keyed_noise
from ddim_studio.diffusion.restore_rules import MEASURED, TRAVEL, rule_for
from ddim_studio.diffusion.restore_settings import RestoreSettings, walk
from ddim_studio.diffusion.sampling import Step
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.diffusion.timesteps import tau_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from ddim_studio.diffusion.ddim import StepCoefficients
    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.diffusion.measurements import Measurement
    from ddim_studio.diffusion.restore_rules import Nullspace
    from ddim_studio.diffusion.schedule import Schedule


@dataclass(frozen=True)
class RestoreStep(Step):
    """What one step did: a `Step` whose ``x0`` agrees with the measurement. Tensors are float64.

    The equation of the step holds with ``x0``, ``epsilon`` and ``z`` for DDNM; for DDNM+ and
    RePaint it holds for what the measurement does not see.

    Attributes:
        guess: x̂_0 of the network, before it was corrected (after clipping).
        measured: A⁺A of the guess: what the measurement sees of it, as an image.
        residual: A⁺(A guess − y), as an image: what is taken off, in full without noise.
        guess_rms: Root mean square of A guess − y of each image, (N,).
        guess_max: Its largest absolute value, (N,).
        rms: Root mean square of A x0 − y of each image, (N,).
        max: Its largest absolute value, (N,).
        travelled: Whether the state came here by a time-travel from the step before.
    """

    guess: Tensor
    measured: Tensor
    residual: Tensor
    guess_rms: Tensor
    guess_max: Tensor
    rms: Tensor
    max: Tensor
    travelled: bool


def measure(
    measurement: Measurement, images: Tensor, sigma: float = 0.0, seeds: Sequence[int] = (0,)
) -> Tensor:
    """Y = A x_0 + σ n: what a measurement gives of clean images.

    Args:
        measurement: A.
        images: x_0, (N, C, H, W) in [−1, 1].
        sigma: σ.
        seeds: Of the noise n, one an image or one for all.

    Returns:
        (N, …), float64.
    """
    y = measurement.A(images.detach().to(torch.float64))
    if sigma == 0:
        return y
    noise = keyed_noise(tuple(y.shape[1:]), tuple(seeds), 0, 0, MEASURED).to(y)
    noisy: Tensor = y + sigma * noise
    if isinstance(measurement, ScalarMeasurement) and not measurement.covers_all:
        return measurement.A(measurement.pinv(noisy))  # y is 0 in a hole, with noise as without
    return noisy


def restore(
    model: Denoiser,
    y: Tensor,
    measurement: Measurement,
    settings: RestoreSettings | None = None,
    *,
    x_T: Tensor | None = None,
    seeds: Sequence[int] | None = None,
) -> Iterator[RestoreStep]:
    """Walk from x_T to images that a measurement agrees with, one `RestoreStep` at a time.

    Args:
        model: The denoiser, of any prediction type, schedule and T.
        y: What was measured, (N, …), or (1, …) for all images, as ``measurement.A`` gives it.
        measurement: A and A⁺. With σ > 0 its singular values must be known
            (`SpectralMeasurement`); RePaint takes an `Inpaint`.
        settings: Method, S, η, τ, σ and time-travel. The task is not looked at.
        x_T: Where to start, (N, C, H, W); drawn from the seeds unless given.
        seeds: The seed of each image. From ``settings.seed`` (n, n + 1, …), as many as y or x_T
            has, unless given.

    Returns:
        An iterator of steps: S, and more with time-travel (`walk` lists them). One network call is
        made for each, when it is asked for. The last one's ``x`` is the restored image.

    Raises:
        SettingsError: τ, the class, y, x_T, the seeds or the measurement do not fit.
    """
    settings = settings or RestoreSettings()
    _check_measurement(measurement, settings)
    model = model.with_class(settings.class_label)
    tau = tau_of(settings, model.schedule.T)
    count = len(seeds) if seeds is not None else len(y if x_T is None else x_T)
    seeds = image_seeds(settings.seed, count) if seeds is None else tuple(seeds)
    x = keyed_noise(model.image_shape, seeds) if x_T is None else x_T.detach()
    if tuple(x.shape) != (count, *model.image_shape):
        expected = ", ".join(map(str, (count, *model.image_shape)))
        raise SettingsError("x_T", f"x_T must be ({expected}), not {tuple(x.shape)}.")
    # Apple's GPUs have no float64
    place = torch.device("cpu") if model.device.type == "mps" else model.device
    x, y = (tensor.to(place, torch.float64) for tensor in (x, y))
    if tuple(y.shape) not in {(n, *measurement.A(x[:1]).shape[1:]) for n in (1, count)}:
        raise SettingsError("y", f"y of shape {tuple(y.shape)} is not what A gives of the images.")
    rule = rule_for(y, measurement, settings)
    return _steps(model, x, rule, settings, moves=walk(settings, tau), seeds=seeds)


def _check_measurement(measurement: Measurement, settings: RestoreSettings) -> None:
    if settings.method == "repaint" and not isinstance(measurement, Inpaint):
        raise SettingsError("method", "The method repaint fills holes only: give an Inpaint.")
    if settings.sigma > 0 and not isinstance(measurement, SpectralMeasurement):
        raise SettingsError(
            "sigma",
            "sigma must be 0 for a measurement whose singular values are not known; "
            "MatrixMeasurement finds those of small ones.",
        )


def _steps(
    model: Denoiser,
    x: Tensor,
    rule: Nullspace,
    settings: RestoreSettings,
    *,
    moves: Sequence[tuple[int, int]],
    seeds: Sequence[int],
) -> Iterator[RestoreStep]:
    """Walk; ``moves`` are the steps (t, s)."""
    visits: Counter[int] = Counter()
    here = moves[0][0]
    for index, (t, s) in enumerate(moves, start=1):
        draw = partial(_draw, x, seeds, t, visits[t])
        visits[t] += 1
        travelled = t != here
        if travelled:
            x = noised(x, model.schedule, here, t, draw(TRAVEL))
        c = rule.coefficients(model.schedule, t, s)
        prediction = clipped(model.predict(x, t), x, c.alpha_bar_t, settings.clip)
        step = _corrected(rule, prediction, c)
        x_s, z = rule.stepped(Prediction(step.x0, prediction.epsilon), c, draw)
        yield RestoreStep(
            index=index,
            t=t,
            t_next=s,
            x_t=x,
            x=x_s,
            epsilon=prediction.epsilon,
            z=z,
            coefficients=c,
            travelled=travelled,
            **step._asdict(),
        )
        x, here = x_s, s


def _draw(like: Tensor, seeds: Sequence[int], t: int, visit: int, *purpose: int) -> Tensor:
    """Noise of a visit to t; that of the first step from t is what the sampler draws there."""
    key = (t, visit, *purpose) if visit or purpose else (t,)
    return keyed_noise(tuple(like.shape[1:]), seeds, *key).to(like)


class _Correction(NamedTuple):
    """The fields of a `RestoreStep` that come from the measurement."""

    x0: Tensor
    guess: Tensor
    measured: Tensor
    residual: Tensor
    guess_rms: Tensor
    guess_max: Tensor
    rms: Tensor
    max: Tensor


def _corrected(rule: Nullspace, prediction: Prediction, c: StepCoefficients) -> _Correction:
    guess, measurement = prediction.x0, rule.measurement
    seen = measurement.A(guess)
    residual = measurement.pinv(seen - rule.y)
    x0 = rule.corrected(guess, residual, c)
    sizes = (*_sizes(seen - rule.y), *_sizes(measurement.A(x0) - rule.y))
    return _Correction(x0, guess, measurement.pinv(seen), residual, *sizes)


def _sizes(difference: Tensor) -> tuple[Tensor, Tensor]:
    """The root mean square and the largest absolute value of each image's numbers."""
    flat = difference.flatten(1).cpu()
    return flat.square().mean(1).sqrt(), flat.abs().amax(1)


def noised(x_s: Tensor, schedule: Schedule, s: int, t: int, noise: Tensor) -> Tensor:
    """A draw of q(x_t | x_s), t > s: √(ᾱ_t/ᾱ_s) x_s + √(1−ᾱ_t/ᾱ_s) n."""
    kept = schedule.alpha_bar(t) / schedule.alpha_bar(s)
    return math.sqrt(kept) * x_s + math.sqrt(1 - kept) * noise
