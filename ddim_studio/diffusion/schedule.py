"""Noise schedules: how much of the image is left at timestep t.

The DDIM paper writes α_t for the cumulative product ∏(1 − β_i); here, as in the DDPM paper, that is
ᾱ_t (``alpha_bar``). Timesteps are 0-based, and t = −1 stands for the clean image.
Everything is built in float64 and handed out as Python floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ddim_studio.diffusion.settings import MAX_STEPS, SettingsError, check_real, check_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

CLEAN = -1
"""The timestep of the clean image x_0."""


@dataclass(frozen=True)
class Schedule:
    """ᾱ_t of every training timestep.

    Attributes:
        alpha_bars: ᾱ_0 … ᾱ_{T−1}, float64, shape (T,), decreasing within [0, 1].
        final_alpha_bar: ᾱ_{−1}, the ᾱ of the clean image: 1, but for models whose scheduler says
            ``set_alpha_to_one: false``, where it is ᾱ_0.
    """

    alpha_bars: Tensor
    final_alpha_bar: float = 1.0

    @property
    def T(self) -> int:
        """Number of training timesteps."""
        return len(self.alpha_bars)

    def alpha_bar(self, t: int) -> float:
        """ᾱ_t for t in {−1, …, T−1}."""
        if not CLEAN <= t < self.T:
            raise IndexError(f"t must be from -1 to {self.T - 1}, not {t}.")
        return self.final_alpha_bar if t == CLEAN else float(self.alpha_bars[t])

    @property
    def zero_terminal_snr(self) -> bool:
        """Whether nothing of the image is left at T − 1, so that ε tells nothing about x_0."""
        return float(self.alpha_bars[-1]) <= 0.0


def from_betas(betas: Tensor) -> Schedule:
    """The schedule of β_t = 1 − ᾱ_t/ᾱ_{t−1}, given as a tensor of shape (T,) with 0 ≤ β ≤ 1."""
    betas = betas.to(torch.float64)
    good = betas.ndim == 1 and len(betas) > 0 and bool(((betas >= 0) & (betas <= 1)).all())
    if not good:
        raise SettingsError("betas", "The schedule's betas must be numbers from 0 to 1.")
    alpha_bars = (1 - betas).cumprod(0)
    if not bool((alpha_bars[:-1] > 0).all()):
        raise SettingsError("betas", "The schedule's betas leave nothing of x_0 before t = T−1.")
    return Schedule(alpha_bars)


def linear(T: int = 1000, start: float = 1e-4, end: float = 0.02) -> Schedule:
    """β rises linearly (Ho et al. 2020, section 4)."""
    return from_betas(torch.linspace(start, end, T, dtype=torch.float64))


def scaled_linear(T: int = 1000, start: float = 1e-4, end: float = 0.02) -> Schedule:
    """√β rises linearly (Rombach et al. 2022)."""
    roots = torch.linspace(math.sqrt(start), math.sqrt(end), T, dtype=torch.float64)
    return from_betas(roots**2)


def squared_cosine(T: int = 1000, max_beta: float = 0.999) -> Schedule:
    """ᾱ_t follows cos² (Nichol and Dhariwal 2021, equation 17), with β capped at ``max_beta``."""
    edges = torch.arange(T + 1, dtype=torch.float64) / T
    f = torch.cos((edges + 0.008) / 1.008 * math.pi / 2) ** 2
    return from_betas((1 - f[1:] / f[:-1]).clamp(max=max_beta))


def sigmoid(T: int = 1000, start: float = 1e-4, end: float = 0.02) -> Schedule:
    """β rises as a sigmoid from −6 to 6 does (GeoDiff: Xu et al. 2022)."""
    curve = torch.linspace(-6, 6, T, dtype=torch.float64).sigmoid()
    return from_betas(start + (end - start) * curve)


def rescaled_to_zero_terminal_snr(schedule: Schedule) -> Schedule:
    """√ᾱ shifted and scaled so that ᾱ_{T−1} = 0 (Lin et al. 2023, algorithm 1)."""
    roots = schedule.alpha_bars.sqrt()
    first, last = roots[0], roots[-1]
    if not bool(first > last):
        raise SettingsError("betas", "A schedule without noise has no terminal SNR to make zero.")
    return Schedule(((roots - last) * first / (first - last)) ** 2)


def from_config(config: Mapping[str, Any]) -> Schedule:
    """The schedule that a diffusers scheduler config describes.

    Args:
        config: Contents of ``scheduler_config.json``; missing entries take DDPM's defaults. The
            old names ``timesteps`` and ``squaredcos_cap_v2`` are understood.

    Raises:
        SettingsError: The kind of schedule is unknown, or its numbers make no schedule.
    """
    schedule = _betas_of(config)
    if config.get("rescale_betas_zero_snr"):
        schedule = rescaled_to_zero_terminal_snr(schedule)
    if config.get("set_alpha_to_one", True):
        return schedule
    return Schedule(schedule.alpha_bars, final_alpha_bar=schedule.alpha_bar(0))


def _betas_of(config: Mapping[str, Any]) -> Schedule:
    explicit = config.get("trained_betas")
    name = config.get("beta_schedule", "linear")
    steps = config.get("num_train_timesteps", config.get("timesteps", 1000))
    ends = config.get("beta_start", 1e-4), config.get("beta_end", 0.02)
    check_whole("num_train_timesteps", steps, 1, MAX_STEPS)
    check_real("beta_start", ends[0], 0, 1)
    check_real("beta_end", ends[1], 0, 1)
    if explicit is not None:
        return from_betas(_as_betas(explicit))
    if name == "linear":
        return linear(steps, *ends)
    if name == "scaled_linear":
        return scaled_linear(steps, *ends)
    if name == "sigmoid":
        return sigmoid(steps, *ends)
    if name == "squaredcos_cap_v2":
        return squared_cosine(steps)
    raise SettingsError(
        "beta_schedule",
        f"The schedule {name!r} is unknown; known are linear, scaled_linear, sigmoid "
        "and squaredcos_cap_v2, and trained_betas given as a list.",
    )


def _as_betas(values: object) -> Tensor:
    try:
        return torch.tensor(values, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise SettingsError("trained_betas", "trained_betas must be a list of numbers.") from error
