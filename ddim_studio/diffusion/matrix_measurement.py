"""Linear measurements that are given as a matrix, or as a function that is one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from ddim_studio.diffusion.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddim_studio.diffusion.measurements import Gain

LARGEST_MATRIX = 4096
"""Numbers of an image whose measurement may be made from a function."""
LINEARITY = 1e-6


class MatrixMeasurement:
    """Any linear measurement, by the singular values of its matrix, in float64.

    Singular values below 10⁻¹⁰ of the largest count as 0.

    Args:
        matrix: (M, C·H·W), for images in C order.
        image_shape: (C, H, W).

    Raises:
        SettingsError: The shapes do not fit, or the matrix is 0 or not finite.
    """

    def __init__(self, matrix: Tensor, image_shape: tuple[int, int, int]) -> None:
        values = matrix.detach().cpu().to(torch.float64)
        if values.ndim != 2 or values.shape[1] != math.prod(image_shape):
            raise SettingsError(
                "measurement",
                f"The matrix must be (M, {math.prod(image_shape)}), not {tuple(values.shape)}.",
            )
        if not bool(values.isfinite().all()) or not bool(values.any()):
            raise SettingsError("measurement", "The matrix must be finite, and not all 0.")
        self.image_shape = image_shape
        u, s, vh = torch.linalg.svd(values, full_matrices=False)
        rank = int((s > 1e-10 * s[0]).sum())
        self.singular_values = s[:rank]
        self._u, self._vh = u[:, :rank], vh[:rank]

    @classmethod
    def of(
        cls, function: Callable[[Tensor], Tensor], image_shape: tuple[int, int, int]
    ) -> MatrixMeasurement:
        """The measurement that a linear function of images (N, C, H, W) is.

        Raises:
            SettingsError: The function is not linear, or the images are too large for a matrix.
        """
        size = math.prod(image_shape)
        if size > LARGEST_MATRIX:
            raise SettingsError(
                "measurement",
                f"Images of {size} numbers are too large for a matrix: give an object with A and "
                "pinv.",
            )
        basis = torch.eye(size, dtype=torch.float64).view(size, *image_shape)
        columns = function(basis).flatten(1).to(torch.float64)
        tried = torch.linspace(-1, 1, size, dtype=torch.float64).sin() + 0.5
        direct = function(tried.view(1, *image_shape)).flatten().to(torch.float64)
        error = (tried @ columns - direct).abs().max()
        if not bool(error <= LINEARITY * direct.abs().max().clamp_min(1.0)):
            raise SettingsError("measurement", "The measurement must be linear, and this is not.")
        return cls(columns.T, image_shape)

    def A(self, x: Tensor) -> Tensor:
        """The matrix times x: (N, M)."""
        seen = self._on(x, self._vh) @ x.flatten(1).T
        return (self._on(x, self._u * self.singular_values) @ seen).T

    def pinv(self, y: Tensor) -> Tensor:
        """A⁺ y for y (N, M), as images."""
        inverse = (self._u / self.singular_values).T
        images = self._on(y, self._vh).T @ (self._on(y, inverse) @ y.T)
        return images.T.reshape(-1, *self.image_shape)

    def filtered(self, x: Tensor, gain: Gain) -> Tensor:
        """V g(Σ) Vᵀ x."""
        hidden = gain(0.0)
        gains = self.singular_values.clone().apply_(lambda s: gain(s) - hidden)
        vh = self._on(x, self._vh)
        seen = (vh @ x.flatten(1).T) * self._on(x, gains)[:, None]
        return hidden * x + (vh.T @ seen).T.reshape(x.shape)

    @staticmethod
    def _on(like: Tensor, values: Tensor) -> Tensor:
        return values.to(like)
