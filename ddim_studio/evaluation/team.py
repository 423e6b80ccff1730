"""Sharing an evaluation between processes and machines, through accelerate.

A process started by ``accelerate launch`` or ``torchrun`` finds its place in the environment. On
its own it is a team of one, and accelerate is not imported.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from ddim_studio.models.errors import ModelError

if TYPE_CHECKING:
    from ddim_studio.models.team import Team

T = TypeVar("T")


class Alone:
    """A team of one."""

    index = 0
    size = 1

    def gather(self, item: T) -> list[T]:
        """The item itself."""
        return [item]


class Accelerated:
    """The processes that accelerate started; on a GPU each one takes its own.

    Raises:
        ModelError: accelerate is not installed.
    """

    def __init__(self, *, cpu: bool) -> None:
        try:
            from accelerate import PartialState
        except ImportError as error:
            raise ModelError(
                "Many processes need the package accelerate.", "pip install 'ddim-studio[train]'"
            ) from error
        state = PartialState(cpu=cpu)
        self.index: int = state.process_index
        self.size: int = state.num_processes

    def gather(self, item: T) -> list[T]:
        """What every process gave, in their order.

        Raises:
            ModelError: Another process has ended.
        """
        from accelerate.utils import gather_object

        try:
            gathered: list[Any] = gather_object([item])
        except RuntimeError as error:  # the connection to it is closed
            raise ModelError(
                "Another process of this run has ended.",
                "See what it said; what is finished is kept.",
            ) from error
        return gathered


def launched() -> bool:
    """Whether this process is one of several of a launcher."""
    return os.environ.get("WORLD_SIZE", "1") not in {"", "0", "1"}


def is_first() -> bool:
    """Whether this process is the one that speaks for its team; asks nothing but the launcher."""
    return not launched() or os.environ.get("RANK", "0") == "0"


def join_team(device: str) -> Team:
    """The team of this process, whose networks run on ``device``."""
    return Accelerated(cpu=device == "cpu") if launched() else Alone()


def end_team() -> None:
    """Leave the process group, where there is one, so that the launcher sees a clean end."""
    if not launched():
        return
    import torch.distributed as group

    if group.is_available() and group.is_initialized():
        group.destroy_process_group()
