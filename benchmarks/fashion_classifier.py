"""Train the classifier whose features measure samples of Fashion-MNIST, and report its accuracy.

    python benchmarks/fashion_classifier.py [--data FOLDER] [--epochs 10] [--output FOLDER]

Reads the four IDX files of Fashion-MNIST, by default where the Debian package
dataset-fashion-mnist puts them, and writes model.safetensors and config.json. With one core of a
desktop processor it takes about eight minutes. Seeds are fixed and the number of threads is one:
the same version of torch on the same machine makes the same weights.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import save as serialised
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ddim_studio.evaluation.classifier import (
    CONFIG,
    DESCRIPTION,
    DEVIATION,
    MEAN,
    WEIGHTS,
    FashionClassifier,
)
from ddim_studio.imaging.idx import read_idx
from ddim_studio.storage import atomic_path, resources

DATA = Path("/usr/share/datasets/fashion-mnist")
BATCH = 128
PEAK_RATE = 4e-3
DECAY = 1e-2
SHIFT = 1
SEED = 0


class Trained(nn.Module):
    """The classifier with batch normalisation after every convolution, for training only."""

    def __init__(self) -> None:
        super().__init__()
        self.target = FashionClassifier()
        layers: list[nn.Module] = []
        for layer in self.target.maps:
            layers.append(layer)
            if isinstance(layer, nn.Conv2d):
                layers.append(nn.BatchNorm2d(layer.out_channels))
        self.maps = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """The logits of images (N, 1, 28, 28) from 0 to 1."""
        return self.target.head(self.maps((images - MEAN) / DEVIATION).mean((2, 3)))

    def folded(self) -> FashionClassifier:
        """The classifier, its normalisation folded into the convolutions."""
        self.eval()
        plain = FashionClassifier()
        pairs = list(zip(self.maps, list(self.maps)[1:], strict=False))
        fused = [fuse_conv_bn_eval(a, b) for a, b in pairs if isinstance(b, nn.BatchNorm2d)]
        places = [layer for layer in plain.maps if isinstance(layer, nn.Conv2d)]
        for place, layer in zip(places, fused, strict=True):
            place.load_state_dict(layer.state_dict())
        plain.head.load_state_dict(self.target.head.state_dict())
        return plain.eval()


def read(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images (N, 1, 28, 28) as bytes, and labels (N,)."""
    images = torch.from_numpy(read_idx(folder / f"{part}-images-idx3-ubyte.gz").copy())
    labels = torch.from_numpy(read_idx(folder / f"{part}-labels-idx1-ubyte.gz").copy())
    return images.unsqueeze(1), labels.long()


def augmented(images: Tensor) -> Tensor:
    """Every image mirrored or not, and the batch moved by up to one pixel, with black around."""
    mirrored = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images.flip(3), images)
    padded = nn.functional.pad(mirrored, [SHIFT] * 4)
    down, right = (int(torch.randint(2 * SHIFT + 1, ())) for _ in range(2))
    side = images.shape[-1]
    return padded[:, :, down : down + side, right : right + side]


def train(images: Tensor, labels: Tensor, epochs: int) -> FashionClassifier:
    """AdamW with one cycle of the learning rate."""
    network = Trained().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=DECAY)
    steps = len(images) // BATCH
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, epochs * steps)
    for epoch in range(epochs):
        order, total, start = torch.randperm(len(images)), 0.0, time.perf_counter()
        for step in range(steps):
            rows = order[step * BATCH : (step + 1) * BATCH]
            batch = augmented(images[rows].float() / 255)
            logits = network(batch.contiguous(memory_format=torch.channels_last))
            loss = nn.functional.cross_entropy(logits, labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
            total += loss.item()
        seconds = time.perf_counter() - start
        print(f"epoch {epoch + 1}: loss {total / steps:.4f}, {seconds:.0f} s", flush=True)
    return network.folded()


@torch.no_grad()
def accuracy(network: FashionClassifier, images: Tensor, labels: Tensor) -> float:
    """The part of the images whose class is told rightly."""
    hits = sum(
        int((network(some.float() / 255).argmax(1) == right).sum())
        for some, right in zip(images.split(500), labels.split(500), strict=True)
    )
    return hits / len(images)


def save(network: FashionClassifier, folder: Path) -> None:
    """Write the weights and the config."""
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    with atomic_path(folder / WEIGHTS) as temporary:
        temporary.write_bytes(serialised(tensors))
    with atomic_path(folder / CONFIG) as temporary:
        temporary.write_text(json.dumps(DESCRIPTION, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Train, save, and report the accuracy on the test set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--output", type=Path, default=resources() / "classifiers" / "fashion-28")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    start = time.perf_counter()
    network = train(*read(options.data, "train"), options.epochs)
    save(network, options.output)
    print(f"trained in {time.perf_counter() - start:.0f} s")
    print(f"accuracy on the test set: {accuracy(network, *read(options.data, 't10k')):.2%}")


if __name__ == "__main__":
    main()
