"""Sampling as a generator: the caller owns the loop, and stops when it likes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ddim_studio.diffusion.ddim import clipped, ddim_step, step_coefficients
from ddim_studio.diffusion.noise import image_seeds, step_noise
from ddim_studio.diffusion.settings import SampleSettings, SettingsError
from ddim_studio.diffusion.timesteps import tau_of, transitions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from ddim_studio.diffusion.ddim import StepCoefficients
    from ddim_studio.diffusion.denoiser import Denoiser


@dataclass(frozen=True)
class Step:
    """What one step did. All tensors are (N, C, H, W), float32, on the model's device.

    Attributes:
        index: 1 … S.
        t: Timestep left.
        t_next: Timestep reached; −1 is the clean image.
        x_t: The state that the step started from.
        x: The state that it reached, x_{t_next}.
        x0: x̂_0, the network's guess at the clean image, after clipping.
        epsilon: ε_θ(x_t, t), as used in the step.
        z: The noise drawn, or None where σ = 0.
        coefficients: The numbers of equation 12.
    """

    index: int
    t: int
    t_next: int
    x_t: Tensor
    x: Tensor
    x0: Tensor
    epsilon: Tensor
    z: Tensor | None
    coefficients: StepCoefficients

    @property
    def x0_term(self) -> Tensor:
        """√ᾱ_s · x̂_0, the "predicted x_0" term."""
        return self.coefficients.signal * self.x0

    @property
    def direction_term(self) -> Tensor:
        """√(1−ᾱ_s−σ²) · ε_θ, the "direction pointing to x_t"."""
        return self.coefficients.direction * self.epsilon

    @property
    def noise_term(self) -> Tensor | None:
        """σ · z, the "random noise", or None where σ = 0."""
        return None if self.z is None else self.coefficients.sigma * self.z


def sample(
    model: Denoiser,
    x_T: Tensor,
    settings: SampleSettings | None = None,
    *,
    seeds: Sequence[int] | None = None,
) -> Iterator[Step]:
    """Walk from x_T to x_0, one `Step` at a time (DDIM, section 4).

    Args:
        model: The denoiser.
        x_T: Where to start, (N, C, H, W); `seeded_noise` draws it. It is not changed.
        settings: S, η, τ and clipping; the defaults are deterministic DDIM in 50 linear steps.
        seeds: The seed of each image, for the noise of steps with σ > 0. Taken from
            ``settings.seed`` (n, n + 1, …) unless given.

    Returns:
        An iterator of S steps. One network call is made for each, when it is asked for.

    Raises:
        SettingsError: τ or the class does not fit the model, or ``x_T`` or ``seeds`` have the
            wrong shape.
    """
    settings = settings or SampleSettings()
    model = model.with_class(settings.class_label)
    tau = tau_of(settings, model.schedule.T)
    if x_T.ndim != 4 or tuple(x_T.shape[1:]) != model.image_shape:
        expected = ", ".join(map(str, model.image_shape))
        raise SettingsError("x_T", f"x_T must be (N, {expected}), not {tuple(x_T.shape)}.")
    seeds = image_seeds(settings.seed, len(x_T)) if seeds is None else tuple(seeds)
    if len(seeds) != len(x_T):
        raise SettingsError("seeds", f"seeds must be {len(x_T)}, one an image, not {len(seeds)}.")
    return _steps(model, x_T, tau, settings, seeds)


def _steps(
    model: Denoiser,
    x_T: Tensor,
    tau: Sequence[int],
    settings: SampleSettings,
    seeds: Sequence[int],
) -> Iterator[Step]:
    x = x_T.to(model.device, torch.float32)
    for index, (t, s) in enumerate(transitions(tau), start=1):
        c = step_coefficients(model.schedule, t, s, settings.eta)
        prediction = clipped(model.predict(x, t), x, c.alpha_bar_t, settings.clip)
        z = step_noise(model.image_shape, seeds, t).to(x.device) if c.sigma > 0 else None
        x_s = ddim_step(prediction, c, z)
        yield Step(index, t, s, x, x_s, prediction.x0, prediction.epsilon, z, c)
        x = x_s
