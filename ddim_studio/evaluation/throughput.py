"""Comparing times on a noisy machine: turn by turn in one process, medians, lowest and highest."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Timing:
    """How long something took, each time.

    Attributes:
        seconds: At least one.
    """

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median, in seconds."""
        return statistics.median(self.seconds)

    @property
    def low(self) -> float:
        """The shortest, in seconds."""
        return min(self.seconds)

    @property
    def high(self) -> float:
        """The longest, in seconds."""
        return max(self.seconds)


def turn_by_turn(
    contenders: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    seconds: float = float("inf"),
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time several things against each other.

    Each has its turn in every round, so that what else the machine does falls on all alike. A
    round before the first warms up.

    Args:
        contenders: What is timed, by name. Each returns when its work is done.
        rounds: How many rounds are counted.
        seconds: No round but the first is begun later than this.
        clock: Tells the time, in seconds.

    Returns:
        The timings by name, each of as many rounds.
    """
    for contender in contenders.values():
        contender()
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    begun = clock()
    for number in range(rounds):
        if number and clock() - begun > seconds:
            break
        for name, contender in contenders.items():
            before = clock()
            contender()
            taken[name].append(clock() - before)
    return {name: Timing(tuple(values)) for name, values in taken.items()}
