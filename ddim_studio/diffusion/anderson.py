"""Anderson-accelerated fixed points of many images at once, each on its own.

To find x with F(x) = x, the differences ΔX of earlier iterates and ΔR of their residuals
r = F(x) − x are taken as a linear model of r: what the model explains of r is removed with ΔX, and
the rest is applied as it is, times a mixing factor β (Walker and Ni 2011, "Anderson acceleration
for fixed-point iterations"):

    γ = argmin ‖r − ΔR γ‖² + ρ‖γ‖²,     x ← x + β r − (ΔX + β ΔR) γ.

Images share the batches of F and nothing else. One that has converged leaves the batch and costs
nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

DEPTH = 5
"""Differences that are remembered."""

RIDGE = 1e-3
"""ρ for differences scaled to unit length: keeps γ small where they are nearly parallel."""

GROWTH = 2.0
"""A residual this many times the best one sends the image back to its best iterate, damped."""

REACH = 1.0
"""The longest correction, as a root mean square. Where differences of residuals are little but
rounding, the model would lead astray by thousands; a state of noise and image is of the order 1.
"""


def root_mean_square(x: Tensor) -> Tensor:
    """Of every image: (N, …) → (N,)."""
    return x.flatten(1).square().mean(1).sqrt()


def _within_reach(step: Tensor) -> Tensor:
    """Steps (n, D) scaled down to `REACH` where they are longer."""
    return step * (REACH / root_mean_square(step).clamp_min(REACH))[:, None]


@dataclass(frozen=True)
class Solution:
    """Where the iteration stands, for all N images.

    Attributes:
        x: Of each image the iterate with the smallest residual, and for a converged one the
            iterate after it: that last correction costs no call, and its residual is not measured.
        residual: Root mean square of F(x) − x at the iterate with the smallest, (N,) float64;
            infinite where none was finite.
        calls: How often F was evaluated for each image, (N,) int64.
        converged: Whether the residual reached the tolerance, (N,) bool.
    """

    x: Tensor
    residual: Tensor
    calls: Tensor
    converged: Tensor


class Memory:
    """The last differences of the iterates and residuals of n images, each of D numbers."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.last: tuple[Tensor, Tensor] | None = None
        self.pairs: list[tuple[Tensor, Tensor]] = []

    @property
    def informed(self) -> bool:
        """Whether there is any difference to go by."""
        return bool(self.pairs)

    def add(self, x: Tensor, r: Tensor) -> None:
        """Take note of the iterates and their residuals, (n, D) each."""
        if self.last is not None:
            self.pairs.append((x - self.last[0], r - self.last[1]))
            del self.pairs[: -self.depth]
        self.last = x, r

    def keep(self, rows: Tensor) -> None:
        """Go on with these images only; ``rows`` is (n,) bool."""
        self.pairs = [(dx[rows], dr[rows]) for dx, dr in self.pairs]
        if self.last is not None:
            self.last = self.last[0][rows], self.last[1][rows]

    def restart(self, rows: Tensor, x: Tensor, r: Tensor) -> None:
        """Forget all of the images of ``rows`` (n,) bool but their iterates in x and r (n, D)."""
        chosen = rows[:, None]
        if self.last is not None:
            self.last = torch.where(chosen, x, self.last[0]), torch.where(chosen, r, self.last[1])
        self.pairs = [
            (dx.masked_fill(chosen, 0.0), dr.masked_fill(chosen, 0.0)) for dx, dr in self.pairs
        ]

    def correction(self, r: Tensor, beta: Tensor) -> Tensor:
        """What to add to x; r is (n, D) and β (n, 1)."""
        if not self.pairs:
            return _within_reach(beta * r)
        dx = torch.stack([pair[0] for pair in self.pairs], 2)
        dr = torch.stack([pair[1] for pair in self.pairs], 2)
        length = dr.norm(dim=1, keepdim=True).clamp_min(1e-300)
        dx, dr = dx / length, dr / length
        gram = dr.mT @ dr + RIDGE * torch.eye(dr.shape[2], dtype=r.dtype, device=r.device)
        gamma: Tensor = torch.linalg.solve(gram, dr.mT @ r[..., None])
        explained: Tensor = (dr @ gamma)[..., 0]
        along: Tensor = (dx @ gamma)[..., 0]
        return _within_reach(beta * (r - explained) - along)


