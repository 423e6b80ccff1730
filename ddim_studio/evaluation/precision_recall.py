"""Improved precision and recall (Kynkäänniemi et al. 2019): fidelity and variety apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

NEIGHBOURS = 3
"""k of the paper: the manifold around an image reaches to its third nearest neighbour."""
ROWS = 1024


class PrecisionRecall(NamedTuple):
    """Both from 0 to 1.

    Attributes:
        precision: The part of the generated images that lie on the manifold of the real ones.
        recall: The part of the real images that lie on the manifold of the generated ones.
    """

    precision: float
    recall: float


def precision_recall(
    generated: NDArray[np.float64], real: NDArray[np.float64], k: int = NEIGHBOURS
) -> PrecisionRecall:
    """Compare two sets of features, (N, D) and (M, D), each of more than ``k`` images.

    The manifold of a set is the union of balls around its members that reach to the k-th nearest
    other member. Both figures depend on N and M: compare those made with equal numbers.

    Raises:
        ValueError: A set is too small.
    """
    import torch

    if min(len(generated), len(real)) <= k:
        raise ValueError(f"Precision and recall need more than {k} images on both sides.")
    a, b = torch.from_numpy(generated), torch.from_numpy(real)
    return PrecisionRecall(_covered(a, b, k), _covered(b, a, k))


def _covered(points: Tensor, members: Tensor, k: int) -> float:
    """The part of the points that lie in a ball of the members' manifold."""
    radii = _radii(members, k)
    inside = 0
    for rows in _parts(points):
        inside += int((_distances(rows, members) <= radii).any(dim=1).sum())
    return inside / len(points)


def _radii(members: Tensor, k: int) -> Tensor:
    """The distance of each member to its k-th nearest other member."""
    import torch

    nearest = [
        _distances(rows, members).kthvalue(k + 1, dim=1).values  # the nearest is itself
        for rows in _parts(members)
    ]
    return torch.cat(nearest)


def _parts(points: Tensor) -> list[Tensor]:
    """The points in parts whose distances to all others fit into memory."""
    return [points[first : first + ROWS] for first in range(0, len(points), ROWS)]


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """Between all rows, without the rounding of a matrix product: equal rows are at 0."""
    import torch

    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
