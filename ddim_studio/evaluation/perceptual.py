"""LPIPS, the distance of images in the features of AlexNet (Zhang et al. 2018), if it is at hand.

It needs torchvision and the weights of AlexNet, which are never fetched from here: the metric is
there for those who have both. Importing this module does not import torch.
"""

from __future__ import annotations

import functools
import importlib
import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torchmetrics import Metric

    Distance = Callable[[Tensor, Tensor], list[float]]

BACKBONE: Final = "alexnet-owt-7be5be79.pth"
"""The file of AlexNet's weights in the checkpoints folder of torch.hub."""
SMALLEST_SIDE: Final = 64
"""Images with a shorter side are enlarged: the features of AlexNet need about so many pixels."""


def lpips_available() -> bool:
    """Whether `open_lpips` is likely to succeed.

    Without the weights the answer is quick and loads nothing; with them torchvision is imported,
    once, to see whether it works.
    """
    return _backbone().is_file() and _torchvision_works()


def open_lpips() -> Distance | None:
    """The LPIPS distance of each pair of images in [−1, 1], (N, C, H, W), C = 1 or 3.

    0 stands for equal images. Values are clamped to [−1, 1] first, grey is repeated to RGB, and
    images with a side below `SMALLEST_SIDE` are enlarged by the least whole factor that reaches
    it, without smoothing. Images with other channels have no distance (NaN).

    Returns:
        The distance, or None where torchvision or readable weights are missing.
    """
    if not lpips_available():
        return None
    try:
        return _opened(_backbone())
    except Exception:  # noqa: BLE001 (torch raises nearly anything for a bad file)
        return None


def _backbone() -> Path:
    """Where torch.hub keeps the weights."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser()
    return home / "hub" / "checkpoints" / BACKBONE


@functools.cache
def _torchvision_works() -> bool:
    """Whether torchvision imports; built for another torch, it raises nearly anything."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("torchvision.models")
    except Exception:  # noqa: BLE001 (whatever is wrong with it, it cannot be used)
        return False
    return True


@functools.lru_cache(maxsize=1)
def _opened(backbone: Path) -> Distance:
    """The distance with its network, kept for the next time."""
    import torch

    # torchvision reads the file as a pickle. What passes here is tensors only, so that nothing in
    # it can run there either.
    torch.load(backbone, map_location="cpu", weights_only=True)
    if Path(torch.hub.get_dir(), "checkpoints", BACKBONE) != backbone:
        raise FileNotFoundError(backbone)  # torchvision would fetch it to there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        metric = LearnedPerceptualImagePatchSimilarity(net_type="alex").eval()
    return functools.partial(_distances, metric)


def _distances(metric: Metric, a: Tensor, b: Tensor) -> list[float]:
    import torch

    if a.shape[1] not in (1, 3):
        return [math.nan] * len(a)
    with torch.no_grad():
        pairs = zip(_prepared(a), _prepared(b), strict=True)
        distances = [float(metric(x[None], y[None])) for x, y in pairs]
    metric.reset()
    return distances


def _prepared(x: Tensor) -> Tensor:
    """Images as the network takes them: RGB, in [−1, 1], and large enough."""
    from ddim_studio.evaluation.likeness import pixels_of

    colours = (2 * pixels_of(x) - 1).float().expand(-1, 3, -1, -1)
    factor = -(-SMALLEST_SIDE // min(x.shape[-2:]))
    return colours.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
