"""Paths between latents (DDIM, section 5.3 and appendix D.5).

    slerp(a, b; α) = sin((1−α)θ)/sin θ · a + sin(αθ)/sin θ · b,     θ = ∠(a, b)

with one angle for a whole image, all its pixels and channels taken as one vector. Where the norms
of the ends differ, the formula turns the directions, and the norm goes over linearly: so it stays
between those of the ends.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

PARALLEL = 1e-6
"""Angle in radians below which the directions are drawn on a straight line."""

OPPOSITE = 1e-3
"""How near to π an angle counts as opposite: the plane of the path is then a matter of rounding."""


class InterpolationError(ValueError):
    """Between these ends there is no such path."""


def angle(a: Tensor, b: Tensor) -> float:
    """θ between two tensors of one shape, flattened, in radians from 0 to π.

    By Kahan's formula, which is exact near 0 and π, where arccos is not.

    Raises:
        InterpolationError: The shapes differ, a number is not finite, or one end is zero.
    """
    first, second = _directions(a, b)
    return 2 * math.atan2(float((first - second).norm()), float((first + second).norm()))


def slerp(a: Tensor, b: Tensor, alphas: Sequence[float]) -> Tensor:
    """Points on the great circle from ``a`` to ``b``.

    Args:
        a: x_T of the first image, (C, H, W).
        b: x_T of the second.
        alphas: Where on the way, from 0 (``a``) to 1 (``b``); those give the ends bit for bit.

    Returns:
        (len(alphas), C, H, W), of the type and on the device of ``a``.

    Raises:
        InterpolationError: The ends are opposite (θ is π up to `OPPOSITE`), one of them is zero,
            the shapes differ, or an α is not from 0 to 1.
    """
    first, second = _directions(a, b)
    theta = angle(a, b)
    if theta > math.pi - OPPOSITE:
        raise InterpolationError(
            "The two latents are opposite (their angle is 180°): every way round the sphere is as "
            "short as any other, so there is no one path between them. Take the straight line, or "
            "another image."
        )
    norms = float(_exact(a).norm()), float(_exact(b).norm())

    def point(alpha: float) -> Tensor:
        direction = (1 - alpha) * first + alpha * second
        if theta > PARALLEL:
            turned = math.sin((1 - alpha) * theta) * first + math.sin(alpha * theta) * second
            direction = turned / math.sin(theta)
        return ((1 - alpha) * norms[0] + alpha * norms[1]) * direction

    return _points(a, b, alphas, point)


def lerp(a: Tensor, b: Tensor, alphas: Sequence[float]) -> Tensor:
    """Points on the straight line from ``a`` to ``b``: arguments and result as of `slerp`.

    Between independent noises its middle is too short by √2, less noise than the model expects.

    Raises:
        InterpolationError: The shapes differ, or an α is not from 0 to 1.
    """
    _check_shapes(a, b)
    return _points(a, b, alphas, lambda alpha: (1 - alpha) * _exact(a) + alpha * _exact(b))


PATHS = {"slerp": slerp, "lerp": lerp}


def corner_grid(
    corners: Tensor | Sequence[Tensor],
    rows: int,
    columns: int,
    path: Literal["slerp", "lerp"] = "slerp",
) -> Tensor:
    """A grid between four latents: along the top and bottom edges first, then from top to bottom.

    Args:
        corners: Top left, top right, bottom left, bottom right: (4, C, H, W).
        rows: At least 1; a single one is the top edge.
        columns: At least 1; a single one is the left edge.
        path: Along the sphere, or straight.

    Returns:
        (rows, columns, C, H, W); its corners are those given, bit for bit.

    Raises:
        InterpolationError: There are not four corners, there is no row or column, or there is
            no path between two of the points (see `slerp`).
    """
    if len(corners) != 4:
        raise InterpolationError(f"A grid has four corners, not {len(corners)}.")
    if rows < 1 or columns < 1:
        raise InterpolationError("A grid has at least one row and one column.")
    walk, across, down = PATHS[path], even_alphas(columns), even_alphas(rows)
    top = walk(corners[0], corners[1], across)
    bottom = walk(corners[2], corners[3], across)
    return torch.stack([walk(a, b, down) for a, b in zip(top, bottom, strict=True)], 1)


def even_alphas(count: int) -> list[float]:
    """``count`` numbers evenly from 0 to 1; a single one is 0."""
    return [i / max(count - 1, 1) for i in range(count)]


def _points(
    a: Tensor, b: Tensor, alphas: Sequence[float], point: Callable[[float], Tensor]
) -> Tensor:
    alphas = [float(alpha) for alpha in alphas]
    for alpha in alphas:
        if not 0 <= alpha <= 1:
            raise InterpolationError(f"α must be a number from 0 to 1, not {alpha!r}.")
    ends = {0.0: a, 1.0: b.to(a)}
    points = [ends[alpha] if alpha in ends else point(alpha).to(a) for alpha in alphas]
    return torch.stack(points) if points else a.new_empty((0, *a.shape))


def _directions(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both ends scaled to norm 1, in float64."""
    _check_shapes(a, b)
    ends = _exact(a), _exact(b)
    norms = [end.norm() for end in ends]
    if not all(norm.isfinite() and norm > 0 for norm in norms):
        raise InterpolationError("The ends must be finite and not zero: zero has no direction.")
    return ends[0] / norms[0], ends[1] / norms[1]


def _exact(end: Tensor) -> Tensor:
    """In float64, and on the CPU, as not every device has it."""
    return end.to("cpu", torch.float64)


def _check_shapes(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise InterpolationError(
            f"The ends must be of one shape, not {tuple(a.shape)} and {tuple(b.shape)}."
        )
