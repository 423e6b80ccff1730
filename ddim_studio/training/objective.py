"""The simple objective (Ho et al. 2020, algorithm 1 and equation 14).

    repeat   x_0 ~ q(x_0);   t ~ uniform;   ε ~ N(0, I)
             descend along ∇_θ ‖ε − ε_θ(√ᾱ_t x_0 + √(1−ᾱ_t) ε, t)‖²

A network that predicts v = √ᾱ_t ε − √(1−ᾱ_t) x_0 (Salimans and Ho 2022) is trained on v instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddim_studio.diffusion.schedule import Schedule
    from ddim_studio.training.settings import Prediction

BINS = 100
MEMORY = 50
"""About so many of its newest images make the running mean of a bin."""


class Batch(NamedTuple):
    """What a step is computed from.

    Attributes:
        x0: Images in [−1, 1], (n, C, H, W), float32.
        t: Timesteps, (n,), int64.
        epsilon: Noise, (n, C, H, W), float32.
    """

    x0: Tensor
    t: Tensor
    epsilon: Tensor


class Objective:
    """The error of a network's prediction, image by image.

    Args:
        schedule: ᾱ_t.
        prediction: What the network predicts.
        device: Where it runs.
    """

    def __init__(self, schedule: Schedule, prediction: Prediction, device: torch.device) -> None:
        alpha_bars = schedule.alpha_bars.to(torch.float64)
        self._alpha_bar = alpha_bars.float().to(device)
        self._signal = alpha_bars.sqrt().float().to(device)
        self._noise = (1 - alpha_bars).sqrt().float().to(device)
        self._prediction = prediction

    def x_t(self, batch: Batch) -> Tensor:
        """√ᾱ_t x_0 + √(1−ᾱ_t) ε, (n, C, H, W)."""
        signal, noise = _wide(self._signal[batch.t]), _wide(self._noise[batch.t])
        return signal * batch.x0 + noise * batch.epsilon

    def target(self, batch: Batch) -> Tensor:
        """What the network should say of x_t: ε or v, (n, C, H, W)."""
        if self._prediction == "epsilon":
            return batch.epsilon
        signal, noise = _wide(self._signal[batch.t]), _wide(self._noise[batch.t])
        return signal * batch.epsilon - noise * batch.x0

    def errors(self, network: Callable[[Tensor, Tensor], Tensor], batch: Batch) -> Tensor:
        """The mean squared error of the prediction for each image, (n,), float32."""
        difference = network(self.x_t(batch), batch.t).float() - self.target(batch)
        return difference.square().mean(dim=(1, 2, 3))

    def epsilon_errors(self, errors: Tensor, t: Tensor) -> Tensor:
        """The errors of ε that `errors` of the prediction amount to, (n,).

        Where v is wrong by δ, ε is wrong by √ᾱ_t δ. So the losses of both can be compared.
        """
        return errors if self._prediction == "epsilon" else self._alpha_bar[t] * errors


class TimestepWeights:
    """The inverse of the loss's running mean, by timestep.

    High-noise steps are solved to a thousandth of the loss of the others, and would be learned
    last; this way each level of noise counts for as much as any other. Timesteps share a mean in
    bins of a hundredth of T.

    Attributes:
        means: The running mean of each bin, (BINS,), float32; 1 at the start, which is what a
            network that predicts 0 has.
    """

    def __init__(self, timesteps: int, device: torch.device) -> None:
        self.means = torch.ones(BINS, device=device)
        self._timesteps = timesteps

    def bins(self, t: Tensor) -> Tensor:
        """The bin of each timestep, (n,)."""
        return t * BINS // self._timesteps

    def of(self, t: Tensor) -> Tensor:
        """The weight of each timestep, (n,)."""
        return 1 / self.means[self.bins(t)]

    def totals(self, errors: Tensor, t: Tensor) -> Tensor:
        """Sums of the errors and numbers of the images in each bin, (2, BINS)."""
        both = torch.stack([errors, torch.ones_like(errors)])
        return torch.zeros(2, BINS, device=errors.device).index_add_(1, self.bins(t), both)

    def begin(self, totals: Tensor) -> None:
        """Take the means of `totals` as they are, for bins with images in them."""
        sums, counts = totals
        self.means = torch.where(counts > 0, sums / counts.clamp(min=1), self.means)

    def update(self, totals: Tensor) -> None:
        """Let a batch's `totals` into the running means."""
        sums, counts = totals
        kept = (1 - 1 / MEMORY) ** counts
        self.means = kept * self.means + (1 - kept) * sums / counts.clamp(min=1)


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None, None]
