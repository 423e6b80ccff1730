"""One generative step of DDIM, from t to s (Song et al. 2020, equations 12 and 16).

    x_s = √ᾱ_s · x̂_0  +  √(1 − ᾱ_s − σ²) · ε_θ  +  σ · z
          "predicted x_0"  "direction pointing to x_t"  "random noise"

The coefficients are float64; tensors keep their own type.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ddim_studio.diffusion.schedule import CLEAN

if TYPE_CHECKING:
    from torch import Tensor

    from ddim_studio.diffusion.schedule import Schedule
    from ddim_studio.diffusion.settings import Clip, Eta


class Prediction(NamedTuple):
    """What the network makes of x_t: both are (N, C, H, W), and either gives the other."""

    x0: Tensor
    epsilon: Tensor


@dataclass(frozen=True)
class StepCoefficients:
    """The three coefficients of the step from t to s, and the ᾱ that they come from.

    Attributes:
        alpha_bar_t: ᾱ_t.
        alpha_bar_s: ᾱ_s.
        signal: √ᾱ_s, of x̂_0.
        direction: √(1 − ᾱ_s − σ²), of ε_θ. With σ̂ the σ in it is that of η = 1.
        sigma: σ, of z.
    """

    alpha_bar_t: float
    alpha_bar_s: float
    signal: float
    direction: float
    sigma: float


def sigma_of(alpha_bar_t: float, alpha_bar_s: float, eta: float) -> float:
    """σ = η √((1−ᾱ_s)/(1−ᾱ_t)) √(1 − ᾱ_t/ᾱ_s)  (equation 16)."""
    if alpha_bar_t >= alpha_bar_s:
        return 0.0
    posterior = (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha_bar_t / alpha_bar_s)
    return eta * math.sqrt(posterior)


def step_coefficients(schedule: Schedule, t: int, s: int, eta: Eta) -> StepCoefficients:
    """The coefficients of the step from t to s < t for an η in [0, 1] or ``"hat"``.

    σ̂ = √(1 − ᾱ_t/ᾱ_s) is the larger variance of DDPM. It replaces the noise coefficient only,
    and the last step draws no noise (the paper's appendix D.3).
    """
    alpha_bar_t, alpha_bar_s = schedule.alpha_bar(t), schedule.alpha_bar(s)
    sigma = sigma_of(alpha_bar_t, alpha_bar_s, 1.0 if eta == "hat" else eta)
    direction = math.sqrt(max(1 - alpha_bar_s - sigma**2, 0.0))
    if eta == "hat":
        sigma = 0.0 if s == CLEAN else math.sqrt(1 - alpha_bar_t / alpha_bar_s)
    return StepCoefficients(alpha_bar_t, alpha_bar_s, math.sqrt(alpha_bar_s), direction, sigma)


def predicted_x0(x_t: Tensor, epsilon: Tensor, alpha_bar_t: float) -> Tensor:
    """x̂_0 = (x_t − √(1−ᾱ_t) ε_θ) / √ᾱ_t  (equation 9)."""
    return (x_t - math.sqrt(1 - alpha_bar_t) * epsilon) / math.sqrt(alpha_bar_t)


def implied_epsilon(x_t: Tensor, x0: Tensor, alpha_bar_t: float) -> Tensor:
    """ε = (x_t − √ᾱ_t x̂_0) / √(1−ᾱ_t), equation 9 solved for ε."""
    return (x_t - math.sqrt(alpha_bar_t) * x0) / math.sqrt(1 - alpha_bar_t)


def clipped(prediction: Prediction, x_t: Tensor, alpha_bar_t: float, clip: Clip) -> Prediction:
    """The prediction with x̂_0 kept in [−1, 1], by one of three habits.

    ``none`` leaves it (the paper's sampler), ``clamp`` clamps x̂_0 and keeps ε (diffusers), and
    ``rederive`` clamps x̂_0 and takes the ε that belongs to it.
    """
    if clip == "none":
        return prediction
    x0 = prediction.x0.clamp(-1, 1)
    if clip == "clamp":
        return Prediction(x0, prediction.epsilon)
    return Prediction(x0, implied_epsilon(x_t, x0, alpha_bar_t))


def ddim_step(prediction: Prediction, c: StepCoefficients, z: Tensor | None = None) -> Tensor:
    """x_s from the prediction at t (equation 12); ``z`` is needed only where σ > 0."""
    x_s = c.signal * prediction.x0 + c.direction * prediction.epsilon
    return x_s if z is None else x_s + c.sigma * z
