"""Looking at a network in training: its loss on held-out images, and its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ddim_studio.diffusion.noise import image_seeds, seeded_noise
from ddim_studio.diffusion.sampling import sample
from ddim_studio.diffusion.settings import SampleSettings
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.png import write_png
from ddim_studio.imaging.sheets import contact_sheet, display_scale
from ddim_studio.training.network import forward_of
from ddim_studio.training.objective import Batch

if TYPE_CHECKING:
    from pathlib import Path

    from ddim_studio.diffusion.denoiser import Denoiser
    from ddim_studio.training.objective import Objective

QUARTERS = 4
SAMPLES, SAMPLE_STEPS = 16, 25


@torch.no_grad()
def validation_loss(
    network: torch.nn.Module, objective: Objective, batch: Batch, size: int, timesteps: int
) -> tuple[float, tuple[float, ...]]:
    """The simple objective, in terms of ε, on a fixed batch.

    Args:
        network: In evaluation mode.
        objective: What it predicts.
        batch: Images, timesteps and noise; always the same, so that losses can be compared.
        size: Images that go through the network at once.
        timesteps: T.

    Returns:
        The mean, and the means over the four quarters of the timesteps, the least noise first.
    """
    forward = forward_of(network)
    starts = range(0, len(batch.t), size)
    parts = [Batch(*(tensor[start : start + size] for tensor in batch)) for start in starts]
    found = torch.cat([objective.errors(forward, part) for part in parts])
    errors = objective.epsilon_errors(found, batch.t).double()
    quarter = batch.t * QUARTERS // timesteps
    means = [float(errors[quarter == number].mean()) for number in range(QUARTERS)]
    return float(errors.mean()), tuple(means)


def write_samples(path: Path, denoiser: Denoiser, seed: int) -> None:
    """Write a sheet of samples, from the same noise whenever the seed is the same.

    Raises:
        OSError: The picture cannot be written.
    """
    seeds = image_seeds(seed, SAMPLES)
    x = seeded_noise(denoiser, seeds)
    for step in sample(denoiser, x, SampleSettings(steps=SAMPLE_STEPS), seeds=seeds):
        x = step.x
    scale = display_scale(*denoiser.image_shape[1:])
    write_png(path, contact_sheet(to_pixels(x), scale=scale), None)
