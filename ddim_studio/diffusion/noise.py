"""Noise that belongs to a seed: the same whatever the batch, the neighbours or the device.

Image i of a run with seed n has the seed n + i (modulo 2⁶⁴). With NumPy's ``SeedSequence``,

* x_T comes from ``PCG64(SeedSequence(seed))``, and
* z of the step that leaves timestep t from ``PCG64(SeedSequence(seed, spawn_key=(t,)))``,

each through ``Generator`` as float32 standard normals in C order over (C, H, W). So any step of any
image can be drawn again on its own, and a branch taken from any frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from ddim_studio.diffusion.settings import MAX_SEED, SettingsError, check_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor


class HasImageShape(Protocol):
    """Anything that knows the shape of its images, such as a `Denoiser`."""

    image_shape: tuple[int, int, int]


def image_seeds(seed: int, count: int) -> tuple[int, ...]:
    """The seeds of images 0 … count−1 of a run with ``seed``: n + i, wrapping at 2⁶⁴."""
    check_whole("seed", seed, 0, MAX_SEED)
    return tuple((seed + i) % (MAX_SEED + 1) for i in range(count))


def seeded_noise(model: HasImageShape | Sequence[int], seeds: Iterable[int]) -> Tensor:
    """x_T for each seed.

    Args:
        model: A model, or an image shape (C, H, W).
        seeds: Whole numbers from 0 to 2⁶⁴ − 1.

    Returns:
        Standard normal noise, (len(seeds), C, H, W), float32, on the CPU.

    Raises:
        SettingsError: There is no seed, or one is out of range.
    """
    shape = model if isinstance(model, Sequence) else model.image_shape
    return keyed_noise(tuple(shape), tuple(seeds))


def step_noise(shape: Sequence[int], seeds: Sequence[int], t: int) -> Tensor:
    """Z of the step that leaves timestep t, for images of ``shape`` (C, H, W) with ``seeds``."""
    return keyed_noise(shape, seeds, t)


def keyed_noise(shape: Sequence[int], seeds: Sequence[int], *key: int) -> Tensor:
    """Standard normal noise of each seed under a key of its own, as all noise here is drawn.

    Args:
        shape: Of one image.
        seeds: Whole numbers from 0 to 2⁶⁴ − 1.
        *key: The ``spawn_key``: nothing for x_T, the timestep for z.

    Returns:
        Of the shape (len(seeds), …), float32, on the CPU.

    Raises:
        SettingsError: There is no seed, or one is out of range.
    """
    if not seeds:
        raise SettingsError("seeds", "seeds must hold at least one seed.")
    noise = np.empty((len(seeds), *shape), dtype=np.float32)
    for row, seed in zip(noise, seeds, strict=True):
        check_whole("seed", seed, 0, MAX_SEED)
        sequence = np.random.SeedSequence(seed, spawn_key=key)
        np.random.Generator(np.random.PCG64(sequence)).standard_normal(out=row, dtype=np.float32)
    return torch.from_numpy(noise)
