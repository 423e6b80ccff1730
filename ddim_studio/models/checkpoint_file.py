"""A single file of weights: its tensors by name, whatever they are wrapped in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddim_studio.models.containers import inside, unwrapped
from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.hints import read_hints
from ddim_studio.models.safetensors_list import safetensors_header
from ddim_studio.models.sniffing import CHECKPOINT_SUFFIXES, holds_safetensors, refuse_other_files
from ddim_studio.models.weights import (
    check_claim,
    read_pickled,
    read_safetensors,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    Shapes = Mapping[str, tuple[int, ...]]


class Checkpoint:
    """The network in a file, known by the names and shapes of its tensors.

    Attributes:
        path: The file.
        shapes: Of every tensor, by its name in the network.
        facts: Texts and numbers that stand in the file beside the tensors.
        hints: What the file ``NAME.ddim.json`` beside it says.
        notes: What a user should know, one sentence each.
    """

    def __init__(self, path: Path, shapes: Shapes) -> None:
        self.path = path
        self.shapes = shapes
        self.facts: Mapping[str, str | int | float] = {}
        self.hints: Mapping[str, Any] = read_hints(path)
        self.notes: tuple[str, ...] = ()
        self._tensors: Mapping[str, Tensor] | None = None

    def shape(self, name: str, *, dimensions: int) -> tuple[int, ...]:
        """The shape of a tensor.

        Raises:
            ModelError: There is no such tensor, it is empty, or has other dimensions.
        """
        found = self.shapes.get(name)
        if found is None:
            raise ModelError(
                f"The weights are incomplete: {excerpt(name)} is missing from the file.",
                "Copy or download the model again.",
            )
        if len(found) != dimensions:
            raise ModelError(
                f"The weights are damaged: {excerpt(name)} has {len(found)} dimensions in the "
                f"place of {dimensions}.",
                "Copy or download the model again.",
            )
        if 0 in found:
            raise ModelError(
                f"The weights are damaged: {excerpt(name)} holds no numbers.",
                "Copy or download the model again.",
            )
        return found

    def tensors(self) -> Mapping[str, Tensor]:
        """All tensors of the network, on the CPU.

        Raises:
            ModelError: The file is damaged.
        """
        if self._tensors is None:
            found = read_safetensors(self.path)
            check_claim(self.path, found)
            self._tensors = unwrapped(found)
        return self._tensors

    @classmethod
    def of_pickle(cls, path: Path) -> Checkpoint:
        """The checkpoint in a file that torch wrote.

        Raises:
            ModelError: It holds no network, or is damaged.
        """
        found = inside(path, read_pickled(path))
        check_claim(path, found.tensors)
        shapes = {name: tuple(tensor.shape) for name, tensor in found.tensors.items()}
        checkpoint = cls(path, shapes)
        checkpoint.facts, checkpoint.notes = found.facts, found.notes
        checkpoint._tensors = found.tensors
        return checkpoint


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a file; of a safetensors file only the list of tensors is read.

    Raises:
        ModelError: The file is something else, or is damaged.
    """
    refuse_other_files(path)
    if holds_safetensors(path):
        header = unwrapped(safetensors_header(path))
        return Checkpoint(path, {name: tensor.shape for name, tensor in header.items()})
    return Checkpoint.of_pickle(path)


def only_checkpoint_in(folder: Path) -> Path | None:
    """The one checkpoint file in a folder; None if there is none.

    Raises:
        ModelError: There are several.
    """
    try:
        found = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in CHECKPOINT_SUFFIXES and path.is_file()
        )
    except OSError as error:
        raise ModelError(
            f"{excerpt(str(folder), 200)} cannot be read: {error.strerror}."
        ) from error
    if len(found) > 1:
        shown = ", ".join(excerpt(path.name, 40) for path in found[:3])
        raise ModelError(
            f"The folder {excerpt(folder.name)!r} holds {len(found)} checkpoints: {shown}"
            f"{', …' if len(found) > 3 else ''}.",
            "Give one of these files in the place of the folder.",
        )
    return found[0] if found else None