class FixedPoint:
    """The iteration, one evaluation of F at a time; the caller owns the loop.

    Attributes:
        residual: What the last `advance` measured for the images that are still active, (n,).
    """

    def __init__(
        self,
        F: Callable[[Tensor, Tensor], Tensor],
        guess: Tensor,
        *,
        tolerance: float,
        max_calls: int,
        mixing: float = 1.0,
        depth: int = DEPTH,
    ) -> None:
        """Start from a guess.

        Args:
            F: ``F(x, images)`` of some of the images: x is (n, …) and ``images`` (n,) int64 says
                which they are.
            guess: (N, …), float64.
            tolerance: Root mean square residual at which an image has converged.
            max_calls: Evaluations allowed for each image.
            mixing: β.
            depth: Differences to remember.
        """
        count = len(guess)
        self._F = F
        self._shape = guess.shape
        self._tolerance = tolerance
        self._max_calls = max_calls
        self._memory = Memory(depth)
        self._images = torch.arange(count, device=guess.device)
        self._x = guess
        self._beta = guess.new_full((count, 1), mixing)
        self._calls = torch.zeros(count, dtype=torch.int64, device=guess.device)
        self._best_x = guess.flatten(1).clone()
        self._best_r = torch.zeros_like(self._best_x)
        self._best = guess.new_full((count,), torch.inf)
        self.residual = self._best

    @property
    def active(self) -> int:
        """Images that have not converged, nor been given up."""
        return len(self._images)

    @property
    def solution(self) -> Solution:
        """The best so far."""
        x, residual = self._best_x.view(self._shape), self._best
        return Solution(x, residual, self._calls, residual <= self._tolerance)

    def advance(self) -> bool:
        """Evaluate F once for the active images and correct them; whether there is more to do."""
        x = self._x.flatten(1)
        r = (self._F(self._x, self._images) - self._x).flatten(1)
        self._calls[self._images] += 1
        before, self.residual = self.residual, root_mean_square(r)
        self._note_best(x, r)
        self._memory.add(x, r)
        corrected = x + self._memory.correction(r, self._beta)
        done = self.residual <= self._tolerance
        trusted = done & (self.residual <= before / 2) & self._memory.informed
        self._best_x[self._images[trusted]] = corrected[trusted]
        grown = ~done & ~(self.residual <= GROWTH * self._best[self._images])
        corrected = self._damped(grown, corrected)
        self._leave(done, corrected.view_as(self._x))
        return self.active > 0

    def _note_best(self, x: Tensor, r: Tensor) -> None:
        """Keep the iterates that are the best of their image so far."""
        better = self.residual < self._best[self._images]
        rows = self._images[better]
        self._best[rows] = self.residual[better]
        self._best_x[rows] = x[better]
        self._best_r[rows] = r[better]

    def _damped(self, grown: Tensor, corrected: Tensor) -> Tensor:
        """Send the images of ``grown`` back to their best iterate, with β halved from now on."""
        if not grown.any():
            return corrected
        chosen = grown[:, None]
        best_x, best_r = self._best_x[self._images], self._best_r[self._images]
        self._beta = torch.where(chosen, self._beta / 2, self._beta)
        self._memory.restart(grown, best_x, best_r)
        return torch.where(chosen, best_x + self._beta * best_r, corrected)

    def _leave(self, done: Tensor, x: Tensor) -> None:
        """Go on from x without the images that are done, hopeless or out of calls."""
        hopeless = ~self._best[self._images].isfinite()
        stay = ~(done | hopeless | (self._calls[self._images] >= self._max_calls))
        self._images, self._x, self._beta = self._images[stay], x[stay], self._beta[stay]
        self.residual = self.residual[stay]
        self._memory.keep(stay)
