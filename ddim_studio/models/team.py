"""The processes that share a piece of work, however they were started."""

from __future__ import annotations

from typing import Protocol, TypeVar

T = TypeVar("T")


class Team(Protocol):
    """The processes that work on one thing, such as an evaluation or a run of training.

    Attributes:
        index: Which of them this is, from 0; number 0 writes the files.
        size: How many there are.
    """

    index: int
    size: int

    def gather(self, item: T) -> list[T]:
        """What every process gave, in their order. All of them must call it."""
