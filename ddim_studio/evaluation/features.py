"""What a network sees in images: the numbers that Fréchet distances, precision and recall compare.

Importing this module does not import torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ddim_studio.models.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

FASHION_SIDE = 28
FASHION_BATCH, INCEPTION_BATCH = 256, 32


class Features(Protocol):
    """A way to turn images into features."""

    @property
    def title(self) -> str:
        """Which network it is, such as "fashion classifier"."""
        ...

    @property
    def distance(self) -> str:
        """What a Fréchet distance between its features is called."""
        ...

    @property
    def dimension(self) -> int:
        """How many features an image has."""
        ...

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The features (N, dimension) of pixels (N, H, W, C), 0 … 255."""
        ...


@dataclass(frozen=True)
class NetworkFeatures:
    """`Features` of a float32 network on the CPU.

    Images go through the network in batches of a fixed size, counted from the start of the array,
    without gradients. An image's features depend on its batch by rounding only, some 1e-7 of
    their size; the same array gives the same numbers.
    """

    title: str
    distance: str
    dimension: int
    batch: int
    compute: Callable[[Tensor], Tensor]
    check: Callable[[tuple[int, ...]], None]

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The features (N, dimension) of pixels (N, H, W, C), 0 … 255.

        Raises:
            ValueError: The pixels are not uint8, or have not four dimensions.
            ModelError: The network does not take images of this shape.
        """
        import torch

        if pixels.dtype != np.uint8 or pixels.ndim != 4:
            raise ValueError(f"Pixels are uint8 (N, H, W, C), not {pixels.dtype} {pixels.shape}.")
        self.check(pixels.shape[1:])
        features = np.empty((len(pixels), self.dimension))
        with torch.inference_mode():
            for start in range(0, len(pixels), self.batch):
                rows = slice(start, start + self.batch)
                # A copy with plain strides, from which torch chooses the same kernels always.
                planes = np.array(pixels[rows].transpose(0, 3, 1, 2), order="C")
                features[rows] = self.compute(torch.from_numpy(planes)).numpy()
        return features


def fashion_features() -> Features:
    """The 64 features of the bundled classifier of Fashion-MNIST, of grey 28×28 images.

    Raises:
        ModelError: Its files are missing or damaged.
    """
    from ddim_studio.evaluation.classifier import load_classifier

    network = load_classifier()
    return NetworkFeatures(
        title="fashion classifier",
        distance="Fréchet distance (fashion classifier)",
        dimension=network.dimension,
        batch=FASHION_BATCH,
        compute=lambda images: network.features(images.float() / 255),
        check=_check_fashion,
    )


def inception_features(weights: Path | None) -> Features:
    """The 2048 features of Inception that the FID is defined by (Heusel et al., 1706.08500).

    Grey images are shown to it in all three colours; images of any size are resized to 299×299
    by the network itself. With other weights than those of published FIDs the distance is not
    called FID.

    Raises:
        ModelError: torch-fidelity or the weights are missing, or the file holds others.
    """
    from ddim_studio.evaluation.inception import INCEPTION_DIMENSION, open_inception

    network = open_inception(weights)
    return NetworkFeatures(
        title="Inception" if network.standard else "Inception, other weights",
        distance="FID" if network.standard else "Fréchet distance (Inception, other weights)",
        dimension=INCEPTION_DIMENSION,
        batch=INCEPTION_BATCH,
        compute=lambda images: network.compute(images.expand(-1, 3, -1, -1).contiguous()),
        check=_check_inception,
    )


def suitable_features(
    image_shape: tuple[int, int, int], inception: Path | None = None
) -> Features | None:
    """The features that fit images of this shape (C, H, W).

    Grey 28×28 images are measured by the fashion classifier: Inception was made for photographs.

    Args:
        image_shape: That of the model.
        inception: The file of Inception's weights, for images of other shapes.

    Returns:
        None where there are none: other shapes, and no weights of Inception.

    Raises:
        ModelError: The network chosen cannot be opened.
    """
    if image_shape == (1, FASHION_SIDE, FASHION_SIDE):
        return fashion_features()
    return None if inception is None else inception_features(inception)


def _check_fashion(shape: tuple[int, ...]) -> None:
    if shape != (FASHION_SIDE, FASHION_SIDE, 1):
        raise ModelError(
            f"The fashion classifier takes grey images of 28×28, not {_shown(shape)}.",
            "Measure images of this shape with Inception.",
        )


def _check_inception(shape: tuple[int, ...]) -> None:
    if shape[2] not in (1, 3) or 0 in shape:
        raise ModelError(f"Inception takes grey or colour images, not {_shown(shape)}.")


def _shown(shape: tuple[int, ...]) -> str:
    height, width, channels = shape
    kind = {1: "grey", 3: "colour"}.get(channels, f"{channels}-channel")
    return f"{kind} ones of {width}×{height}"
