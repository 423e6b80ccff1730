"""The forward process: from an image to noise, in one go or step by step (Ho et al. 2020).

    q(x_t | x_{t−1}) = N(√α_t x_{t−1}, (1−α_t) I)                         (their equation 2)
    q(x_t | x_0)     = N(√ᾱ_t x_0, (1−ᾱ_t) I)                             (their equation 4)

The second follows from the first, since the sum of independent normal noises is normal noise:

    √(α₂(1−α₁)) ε₁ + √(1−α₂) ε₂ = √(1−α₁α₂) ε̃,     ε̃ ~ N(0, I)

`forward_chain` keeps that ε̃ as it goes, so the closed form with it gives the chain's own x_t.
If x_0 has variance 1, so has every x_t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ddim_studio.diffusion.noise import keyed_noise
from ddim_studio.diffusion.posterior import process_alpha_bar, schedule_of
from ddim_studio.diffusion.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from ddim_studio.diffusion.posterior import HasSchedule
    from ddim_studio.diffusion.schedule import Schedule

CHAIN = 1
"""The chain's noise of (seed, t) has the key (CHAIN, t), apart from that of the sampler, (t,)."""


@dataclass(frozen=True)
class ForwardStep:
    """One step of the chain. Tensors are (N, C, H, W), float64, on the CPU.

    Attributes:
        t: Timestep reached, 0 … T−1.
        alpha: α_t = 1 − β_t.
        alpha_bar: ᾱ_t.
        x: x_t.
        epsilon: The noise drawn for this step.
        merged: ε̃, all noise so far as one: x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε̃.
    """

    t: int
    alpha: float
    alpha_bar: float
    x: Tensor
    epsilon: Tensor
    merged: Tensor


def noised(source: Schedule | HasSchedule, x0: Tensor, epsilon: Tensor, t: int) -> Tensor:
    """x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε, the closed form (equation 4).

    Args:
        source: A model, or a schedule.
        x0: Images in [−1, 1], (N, C, H, W).
        epsilon: Standard normal noise of the same shape.
        t: From 0 to T − 1; −1 gives x_0 back.

    Raises:
        IndexError: t is out of range.
    """
    alpha_bar = process_alpha_bar(schedule_of(source), t)
    return math.sqrt(alpha_bar) * x0 + math.sqrt(1 - alpha_bar) * epsilon


def forward_chain(
    source: Schedule | HasSchedule, x0: Tensor, seeds: Sequence[int]
) -> Iterator[ForwardStep]:
    """Walk from x_0 to x_{T−1} one timestep at a time, each with noise of its own (equation 2).

    Args:
        source: A model, or a schedule.
        x0: Images in [−1, 1], (N, C, H, W). They are not changed.
        seeds: One an image; the same seed gives the same walk.

    Returns:
        An iterator of T steps, computed in float64 when asked for.

    Raises:
        SettingsError: There are not as many seeds as images, or one is out of range.
    """
    if len(seeds) != len(x0):
        raise SettingsError("seeds", f"seeds must be {len(x0)}, one an image, not {len(seeds)}.")
    return _steps(schedule_of(source), x0, tuple(seeds))


def _steps(schedule: Schedule, x0: Tensor, seeds: tuple[int, ...]) -> Iterator[ForwardStep]:
    x = x0.detach().to("cpu", torch.float64)
    merged = torch.zeros_like(x)
    for t in range(schedule.T):
        before, alpha_bar = process_alpha_bar(schedule, t - 1), schedule.alpha_bar(t)
        alpha = alpha_bar / before
        epsilon = keyed_noise(tuple(x.shape[1:]), seeds, CHAIN, t).double()
        x = math.sqrt(alpha) * x + math.sqrt(1 - alpha) * epsilon
        merged = merge(merged, epsilon, before, alpha)
        yield ForwardStep(t, alpha, alpha_bar, x, epsilon, merged)


def merge(first: Tensor, second: Tensor, alpha_1: float, alpha_2: float) -> Tensor:
    """ε̃ of √(α₂(1−α₁)) ε₁ + √(1−α₂) ε₂ = √(1−α₁α₂) ε̃.

    Args:
        first: ε₁, of the steps before.
        second: ε₂, of this step.
        alpha_1: α₁ in [0, 1], the product over the steps before.
        alpha_2: α₂ in [0, 1], of this step.

    Returns:
        ε̃; zero where no noise was added at all (α₁ = α₂ = 1).
    """
    c_1, c_2 = math.sqrt(alpha_2 * (1 - alpha_1)), math.sqrt(1 - alpha_2)
    whole = math.hypot(c_1, c_2)
    return torch.zeros_like(second) if whole == 0 else (c_1 * first + c_2 * second) / whole
