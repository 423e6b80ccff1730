"""Trajectories within a memory budget: thinned evenly rather than cut short or swapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

    from ddim_studio.diffusion.inversion import InvertStep
    from ddim_studio.diffusion.sampling import Step

T = TypeVar("T")

DEFAULT_BUDGET = 512 * 1024**2
"""Bytes that a trajectory may take unless its owner says otherwise."""


class ThinnedStore(Generic[T]):
    """Keeps the first, the newest and every ``stride``-th item, within a budget of bytes.

    ``stride`` is 1 until the budget is reached, and doubles each time that it is reached again.

    Attributes:
        budget: Bytes that the items may take together. The newest item is kept even where it alone
            exceeds it, and so is the first.
        stride: Items whose number is a multiple of this are kept.
    """

    def __init__(self, budget: int = DEFAULT_BUDGET) -> None:
        self.budget = budget
        self.stride = 1
        self._items: dict[int, tuple[T, int]] = {}
        self._length = 0
        self._bytes = 0

    def __len__(self) -> int:
        """How many items were appended, kept or not."""
        return self._length

    @property
    def nbytes(self) -> int:
        """Bytes that the kept items take."""
        return self._bytes

    @property
    def kept(self) -> list[int]:
        """The numbers of the kept items, ascending."""
        return list(self._items)

    def append(self, item: T, nbytes: int) -> None:
        """Add the next item, which takes ``nbytes``."""
        newest = self._length - 1
        if newest % self.stride:
            self._drop(newest)
        self._items[self._length] = (item, nbytes)
        self._length += 1
        self._bytes += nbytes
        while self._bytes > self.budget and len(self._items) > 2:
            self._thin()

    def nearest(self, index: int) -> tuple[int, T]:
        """The kept item nearest to ``index``, earlier rather than later, with its number.

        Raises:
            IndexError: Nothing was appended at ``index`` yet.
        """
        if not 0 <= index < self._length:
            raise IndexError(f"{index} is not from 0 to {self._length - 1}.")
        if index not in self._items:
            index = min(self._items, key=lambda kept: (abs(kept - index), kept))
        return index, self._items[index][0]

    def _thin(self) -> None:
        self.stride *= 2
        for index in [i for i in self._items if i % self.stride and i != self._length - 1]:
            self._drop(index)

    def _drop(self, index: int) -> None:
        self._bytes -= self._items.pop(index)[1]


class TrajectoryPoint(NamedTuple):
    """The tensors of one step that are worth keeping, each (N, C, H, W) on the CPU."""

    t: int
    x: Tensor
    x0: Tensor
    epsilon: Tensor


class Trajectory:
    """The steps of one run, or of one inversion, as tensors on the CPU, within a memory budget.

    >>> trajectory = Trajectory(x_T)                              # doctest: +SKIP
    >>> for step in sample(model, x_T, settings):                 # doctest: +SKIP
    ...     trajectory.append(step)

    Attributes:
        x_T: Where the run started, (N, C, H, W); the images of an inversion.
        points: The steps kept; number k is step k + 1 of the run.
    """

    def __init__(self, x_T: Tensor, budget: int = DEFAULT_BUDGET) -> None:
        self.x_T = x_T.detach().cpu()
        self.points: ThinnedStore[TrajectoryPoint] = ThinnedStore(budget)

    def append(self, step: Step | InvertStep) -> None:
        """Keep what the step did."""
        tensors = [kept.detach().cpu() for kept in (step.x, step.x0, step.epsilon)]
        nbytes = sum(tensor.nbytes for tensor in tensors)
        self.points.append(TrajectoryPoint(step.t_next, *tensors), nbytes)

    def x(self, index: int) -> Tensor:
        """The state at frame ``index``, 0 being x_T, or the nearest that was kept."""
        return self.x_T if index == 0 else self.points.nearest(index - 1)[1].x
