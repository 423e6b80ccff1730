"""The moving average of a network's weights, which is what is sampled from and kept."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from torch.optim.swa_utils import get_ema_multi_avg_fn

if TYPE_CHECKING:
    import torch


def decay_at(step: int, highest: float) -> float:
    """The decay of step 0, 1, …: it rises as (1 + s)/(10 + s), so the start is soon forgotten."""
    return min(highest, (1 + step) / (10 + step))


class EMA:
    """A copy of a network whose weights follow it slowly: w̄ ← d w̄ + (1 − d) w.

    Args:
        network: What is followed.
        decay: Its highest value.
        trained: Whether the network has learned already, so that its start is worth remembering
            and the decay is at its highest at once.

    Attributes:
        network: The copy, in evaluation mode.
    """

    def __init__(self, network: torch.nn.Module, decay: float, *, trained: bool = False) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        self._decay, self._trained = decay, trained

    def update(self, network: torch.nn.Module, step: int) -> None:
        """Take in the weights after step ``step``, counted from 0."""
        decay = self._decay if self._trained else decay_at(step, self._decay)
        average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        weights = [weight.detach() for weight in network.parameters()]
        average(list(self.network.parameters()), weights, None)
