"""Pictures for tests: written where a test wants them, and read back as arrays."""

from __future__ import annotations

import numpy as np
from PIL import Image


def noisy(seed, side=8, channels=1):
    """Random pixels of shape (side, side, channels)."""
    return np.random.default_rng(seed).integers(0, 256, (side, side, channels), np.uint8)


def write(path, pixels):
    """Write pixels (H, W, C) as a picture, and return them."""
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(path)
    return pixels


def read(path):
    """The values of a picture."""
    with Image.open(path) as image:
        return np.asarray(image)


def tensor(*pictures):
    """Pictures (H, W, C) as images (N, C, H, W) in [−1, 1], from their definition."""
    import torch

    planes = np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32)
    return torch.from_numpy(planes / np.float32(127.5) - 1)
