"""Angles and norms of latents and of the paths between them. No Qt and no torch here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddim_studio.jobs.orders import PathKind


def angle_degrees(cosine: float) -> float:
    """θ = arccos of a cosine, in degrees."""
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def path_norm(alpha: float, norms: tuple[float, float], cosine: float, path: PathKind) -> float:
    """‖x_T(α)‖ where the ends have the given norms.

    On the sphere the norms of the ends are interpolated; along the straight line the parallelogram
    rule holds, and the norm sinks between ends that are not parallel.
    """
    first, second = (1 - alpha) * norms[0], alpha * norms[1]
    if path == "slerp":
        return first + second
    return math.sqrt(max(0.0, first**2 + second**2 + 2 * first * second * cosine))


def path_weights(alpha: float, cosine: float, path: PathKind) -> tuple[float, float]:
    """How much of each end, on the sphere of its direction, goes into the point α.

    On the sphere sin((1−α)θ)/sin θ and sin(αθ)/sin θ; straight, and on the sphere where the ends
    are as good as parallel, 1 − α and α.
    """
    theta = math.acos(max(-1.0, min(1.0, cosine)))
    if path == "lerp" or math.sin(theta) < 1e-4:
        return 1 - alpha, alpha
    return math.sin((1 - alpha) * theta) / math.sin(theta), math.sin(alpha * theta) / math.sin(
        theta
    )


def path_reading(cosine: float, norms: tuple[float, float]) -> str:
    """What angle and norms say about the path, in a few sentences."""
    theta = angle_degrees(cosine)
    middle = path_norm(0.5, norms, cosine, "lerp")
    if theta > 175:
        return (
            "x_T of A and B are nearly opposite: there is no single shortest path on the sphere, "
            "and the straight line passes through 0. What lies between is arbitrary."
        )
    if theta < 5:
        return "x_T of A and B are nearly parallel: slerp and the straight line are the same path."
    kind = (
        "about orthogonal, as independent noises are"
        if abs(theta - 90) < 12
        else "closer to each other than independent noises are"
        if theta < 90
        else "further apart than independent noises are"
    )
    return (
        f"x_T of A and B are {kind} (θ ≈ {theta:.0f}°). slerp keeps the norm of its ends; on the "
        f"straight line it sinks to {middle:.2f} in the middle, weaker noise than the model ever "
        "saw at this timestep, which makes pictures there dull."
    )
