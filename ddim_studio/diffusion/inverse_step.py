"""One step of DDIM against the time, from x_s to the x_t that the sampler leads from (η = 0)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from ddim_studio.diffusion.anderson import FixedPoint, Solution
from ddim_studio.diffusion.ddim import Prediction

if TYPE_CHECKING:
    from torch import Tensor

    from ddim_studio.diffusion.ddim import StepCoefficients
    from ddim_studio.diffusion.denoiser import Denoiser

MAX_MIXING = 1.8
"""The largest β; the formula gives 2 for the step from the image itself, too bold for it."""


def undone_step(x_s: Tensor, epsilon: Tensor, c: StepCoefficients) -> Tensor:
    """x_t from which the step with this ε leads to x_s: equation 12 solved for x_t, σ = 0."""
    x0 = (x_s - c.direction * epsilon) / c.signal
    return noised(x0, epsilon, c)


def noised(x0: Tensor, epsilon: Tensor, c: StepCoefficients) -> Tensor:
    """x_t = √ᾱ_t x̂_0 + √(1−ᾱ_t) ε  (equation 4)."""
    return math.sqrt(c.alpha_bar_t) * x0 + math.sqrt(1 - c.alpha_bar_t) * epsilon


def implied_prediction(x_s: Tensor, x_t: Tensor, c: StepCoefficients) -> Prediction | None:
    """x̂_0 and ε with which the step leads from x_t to x_s; None where ᾱ_s = ᾱ_t."""
    signal, noise = math.sqrt(c.alpha_bar_t), math.sqrt(1 - c.alpha_bar_t)
    determinant = c.signal * noise - signal * c.direction
    if determinant <= 0:
        return None
    x0 = (noise * x_s - c.direction * x_t) / determinant
    return Prediction(x0, (c.signal * x_t - signal * x_s) / determinant)


def naive_step(model: Denoiser, x_s: Tensor, t: int, c: StepCoefficients) -> Solution:
    """The step with ε_θ(x_s, t) in the place of ε_θ(x_t, t); its residual is not measured."""
    x_t = undone_step(x_s, model.epsilon(x_s, t), c)
    each = x_s.new_full((len(x_s),), math.nan)
    return Solution(x_t, each, torch.ones_like(each, dtype=torch.int64), each > 0)


class Guesses:
    """First guesses at x_t: x̂_0 of the two steps before, drawn on as a straight line in log σ²."""

    def __init__(self) -> None:
        self._known: list[tuple[float, Tensor]] = []

    def add(self, c: StepCoefficients, implied: Prediction | None) -> None:
        """Take note of a step that was undone."""
        if implied is not None:
            self._known = [
                *self._known[-1:],
                (math.log(noise_to_signal(c.alpha_bar_t)), implied.x0),
            ]

    def guess(self, x_s: Tensor, c: StepCoefficients) -> Tensor:
        """x_t with the x̂_0 so found and the ε that leads from it to x_s; at first x_s itself."""
        if not self._known:
            return x_s
        at, x0 = self._known[-1]
        if len(self._known) > 1:
            before, x0_before = self._known[0]
            ahead = math.log(noise_to_signal(c.alpha_bar_t)) - at
            x0 = x0 + (x0 - x0_before) * ahead / (at - before)
        return noised(x0, (x_s - c.signal * x0) / c.direction, c)


def noise_to_signal(alpha_bar: float) -> float:
    """σ² = (1−ᾱ)/ᾱ."""
    return (1 - alpha_bar) / alpha_bar


def exact_step(
    model: Denoiser,
    x_s: Tensor,
    t: int,
    c: StepCoefficients,
    *,
    guess: Tensor,
    tolerance: float,
    max_calls: int,
) -> FixedPoint:
    """The solver of x_t = undone_step(x_s, ε_θ(x_t, t)); a network call for each `advance`.

    Where the network takes all of x_t for noise, ε_θ ≈ x_t/√(1−ᾱ_t), the right side has the slope
    1 − κ with κ = σ_s/σ_t, σ² = (1−ᾱ)/ᾱ, and where it takes it for the image, 0. β = 2/(1+κ)
    brings both equally near.
    """

    def F(x_t: Tensor, images: Tensor) -> Tensor:
        return undone_step(x_s[images], model.epsilon(x_t, t), c)

    kappa = math.sqrt(noise_to_signal(c.alpha_bar_s) / noise_to_signal(c.alpha_bar_t))
    return FixedPoint(
        F,
        guess,
        tolerance=tolerance,
        max_calls=max_calls,
        mixing=min(2 / (1 + kappa), MAX_MIXING),
    )
