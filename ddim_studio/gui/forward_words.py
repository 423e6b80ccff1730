"""What the Forward page says of its plots and numbers, in plain words. No Qt here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ddim_studio.diffusion.posterior import signal_to_noise
from ddim_studio.gui.words import small_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ddim_studio.diffusion.bound_estimate import Bound, Estimate

SAME = 1e-9
"""Schedules whose ᾱ differ by less are one schedule."""

NO_RETRAINING = (
    "Training minimises the error of the noise, ‖ε − ε_θ(x_t, t)‖², where x_t depends on x_0 only "
    "through q(x_t | x_0). Every kernel q_σ of the family leaves that law as it is, whatever its "
    "σ: so none of them changes what the network sees or what it should answer.\n"
    "The bound of each member is the same error with other weights γ_t > 0 (theorem 1). Where the "
    "network may answer each t on its own, no positive weights move the best answer. So a network "
    "trained once, as for DDPM, serves every σ: σ is a free choice when sampling, from η = 1 "
    "(DDPM) down to η = 0 (DDIM), where nothing is drawn, γ_t has no finite value, and the step "
    "can be run backwards."
)


def schedule_words(schedules: Mapping[str, Sequence[float]]) -> str:
    """Which of the common schedules the model's is, and when half of the variance is noise."""
    own = schedules["model"]
    same = [
        name
        for name, other in schedules.items()
        if name != "model" and max(abs(a - b) for a, b in zip(own, other, strict=True)) < SAME
    ]
    kind = f"The model has the {same[0]} schedule." if same else "The model has one of its own."
    return (
        f"ᾱ is the share of the variance that is still image. {kind} Half of it is noise from "
        f"t = {half_way(own)} on (linear {half_way(schedules['linear'])}, "
        f"cosine {half_way(schedules['cosine'])}); a cosine schedule spends more of its timesteps "
        "between image and noise."
    )


def half_way(alpha_bars: Sequence[float]) -> int:
    """The first t at which no more than half of the variance is image; T where there is none."""
    return next((t for t, value in enumerate(alpha_bars) if value <= 0.5), len(alpha_bars))


def snr_words(alpha_bars: Sequence[float]) -> str:
    """What the signal-to-noise ratio runs over."""
    first, last = signal_to_noise(alpha_bars[0]), signal_to_noise(alpha_bars[-1])
    return (
        f"SNR = ᾱ/(1 − ᾱ) falls from {small_number(first)} at t = 0 to {small_number(last)} at "
        f"T − 1. It is 1 where image and noise are equally strong, at about t = "
        f"{half_way(alpha_bars)}; on a plain scale nearly all of the fall is over by then."
    )


def log_snr_words(alpha_bars: Sequence[float]) -> str:
    """How evenly the logarithm falls."""
    end = alpha_bars[-1]
    tail = (
        "Nothing of the image is left at T − 1: log-SNR is −∞ there."
        if end <= 0
        else f"At T − 1, {100 * math.sqrt(end):.2g} % of the image's amplitude is left."
    )
    return (
        "log-SNR shows every noise level alike: 0 is as much image as noise, and a step down by 1 "
        f"is as much harder everywhere. {tail}"
    )


def variance_words(expected: float) -> str:
    """What the plot of the variance shows."""
    return (
        "√ᾱ and √(1−ᾱ) are chosen so that variance 1 stays 1: the image scaled to variance 1 keeps "
        f"to the line, but for chance. The image as it is begins at {expected:.2f}, its own "
        "variance, and moves to 1 as noise takes over (dashed: ᾱ Var(x₀) + 1 − ᾱ)."
    )


def denoising_words() -> str:
    """What the plot of the errors shows."""
    return (
        "Opposite slopes: the less noise, the harder it is to say what it was (ε), and the easier "
        "to say what the image is. Near T − 1 the best prediction is little more than the mean of "
        "all images, which is why one step does not suffice."
    )


def posterior_words() -> str:
    """What the plot of β and β̃ shows."""
    return (
        "β_t is the noise that step t adds; β̃_t is how uncertain the step back is once x₀ is known "
        "too. They differ near the image only, where β̃ is much smaller: at t = 0 there is nothing "
        "left to doubt. These are the two ends between which the true σ_t² lies."
    )


def coefficient_words() -> str:
    """What the plot of the coefficients of μ̃ shows."""
    return (
        "μ̃ mixes x₀ and x_t. At t = 0 it is x₀ itself; soon after nearly all of it is x_t: one "
        "step back changes little, and x₀ only says which way."
    )


def family_words(t: int, s: int, sigma: float) -> str:
    """What the plot of the family shows at the timestep on show."""
    to = "the image" if s < 0 else f"s = {s}"
    end = (
        "The last step draws nothing, whatever η is."
        if sigma == 0
        else f"At η = 1 σ is {sigma:.3f}."
    )
    return (
        f"From t = {t} to {to}: σ is how much of x_s is drawn afresh, the direction how much of "
        "the noise in x_t is kept. What one gains the other gives up: √(direction² + σ²) stays "
        f"√(1 − ᾱ_s), so the marginal is the same for every η. {end}"
    )


def weight_words() -> str:
    """What the plot of γ_t shows."""
    return (
        "γ_t: how much an error of ε costs in the bound of each member of the family, by t. Other "
        "weights for one and the same error; the simple loss takes 1 for all."
    )


def with_error(found: Estimate) -> str:
    """A mean and its standard error in few letters, such as "3.58±0.16"; a tiny mean alone."""
    value, error = found
    if not math.isfinite(error) or error <= 0 or error < 5e-5:
        return small_number(value)
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f}±{error:.{digits}f}"


def bound_words(bound: Bound) -> str:
    """What the bound says, and how sure it is."""
    total, decoder = bound.total("beta"), bound.decoder("beta")
    best = min((bound.total(v).value, v) for v in ("beta", "posterior"))[1]
    name = {"beta": "β", "posterior": "β̃"}[best]
    share = decoder.value / total.value if total.value else 0.0
    sure = (
        f"The standard error covers the choice of the {bound.images} images, of timesteps and of "
        "noise together."
        if bound.images > 1
        else "One image gives no standard error: take more."
    )
    return (
        f"An image costs at most {total.value:.2f} bits a dimension with σ² = β, where 8 is no "
        f"model at all; σ² = {name} is the tighter choice here. {100 * share:.0f} % is L₀, the "
        "last step to the 256 levels, and most of the rest comes from the smallest t: the bound "
        "counts detail that nobody sees. The simple loss weighs all noise levels alike, and gives "
        f"better pictures. {sure}"
    )
