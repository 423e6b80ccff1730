"""Linear measurements y = A x of an image, each with its exact pseudo-inverse A⁺.

Those here satisfy A Aᵀ = s² I on what they measure, so that A⁺A is a projection, s is the only
singular value beside 0, and all is known in closed form. A measurement of one's own is any object
with ``A(x)`` and ``pinv(y)``; `MatrixMeasurement` (in a module of its own) makes one from a matrix
or from a linear function, for images that are not large.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch

from ddim_studio.diffusion.restore_settings import check_task, scales_of
from ddim_studio.diffusion.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddim_studio.diffusion.restore_settings import Grey, RestoreSettings

    Gain = Callable[[float], float]

WEIGHTS: dict[Grey, tuple[float, float, float]] = {
    "mean": (1 / 3, 1 / 3, 1 / 3),
    "luma": (0.299, 0.587, 0.114),
}
"""How much red, green and blue count in a grey; luma is that of Rec. ITU-R BT.601."""


@runtime_checkable
class Measurement(Protocol):
    """A linear measurement. That A A⁺ A = A must hold is all that DDNM asks of it."""

    def A(self, x: Tensor) -> Tensor:
        """What is measured of images x (N, C, H, W): (N, …), the same type."""

    def pinv(self, y: Tensor) -> Tensor:
        """A⁺ y, images (N, C, H, W) of least norm that would give y (N, …), if any do."""


@runtime_checkable
class SpectralMeasurement(Measurement, Protocol):
    """A measurement whose singular values are known, as noisy measurements (DDNM+) need them."""

    def filtered(self, x: Tensor, gain: Gain) -> Tensor:
        """V g(Σ) Vᵀ x: each component of x (N, C, H, W) times the gain of its singular value.

        Args:
            x: Images.
            gain: g; given 0 for what A does not see.
        """


class ScalarMeasurement:
    """A measurement with A Aᵀ = s² I on its range, so that A⁺ = Aᵀ/s².

    Attributes:
        singular_value: s.
        covers_all: Whether every y is A x of some x, that is, A has full row rank.
    """

    singular_value = 1.0
    covers_all = True

    def A(self, x: Tensor) -> Tensor:
        """What is measured of x (N, C, H, W)."""
        raise NotImplementedError

    def pinv(self, y: Tensor) -> Tensor:
        """A⁺ y, (N, C, H, W)."""
        raise NotImplementedError

    def filtered(self, x: Tensor, gain: Gain) -> Tensor:
        """g(0) x + (g(s) − g(0)) A⁺A x."""
        hidden, seen = gain(0.0), gain(self.singular_value)
        return hidden * x + (seen - hidden) * self.pinv(self.A(x))


class Denoise(ScalarMeasurement):
    """All of the image is measured: A = I."""

    def A(self, x: Tensor) -> Tensor:
        """X itself."""
        return x

    def pinv(self, y: Tensor) -> Tensor:
        """Y itself."""
        return y


class Colourise(ScalarMeasurement):
    """A weighted mean of the channels, (N, C, H, W) → (N, 1, H, W).

    Args:
        weights: One a channel, not all 0: a third each unless given.

    Raises:
        SettingsError: There are fewer than two channels, or all weights are 0.
    """

    def __init__(self, weights: tuple[float, ...] = WEIGHTS["mean"]) -> None:
        squares = math.fsum(weight * weight for weight in weights)
        if len(weights) < 2 or not 0 < squares < math.inf:
            raise SettingsError("weights", "weights must be at least two numbers, not all 0.")
        self.weights = tuple(weights)
        self.singular_value = math.sqrt(squares)

    def A(self, x: Tensor) -> Tensor:
        """Σ w_c x_c."""
        return (x * self._column(x)).sum(1, keepdim=True)

    def pinv(self, y: Tensor) -> Tensor:
        """Every channel w_c y/Σ w²; for equal weights that is y itself."""
        return y * (self._column(y) / self.singular_value**2)

    def _column(self, like: Tensor) -> Tensor:
        return torch.tensor(self.weights, dtype=like.dtype, device=like.device).view(1, -1, 1, 1)


class Inpaint(ScalarMeasurement):
    """The pixels of a mask; those of the hole are 0 in y.

    Args:
        keep: True (or not 0) where a pixel is known: (H, W), (C, H, W), or (N, 1, H, W) or
            (N, C, H, W) with a mask for each image.

    Raises:
        SettingsError: No pixel is known.
    """

    covers_all = False

    def __init__(self, keep: Tensor) -> None:
        self.keep = torch.as_tensor(keep).detach().bool()
        if self.keep.ndim < 2 or not bool(self.keep.any()):
            raise SettingsError("mask", "The mask leaves no pixel to go by: paint less of it.")

    def A(self, x: Tensor) -> Tensor:
        """X where it is known, else 0."""
        return x * self.keep.to(x)

    def pinv(self, y: Tensor) -> Tensor:
        """Y, whose hole is 0 in any case."""
        return self.A(y)


class SuperResolve(ScalarMeasurement):
    """The mean of blocks of k×k pixels, (N, C, H, W) → (N, C, H/k, W/k).

    Args:
        scale: k, from 1.
    """

    def __init__(self, scale: int) -> None:
        if not isinstance(scale, int) or scale < 1:
            raise SettingsError("scale", f"scale must be a whole number from 1, not {scale!r}.")
        self.scale = scale
        self.singular_value = 1 / scale

    def A(self, x: Tensor) -> Tensor:
        """The means of the blocks.

        Raises:
            SettingsError: k does not divide the sides of x.
        """
        height, width, k = *x.shape[-2:], self.scale
        if height % k or width % k:
            allowed = ", ".join(map(str, scales_of(height, width))) or "none"
            raise SettingsError(
                "scale", f"scale must divide {width}×{height}, and {k} does not: take {allowed}."
            )
        blocks = x.reshape(*x.shape[:-2], height // k, k, width // k, k)
        return blocks.mean((-3, -1))

    def pinv(self, y: Tensor) -> Tensor:
        """Every number of y, k×k times."""
        return y.repeat_interleave(self.scale, -2).repeat_interleave(self.scale, -1)


class Chain(ScalarMeasurement):
    """One measurement after another: A x = A₂(A₁ x), with (A₂A₁)⁺ = A₁⁺A₂⁺.

    Args:
        first: A₁, which must measure without gaps (A₁A₁ᵀ = s² I): all but `Inpaint`. Else the
            pseudo-inverse of the chain would not be the chain of the pseudo-inverses.
        then: A₂, of what A₁ measured.

    Raises:
        SettingsError: ``first`` has gaps.
    """

    def __init__(self, first: ScalarMeasurement, then: ScalarMeasurement) -> None:
        if not first.covers_all:
            raise SettingsError(
                "measurement", "A hole must be the last of several measurements, not the first."
            )
        self.first, self.then = first, then
        self.singular_value = first.singular_value * then.singular_value
        self.covers_all = then.covers_all

    def A(self, x: Tensor) -> Tensor:
        """A₂(A₁ x)."""
        return self.then.A(self.first.A(x))

    def pinv(self, y: Tensor) -> Tensor:
        """A₁⁺(A₂⁺ y)."""
        return self.first.pinv(self.then.pinv(y))


def measurement_for(
    settings: RestoreSettings, image_shape: tuple[int, int, int], hole: Tensor | None = None
) -> ScalarMeasurement:
    """The measurement of a task.

    Args:
        settings: The task, with its scale or kind of grey.
        image_shape: (C, H, W).
        hole: For "inpaint", True where pixels are unknown: (H, W).

    Raises:
        SettingsError: The task does not fit the images, or the hole is missing, of another size
            (field ``mask``), or all there is.
    """
    check_task(settings, image_shape)
    if settings.task == "denoise":
        return Denoise()
    if settings.task == "superres":
        return SuperResolve(settings.scale)
    if settings.task == "colorize":
        equal = (1 / image_shape[0],) * image_shape[0]
        return Colourise(equal if settings.grey == "mean" else WEIGHTS[settings.grey])
    if hole is None:
        raise SettingsError("mask", "mask is missing: the task inpaint needs to know the hole.")
    _, height, width = image_shape
    if tuple(hole.shape) != (height, width):
        found = "×".join(map(str, reversed(hole.shape)))
        raise SettingsError(
            "mask", f"mask must be {width}×{height}, the size of the model's images, not {found}."
        )
    return Inpaint(~hole.bool())
