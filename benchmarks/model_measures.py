"""What benchmarks measure of a model: its samples, a Fréchet distance, a validation loss."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ddim_studio.diffusion.settings import SampleSettings
from ddim_studio.evaluation.blocks import BlockStore, block_seeds, fingerprint
from ddim_studio.evaluation.features import Features, suitable_features
from ddim_studio.evaluation.frechet import NORMAL_95, Estimate, ReferenceSet, gaussian_of
from ddim_studio.evaluation.shares import CellShare
from ddim_studio.evaluation.team import Alone
from ddim_studio.imaging.png import write_png
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.models.model import Model
from ddim_studio.training.assess import validation_loss
from ddim_studio.training.batches import Batches
from ddim_studio.training.draws import VALIDATION, Draws
from ddim_studio.training.objective import Objective

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = SampleSettings(steps=50, eta=0.0)
SHOWN = 64
VALIDATED = 1024
CELLS = 8


class Loss(NamedTuple):
    """The simple objective, in terms of ε, and by quarters of the timesteps."""

    mean: float
    quarters: tuple[float, ...]


@dataclass(frozen=True)
class PixelFeatures:
    """The pixels themselves, averaged down to 8×8: shapes in the large, and colours.

    A distance on them sees neither sharpness nor detail. Values are from 0 to 1.
    """

    planes: int
    title: str = "8×8 means"
    distance: str = "Fréchet distance (8×8 means)"

    @property
    def dimension(self) -> int:
        """64 values for each plane."""
        return CELLS * CELLS * self.planes

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The features (N, dimension) of pixels (N, H, W, C); sides are multiples of 8."""
        count, height, width, planes = pixels.shape
        cells = pixels.reshape(count, CELLS, height // CELLS, CELLS, width // CELLS, planes)
        return cells.mean(axis=(2, 4)).reshape(count, -1) / 255


def features_for(shape: tuple[int, int, int]) -> Features:
    """The fashion classifier for grey 28×28, 8×8 means for all else."""
    return suitable_features(shape) or PixelFeatures(shape[0])


def samples_of(
    model: Model, count: int, keep: Path, settings: SampleSettings = SETTINGS
) -> NDArray[np.uint8]:
    """The images of seeds 0 … n − 1, (n, H, W, C), drawn now unless they are kept."""
    store = BlockStore(keep, fingerprint(model))
    share = CellShare(store, settings, block_seeds(0, count, SHOWN), Alone())
    for _ in share.draw(model):
        pass
    return np.concatenate(share.gathered(lambda block: block.pixels))


def distance_of(pixels: NDArray[np.uint8], real: NDArray[np.uint8]) -> Estimate:
    """How far images (N, H, W, C) are from real ones (M, H, W, C)."""
    _, height, width, planes = real.shape
    features = features_for((planes, height, width))
    return ReferenceSet(gaussian_of(features(real))).estimate(features(pixels))


def validation_of(model: Model, real: NDArray[np.uint8], count: int = VALIDATED) -> Loss:
    """The loss on real images: ``count`` of them, stratified timesteps, noise of seed 0.

    Args:
        model: Of ε or v.
        real: (M, H, W, C), which the model was not trained on.
        count: Images drawn from them.
    """
    T, rows = model.schedule.T, np.arange(len(real))
    draws = Draws(0, VALIDATION, len(real), model.image_shape, batch_size=count, timesteps=T)
    device = torch.device(model.device)
    batch = Batches(real, rows, draws, slice(None), device, flip=False).at(0)
    prediction = "epsilon" if model.prediction == "epsilon" else "v"
    objective = Objective(model.schedule, prediction, device)
    return Loss(*validation_loss(model.unet, objective, batch, SHOWN, T))


def shown(estimate: Estimate, digits: int = 2) -> str:
    """A distance and half its 95 % interval."""
    return f"{estimate.value:.{digits}f} ± {NORMAL_95 * estimate.error:.{digits}f}"


def write_sheet(path: Path, pixels: NDArray[np.uint8], columns: int = 8, scale: int = 2) -> None:
    """A sheet of images as a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, contact_sheet(pixels, columns=columns, scale=scale), None)
