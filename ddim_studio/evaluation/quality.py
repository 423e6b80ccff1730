"""Samples against real images: distance, precision and recall on the features of a network."""

from __future__ import annotations

import hashlib
import math
import warnings
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from ddim_studio.evaluation.blocks import read_arrays, write_arrays
from ddim_studio.evaluation.frechet import Estimate, ReferenceSet, gaussian_of
from ddim_studio.evaluation.precision_recall import PrecisionRecall, precision_recall

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ddim_studio.evaluation.features import Features

Number = TypeVar("Number", bound=np.generic)

KERNEL_SUBSETS = 100
KERNEL_SUBSET_SIZE = 1000
PROBED = 8
"""Images whose features are computed again before kept ones are trusted."""


class Quality(NamedTuple):
    """What samples are worth beside real images.

    Attributes:
        distance: The Fréchet distance, with its standard error.
        manifold: Precision and recall.
        kernel_distance: KID; NaN but for Inception features.
    """

    distance: Estimate
    manifold: PrecisionRecall
    kernel_distance: float


class RealImages:
    """The features of the real images, and what is measured against them.

    Args:
        pixels: (M, H, W, C), uint8, of the model's own size.
        features: The network that looks at them.
        folder: Where their features are kept for the next time.
    """

    def __init__(self, pixels: NDArray[np.uint8], features: Features, folder: Path) -> None:
        self.network = features
        self.features = _kept_features(pixels, features, folder)
        self._reference = ReferenceSet(gaussian_of(self.features))

    def quality(self, generated: NDArray[np.float64]) -> Quality:
        """Of samples, by their features (N, D).

        Precision and recall are taken against N real images, spread evenly over all of them, or
        against all of them where there are fewer.
        """
        real = evenly(self.features, len(generated))
        inception = self.network.distance == "FID"
        return Quality(
            self._reference.estimate(generated),
            precision_recall(generated, real),
            kernel_distance(generated, self.features) if inception else math.nan,
        )

    def floor(self, samples: int) -> Estimate:
        """The distance of real images themselves: N of them against the others.

        No model can be expected to come below it with N samples.
        """
        chosen = np.zeros(len(self.features), dtype=bool)
        chosen[np.random.Generator(np.random.PCG64(0)).permutation(len(chosen))[:samples]] = True
        others = ReferenceSet(gaussian_of(self.features[~chosen]))
        return others.estimate(self.features[chosen])


def evenly(rows: NDArray[Number], count: int) -> NDArray[Number]:
    """``count`` of the rows, spread evenly; all of them where there are fewer."""
    if count >= len(rows):
        return rows
    return rows[np.arange(count) * len(rows) // count]


def kernel_distance(generated: NDArray[np.float64], real: NDArray[np.float64]) -> float:
    """KID (Bińkowski et al. 2018): the squared MMD with the cubic polynomial kernel.

    The mean over 100 pairs of random subsets of up to 1,000 images, by torchmetrics.
    """
    import torch
    from torchmetrics.image.kid import KernelInceptionDistance

    size = min(KERNEL_SUBSET_SIZE, len(generated), len(real))
    with warnings.catch_warnings():  # it warns of the memory that all features take
        warnings.simplefilter("ignore", UserWarning)
        metric = KernelInceptionDistance(
            feature=torch.nn.Identity(),  # what it gets are features already
            subsets=KERNEL_SUBSETS,
            subset_size=size,
            sync_on_compute=False,  # the other processes are not asked
        ).set_dtype(torch.float64)
    metric.update(torch.from_numpy(real), real=True)
    metric.update(torch.from_numpy(generated), real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        mean, _ = metric.compute()
    return float(mean)


def _kept_features(
    pixels: NDArray[np.uint8], features: Features, folder: Path
) -> NDArray[np.float64]:
    digest = hashlib.sha256(f"{features.title} {features.dimension} {pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    path = folder / f"data-{digest.hexdigest()[:16]}.npz"
    held = read_arrays(path, "features")
    if held is not None and held[0].shape == (len(pixels), features.dimension):
        some = features(pixels[:PROBED])  # another network of that name would see other things
        if np.allclose(held[0][:PROBED], some, rtol=1e-3, atol=1e-4):
            return held[0]
    found = features(pixels)
    write_arrays(path, features=found)
    return found
