"""What a checkpoint turned out to hold: all that is known before its numbers are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch


@dataclass(frozen=True)
class Blueprint:
    """How to build the network of a checkpoint, and what it draws.

    Attributes:
        family: Which kind of checkpoint it is, in words.
        image_shape: (C, H, W).
        parameters: Number of weights.
        scheduler: The schedule and the kind of prediction, as a diffusers scheduler config.
        network: Arguments of diffusers' ``UNet2DModel``; None where the family has a network of
            its own.
        heads: How many heads every attention has, where no ``attention_head_dim`` says that.
        time_scale: What the network's timesteps are multiplied with.
        classes: How many classes it draws, 0 for an unconditional model.
        licence: As the card says, or "not stated".
        summary: The first paragraph of the card, may be empty.
        notes: What a user should know, one sentence each.
    """

    family: str
    image_shape: tuple[int, int, int]
    parameters: int
    scheduler: Mapping[str, Any]
    network: Mapping[str, Any] | None = None
    heads: int | None = None
    time_scale: float = 1.0
    classes: int = 0
    licence: str = "not stated"
    summary: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A checkpoint whose family is known.

    Attributes:
        path: The folder or file.
        nbytes: Size of its weights on disk.
        blueprint: What it holds.
        network: Reads the weights, and builds the network with them, ready to evaluate.
    """

    path: Path
    nbytes: int
    blueprint: Blueprint
    network: Callable[[], torch.nn.Module] = field(repr=False)
