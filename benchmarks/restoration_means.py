"""What benchmarks/restoration.py compares with: simple means, most of which need no model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ddim_studio.diffusion.measurements import (
    Colourise,
    Denoise,
    Inpaint,
    ScalarMeasurement,
    SuperResolve,
)
from ddim_studio.jobs.restoring import baseline
from ddim_studio.models.model import Model

WIDTHS = np.arange(0.3, 2.01, 0.1)
"""Standard deviations of the blurs that are tried, in pixels."""
Made = tuple[str, int, torch.Tensor]


@dataclass(frozen=True)
class Problem:
    """What was measured of some images.

    Attributes:
        measurement: A.
        y: (N, …), float64.
        sigma: σ of its noise.
    """

    measurement: ScalarMeasurement
    y: torch.Tensor
    sigma: float


def simple_means(
    model: Model, problem: Problem, clean: torch.Tensor, training: np.ndarray
) -> Iterator[Made]:
    """Name, network calls and images of each.

    Args:
        model: Its network is called once by one of them.
        problem: What was measured.
        clean: The images, by which the best width of a blur is chosen.
        training: Images that the model was trained on, (M, H, W, C).
    """
    measurement, y = problem.measurement, problem.y
    first = baseline(measurement, y)
    if isinstance(measurement, SuperResolve):
        yield "bicubic", 0, first
        return
    if isinstance(measurement, Denoise):
        yield "as it is", 0, first
        yield blurred(y, clean)
        yield one_call(model, problem)
        return
    mean = torch.from_numpy(training.mean(0) / 127.5 - 1).permute(2, 0, 1)[None]
    unseen = mean - measurement.pinv(measurement.A(mean))
    if isinstance(measurement, Inpaint):
        yield "mean of the known pixels", 0, first
        yield "mean of the training images", 0, y + unseen
    elif isinstance(measurement, Colourise):
        yield "grey", 0, first
        yield "grey + mean colour of the training images", 0, measurement.pinv(y) + unseen


def blurred(y: torch.Tensor, clean: torch.Tensor) -> Made:
    """Gaussian blur of the width that is best for these very images."""
    tried = {width: _blur(y, width) for width in WIDTHS}
    best = min(tried, key=lambda width: float((tried[width] - clean).square().mean()))
    return f"Gaussian blur of {best:.1f} pixels, the best", 0, tried[best]


def _blur(x: torch.Tensor, width: float) -> torch.Tensor:
    reach = 6
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1).double() / width) ** 2)
    kernel = kernel / kernel.sum()
    flat = torch.nn.functional.pad(x.flatten(0, 1)[:, None], (reach,) * 4, mode="reflect")
    rows = torch.nn.functional.conv2d(flat, kernel.view(1, 1, 1, -1))
    return torch.nn.functional.conv2d(rows, kernel.view(1, 1, -1, 1))[:, 0].view(x.shape)


def one_call(model: Model, problem: Problem) -> Made:
    """The network's x̂_0 at the t whose noise is that of the picture: no sampling."""
    bars = model.schedule.alpha_bars.double().cpu()
    noise = ((1 - bars) / bars).sqrt()
    t = int((noise - problem.sigma).abs().argmin())
    x_t = bars[t].sqrt() * problem.y
    return f"x̂_0 of the network at t = {t}, without sampling", 1, model.predict(x_t, t).x0.double()
