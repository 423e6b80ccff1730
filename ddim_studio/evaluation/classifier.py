"""A small network that tells the ten classes of Fashion-MNIST apart, and what it sees in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from torch import Tensor, nn

from ddim_studio.models.errors import ModelError
from ddim_studio.models.weights import fitted, read_weights
from ddim_studio.storage import resources

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = (
    *("t-shirt", "trousers", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
"""What the labels 0 … 9 of Fashion-MNIST mean."""

IMAGE_SHAPE = (1, 28, 28)
WIDTHS = (32, 64, 128, 64)
MEAN, DEVIATION = 0.2860, 0.3530
"""Of the training images, on values from 0 to 1."""

WEIGHTS, CONFIG = "model.safetensors", "config.json"
_AGAIN = "Install the program again."
DESCRIPTION = {
    "architecture": "FashionClassifier",
    "image_shape": list(IMAGE_SHAPE),
    "widths": list(WIDTHS),
    "mean": MEAN,
    "deviation": DEVIATION,
    "features": WIDTHS[-1],
    "classes": list(CLASSES),
}
"""What the config.json beside the weights says."""


class FashionClassifier(nn.Module):
    """Four 3×3 convolutions, each with a rectifier; the mean over places; one linear layer.

    The features are the means over the 7×7 places of the 64 rectified maps of the last
    convolution, all that the linear layer sees. This is the layer that the FID takes of Inception
    as well: being means, its features are nearer to normally distributed than single units, which
    is what a Fréchet distance between Gaussians assumes.
    """

    dimension = WIDTHS[-1]

    def __init__(self) -> None:
        super().__init__()
        first, second, third, last = WIDTHS
        self.maps = nn.Sequential(
            *(nn.Conv2d(1, first, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(second, third, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(third, last, 3, padding=1), nn.ReLU()),
        )
        self.head = nn.Linear(last, len(CLASSES))

    def features(self, images: Tensor) -> Tensor:
        """What the network sees in images.

        Args:
            images: Shape (N, 1, 28, 28), from 0 to 1.

        Returns:
            Shape (N, 64), none of them negative.
        """
        means: Tensor = self.maps((images - MEAN) / DEVIATION).mean((2, 3))
        return means

    def forward(self, images: Tensor) -> Tensor:
        """The logits of the ten classes, (N, 10), of images (N, 1, 28, 28) from 0 to 1."""
        logits: Tensor = self.head(self.features(images))
        return logits


def load_classifier(folder: Path | None = None) -> FashionClassifier:
    """Open the classifier, on the CPU, for use only.

    Args:
        folder: Where its ``model.safetensors`` and ``config.json`` are; the bundled one's if
            not given.

    Raises:
        ModelError: A file is missing or damaged, or belongs to another network.
    """
    place = folder or resources() / "classifiers" / "fashion-28"
    for name in (CONFIG, WEIGHTS):
        if not (place / name).is_file():
            raise ModelError(f"The classifier is incomplete: {name} is missing.", _AGAIN)
    _check_config(place / CONFIG)
    network = FashionClassifier()
    network.load_state_dict(fitted(network, read_weights(place / WEIGHTS)))
    return network.eval().requires_grad_(False)


def _check_config(path: Path) -> None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"The classifier's {path.name} cannot be read.", _AGAIN) from error
    if config != DESCRIPTION:
        raise ModelError(f"The classifier's {path.name} describes another network.", _AGAIN)
