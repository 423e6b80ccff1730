"""The variational bound on −log p(x_0), term by term (Sohl-Dickstein et al. 2015; Ho et al. 2020).

    −log p(x_0) ≤ L_T + Σ_{t≥2} L_{t−1} + L_0                             (Ho et al., equation 5)
    L_T     = KL(q(x_T|x_0) ‖ N(0, I))
    L_{t−1} = KL(q(x_{t−1}|x_t,x_0) ‖ p_θ(x_{t−1}|x_t)),  p_θ = N(μ_θ, σ_t² I)
    L_0     = −log p_θ(x_0|x_1), the Gaussian summed over the bin of each of the 256 levels
                                                                          (their equation 13)

The paper counts t = 1 … T; here t = 0 … T−1, so its x_1 is our x at t = 0. μ_θ is μ̃ with x̂_0 in
place of x_0. Results are in bits per dimension, as means over the dimensions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from ddim_studio.diffusion.bound_estimate import VARIANCES, Bound, strata
from ddim_studio.diffusion.bound_settings import BoundSettings
from ddim_studio.diffusion.forward import noised
from ddim_studio.diffusion.posterior import posterior, process_alpha_bar, schedule_of
from ddim_studio.diffusion.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ddim_studio.diffusion.bound_estimate import Variance
    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.diffusion.posterior import HasSchedule
    from ddim_studio.diffusion.schedule import Schedule

HALF_BIN = 1 / 255
KEY = 3
"""The draws of image i have the key (KEY, i)."""

_TINY = 1e-30


def prior_term(source: Schedule | HasSchedule, x0: Tensor) -> Tensor:
    """L_T of images (N, …) in bits per dimension, (N,) float64; no network has a part in it."""
    schedule = schedule_of(source)
    alpha_bar = process_alpha_bar(schedule, schedule.T - 1)
    mean_square = x0.double().flatten(1).square().mean(1)
    spread = (1 - alpha_bar) - 1 - math.log(max(1 - alpha_bar, _TINY))
    return (alpha_bar * mean_square + spread) / (2 * math.log(2))


def reverse_variance(source: Schedule | HasSchedule, t: int, variance: Variance) -> float:
    """σ_t² of p_θ: β_t, or β̃_t with β̃_0 := β̃_1 (β_0 where T = 1)."""
    schedule = schedule_of(source)
    if variance == "posterior" and (t > 0 or schedule.T > 1):
        return posterior(schedule, max(t, 1)).variance
    return 1 - process_alpha_bar(schedule, t) / process_alpha_bar(schedule, t - 1)


def transition_term(
    source: Schedule | HasSchedule, t: int, x0: Tensor, x0_hat: Tensor, variance: Variance
) -> Tensor:
    """L_{t−1} of images for one draw of x_t, in bits per dimension.

    ½ (log(σ²/β̃) + β̃/σ² − 1 + (μ̃ − μ_θ)²/σ²), where μ̃ − μ_θ is as x_0 − x̂_0, times the
    coefficient of x_0 in μ̃.

    Args:
        source: A model, or a schedule.
        t: From 1 to T − 1.
        x0: The images, (N, …).
        x0_hat: x̂_0 as the network sees it in x_t, of the same shape.
        variance: Which σ_t².

    Returns:
        (N,), float64.
    """
    constant, weight = transition_weights(source, t, variance)
    return constant + weight * _mean_squares(x0, x0_hat)


def transition_weights(
    source: Schedule | HasSchedule, t: int, variance: Variance
) -> tuple[float, float]:
    """What L_{t−1} is made of, in bits: a constant, and the weight of (x_0 − x̂_0)²."""
    kernel, sigma_2 = posterior(source, t), reverse_variance(source, t, variance)
    if sigma_2 <= 0:  # nothing happens at this t: both are one point
        return 0.0, 0.0
    ratio = kernel.variance / sigma_2
    constant = ratio - 1 - math.log(max(ratio, _TINY))
    return constant / (2 * math.log(2)), kernel.of_x0**2 / sigma_2 / (2 * math.log(2))


def _mean_squares(x0: Tensor, x0_hat: Tensor) -> Tensor:
    return (x0.double() - x0_hat.double()).flatten(1).square().mean(1)


def decoder_term(x0: Tensor, mean: Tensor, sigma: float) -> Tensor:
    """L_0: −log₂ of what N(mean, σ²) puts into the bin of each level (Ho et al., equation 13).

    Args:
        x0: Images of 8 bits, in [−1, 1], (N, …).
        mean: μ_θ at t = 0, which is x̂_0, of the same shape.
        sigma: σ > 0.

    Returns:
        The mean over the dimensions, (N,), float64. Tails are summed exactly, not cut off.
    """
    x, mean = x0.double(), mean.double()
    high = torch.where(x > 1 - HALF_BIN, torch.inf, (x + HALF_BIN - mean) / sigma)
    low = torch.where(x < -1 + HALF_BIN, -torch.inf, (x - HALF_BIN - mean) / sigma)
    # Φ(b) − Φ(a) = Φ(−a) − Φ(−b): taken on the side of the tail, where digits are kept.
    mirrored = low > 0
    low, high = torch.where(mirrored, -high, low), torch.where(mirrored, -low, high)
    log_high, log_low = torch.special.log_ndtr(high), torch.special.log_ndtr(low)
    inside = log_high + torch.log1p(-torch.exp(log_low - log_high))
    bits: Tensor = -inside.flatten(1).mean(1) / math.log(2)
    return bits


def variational_bound(
    model: Denoiser, images: Tensor, settings: BoundSettings | None = None
) -> Bound:
    """Estimate the bound of a model over a set of images.

    Args:
        model: The denoiser.
        images: Of 8 bits, in [−1, 1], (N, C, H, W).
        settings: How; 10 timesteps an image by default, beside t = 0.

    Raises:
        SettingsError: There is no image, or they or the class do not fit the model.
    """
    newest = None
    for newest in bound_steps(model, images, settings):  # noqa: B007 (the last one counts)
        pass
    if newest is None:
        raise SettingsError("images", "The bound needs at least one image.")
    return newest


def bound_steps(
    model: Denoiser,
    images: Tensor,
    settings: BoundSettings | None = None,
    *,
    batch_size: int = 64,
) -> Iterator[Bound]:
    """Estimate the bound, better and better: after every network call over the images so far.

    What is measured of an image depends on its number and the seed only, not on ``batch_size``.

    Args:
        model: The denoiser.
        images: Of 8 bits, in [−1, 1], (N, C, H, W).
        settings: How.
        batch_size: States a network call, about.

    Returns:
        An iterator of estimates; the last one is over all images.

    Raises:
        SettingsError: The images or the class do not fit the model.
    """
    settings = settings or BoundSettings()
    model = model.with_class(settings.class_label)
    if images.ndim != 4 or tuple(images.shape[1:]) != model.image_shape:
        expected = ", ".join(map(str, model.image_shape))
        raise SettingsError("images", f"images must be (N, {expected}), not {tuple(images.shape)}.")
    return _Estimator(model, images, settings).steps(batch_size)


class _Estimator:
    """Measures the images one after another, several in a network call."""

    def __init__(self, model: Denoiser, images: Tensor, settings: BoundSettings) -> None:
        self._model, self._images, self._settings = model, images, settings
        self._edges = np.array(strata(model.schedule.T, settings.draws))
        self._times = np.empty((len(images), len(self._edges)), np.int64)
        self._simple = np.empty(self._times.shape)
        self._prior = np.empty(len(images))
        self._terms = {variance: np.empty(self._times.shape) for variance in VARIANCES}

    def steps(self, batch_size: int) -> Iterator[Bound]:
        """An estimate after every group of images."""
        group = max(1, batch_size // len(self._edges))
        for first in range(0, len(self._images), group):
            last = min(first + group, len(self._images))
            rows = [self._draw(image) for image in range(first, last)]
            epsilon = torch.cat([noise for _, noise in rows])
            times = [int(t) for t in np.concatenate([t for t, _ in rows])]
            self._times[first:last] = np.stack([t for t, _ in rows])
            self._measure(first, last, times, epsilon, batch_size)
            self._prior[first:last] = prior_term(self._model, self._images[first:last].cpu())
            yield self._estimate(last)

    def _draw(self, image: int) -> tuple[np.ndarray, Tensor]:
        """The timesteps of an image and the noise for each, (k + 1, C, H, W)."""
        sequence = np.random.SeedSequence(self._settings.seed, spawn_key=(KEY, image))
        draws = np.random.Generator(np.random.PCG64(sequence))
        times = np.concatenate([[0], draws.integers(self._edges[:-1], self._edges[1:])])
        noise = draws.standard_normal((len(times), *self._model.image_shape))
        return times.astype(np.int64), torch.from_numpy(noise)

    def _measure(
        self, first: int, last: int, times: list[int], epsilon: Tensor, batch_size: int
    ) -> None:
        x0 = self._images[first:last].to("cpu", torch.float64)
        x0 = x0.repeat_interleave(len(times) // (last - first), 0)
        for begin in range(0, len(times), batch_size):
            part = slice(begin, begin + batch_size)
            self._measure_part(first, begin, times[part], x0[part], epsilon[part])

    def _measure_part(
        self, image: int, begin: int, times: list[int], x0: Tensor, epsilon: Tensor
    ) -> None:
        model = self._model
        pairs = zip(x0, epsilon, times, strict=True)
        x_t = torch.stack([noised(model, image, noise, t) for image, noise, t in pairs])
        output = model.raw(x_t, torch.tensor(times))
        seen = [model.interpreted(output[i, None], x_t[i, None], t) for i, t in enumerate(times)]
        guess = torch.cat([prediction.x0 for prediction in seen])
        if self._settings.clip == "clamp":
            guess = guess.clamp(-1, 1)
        missed = torch.cat([prediction.epsilon for prediction in seen]) - epsilon
        first = image * self._times.shape[1] + begin
        rows = slice(first, first + len(times))
        self._simple.reshape(-1)[rows] = missed.square().flatten(1).mean(1).numpy()
        for variance in VARIANCES:
            terms = self._terms_of(times, x0, guess, variance)
            self._terms[variance].reshape(-1)[rows] = terms

    def _terms_of(
        self, times: list[int], x0: Tensor, guess: Tensor, variance: Variance
    ) -> list[float]:
        """L_0 where t = 0, else L_{t−1}."""
        squares = _mean_squares(x0, guess).tolist()
        found = []
        for row, t in enumerate(times):
            if t > 0:
                constant, weight = transition_weights(self._model, t, variance)
                found.append(constant + weight * squares[row])
            else:
                sigma = math.sqrt(max(reverse_variance(self._model, 0, variance), _TINY))
                found.append(float(decoder_term(x0[row, None], guess[row, None], sigma)))
        return found

    def _estimate(self, count: int) -> Bound:
        """The estimate over the first images, whose rows are not written any more."""
        sizes = np.concatenate([[1], np.diff(self._edges)])
        return Bound(
            T=self._model.schedule.T,
            dimensions=math.prod(self._model.image_shape),
            sizes=sizes,
            times=self._times[:count],
            terms={variance: self._terms[variance][:count] for variance in VARIANCES},
            simple=self._simple[:count],
            prior=self._prior[:count],
            network_calls=count * self._times.shape[1],
            total_images=len(self._images),
        )
