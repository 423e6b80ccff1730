"""What there is to know of a denoising-diffusion-pytorch network to build it. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """One resolution.

    Attributes:
        channels: Of its blocks on the way down.
        wide: Of the next level, and of its blocks on the way up.
        full: Whether its attention is full, not linear.
        heads: Of its attention.
        hidden: Channels of all heads of its attention together.
    """

    channels: int
    wide: int
    full: bool
    heads: int
    hidden: int


@dataclass(frozen=True)
class Plan:
    """The architecture.

    Attributes:
        channels: Of the images.
        out_channels: The same, or twice as many with a learned variance.
        self_conditioned: Whether it takes an x̂_0 beside x_t; zeros stand for it here.
        time_channels: Of the sinusoidal embedding, and of what is made of it.
        levels: The finest first.
        middle: Heads and channels of the attention in the middle.
        memory: How many keys and values every attention has learned.
        groups: Of the normalisation in blocks; 0 where that is by the root mean square.
        centred: Whether attention normalises by mean and variance, not by the root mean square.
        averaged: Whether linear attention divides the values by their number.
    """

    channels: int
    out_channels: int
    self_conditioned: bool
    time_channels: tuple[int, int]
    levels: tuple[Level, ...]
    middle: tuple[int, int]
    memory: int
    groups: int
    centred: bool
    averaged: bool

    @property
    def factor(self) -> int:
        """What the sides of the images must be multiples of."""
        return 1 << (len(self.levels) - 1)
