"""From the tensors of a step to a `Frame`: pixels and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.imaging.host_copy import HostCopy
from ddim_studio.imaging.pixels import to_pixels, views_to_levels
from ddim_studio.jobs.events import VIEWS, Frame, StepNumbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ddim_studio.diffusion.sampling import Step
    from ddim_studio.jobs.events import View

NOISE_RANGE = 3.0
"""ε is shown from −3 to 3 standard deviations, everything else from −1 to 1."""


def first_frame(x_T: Tensor, t: int, alpha_bar: float, first_image: int = 0) -> Frame:  # noqa: N803
    """The frame of x_T (N, C, H, W), number 0, which no step led to.

    Args:
        x_T: The noise.
        t: The timestep that it stands for, the last of τ.
        alpha_bar: ᾱ_t.
        first_image: Number of its first image in the run.
    """
    numbers = StepNumbers(None, t, alpha_bar, alpha_bar, 0.0, 0.0, rms(x_T))
    return Frame(0, {"x": to_pixels(x_T)}, numbers, first_image)


def step_frame(
    step: Step, before: Tensor | None, views: Sequence[View] = VIEWS, first_image: int = 0
) -> Frame:
    """The frame that a step led to; ``before`` is the x̂_0 of the step before it.

    On a graphics processor everything is computed there and copied at once, and waited for once.
    """
    shown = {view: part for view in views if (part := getattr(step, view)) is not None}
    reaches = [NOISE_RANGE if view == "epsilon" else 1.0 for view in shown]
    pixels = HostCopy(views_to_levels(list(shown.values()), reaches)) if shown else None
    norm = HostCopy(_rms(step.x))
    change = None if before is None else HostCopy(_rms(step.x0 - before))
    c = step.coefficients
    numbers = StepNumbers(
        step.t,
        step.t_next,
        c.alpha_bar_t,
        c.alpha_bar_s,
        c.sigma,
        c.direction,
        tuple(norm.array().tolist()),
        () if change is None else tuple(change.array().tolist()),
    )
    pictures = dict(zip(shown, pixels.array(), strict=True)) if pixels else {}
    return Frame(step.index, pictures, numbers, first_image)


def rms(x: Tensor) -> tuple[float, ...]:
    """The root mean square of each image of (N, C, H, W), which is ‖x‖/√(C·H·W)."""
    return tuple(_rms(x).tolist())


def _rms(x: Tensor) -> Tensor:
    return x.flatten(1).square().mean(1).sqrt()
