"""Small Gaussian images, what is measured of them, and the end of a restoration."""

from __future__ import annotations

import math

import torch
from analytic import covariance_of

from ddim_studio.diffusion.matrix_measurement import MatrixMeasurement
from ddim_studio.diffusion.measurements import Colourise, Inpaint, SuperResolve
from ddim_studio.diffusion.restoration import restore

SHAPE = (3, 4, 4)
SIZE = math.prod(SHAPE)
HOLE = torch.zeros(4, 4, dtype=torch.bool)
HOLE[1:3, 1:] = True
NOISELESS = {
    "hole": Inpaint(~HOLE),
    "x2": SuperResolve(2),
    "x4": SuperResolve(4),
    "grey": Colourise(),
    "luma": Colourise((0.299, 0.587, 0.114)),
    "matrix": MatrixMeasurement(
        torch.randn(7, SIZE, generator=torch.Generator().manual_seed(5)), SHAPE
    ),
}


def clean(count=1, seed=7):
    """Images of the Gaussian, (N, *SHAPE)."""
    factor = torch.linalg.cholesky(covariance_of(SIZE))
    noise = torch.randn(count, SIZE, generator=torch.Generator().manual_seed(seed)).double()
    return (noise @ factor.T).reshape(count, *SHAPE)


def last_of(*arguments, **more):
    """The last step of a restoration."""
    *_, step = restore(*arguments, **more)
    return step
