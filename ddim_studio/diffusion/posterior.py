"""The reverse kernels of the forward process, given x_0. Torch-free: numbers, times tensors.

The process of Ho et al. (2020) adds noise one timestep at a time. Given x_0, the step back is known
exactly (their equations 6 and 7, here with 0-based t and ᾱ_{−1} = 1):

    q(x_{t−1} | x_t, x_0) = N(μ̃_t, β̃_t I)
    μ̃_t = √ᾱ_{t−1} β_t/(1−ᾱ_t) · x_0 + √α_t (1−ᾱ_{t−1})/(1−ᾱ_t) · x_t
    β̃_t = (1−ᾱ_{t−1})/(1−ᾱ_t) · β_t

Song et al. (2020, equation 7) found a family of such kernels, for any s < t and 0 ≤ σ² ≤ 1−ᾱ_s:

    q_σ(x_s | x_t, x_0) = N(√ᾱ_s x_0 + √(1−ᾱ_s−σ²) · (x_t − √ᾱ_t x_0)/√(1−ᾱ_t),  σ² I)

All of them lead from q(x_t | x_0) to the same q(x_s | x_0) (their lemma 1). η = 1 is the posterior
above, η = 0 draws nothing at all. Tests compare each formula with the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ddim_studio.diffusion.settings import check_real

if TYPE_CHECKING:
    from torch import Tensor

    from ddim_studio.diffusion.schedule import Schedule


class HasSchedule(Protocol):
    """Anything with a noise schedule, such as a model."""

    schedule: Schedule


@dataclass(frozen=True)
class Kernel:
    """N(of_x0 · x_0 + of_xt · x_t, σ² I), the law of x_s given x_t and x_0.

    Attributes:
        of_x0: Coefficient of x_0 in the mean.
        of_xt: Coefficient of x_t in the mean.
        sigma: Standard deviation.
    """

    of_x0: float
    of_xt: float
    sigma: float

    @property
    def variance(self) -> float:
        """σ²; of the posterior, β̃."""
        return self.sigma**2

    def mean(self, x_t: Tensor, x0: Tensor) -> Tensor:
        """The mean of x_s; of the posterior, μ̃. Of the shape of x_t."""
        return self.of_x0 * x0 + self.of_xt * x_t

    def draw(self, x_t: Tensor, x0: Tensor, z: Tensor) -> Tensor:
        """The x_s that standard normal noise z leads to. All are of one shape."""
        return self.mean(x_t, x0) + self.sigma * z


def schedule_of(source: Schedule | HasSchedule) -> Schedule:
    """The schedule itself, or that of a model."""
    own: Schedule | None = getattr(source, "schedule", None)
    return own or source  # type: ignore[return-value]  # without a schedule it is one


def process_alpha_bar(schedule: Schedule, t: int) -> float:
    """ᾱ_t of the forward process, which begins at the clean image: ᾱ_{−1} = 1 for every model.

    (A scheduler that says ``set_alpha_to_one: false`` ends *sampling* at another ᾱ_{−1}.)
    """
    return 1.0 if t < 0 else schedule.alpha_bar(t)


def signal_to_noise(alpha_bar: float) -> float:
    """SNR = ᾱ/(1−ᾱ): infinite for the clean image, 0 for pure noise."""
    return math.inf if alpha_bar >= 1 else alpha_bar / (1 - alpha_bar)


def posterior_variance(alpha_bar_t: float, alpha_bar_s: float) -> float:
    """Variance of q(x_s | x_t, x_0) for the chain's own noise: β̃_t for s = t − 1 (equation 7)."""
    if alpha_bar_t >= alpha_bar_s:
        return 0.0
    return (1 - alpha_bar_s) / (1 - alpha_bar_t) * (1 - alpha_bar_t / alpha_bar_s)


def kernel_between(alpha_bar_t: float, alpha_bar_s: float, eta: float = 1.0) -> Kernel:
    """q_σ(x_s | x_t, x_0) from the two ᾱ (Song et al., equation 7), with σ = η √β̃.

    Args:
        alpha_bar_t: ᾱ of the state that is known, from 0 to ᾱ_s.
        alpha_bar_s: ᾱ of the state before it, up to 1.
        eta: η in [0, 1]; 1 is the posterior of the chain.

    Raises:
        SettingsError: η is not from 0 to 1.
    """
    check_real("eta", eta, 0.0, 1.0)
    if alpha_bar_t >= 1:
        return Kernel(0.0, 1.0, 0.0)  # nothing was added yet: both states are x_0
    sigma = eta * math.sqrt(posterior_variance(alpha_bar_t, alpha_bar_s))
    of_xt = math.sqrt(max(1 - alpha_bar_s - sigma**2, 0.0) / (1 - alpha_bar_t))
    return Kernel(math.sqrt(alpha_bar_s) - of_xt * math.sqrt(alpha_bar_t), of_xt, sigma)


def reverse_kernel(
    source: Schedule | HasSchedule, t: int, s: int | None = None, eta: float = 1.0
) -> Kernel:
    """q_σ(x_s | x_t, x_0) of a model or a schedule.

    Args:
        source: A model, or a schedule.
        t: Timestep of the state that is known, from 0 to T − 1.
        s: Timestep before it, from −1 (the clean image) to t − 1, which is meant by None.
        eta: η in [0, 1].

    Raises:
        IndexError: t or s is out of range.
        SettingsError: η is not from 0 to 1.
    """
    schedule, before = schedule_of(source), t - 1 if s is None else s
    if not -1 <= before < t:
        raise IndexError(f"s must be from -1 to {t - 1}, not {before}.")
    ends = process_alpha_bar(schedule, t), process_alpha_bar(schedule, before)
    return kernel_between(*ends, eta=eta)


def posterior(source: Schedule | HasSchedule, t: int) -> Kernel:
    """q(x_{t−1} | x_t, x_0) = N(μ̃_t, β̃_t I) of a model or a schedule (Ho et al., equations 6, 7).

    Raises:
        IndexError: t is not from 0 to T − 1.
    """
    return reverse_kernel(source, t)


def loss_weight(alpha_bar_t: float, alpha_bar_s: float, eta: float) -> float:
    """γ_t of theorem 1 for one dimension: what ‖ε − ε_θ‖² costs in the bound, in nats.

    The kernels q_σ(x_s | x_t, x_0) and q_σ(x_s | x_t, x̂_0) have one variance and means that
    differ by of_x0 · (x_0 − x̂_0), where x_0 − x̂_0 = −√((1−ᾱ_t)/ᾱ_t) (ε − ε_θ). So their
    divergence is γ_t ‖ε − ε_θ‖² with γ_t = of_x0² (1−ᾱ_t)/(2 σ² ᾱ_t). Whatever σ > 0, it is
    positive and does not depend on the network: only the weights of one and the same error change.

    Returns:
        γ_t; infinite for σ = 0, where the divergence is no number any more.

    Raises:
        SettingsError: η is not from 0 to 1.
    """
    kernel = kernel_between(alpha_bar_t, alpha_bar_s, eta)
    if kernel.sigma == 0 or alpha_bar_t <= 0:
        return math.inf
    return kernel.of_x0**2 * (1 - alpha_bar_t) / (2 * kernel.variance * alpha_bar_t)
