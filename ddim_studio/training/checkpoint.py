"""Checkpoints: one file each, written whole or not at all, and known to be whole when read.

A checkpoint is a safetensors file. Its metadata hold everything that is no tensor, as JSON, and a
checksum of all bytes of the tensors.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddim_studio.storage import atomic_path
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.tensor_file import checksum, write_tensors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor

KEPT = 2
"""How many checkpoints are kept: the newest, and the one before."""
_PREFIX, _SUFFIX = "step-", ".safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stood.

    Attributes:
        step: Steps done.
        tensors: Network, moving average and optimiser, by name, on the CPU.
        state: All else that decides how the run goes on; plain JSON.
    """

    step: int
    tensors: dict[str, Tensor]
    state: dict[str, Any]


class DamagedError(TrainingError):
    """A checkpoint is not as it was written."""


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, and remove those before the last two.

    It is on the disk, not only on its way there, before an older one goes.

    Raises:
        OSError: It cannot be written; the older ones are kept.
    """
    tensors = {name: tensor.detach().cpu() for name, tensor in checkpoint.tensors.items()}
    about = {"step": checkpoint.step, "checksum": checksum(tensors), "state": checkpoint.state}
    path = folder / f"{_PREFIX}{checkpoint.step:09}{_SUFFIX}"
    with durable_path(path) as temporary:
        write_tensors(temporary, tensors, {"checkpoint": json.dumps(about)})
    for old in checkpoint_paths(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


@contextmanager
def durable_path(destination: Path) -> Iterator[Path]:
    """`atomic_path`, for a file that outlives even a crash of the computer."""
    with atomic_path(destination) as temporary:
        yield temporary
        _synchronise(temporary)
    if os.name == "posix":  # elsewhere folders cannot be opened
        _synchronise(destination.parent)


def _synchronise(path: Path) -> None:
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def checkpoint_paths(folder: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first."""
    return sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"))


def newest_checkpoint(folder: Path) -> tuple[Checkpoint | None, list[Path]]:
    """The newest checkpoint that is whole, and those newer ones that are damaged.

    Raises:
        OSError: One cannot be read at all.
    """
    damaged: list[Path] = []
    for path in reversed(checkpoint_paths(folder)):
        try:
            return read_checkpoint(path), damaged
        except DamagedError:
            damaged.append(path)
    return None, damaged


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint that `write_checkpoint` wrote.

    Raises:
        DamagedError: It is not as it was written.
        OSError: It cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    path.open("rb").close()  # what safetensors says of a file that may not be read is no OSError
    try:
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["checkpoint"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        checkpoint = Checkpoint(about["step"], tensors, about["state"])
        whole = about["checksum"] == checksum(tensors)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"The checkpoint {path.name} is damaged.") from error
    if not whole:
        raise DamagedError(f"The checkpoint {path.name} is damaged.")
    return checkpoint
