"""What processes that train together say to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ddim_studio.training.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ddim_studio.models.team import Team


def part_of(team: Team, batch_size: int) -> slice:
    """This process's part of a batch; the parts differ by at most one image."""
    first, last = (batch_size * place // team.size for place in (team.index, team.index + 1))
    return slice(first, last)


def add_up(team: Team, tensors: Sequence[Tensor]) -> None:
    """Replace tensors by their sums over all processes, in one message.

    Raises:
        TrainingError: Another process has ended.
    """
    if team.size == 1:
        return
    from accelerate.utils import reduce

    flat = torch.cat([tensor.flatten() for tensor in tensors])
    try:
        total = reduce(flat, reduction="sum")
    except RuntimeError as error:  # the connection is lost
        raise TrainingError(
            "Another process of this run has ended.", "See what it says; --resume goes on."
        ) from error
    parts = total.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))
